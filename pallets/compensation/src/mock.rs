//! A runtime of balances and this pallet, and blocks of it.

use crate as pallet_compensation;
use crate::pallet::{Claims, Event, Outages};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, FeeSplit, Moment},
    rewards::OnFeePaid,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    storage::with_storage_layer,
    traits::{
        fungible::{Inspect, Mutate},
        Authorize, Hooks,
    },
    weights::Weight,
};
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Dispatchable, IdentityLookup},
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
    BuildStorage,
};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic =
    generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), frame_system::AuthorizeCall<Test>>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Compensation: pallet_compensation,
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

pub const GAP: Moment = 120_000;
pub const WINDOW: u32 = 3;
pub const CLAIM_BLOCKS: u32 = 50;

parameter_types! {
    pub static Split: FeeSplit = FeeSplit { producer: 70, others: 20 };
    /// The times of the block that is made and of its parent.
    pub static BlockTime: Moment = 0;
    pub static ParentTime: Moment = 0;
    pub Fund: AccountId = account(60_000);
}

impl<C> frame_system::offchain::CreateTransactionBase<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> frame_system::offchain::CreateTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extension = frame_system::AuthorizeCall<Test>;

    fn create_transaction(call: RuntimeCall, extension: Self::Extension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<C> frame_system::offchain::CreateAuthorizedTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> Self::Extension {
        frame_system::AuthorizeCall::new()
    }
}

impl pallet_compensation::Config for Test {
    type Currency = Balances;
    type Fund = Fund;
    type Split = Split;
    type BlockTime = BlockTime;
    type ParentTime = ParentTime;
    type MinGap = frame_support::traits::ConstU64<GAP>;
    type WindowBlocks = frame_support::traits::ConstU32<WINDOW>;
    type ClaimBlocks = frame_support::traits::ConstU32<CLAIM_BLOCKS>;
    type WeightInfo = crate::EstimatedWeight<Test>;
}

pub fn account(n: u32) -> AccountId {
    let mut bytes = [3; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    AccountId::new(bytes)
}

/// State after block 1, with so much in the fund.
pub fn with_fund(amount: Balance) -> sp_io::TestExternalities {
    Split::set(FeeSplit { producer: 70, others: 20 });
    ParentTime::set(0);
    BlockTime::set(1_780_000_000_000);
    let storage = RuntimeGenesisConfig::default().build_storage().expect("a valid genesis");
    let mut ext: sp_io::TestExternalities = storage.into();
    ext.execute_with(|| {
        System::set_block_number(1);
        fill(amount);
    });
    ext
}

/// What a slash brings.
pub fn fill(amount: Balance) {
    if amount > 0 {
        Balances::mint_into(&Fund::get(), amount).expect("it fits");
    }
}

/// Ends the block that is made, and begins the next, so much later.
pub fn begin_after(ms: Moment) {
    Compensation::on_idle(System::block_number(), Weight::MAX);
    Compensation::check_state().expect("sound between blocks");
    System::set_block_number(System::block_number() + 1);
    System::reset_events();
    ParentTime::set(BlockTime::get());
    BlockTime::mutate(|time| *time += ms);
    Compensation::on_initialize(System::block_number());
}

/// So many blocks in time.
pub fn blocks(count: u32) {
    for _ in 0..count {
        begin_after(500);
    }
}

/// An account pays a base fee, and the part of it that is burned is. It has what it
/// takes.
pub fn pay(n: u32, base_fee: Balance) {
    Compensation::on_fee_paid(&account(n), base_fee);
}

/// An outage is over, these pay in the first block, and the window is over too; the
/// outage's number.
pub fn outage(fees: &[(u32, Balance)]) -> u32 {
    begin_after(GAP);
    let number = crate::pallet::OutageCount::<Test>::get() - 1;
    for (who, fee) in fees {
        pay(*who, *fee);
    }
    blocks(WINDOW + 1);
    number
}

/// As a dispatch does: what fails leaves no trace.
pub fn claim(n: u32, outage: u32) -> DispatchResultWithPostInfo {
    with_storage_layer(|| Compensation::claim(RuntimeOrigin::signed(account(n)), outage))
}

/// What the pool says of a claim that nobody signs.
pub fn pool(n: u32, outage: u32) -> Result<ValidTransaction, TransactionValidityError> {
    let call = crate::Call::<Test>::claim_for { outage, account: account(n) };
    let judged = call.authorize(TransactionSource::External).expect("it is authorised");
    judged.map(|(validity, _)| validity)
}

/// Claims for an account as a block does: authorises it, then dispatches it.
pub fn claim_for(n: u32, outage: u32) -> Result<(), TransactionValidityError> {
    pool(n, outage)?;
    let call = RuntimeCall::from(crate::Call::<Test>::claim_for { outage, account: account(n) });
    let done = call.dispatch(frame_system::RawOrigin::Authorized.into());
    done.expect("what is authorised succeeds");
    Ok(())
}

pub fn balance(n: u32) -> Balance {
    Balances::balance(&account(n))
}

pub fn fund() -> Balance {
    Balances::balance(&Fund::get())
}

pub fn claims(outage: u32) -> usize {
    Claims::<Test>::iter_prefix(outage).count()
}

pub fn settled(outage: u32) -> crate::Outage {
    let outages = Outages::<Test>::get();
    outages.into_iter().find(|one| one.outage == outage).expect("it is settled")
}

/// Events of this pallet in this block.
pub fn events() -> Vec<Event<Test>> {
    System::read_events_for_pallet()
}
