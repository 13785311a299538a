//! A runtime of this pallet alone, and blocks of it.

use crate as pallet_rate_limit;
use crate::{pallet::Config, CheckGas, CheckRate, EstimatedWeight};
use cascoin_l2_primitives::{
    chain::{AccountId, ChainParameters, MAX_BLOCK_GAS, PS_PER_GAS},
    reputation::{ReputationProvider, Score},
};
use frame_support::{
    derive_impl,
    dispatch::{DispatchClass, DispatchInfo, GetDispatchInfo, RawOrigin},
    parameter_types,
    traits::{Contains, Get, Hooks},
    weights::Weight,
};
use frame_system::limits::BlockWeights;
use sp_runtime::{
    traits::{DispatchTransaction, IdentityLookup, TransactionExtension},
    transaction_validity::{TransactionSource, TransactionValidityError},
    BuildStorage, DispatchResult, Perbill,
};
use std::collections::BTreeMap;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        RateLimit: pallet_rate_limit,
    }
);

/// What a transaction takes besides its call.
pub const BASE: u64 = 100_000_000;
/// What users have of the largest block.
pub const NORMAL: u64 = MAX_BLOCK_GAS * PS_PER_GAS / 4 * 3;

parameter_types! {
    pub Weights: BlockWeights = {
        let max = Weight::from_parts(MAX_BLOCK_GAS * PS_PER_GAS, u64::MAX);
        BlockWeights::builder()
            .for_class(DispatchClass::all(), |w| w.base_extrinsic = Weight::from_parts(BASE, 0))
            .for_class(DispatchClass::Normal, |w| {
                w.max_total = Some(Perbill::from_percent(75) * max);
            })
            .for_class(DispatchClass::Operational, |w| w.max_total = Some(max))
            .build_or_panic()
    };
    /// Of an account without reputation.
    pub static RateLimitParameter: u32 = 100;
    pub static GasLimit: u64 = MAX_BLOCK_GAS;
    pub static Halted: bool = false;
    /// Whether nobody's transactions are taken but operators'.
    pub static SignersWait: bool = false;
    /// Scores by the accounts' seeds; of others 0.
    pub static Scores: BTreeMap<u8, u8> = BTreeMap::new();
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type BlockWeights = Weights;
    type Nonce = u32;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters {
            rate_limit: RateLimitParameter::get(),
            block_gas_limit: GasLimit::get(),
            ..Default::default()
        }
    }
}

pub struct FakeScores;
impl ReputationProvider for FakeScores {
    fn score(account: &AccountId) -> Score {
        let seed = AsRef::<[u8]>::as_ref(account)[0];
        Score::saturating(Scores::get().get(&seed).copied().unwrap_or_default().into())
    }
}

/// Who may sign operational transactions.
pub const OPERATOR: u8 = 9;

pub struct Operators;
impl Contains<AccountId> for Operators {
    fn contains(who: &AccountId) -> bool {
        *who == account(OPERATOR)
    }
}

/// Takes remarks only, while the chain is halted.
pub struct Accepted;
impl Contains<RuntimeCall> for Accepted {
    fn contains(call: &RuntimeCall) -> bool {
        !Halted::get() || matches!(call, RuntimeCall::System(frame_system::Call::remark { .. }))
    }
}

impl Config for Test {
    type Parameters = Parameters;
    type Reputation = FakeScores;
    type Operators = Operators;
    type Accepted = Accepted;
    type SignersWait = SignersWait;
    type WeightInfo = EstimatedWeight<Test>;
}

pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

/// State in block 1, where accounts 1 to 9 exist.
pub fn new_test_ext() -> sp_io::TestExternalities {
    Scores::set(BTreeMap::new());
    RateLimitParameter::set(100);
    GasLimit::set(MAX_BLOCK_GAS);
    Halted::set(false);
    SignersWait::set(false);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| {
        for seed in 1..10 {
            System::inc_providers(&account(seed));
        }
        begin();
    });
    ext
}

/// Begins the next block.
pub fn begin() {
    let height = System::block_number() + 1;
    System::reset_events();
    System::initialize(&height, &Default::default(), &Default::default());
    RateLimit::on_initialize(height);
}

/// Ends it.
pub fn end() {
    RateLimit::on_finalize(System::block_number());
    RateLimit::check_state().expect("sound between blocks");
}

/// The end of this block and the beginning of the next.
pub fn next_block() {
    end();
    begin();
}

/// A call that succeeds.
pub fn good() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![] })
}

/// A call that fails, of the operational class.
pub fn failing() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::set_heap_pages { pages: 1 })
}

pub fn info(call: &RuntimeCall) -> DispatchInfo {
    let extension = CheckRate::<Test>::from(0);
    DispatchInfo { extension_weight: extension.weight(call), ..call.get_dispatch_info() }
}

/// What became of a transaction: refused, or the result of its call and the weight of
/// its extension that it gave back.
pub type Applied = Result<(DispatchResult, Weight), TransactionValidityError>;

/// Puts a transaction into the block as a block builder does: one that is refused
/// leaves no trace.
pub fn apply(origin: RawOrigin<AccountId>, nonce: u32, call: RuntimeCall) -> Applied {
    sp_io::storage::start_transaction();
    let before = info(&call);
    let applied =
        CheckRate::<Test>::from(nonce).dispatch_transaction(origin.into(), call, &before, 0, 0);
    match applied {
        Ok(_) => sp_io::storage::commit_transaction(),
        Err(_) => sp_io::storage::rollback_transaction(),
    }
    applied.map(|result| {
        let (post, result) = match result {
            Ok(post) => (post, Ok(())),
            Err(error) => (error.post_info, Err(error.error)),
        };
        (result, before.total_weight() - post.calc_actual_weight(&before))
    })
}

/// The next transaction of an account.
pub fn next(seed: u8) -> Applied {
    let who = account(seed);
    let nonce = System::account_nonce(&who);
    apply(RawOrigin::Signed(who), nonce, good())
}

/// Whether a pool takes a transaction.
pub fn pooled(
    seed: u8,
    nonce: u32,
    source: TransactionSource,
) -> Result<(), TransactionValidityError> {
    pooled_with_length(seed, nonce, source, 0)
}

/// The same of a transaction of `len` bytes.
pub fn pooled_with_length(
    seed: u8,
    nonce: u32,
    source: TransactionSource,
    len: usize,
) -> Result<(), TransactionValidityError> {
    let call = good();
    let origin = RawOrigin::Signed(account(seed)).into();
    CheckRate::<Test>::from(nonce)
        .validate_only(origin, &call, &info(&call), len, source, 0)
        .map(|_| ())
}

/// A call of this class that takes `ref_time`.
pub fn taking(ref_time: u64, class: DispatchClass) -> DispatchInfo {
    DispatchInfo { call_weight: Weight::from_parts(ref_time, 0), class, ..Default::default() }
}

/// Whether the block has gas for a transaction, by the check that stands in it.
pub fn has_gas(info: &DispatchInfo) -> Result<(), TransactionValidityError> {
    has_gas_for(RawOrigin::Signed(account(1)), info)
}

/// Whether the chain takes such a call now, by the same check.
pub fn takes(call: &RuntimeCall) -> Result<(), TransactionValidityError> {
    let origin = RawOrigin::Signed(account(1)).into();
    let info = taking(0, DispatchClass::Normal);
    CheckGas::<Test>::new().validate_and_prepare(origin, call, &info, 0, 0).map(|_| ())
}

/// The same for a transaction of this origin.
pub fn has_gas_for(
    origin: RawOrigin<AccountId>,
    info: &DispatchInfo,
) -> Result<(), TransactionValidityError> {
    let origin = origin.into();
    CheckGas::<Test>::new().validate_and_prepare(origin, &good(), info, 0, 0).map(|_| ())
}
