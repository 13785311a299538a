//! A runtime of this pallet alone.

use crate as pallet_l2_registry;
use crate::BootstrapRules;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, Moment},
    l1::{registration::chain_name, L1Hash, OutPoint},
    registry::ChainDefinition,
    relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
    reputation::L1AddressProvider,
};
use frame_support::{derive_impl, parameter_types, traits::Time};
use sp_core::H160;
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentityLookup},
    BuildStorage,
};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), ()>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        L2Registry: pallet_l2_registry,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

/// The chain that this registry is part of.
pub const CHAIN: u32 = 3;
pub const MIN_STAKE: u64 = 1_000;
/// The L1 height at genesis.
pub const L1_START: u32 = 100;
/// A lock that lasts.
pub const FAR: u32 = 90_000;
pub const DAY_MS: Moment = 86_400_000;
/// The time at the beginning of tests.
pub const NOW: Moment = 1_700_000_000_000;

parameter_types! {
    pub static L1Height: u32 = L1_START;
    pub static Present: Moment = NOW;
    pub static Emergency: bool = false;
    /// Hashes of the L1 blocks that L1 has left.
    pub static Replaced: Vec<L1Hash> = vec![];
}

pub struct L1Blocks;
impl L1Branch for L1Blocks {
    fn has_block(_: u32, hash: &L1Hash) -> bool {
        !Replaced::get().contains(hash)
    }
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Present::get()
    }
}

/// Account `n` holds the key whose hash is of bytes `n`.
pub struct Keys;
impl L1AddressProvider for Keys {
    fn has_proven(account: &AccountId, address: &H160) -> bool {
        let bytes: &[u8] = account.as_ref();
        bytes[..20] == address.0
    }
}

impl pallet_l2_registry::Config for Test {
    type ChainId = frame_support::traits::ConstU32<CHAIN>;
    type MinStake = frame_support::traits::ConstU128<{ MIN_STAKE as u128 }>;
    type L1Height = L1Height;
    type L1Blocks = L1Blocks;
    type Deployers = Keys;
    type Time = Clock;
    type Emergency = Emergency;
    type WeightInfo = ();
}

/// State in block 1, with the rules of public networks.
pub fn new_test_ext() -> sp_io::TestExternalities {
    with_rules(BootstrapRules::default())
}

pub fn with_rules(rules: BootstrapRules) -> sp_io::TestExternalities {
    L1Height::set(L1_START);
    Present::set(NOW);
    Emergency::set(false);
    Replaced::set(vec![]);
    let genesis = RuntimeGenesisConfig {
        l2_registry: pallet_l2_registry::GenesisConfig { rules, ..Default::default() },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}

pub fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

pub fn signed(n: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(n))
}

pub fn outpoint(id: u32) -> OutPoint {
    OutPoint { txid: L1Hash::of(&id.to_le_bytes()), vout: 1 }
}

/// A test network that can be opened.
pub fn testnet() -> ChainDefinition {
    ChainDefinition {
        mainnet: false,
        genesis: BlockHash::repeat_byte(1),
        block_time_ms: 500,
        gas_limit: 30_000_000,
        challenge_period_s: 604_800,
        sequencers: 5,
        rehearsal: 0,
    }
}

/// A chain for money whose test network is `rehearsal`.
pub fn mainnet(rehearsal: u32) -> ChainDefinition {
    ChainDefinition { mainnet: true, rehearsal, ..testnet() }
}

/// The chain `id` of the deployer `n`, as it stands on L1.
pub fn registration(id: u32, n: u8, definition: &ChainDefinition) -> L1Event {
    L1Event::ChainRegistration {
        outpoint: outpoint(id),
        chain_id: CHAIN,
        id,
        name: chain_name(format!("chain-{}", id % 100_000).as_bytes()).expect("a name"),
        definition: definition.hash(),
        owner: H160([n; 20]),
        value: MIN_STAKE,
        unlock: FAR,
    }
}

/// L1 tells of it in its next block.
pub fn hear(event: &L1Event) {
    hear_in(event, L1Hash::default());
}

/// L1 tells of it in its next block, which has this hash.
pub fn hear_in(event: &L1Event, hash: L1Hash) {
    let block = L1BlockContext { height: L1Height::get() + 1, hash, ..Default::default() };
    L2Registry::on_event(event, &block);
}
