//! A runtime of this pallet, with activities in a map of their own.

use crate as pallet_reputation;
use crate::{Transfer, TransferOf};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, ChainParameters, Moment},
    reputation::{
        export::{ExportedScore, LinkedScores, OnLinkedScore, ScoreCause},
        Activity, Score, MS_PER_DAY,
    },
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{Contains, Get, StorageMapShim, Time},
    weights::Weight,
};
use sp_core::H160;
use sp_runtime::{generic, traits::BlakeTwo256, traits::IdentityLookup, BuildStorage};

pub type Header = generic::Header<u32, BlakeTwo256>;
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, (), ()>;
pub type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Reputation: pallet_reputation,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

/// Beside this pallet's own storage.
#[frame_support::storage_alias]
pub type Activities = StorageMap<
    Mock,
    frame_support::Blake2_128Concat,
    AccountId,
    Activity,
    frame_support::pallet_prelude::ValueQuery,
>;

parameter_types! {
    pub static Now: Moment = 0;
    pub static Told: Vec<(H160, ScoreCause, Option<ExportedScore>)> = vec![];
}

/// Notes what it was told of, and what L2 said of it then.
pub struct Listener;
impl OnLinkedScore for Listener {
    fn on_linked_score(address: &H160, cause: ScoreCause) {
        Told::mutate(|told| told.push((*address, cause, Reputation::of_address(address))));
    }

    fn weight() -> Weight {
        Weight::zero()
    }
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

pub const COIN: Balance = 10_000_000;

pub struct Parameters;
impl Get<ChainParameters> for Parameters {
    fn get() -> ChainParameters {
        ChainParameters { decimals: 7, min_fee: 100, ..Default::default() }
    }
}

/// A remark of 48 bytes is a transfer: whom to, and how much.
pub struct Remarks;
impl TransferOf<RuntimeCall> for Remarks {
    fn transfer_of(call: &RuntimeCall) -> Option<Transfer> {
        let RuntimeCall::System(frame_system::Call::remark { remark }) = call else { return None };
        let (recipient, amount) = remark.split_at_checked(32)?;
        Some(Transfer {
            recipient: AccountId::new(recipient.try_into().ok()?),
            amount: Balance::from_le_bytes(amount.try_into().ok()?),
        })
    }
}

/// `remark_with_event` is duty.
pub struct Noted;
impl Contains<RuntimeCall> for Noted {
    fn contains(call: &RuntimeCall) -> bool {
        !matches!(call, RuntimeCall::System(frame_system::Call::remark_with_event { .. }))
    }
}

impl crate::Config for Test {
    type Activities = StorageMapShim<Activities, AccountId, Activity>;
    type Transfers = Remarks;
    type Noted = Noted;
    type Time = Clock;
    type Parameters = Parameters;
    type OnLinkedScore = Listener;
    type WeightInfo = crate::EstimatedWeight<Test>;
}

pub const ALICE: AccountId = AccountId::new([1; 32]);
pub const BOB: AccountId = AccountId::new([2; 32]);
pub const FIRST_DAY: u32 = 20_000;

/// State on the first day; L1 knows Alice.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        reputation: pallet_reputation::GenesisConfig {
            l1_scores: vec![(ALICE, Score::saturating(70))],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities =
        genesis.build_storage().expect("a valid genesis").into();
    ext.execute_with(|| {
        System::set_block_number(1);
        Told::set(vec![]);
        go_to(FIRST_DAY);
    });
    ext
}

pub fn go_to(day: u32) {
    Now::set(u64::from(day) * MS_PER_DAY + 1);
}

pub fn transfer(recipient: AccountId, amount: Balance) -> RuntimeCall {
    let remark = [recipient.as_ref(), &amount.to_le_bytes()[..]].concat();
    RuntimeCall::System(frame_system::Call::remark { remark })
}
