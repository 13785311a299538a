//! A runtime whose transactions are two bytes: what becomes of one, and its number.

use crate::{
    self as pallet_forced_inclusion, pallet::Call, ApplyTransaction, Encoded, Outcome, Readiness,
    Ticket,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Moment},
    relay::{L1BlockContext, L1Event, OnL1Event},
    sequencers::{Offence, OnOffence, SequencerSetProvider},
};
use frame_support::{
    derive_impl,
    inherent::{InherentData, ProvideInherent},
    parameter_types,
    traits::{ConstU32, ConstU64, Hooks, Time},
    weights::{Weight, WeightMeter},
};
use sp_core::ed25519;
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
/// It has a ticket, and is invalid all the same when it is tried.
pub const TURNED_INVALID: u8 = 6;

parameter_types! {
    pub static Now: Moment = START;
    pub static Halted: bool = false;
    pub static Tried: Vec<Vec<u8>> = Vec::new();
    /// Who makes blocks.
    pub static Author: Option<AccountId> = None;
    /// The epoch that runs.
    pub static Epoch: u32 = 0;
    /// Numbers of transactions that a block could begin with, and of those whose nonces are
    /// used.
    pub static ReadyOnes: Vec<u8> = Vec::new();
    pub static UsedOnes: Vec<u8> = Vec::new();
    /// Whether blocks have room.
    pub static Room: bool = true;
    /// Offences as they were told of.
    pub static Told: Vec<Offence> = Vec::new();
}

pub fn account(seed: u8) -> AccountId {
    AccountId::new([seed; 32])
}

pub struct Sequencers;
impl SequencerSetProvider for Sequencers {
    fn set_id() -> u64 {
        5
    }

    fn members() -> usize {
        0
    }

    fn account(_: u16) -> Option<AccountId> {
        None
    }

    fn relay_key(_: u16) -> Option<ed25519::Public> {
        None
    }

    fn index_of_relay_key(_: &ed25519::Public) -> Option<u16> {
        None
    }
}

pub struct Recorder;
impl OnOffence for Recorder {
    fn on_offence(offence: &Offence) {
        Told::mutate(|all| all.push(offence.clone()));
    }

    fn max_offence_weight() -> Weight {
        Weight::from_parts(7, 0)
    }
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

    /// Its number is its nonce here. What nobody could decode has none.
    fn ticket(encoded: &[u8]) -> Option<Ticket> {
        let number = *encoded.get(1)?;
        (encoded.first() != Some(&INVALID)).then(|| Ticket {
            signer: account(number),
            nonce: number.into(),
            weight: Weight::zero(),
            length: 2,
            tip: 0,
        })
    }

    fn max_ticket_weight() -> Weight {
        Weight::from_parts(11, 0)
    }

    fn readiness(ticket: &Ticket) -> Readiness {
        let is_in = |all: Vec<u8>| all.iter().any(|number| u32::from(*number) == ticket.nonce);
        match (is_in(UsedOnes::get()), is_in(ReadyOnes::get())) {
            (true, _) => Readiness::Over,
            (false, true) => Readiness::Ready,
            (false, false) => Readiness::NotYet,
        }
    }

    fn had_room() -> bool {
        Room::get()
    }
}

impl pallet_forced_inclusion::Config for Test {
    type Time = Clock;
    type ChainId = ConstU32<CHAIN>;
    type Deadline = ConstU64<DAY>;
    type Halted = Halted;
    type Apply = Apply;
    type Author = Author;
    type Sequencers = Sequencers;
    type Epoch = Epoch;
    type OnOffence = Recorder;
    type WeightInfo = ();
}

pub fn chain() -> sp_io::TestExternalities {
    Now::set(START);
    Halted::set(false);
    Tried::set(Vec::new());
    Author::set(None);
    Epoch::set(0);
    ReadyOnes::set(Vec::new());
    UsedOnes::set(Vec::new());
    Room::set(true);
    Told::set(Vec::new());
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

/// The next block, empty; the time of the last one is `now`. Says what was tried in it.
pub fn block(now: Moment) -> Vec<Vec<u8>> {
    begin(now);
    end();
    Tried::get()
}

/// The same, by a leader that includes what it is asked for.
pub fn honest_block(now: Moment) -> Vec<Vec<u8>> {
    begin(now);
    if let Some(call) = Forced::create_inherent(&InherentData::new()) {
        assert!(Forced::is_inherent(&call));
        let Call::include { place } = call;
        Forced::include(RuntimeOrigin::none(), place).expect("it is asked for that");
    }
    end();
    Tried::get()
}

/// Begins the next block.
pub fn begin(now: Moment) {
    Now::set(now);
    Tried::set(Vec::new());
    let height = System::block_number() + 1;
    System::set_block_number(height);
    Forced::on_initialize(height);
}

/// Ends it: first the inherents.
pub fn end() {
    Forced::on_poll(System::block_number(), &mut WeightMeter::new());
    Forced::on_finalize(System::block_number());
    Forced::check_state().expect("the state is sound");
}
