//! A runtime with the registry, and sets put in force as pallet-session does.

use crate::{self as pallet_sequencer_registry, crypto, Member, Relay, Vault};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, ChainParameters},
    l1::L1Hash,
    relay::L1Chance,
    reputation::{L1AddressProvider, ReputationProvider, Score},
    sequencers::StakeProvider,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Contains, Get, OneSessionHandler},
};
use frame_system::{
    offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase},
    AuthorizeCall,
};
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
    pub static L1Height: u32 = 100;
    /// Blocks with another hash than their height.
    pub static L1Blocks: Vec<(u32, L1Hash)> = Vec::new();
    /// Who has proven which L1 address.
    pub static ProvenBy: Vec<(AccountId, H160)> = Vec::new();
    pub static Planned: Vec<AccountId> = Vec::new();
    pub static MaxSequencers: u32 = 5;
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
    type WeightInfo = ();
}

pub const MIN_SCORE: u8 = 70;
pub const COIN: Balance = 10_000_000;
pub const MIN_STAKE: Balance = 100 * COIN;

pub struct Parameters;

impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            decimals: 7,
            max_sequencers: MaxSequencers::get(),
            epoch_sessions: 2,
            min_sequencer_score: MIN_SCORE,
            min_sequencer_stake: MIN_STAKE,
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
    fn stake(account: &AccountId) -> Balance {
        Known::get().iter().find(|(who, _, _)| who == account).map_or(0, |known| known.2)
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
    MaxSequencers::set(5);
    Known::set(Vec::new());
    Keyless::set(Vec::new());
    MinSequencers::set(2);
    genesis((1..=3).map(|n| Member { account: account(n), weight: u64::from(n) * 10 }).collect())
}
