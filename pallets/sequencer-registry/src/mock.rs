//! A runtime with the registry, and sets put in force as pallet-session does.

use crate::{self as pallet_sequencer_registry, crypto, Member, RegisteredKeys, Relay, Vault};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, ChainParameters},
    l1::L1Hash,
    relay::L1Chance,
    reputation::{L1AddressProvider, ReputationProvider, Score},
    sequencers::{StakeParts, StakeProvider},
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Contains, Get, OneSessionHandler},
};
use frame_system::{
    offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase},
    AuthorizeCall,
};
use pallet_session::SessionManager;
use sp_core::{ecdsa, ed25519, Pair, H160};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentityLookup},
    BuildStorage,
};

type Extrinsic = generic::UncheckedExtrinsic<u64, RuntimeCall, (), AuthorizeCall<Test>>;
type Block = generic::Block<generic::Header<u64, BlakeTwo256>, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Registry: pallet_sequencer_registry,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

impl<C> CreateTransactionBase<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extension = AuthorizeCall<Test>;

    fn create_transaction(call: RuntimeCall, extension: Self::Extension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<C> CreateAuthorizedTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> Self::Extension {
        AuthorizeCall::new()
    }
}

parameter_types! {
    pub static SetId: u64 = 0;
    pub static Sealing: Vec<ed25519::Public> = Vec::new();
    pub static Voting: Vec<ed25519::Public> = Vec::new();
    pub static InForce: Vec<AccountId> = Vec::new();
    pub static Keyless: Vec<AccountId> = Vec::new();
    pub static MinSequencers: u32 = 2;
    /// Scores and stakes of candidates; nothing for others.
    pub static Known: Vec<(AccountId, u64, Balance)> = Vec::new();
    /// What is locked on L1.
    pub static Locked: Vec<(AccountId, Balance)> = Vec::new();
    pub static L1Height: u32 = 100;
    /// Blocks with another hash than their height.
    pub static L1Blocks: Vec<(u32, L1Hash)> = Vec::new();
    /// Who has proven which L1 address.
    pub static ProvenBy: Vec<(AccountId, H160)> = Vec::new();
    pub static Planned: Vec<AccountId> = Vec::new();
    pub static ElectionsRest: bool = false;
    pub static MaxSequencers: u32 = 5;
    pub static MinPeers: u32 = 0;
    /// Relay keys that are not those of `ed(n, RELAY_KEY)`.
    pub static OtherKeys: Vec<(AccountId, ed25519::Public)> = Vec::new();
    /// The next set with its relay keys, where a test ends sessions by [`rotate`].
    pub static Queued: Vec<(AccountId, ed25519::Public)> = Vec::new();
    /// The session that is planned by the next [`rotate`].
    pub static NextSession: u32 = 5;
    /// Blocks between regular session ends; 0: every end is one that is not forced.
    pub static SessionBlocks: u32 = 0;
    pub const RevocationKeyDelay: u32 = 100;
}

impl pallet_sequencer_registry::Config for Test {
    type SetId = SetId;
    type SealingKeys = Sealing;
    type VotingKeys = Voting;
    type InForce = InForce;
    type HasKeys = HasKeys;
    type MinSequencers = MinSequencers;
    type Parameters = Parameters;
    type Reputation = Facts;
    type L1Addresses = Facts;
    type Stake = Facts;
    type Chance = Dice;
    type Planned = Planned;
    type ElectionsRest = ElectionsRest;
    type Keys = Keyring;
    type RevocationKeyDelay = RevocationKeyDelay;
    type WeightInfo = ();
}

pub const CHAIN_ID: u32 = 3;
pub const MIN_SCORE: u8 = 70;
pub const COIN: Balance = 10_000_000;
pub const MIN_STAKE: Balance = 100 * COIN;

pub struct Parameters;

impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            chain_id: CHAIN_ID,
            decimals: 7,
            max_sequencers: MaxSequencers::get(),
            session_blocks: SessionBlocks::get(),
            epoch_sessions: 2,
            min_sequencer_score: MIN_SCORE,
            min_sequencer_stake: MIN_STAKE,
            min_sequencer_peers: MinPeers::get(),
            ..Default::default()
        }
    }
}

/// L1 blocks up to `L1Height`, whose hashes are their heights.
pub struct Dice;

impl L1Chance for Dice {
    fn unknown_height() -> u32 {
        L1Height::get() + 2
    }

    fn hash_at(height: u32) -> Option<L1Hash> {
        if let Some((_, hash)) = L1Blocks::get().into_iter().find(|block| block.0 == height) {
            return Some(hash);
        }
        (height <= L1Height::get()).then(|| {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&height.to_le_bytes());
            L1Hash(hash)
        })
    }
}

/// What is known of accounts.
pub struct Facts;

impl ReputationProvider for Facts {
    fn score(account: &AccountId) -> Score {
        let known = Known::get();
        let score = known.iter().find(|(who, _, _)| who == account).map_or(0, |known| known.1);
        Score::saturating(score)
    }
}

impl L1AddressProvider for Facts {
    fn has_proven(account: &AccountId, address: &H160) -> bool {
        ProvenBy::get().contains(&(account.clone(), *address))
    }
}

impl StakeProvider for Facts {
    fn parts(account: &AccountId) -> StakeParts {
        let known = Known::get();
        let bonded = known.iter().find(|(who, _, _)| who == account).map_or(0, |known| known.2);
        let locks = Locked::get();
        let locked = locks.iter().find(|(who, _)| who == account).map_or(0, |lock| lock.1);
        StakeParts { bonded, locked, named: 0 }
    }

    fn min_l2_share() -> u8 {
        50
    }
}

/// Makes score and stake of an account known.
pub fn know(n: u8, score: u64, stake: Balance) {
    Known::mutate(|known| {
        known.retain(|(who, _, _)| *who != account(n));
        known.push((account(n), score, stake));
    });
}

/// Everybody has session keys but the `Keyless`.
pub struct HasKeys;

impl Contains<AccountId> for HasKeys {
    fn contains(account: &AccountId) -> bool {
        !Keyless::get().contains(account)
    }
}

/// Who has keys has those of `ed(n, RELAY_KEY)`, or of `OtherKeys`.
pub struct Keyring;

impl RegisteredKeys for Keyring {
    fn registered(of: &AccountId) -> Option<ed25519::Public> {
        let other = OtherKeys::get().into_iter().find(|(who, _)| who == of);
        let usual = || ed(AsRef::<[u8]>::as_ref(of)[0], RELAY_KEY);
        HasKeys::contains(of).then(|| other.map_or_else(usual, |(_, key)| key))
    }

    fn planned(of: &AccountId) -> Option<ed25519::Public> {
        Queued::get().into_iter().find(|(who, _)| who == of).map(|(_, key)| key)
    }

    fn unregister(of: &AccountId) {
        OtherKeys::mutate(|keys| keys.retain(|(who, _)| who != of));
        Keyless::mutate(|keyless| keyless.push(of.clone()));
    }
}

/// `n` sets keys with this relay key among them.
pub fn set_keys(n: u8, relay: ed25519::Public) {
    Keyless::mutate(|keyless| keyless.retain(|who| *who != account(n)));
    OtherKeys::mutate(|keys| {
        keys.retain(|(who, _)| *who != account(n));
        keys.push((account(n), relay));
    });
}

pub fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

pub fn ed(n: u8, purpose: u8) -> ed25519::Public {
    ed25519::Pair::from_seed(&[n ^ purpose; 32]).public()
}

pub fn ec(n: u8) -> ecdsa::Public {
    ecdsa::Pair::from_seed(&[n; 32]).public()
}

pub const RELAY_KEY: u8 = 0x40;
pub const SEALING_KEY: u8 = 0x80;
pub const VOTING_KEY: u8 = 0xc0;

/// Puts `order` in force as pallet-session does.
pub fn put_in_force(order: &[u8], changed: bool) {
    let accounts: Vec<_> = order.iter().map(|n| account(*n)).collect();
    let relay: Vec<(_, crypto::relay::AuthorityId)> =
        accounts.iter().zip(order.iter().map(|n| ed(*n, RELAY_KEY).into())).collect();
    let vault: Vec<(_, crypto::vault::AuthorityId)> =
        accounts.iter().zip(order.iter().map(|n| ec(*n).into())).collect();
    Relay::<Test>::on_new_session(changed, relay.into_iter(), Vec::new().into_iter());
    Vault::<Test>::on_new_session(changed, vault.into_iter(), Vec::new().into_iter());
    Sealing::set(order.iter().map(|n| ed(*n, SEALING_KEY)).collect());
    InForce::set(accounts);
    Voting::set(order.iter().map(|n| ed(*n, VOTING_KEY)).collect());
}

/// Puts `order` in force, and it is what comes next, too.
pub fn settle(order: &[u8]) {
    put_in_force(order, true);
    queue(order.iter().map(|n| account(*n)).collect());
}

/// As pallet-session does: those who have registered keys are in the next set, with these.
fn queue(accounts: Vec<AccountId>) {
    let with_keys = |who: AccountId| Keyring::registered(&who).map(|key| (who, key));
    let queued: Vec<_> = accounts.iter().cloned().filter_map(with_keys).collect();
    assert_eq!(queued.len(), accounts.len(), "somebody is in the next set without keys");
    Queued::set(queued);
    Planned::set(accounts);
}

/// Ends a session as pallet-session does: what was queued is in force, and the set after it
/// is queued, which is returned.
pub fn rotate() -> Vec<u8> {
    Registry::end_session(0);
    let in_force = Queued::get();
    let now: Vec<_> = in_force.iter().map(|(who, _)| who.clone()).collect();
    InForce::set(now.clone());
    let index = NextSession::get();
    NextSession::set(index + 1);
    queue(Registry::new_session(index).unwrap_or(now.clone()));
    let handed = |keys: &[(AccountId, ed25519::Public)]| -> Vec<crypto::relay::AuthorityId> {
        keys.iter().map(|(_, key)| (*key).into()).collect()
    };
    let queued = Queued::get();
    let next: Vec<_> = queued.iter().map(|(who, _)| who.clone()).collect();
    let relay: Vec<_> = now.iter().zip(handed(&in_force)).collect();
    let next_relay: Vec<_> = next.iter().zip(handed(&queued)).collect();
    Relay::<Test>::on_new_session(true, relay.into_iter(), next_relay.into_iter());
    let number = |who: &AccountId| AsRef::<[u8]>::as_ref(who)[0];
    let order: Vec<u8> = now.iter().map(number).collect();
    let vault: Vec<(_, crypto::vault::AuthorityId)> =
        now.iter().zip(order.iter().map(|n| ec(*n).into())).collect();
    Vault::<Test>::on_new_session(true, vault.into_iter(), Vec::new().into_iter());
    Sealing::set(order.iter().map(|n| ed(*n, SEALING_KEY)).collect());
    Voting::set(order.iter().map(|n| ed(*n, VOTING_KEY)).collect());
    next.iter().map(number).collect()
}

pub fn genesis(members: Vec<Member>) -> sp_io::TestExternalities {
    RuntimeGenesisConfig {
        registry: pallet_sequencer_registry::GenesisConfig { members, ..Default::default() },
        ..Default::default()
    }
    .build_storage()
    .expect("genesis builds")
    .into()
}

pub fn three_members() -> sp_io::TestExternalities {
    SetId::set(0);
    L1Height::set(100);
    L1Blocks::set(Vec::new());
    ProvenBy::set(Vec::new());
    Planned::set(Vec::new());
    ElectionsRest::set(false);
    MaxSequencers::set(5);
    MinPeers::set(0);
    Known::set(Vec::new());
    Locked::set(Vec::new());
    Keyless::set(Vec::new());
    OtherKeys::set(Vec::new());
    Queued::set(Vec::new());
    NextSession::set(5);
    SessionBlocks::set(0);
    MinSequencers::set(2);
    genesis((1..=3).map(|n| Member { account: account(n), weight: u64::from(n) * 10 }).collect())
}
