//! A runtime whose transactions are two bytes: what becomes of one, and its number.

use crate::{self as pallet_forced_inclusion, ApplyTransaction, Encoded, Outcome};
use cascoin_l2_primitives::{
    chain::{AccountId, Moment},
    relay::{L1BlockContext, L1Event, OnL1Event},
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, ConstU64, Hooks, Time},
    weights::Weight,
};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Forced: pallet_forced_inclusion,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

pub const CHAIN: u32 = 3;
pub const DAY: Moment = 24 * 60 * 60 * 1_000;
pub const HOUR: Moment = DAY / 24;
/// When the chain begins: a full second.
pub const START: Moment = 1_780_000_000_000;

/// What becomes of a transaction, by its first byte.
pub const APPLIED: u8 = 0;
pub const FAILED: u8 = 1;
pub const NONCE_USED: u8 = 2;
pub const UNPAYABLE: u8 = 3;
pub const INVALID: u8 = 4;
pub const NO_ROOM: u8 = 5;

parameter_types! {
    pub static Now: Moment = START;
    pub static Halted: bool = false;
    pub static Tried: Vec<Vec<u8>> = Vec::new();
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

pub fn outcome(kind: u8) -> Outcome {
    match kind {
        APPLIED => Outcome::Applied(Ok(())),
        FAILED => Outcome::Applied(Err(DispatchError::BadOrigin)),
        NONCE_USED => Outcome::NonceUsed,
        UNPAYABLE => Outcome::Unpayable,
        NO_ROOM => Outcome::NoRoom,
        _ => Outcome::Invalid,
    }
}

pub struct Apply;
impl ApplyTransaction for Apply {
    fn apply(encoded: &[u8]) -> Outcome {
        Tried::mutate(|tried| tried.push(encoded.to_vec()));
        outcome(encoded.first().copied().unwrap_or(INVALID))
    }

    fn max_check_weight() -> Weight {
        Weight::zero()
    }
}

impl pallet_forced_inclusion::Config for Test {
    type Time = Clock;
    type ChainId = ConstU32<CHAIN>;
    type Deadline = ConstU64<DAY>;
    type Halted = Halted;
    type Apply = Apply;
    type WeightInfo = ();
}

pub fn chain() -> sp_io::TestExternalities {
    Now::set(START);
    Halted::set(false);
    Tried::set(Vec::new());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage();
    let mut ext = sp_io::TestExternalities::new(storage.expect("genesis builds"));
    // Before block 1 no event is kept.
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// The L1 block of this time brings a transaction.
pub fn hear_at(stood: Moment, kind: u8, number: u8) {
    hear_for(CHAIN, stood, kind, number);
}

pub fn hear_for(chain_id: u32, stood: Moment, kind: u8, number: u8) {
    let transaction = Encoded::truncate_from(vec![kind, number]);
    let event = L1Event::ForcedTransaction { chain_id, paid: 0, transaction };
    let median_time = u32::try_from(stood / 1_000).expect("a time of today");
    Forced::on_event(&event, &L1BlockContext { median_time, ..Default::default() });
}

/// Begins the next block; the time of the last one is `now`. Says what was tried in it.
pub fn block(now: Moment) -> Vec<Vec<u8>> {
    Now::set(now);
    Tried::set(Vec::new());
    let height = System::block_number() + 1;
    System::set_block_number(height);
    Forced::on_initialize(height);
    Forced::check_state().expect("the state is sound");
    Tried::get()
}
