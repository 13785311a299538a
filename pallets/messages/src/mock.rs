//! A runtime of balances and this pallet, with values that a test lets come or not.

use crate as pallet_messages;
use crate::pallet::Event;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{cross_layer::CrossLayerPayload, L1Hash, OutPoint},
    messages::{
        ChargeMessage, MessageBody, MessageRecord, MessageState, MessageValue, ValueStanding,
    },
    relay::{L1BlockContext, L1Branch, L1Event, OnL1Event},
};
use codec::Encode;
use frame_support::{
    derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
        Hooks,
    },
    weights::Weight,
};
use sp_core::ecdsa;
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Dispatchable, Hash as _, IdentifyAccount, IdentityLookup},
    BuildStorage, DispatchError, MultiSigner,
};
use std::collections::BTreeMap;

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), ()>;
pub type Block = generic::Block<Header, Extrinsic>;

/// Stands for pallets that send to L1: its one call heeds the guard, and is light enough for
/// a message.
#[frame_support::pallet(dev_mode)]
pub mod outbox {
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config + crate::Config {}

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        #[pallet::call_index(0)]
        #[pallet::weight(Weight::from_parts(1_000, 0))]
        pub fn send(origin: OriginFor<T>) -> DispatchResult {
            ensure_signed(origin)?;
            crate::Pallet::<T>::ensure_not_entered()
        }
    }
}

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Messages: pallet_messages,
        Outbox: outbox,
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

pub const CHAIN_ID: u32 = 3;
pub const FEE: Balance = 10;
/// The least that a call could cost.
pub const LEAST_FEE: Balance = 5;
pub const ENDOWMENT: Balance = 100_000;
pub const PAUSE: u32 = 5;
pub const KEEP: u32 = 100;
/// As much as any message of the tests needs.
pub const GAS: u32 = 1_000_000;

parameter_types! {
    /// Ten milliseconds.
    pub static MaxCall: Weight = Weight::from_parts(10_000_000_000, u64::MAX);
    pub static Budget: Weight = Weight::from_parts(30_000_000_000, u64::MAX);
    pub static Disputed: bool = false;
    pub static Halted: bool = false;
    /// L1 blocks that were replaced.
    pub static Replaced: Vec<L1Hash> = Vec::new();
    /// How the values of outputs stand that are not all credited.
    pub static Standings: BTreeMap<OutPoint, ValueStanding> = BTreeMap::new();
    /// Outputs whose value is on record.
    pub static Credited: Vec<OutPoint> = Vec::new();
    /// How new values stand.
    pub static NewStanding: ValueStanding = ValueStanding::Credited;
}

/// Credits at once what counts as credited; the rest when the test says so.
pub struct Values;

impl MessageValue for Values {
    fn credit(outpoint: OutPoint, value: u64, to: &AccountId, _: &L1BlockContext) -> bool {
        if Credited::get().contains(&outpoint) {
            return false;
        }
        Credited::mutate(|all| all.push(outpoint));
        if NewStanding::get() == ValueStanding::Credited {
            Balances::mint_into(to, value.into()).expect("there is room");
        }
        Standings::mutate(|all| all.insert(outpoint, NewStanding::get()));
        true
    }

    fn standing(outpoint: &OutPoint) -> ValueStanding {
        Standings::get().get(outpoint).copied().unwrap_or(ValueStanding::Waits)
    }

    fn max_credit_weight() -> Weight {
        Weight::zero()
    }
}

pub struct L1Blocks;

impl L1Branch for L1Blocks {
    fn has_block(_: u32, hash: &L1Hash) -> bool {
        !Replaced::get().contains(hash)
    }
}

/// Burns [`FEE`].
pub struct Fees;

impl ChargeMessage for Fees {
    fn charge(who: &AccountId, _: u32, _: Weight) -> Result<Balance, DispatchError> {
        Balances::burn_from(who, FEE, Preservation::Preserve, Precision::Exact, Fortitude::Polite)
    }

    fn can_pay(who: &AccountId) -> bool {
        let (keep, force) = (Preservation::Preserve, Fortitude::Polite);
        Balances::reducible_balance(who, keep, force) >= LEAST_FEE
    }
}

impl pallet_messages::Config for Test {
    type MessageCall = RuntimeCall;
    type Value = Values;
    type Fees = Fees;
    type ChainId = frame_support::traits::ConstU32<CHAIN_ID>;
    type L1Disputed = Disputed;
    type L1Blocks = L1Blocks;
    type Halted = Halted;
    type MaxCallWeight = MaxCall;
    type BlockBudget = Budget;
    type RetryPause = frame_support::traits::ConstU32<PAUSE>;
    type KeepBlocks = frame_support::traits::ConstU32<KEEP>;
    type WeightInfo = crate::EstimatedWeight<Test>;
}

impl outbox::Config for Test {}

pub fn key(seed: u8) -> ecdsa::Public {
    let mut raw = [seed; 33];
    raw[0] = 2;
    ecdsa::Public::from_raw(raw)
}

/// The account of a key.
pub fn account(seed: u8) -> AccountId {
    MultiSigner::Ecdsa(key(seed)).into_account()
}

/// Block 1; the accounts of the keys 1 to 5 have something.
pub fn new_test_ext() -> sp_io::TestExternalities {
    MaxCall::set(Weight::from_parts(10_000_000_000, u64::MAX));
    Budget::set(Weight::from_parts(30_000_000_000, u64::MAX));
    Disputed::set(false);
    Halted::set(false);
    Replaced::set(Vec::new());
    Standings::set(BTreeMap::new());
    Credited::set(Vec::new());
    NewStanding::set(ValueStanding::Credited);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=5).map(|seed| (account(seed), ENDOWMENT)).collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(|| {
        System::set_block_number(1);
        Messages::on_initialize(1);
    });
    ext
}

/// Ends the block and begins the next; what its beginning weighs.
pub fn next_block() -> Weight {
    Messages::check_state().expect("the state is sound between blocks");
    let block = System::block_number() + 1;
    System::set_block_number(block);
    System::reset_events();
    let weight = Messages::on_initialize(block);
    assert!(weight.all_lte(Budget::get()), "{weight:?}");
    weight
}

pub fn blocks(count: u32) {
    for _ in 0..count {
        next_block();
    }
}

pub fn outpoint(number: u32) -> OutPoint {
    OutPoint { txid: L1Hash::of(&number.to_le_bytes()), vout: 0 }
}

pub fn l1_block() -> L1BlockContext {
    L1BlockContext { height: 77, hash: L1Hash([7; 32]), time: 1_600_000_000, median_time: 0 }
}

/// An L1 block of a branch.
pub fn l1_block_of(branch: u8) -> L1BlockContext {
    L1BlockContext { hash: L1Hash([branch; 32]), ..l1_block() }
}

/// The relay hands over a message with this body.
pub fn deliver(seed: u8, number: u32, value: u64, body: MessageBody) {
    deliver_in(&l1_block(), seed, number, value, body);
}

/// What the transaction of an output would be called without its inputs' scripts.
pub fn unsigned_txid(number: u32) -> L1Hash {
    L1Hash::of(&(number, "unsigned").encode())
}

/// The same in a block.
pub fn deliver_in(block: &L1BlockContext, seed: u8, number: u32, value: u64, body: MessageBody) {
    deliver_as(block, seed, (number, number), value, body);
}

/// The same, of the first number's transaction, which strangers gave another identifier: it
/// makes the second one's output of it.
pub fn deliver_as(
    block: &L1BlockContext,
    seed: u8,
    (signed, number): (u32, u32),
    value: u64,
    body: MessageBody,
) {
    let event = L1Event::Message {
        outpoint: outpoint(number),
        unsigned_txid: unsigned_txid(signed),
        chain_id: CHAIN_ID,
        sender: key(seed),
        value,
        body,
    };
    Messages::on_event(&event, block);
}

pub fn body(gas: u32, call: &RuntimeCall) -> MessageBody {
    CrossLayerPayload { gas, call: call.encode() }.body().try_into().expect("it fits")
}

/// The relay hands over a message that asks for a call.
pub fn send(seed: u8, number: u32, value: u64, call: RuntimeCall) {
    deliver(seed, number, value, body(GAS, &call));
}

/// A call that always succeeds, and tells so.
pub fn remark(number: u32) -> RuntimeCall {
    let remark = number.to_le_bytes().to_vec();
    RuntimeCall::System(frame_system::Call::remark_with_event { remark })
}

pub fn transfer(to: u8, value: Balance) -> RuntimeCall {
    let dest = account(to);
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value })
}

/// A call that leads back to this pallet.
pub fn claim_call(number: u32) -> RuntimeCall {
    RuntimeCall::Messages(crate::Call::claim { outpoint: outpoint(number) })
}

/// A call that heeds the guard.
pub fn guarded() -> RuntimeCall {
    RuntimeCall::Outbox(outbox::Call::send {})
}

/// A claim as a transaction makes it: an error undoes it.
pub fn claim(seed: u8, number: u32) -> DispatchResultWithPostInfo {
    claim_call(number).dispatch(RuntimeOrigin::signed(account(seed)))
}

pub fn record(number: u32) -> Option<MessageRecord> {
    let OutPoint { txid, vout } = outpoint(number);
    crate::pallet::Messages::<Test>::get(txid, vout)
}

pub fn state(number: u32) -> MessageState {
    record(number).expect("it is on record").state
}

/// The events of this pallet in this block.
pub fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Messages(event) => Some(event),
            _ => None,
        })
        .collect()
}

/// Who said what by [`remark`] in this block, in order: hashes.
pub fn remarks() -> Vec<(AccountId, sp_core::H256)> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::System(frame_system::Event::Remarked { sender, hash }) => {
                Some((sender, hash))
            }
            _ => None,
        })
        .collect()
}

/// As [`remarks`] shows the remark of this number.
pub fn said(seed: u8, number: u32) -> (AccountId, sp_core::H256) {
    (account(seed), BlakeTwo256::hash(&number.to_le_bytes()))
}
