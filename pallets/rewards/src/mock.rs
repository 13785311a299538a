//! A runtime of balances, transaction payment and this pallet, and blocks of it.

use crate as pallet_rewards;
use crate::{
    pallet::{BonusPool, Earnings, FullnessAverages},
    price::Averages,
    BaseFeeUpdate, ChargeFees, Config, Event,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, ChainParameters, FeeSplit},
    reputation::{ReputationProvider, Score},
    rewards::{OnFeePaid, SequencerRewards, UserTime},
    sequencers::{OnSessionJudged, SequencerSetProvider, SequencerWeights, SessionUptime},
};
use frame_support::{
    derive_impl,
    dispatch::{DispatchClass, DispatchInfo, PostDispatchInfo},
    parameter_types,
    traits::{
        fungible::{Balanced, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        ConstU8, Get, Hooks, OnUnbalanced,
    },
    weights::{Weight, WeightToFee as FeeOf},
    PalletId,
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_transaction_payment::{FungibleAdapter, Multiplier};
use sp_core::ed25519;
use sp_runtime::{
    traits::{DispatchTransaction, IdentityLookup},
    transaction_validity::TransactionValidityError,
    BuildStorage, Digest, FixedPointNumber, Perbill,
};
use std::collections::BTreeMap;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        TransactionPayment: pallet_transaction_payment,
        Rewards: pallet_rewards,
    }
);

/// Time and length of a full block; user transactions may have all but a quarter of
/// both.
pub const BLOCK_TIME: u64 = 1_000_000;
pub const BLOCK_BYTES: u32 = 400_000;

parameter_types! {
    pub Weights: BlockWeights = BlockWeights::builder()
        .base_block(Weight::from_parts(1_000, 0))
        .for_class(DispatchClass::all(), |class| class.base_extrinsic = Weight::zero())
        .for_class(DispatchClass::Normal, |class| {
            class.max_total = Some(Weight::from_parts(BLOCK_TIME / 4 * 3, u64::MAX));
        })
        .for_class(DispatchClass::Operational, |class| {
            class.max_total = Some(Weight::from_parts(BLOCK_TIME, u64::MAX));
        })
        .build_or_panic();
    pub Length: BlockLength = BlockLength::builder()
        .max_length(BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = *max / 4 * 3)
        .build();
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockWeights = Weights;
    type BlockLength = Length;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

/// The smallest fee.
pub const MIN_FEE: Balance = 100;

/// A unit of fee for each unit of time.
pub struct WeightToFee;
impl FeeOf for WeightToFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        weight.ref_time().into()
    }
}

/// The smallest fee and a unit for each byte, at the current price.
pub struct LengthToFee;
impl FeeOf for LengthToFee {
    type Balance = Balance;

    fn weight_to_fee(length: &Weight) -> Balance {
        TransactionPayment::next_fee_multiplier()
            .saturating_mul_int(MIN_FEE + Balance::from(length.ref_time()))
    }
}

impl pallet_transaction_payment::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, Rewards>;
    type WeightToFee = WeightToFee;
    type LengthToFee = LengthToFee;
    type FeeMultiplierUpdate = BaseFeeUpdate<Test>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = ();
}

parameter_types! {
    pub static ExistentialDeposit: Balance = 1;
    /// Seeds of the sequencers' accounts and their weights, in the order of the set.
    pub static Set: Vec<(u8, u64)> = vec![];
    pub static SetId: u64 = 0;
    pub static Author: Option<AccountId> = None;
    pub static Split: FeeSplit = FeeSplit::default();
    pub static SessionBlocks: u32 = 10;
    /// Scores by the accounts' seeds; 0 of others.
    pub static Scores: BTreeMap<u8, u8> = BTreeMap::new();
    /// Base fees as they were told of.
    pub static Told: Vec<(AccountId, Balance)> = vec![];
    pub const PotId: PalletId = PalletId(*b"test/pot");
}

pub const BLOCKS_PER_LEADER: u32 = 10;
/// Two minutes, so that 24 hours are 720 blocks.
pub const BLOCK_TIME_MS: u64 = 120_000;
pub const DISCOUNT_SCORE: u8 = 80;

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            block_time_ms: BLOCK_TIME_MS,
            blocks_per_leader: BLOCKS_PER_LEADER,
            session_blocks: SessionBlocks::get(),
            fee_split: Split::get(),
            fee_discount_score: DISCOUNT_SCORE,
            ..Default::default()
        }
    }
}

pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

pub struct Sequencers;
impl SequencerSetProvider for Sequencers {
    fn set_id() -> u64 {
        SetId::get()
    }

    fn members() -> usize {
        Set::get().len()
    }

    fn account(index: u16) -> Option<AccountId> {
        Set::get().get(usize::from(index)).map(|(seed, _)| account(*seed))
    }

    fn relay_key(_: u16) -> Option<ed25519::Public> {
        None
    }

    fn index_of_relay_key(_: &ed25519::Public) -> Option<u16> {
        None
    }
}

impl SequencerWeights for Sequencers {
    fn weighted() -> Vec<(AccountId, u64)> {
        Set::get().into_iter().map(|(seed, weight)| (account(seed), weight)).collect()
    }
}

pub struct Reputation;
impl ReputationProvider for Reputation {
    fn score(account: &AccountId) -> Score {
        let seed = AsRef::<[u8]>::as_ref(account)[0];
        Score::saturating(Scores::get().get(&seed).copied().unwrap_or(0).into())
    }
}

pub struct TimeOfUsers;
impl Get<UserTime> for TimeOfUsers {
    fn get() -> UserTime {
        let used = *System::block_weight().get(DispatchClass::Normal);
        UserTime { taken: used.ref_time(), room: BLOCK_TIME / 4 * 3 }
    }
}

/// Notes who paid which base fee.
pub struct Recorder;
impl OnFeePaid for Recorder {
    fn on_fee_paid(who: &AccountId, base_fee: Balance) {
        Told::mutate(|told| told.push((who.clone(), base_fee)));
    }

    fn weight() -> Weight {
        Weight::zero()
    }
}

impl Config for Test {
    type Currency = Balances;
    type Parameters = Parameters;
    type Sequencers = Sequencers;
    type Author = Author;
    type Reputation = Reputation;
    type UserTime = TimeOfUsers;
    type OnFeePaid = Recorder;
    type PotId = PotId;
    type WeightInfo = ();
}

/// Seeds of those who pay; sequencers have lower ones.
pub const PAYER: u8 = 200;
pub const OTHER_PAYER: u8 = 201;
/// What each of them has.
pub const RICHES: Balance = 1 << 90;

/// State at genesis, with sequencers 1 to `sequencers` of equal weight.
pub fn new_test_ext(sequencers: u8) -> sp_io::TestExternalities {
    with_weights((1..=sequencers).map(|seed| (seed, 100)).collect())
}

/// State at genesis, with these sequencers.
pub fn with_weights(set: Vec<(u8, u64)>) -> sp_io::TestExternalities {
    Set::set(set);
    SetId::set(0);
    Author::set(None);
    SessionBlocks::set(10);
    Split::set(FeeSplit { producer: 70, others: 20 });
    Scores::set(BTreeMap::new());
    ExistentialDeposit::set(1);
    Told::set(vec![]);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(account(PAYER), RICHES), (account(OTHER_PAYER), RICHES)],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(check);
    ext
}

/// The books balance, to the unit.
pub fn check() {
    Rewards::check_state().expect("sound between blocks");
    assert_eq!(balance_of(&Rewards::pot()), Rewards::liabilities(), "nothing is lost");
}

pub fn balance(seed: u8) -> Balance {
    balance_of(&account(seed))
}

pub fn balance_of(account: &AccountId) -> Balance {
    Balances::balance(account)
}

/// A block: who makes it, and what its transactions pay.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// `None`: nobody of the set.
    pub author: Option<u8>,
    /// Base fee and tip of each transaction.
    pub fees: Vec<(Balance, Balance)>,
    /// Uptimes of the session before, by index; everybody was there without.
    pub uptimes: Option<Vec<u16>>,
    /// The set that it puts in force, as the session pallets do: when it begins.
    pub changes_to: Option<Vec<(u8, u64)>>,
}

impl Made {
    pub fn by(author: u8, fees: &[(Balance, Balance)]) -> Self {
        Self { author: Some(author), fees: fees.to_vec(), ..Default::default() }
    }
}

/// Begins the next block.
pub fn begin_block(author: Option<u8>, changes_to: Option<Vec<(u8, u64)>>) -> Weight {
    let height = System::block_number() + 1;
    System::reset_events();
    System::initialize(&height, &Default::default(), &Digest::default());
    Author::set(author.map(account));
    if let Some(set) = changes_to {
        SetId::mutate(|id| *id += 1);
        Set::set(set);
    }
    Rewards::on_initialize(height)
}

/// Tells of the session before, if it was not settled yet, as the inherent does.
pub fn judge(uptimes: Option<Vec<u16>>) {
    let Some(ended) = crate::pallet::Ended::<Test>::get() else { return };
    let known = uptimes.unwrap_or_else(|| vec![1_000; ended.set.seats.len()]);
    let uptimes: Vec<_> = ended
        .set
        .seats
        .iter()
        .zip(known)
        .map(|(seat, uptime_permille)| SessionUptime {
            account: seat.account.clone(),
            uptime_permille,
        })
        .collect();
    Rewards::on_session_judged(&uptimes);
}

/// A transaction pays.
pub fn pay(base_fee: Balance, tip: Balance) {
    let withdraw = |amount| {
        <Balances as Balanced<AccountId>>::withdraw(
            &account(PAYER),
            amount,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        )
        .expect("it is rich")
    };
    let amounts = [withdraw(base_fee), withdraw(tip)];
    <Rewards as OnUnbalanced<_>>::on_unbalanceds(amounts.into_iter());
}

/// Ends the block, in the order of the runtime.
pub fn end_block() {
    let height = System::block_number();
    TransactionPayment::on_finalize(height);
    Rewards::on_finalize(height);
    check();
}

/// Makes the next block.
pub fn block(made: Made) {
    begin_block(made.author, made.changes_to);
    judge(made.uptimes);
    for (base_fee, tip) in made.fees {
        pay(base_fee, tip);
    }
    end_block();
}

/// Makes the next block, empty but this full of user transactions, in percent.
pub fn full_block(author: u8, percent: u64) {
    begin_block(Some(author), None);
    judge(None);
    let used = Weight::from_parts(BLOCK_TIME / 4 * 3 / 100 * percent, 0);
    System::set_block_consumed_resources(used, 0);
    end_block();
}

/// Empty blocks of one sequencer until `height` is the head.
pub fn grow_to(height: u32, author: u8) {
    while System::block_number() < height {
        block(Made::by(author, &[]));
    }
}

/// Events of this pallet in this block.
pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}

pub fn owed(seed: u8) -> Balance {
    Earnings::<Test>::get(account(seed)).owed
}

pub fn pool() -> Balance {
    BonusPool::<Test>::get()
}

pub fn of(seed: u8) -> SequencerRewards {
    Rewards::rewards(Some(account(seed))).sequencers.remove(0)
}

/// What base fees are multiplied by.
pub fn price() -> Multiplier {
    TransactionPayment::next_fee_multiplier()
}

/// Sets it.
pub fn set_price(price: Multiplier) {
    pallet_transaction_payment::NextFeeMultiplier::<Test>::put(price);
}

/// Sets how full blocks were on average, before the next term too.
pub fn set_average(now: Perbill) {
    FullnessAverages::<Test>::put(Averages { now, ..Default::default() });
}

/// What became of a signed transaction.
pub type Applied = Result<PostDispatchInfo, TransactionValidityError>;

/// A transaction of `declared` time that turns out to take `actual`, with this length
/// and tip, through the extension as a whole.
pub fn transact(who: u8, declared: u64, actual: u64, len: u32, tip: Balance) -> Applied {
    let call = remark();
    let info = info(declared);
    let used = PostDispatchInfo {
        actual_weight: Some(Weight::from_parts(actual, 0)),
        ..Default::default()
    };
    let origin = RuntimeOrigin::signed(account(who));
    ChargeFees::<Test>::from(tip)
        .test_run(origin, &call, &info, len as usize, 0, |_| Ok(used))
        .map(|result| result.expect("the dispatch succeeds"))
}

pub fn remark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![] })
}

pub fn info(time: u64) -> DispatchInfo {
    DispatchInfo { call_weight: Weight::from_parts(time, 0), ..Default::default() }
}
