//! A runtime of balances and this pallet.

use crate as pallet_burn_mint;
use cascoin_l2_primitives::{
    apis::BurnRecord,
    chain::{AccountId, Balance, ChainParameters, Moment},
    l1::{
        burn::{BurnPayload, Recipient},
        deposit, L1Hash, OutPoint,
    },
    relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
    reputation::MS_PER_DAY,
    sequencers::SequencerSetProvider,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Get, Hooks, Time},
    weights::Weight,
};
use sp_runtime::{generic, traits::BlakeTwo256, traits::IdentityLookup, BuildStorage};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), ()>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        BurnMint: pallet_burn_mint,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = frame_support::traits::ConstU128<1>;
}

/// Noon of a day of UTC.
pub const NOON: Moment = 19_675 * MS_PER_DAY + MS_PER_DAY / 2;

parameter_types! {
    pub static Now: Moment = NOON;
    /// Limits of a day: of a burn, of an address, of all together.
    pub static DayLimits: (Balance, Balance, Balance) = NO_LIMITS;
    pub static MinSequencers: u32 = 1;
    pub static Members: usize = 1;
    pub static L1Disputed: bool = false;
    pub static Emergency: bool = false;
    /// SHA-256 of the vault's script.
    pub static VaultScript: Option<[u8; 32]> = None;
    /// L1 blocks that were replaced.
    pub static Replaced: Vec<L1Hash> = vec![];
    /// How often the parameters were read.
    pub static ParameterReads: u32 = 0;
}

pub const NO_LIMITS: (Balance, Balance, Balance) = (Balance::MAX, Balance::MAX, Balance::MAX);

pub const CHAIN_ID: u32 = 3;

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ParameterReads::mutate(|reads| *reads += 1);
        let (max_deposit, max_daily_deposit, max_daily_mint) = DayLimits::get();
        ChainParameters {
            chain_id: CHAIN_ID,
            min_sequencers: MinSequencers::get(),
            max_deposit,
            max_daily_deposit,
            max_daily_mint,
            ..Default::default()
        }
    }
}

pub struct Sequencers;
impl SequencerSetProvider for Sequencers {
    fn set_id() -> u64 {
        0
    }

    fn members() -> usize {
        Members::get()
    }

    fn account(_: u16) -> Option<AccountId> {
        None
    }

    fn relay_key(_: u16) -> Option<sp_core::ed25519::Public> {
        None
    }

    fn index_of_relay_key(_: &sp_core::ed25519::Public) -> Option<u16> {
        None
    }
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

pub struct L1Blocks;
impl L1Branch for L1Blocks {
    fn has_block(_: u32, hash: &L1Hash) -> bool {
        !Replaced::get().contains(hash)
    }
}

impl crate::Config for Test {
    type Currency = Balances;
    type Parameters = Parameters;
    type Sequencers = Sequencers;
    type L1Disputed = L1Disputed;
    type Emergency = Emergency;
    type L1Blocks = L1Blocks;
    type VaultScript = VaultScript;
    type Time = Clock;
    type WeightInfo = ();
}

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
pub const ENDOWMENT: Balance = 1_000;

/// State in L2 block 1; Alice was endowed at genesis.
pub fn new_test_ext() -> sp_io::TestExternalities {
    Now::set(NOON);
    DayLimits::set(NO_LIMITS);
    MinSequencers::set(1);
    Members::set(1);
    L1Disputed::set(false);
    Emergency::set(false);
    VaultScript::set(None);
    Replaced::set(vec![]);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(ALICE, ENDOWMENT)],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(|| begin_block(1));
    ext
}

fn begin_block(block: u32) {
    System::set_block_number(block);
    Now::mutate(|now| *now += 500);
    BurnMint::on_initialize(block);
}

/// Ends the block as it would end on chain and begins the next.
pub fn next_block() {
    next_block_with(Weight::MAX);
}

/// As [`next_block`], and the next block is the first of the next day.
pub fn next_day() {
    next_block();
    let tomorrow = (Now::get() / MS_PER_DAY + 1) * MS_PER_DAY;
    Now::set(tomorrow);
}

/// As [`next_block`] with `idle` weight left.
pub fn next_block_with(idle: Weight) {
    let block = System::block_number();
    BurnMint::on_idle(block, idle);
    BurnMint::on_finalize(block);
    BurnMint::do_try_state().expect("the state is sound between blocks");
    begin_block(block + 1);
}

/// An outpoint that is told apart by `number`.
pub fn outpoint(number: u32) -> OutPoint {
    OutPoint { txid: L1Hash::of(&number.to_le_bytes()), vout: 0 }
}

/// The payload of a burn that says what it does.
pub fn payload(recipient: AccountId, amount: u64) -> Vec<u8> {
    let recipient = Recipient::Account(recipient);
    BurnPayload { chain_id: CHAIN_ID, recipient, amount }.encode().to_vec()
}

/// The L1 block that [`see`] delivers events of.
pub fn l1_block() -> L1BlockContext {
    L1BlockContext { height: 77, hash: L1Hash([7; 32]), time: 1_600_000_000, median_time: 0 }
}

/// The relay hands over a marked output.
pub fn see(outpoint: OutPoint, value: u64, payload: &[u8]) {
    let payload = payload.to_vec().try_into().expect("at most 80 bytes");
    BurnMint::on_event(&L1Event::Burn { outpoint, value, payload }, &l1_block());
}

/// The relay hands over a valid burn.
pub fn burn(number: u32, to: AccountId, value: u64) {
    see(outpoint(number), value, &payload(to, value));
}

/// The vault of [`deposit`].
pub const VAULT: [u8; 32] = [0x55; 32];

/// The relay hands over a deposit in a block, in an output with the script `script`.
pub fn deposit_in(
    block: &L1BlockContext,
    number: u32,
    to: AccountId,
    value: u64,
    script: [u8; 32],
) {
    let body = deposit::body(&Recipient::Account(to)).to_vec().try_into().expect("it fits");
    let (outpoint, chain_id) = (outpoint(number), CHAIN_ID);
    let event = L1Event::VaultDeposit { outpoint, chain_id, value, script, body };
    BurnMint::on_event(&event, block);
}

/// The relay hands over a deposit in [`VAULT`].
pub fn deposit(number: u32, to: AccountId, value: u64) {
    deposit_in(&l1_block(), number, to, value, VAULT);
}

/// An L1 block of branch `branch`.
pub fn l1_block_at(height: u32, branch: u8) -> L1BlockContext {
    let hash = L1Hash::of(&[&height.to_le_bytes()[..], &[branch]].concat());
    L1BlockContext { height, hash, time: 1_600_000_000, median_time: 0 }
}

/// The relay hands over a valid burn in a block.
pub fn burn_in(block: &L1BlockContext, number: u32, to: AccountId, value: u64) {
    let payload = payload(to, value).try_into().expect("at most 80 bytes");
    BurnMint::on_event(&L1Event::Burn { outpoint: outpoint(number), value, payload }, block);
}

/// What is on record of the `number`-th outpoint.
pub fn record(number: u32) -> BurnRecord {
    BurnMint::burn(&outpoint(number)).expect("it is on record")
}

/// The events of this pallet in this block.
pub fn mint_events() -> Vec<crate::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::BurnMint(event) => Some(event),
            _ => None,
        })
        .collect()
}
