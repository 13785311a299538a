//! What the two sides of the cut left between them, once all that goes back is back.
//!
//! - **Offences.** What an offence took of a stake since the point is there again, and its
//!   offender has to lose it again. So all offences are noted here, those of some days, and
//!   those since the point are punished once more, where it is money: in Stake. Elsewhere what
//!   they led to never went back. While the state is half restored Stake is told of none;
//!   what comes then is noted and punished with the others; and by itself, if the recovery is
//!   called off before it restored anything.
//! - **Rewards.** The sessions that the restored books speak of are long over, and their
//!   uptimes are judged: what they had collected goes into the bonus pool, and a session
//!   begins with the set of today.

use crate::{AccountId, BlockNumber, Recovery, Rewards, Runtime, Stake, System};
use cascoin_l2_primitives::{
    chain::MAX_SEQUENCERS,
    sequencers::{Offence, OnOffence, OnSessionJudged, SessionUptime},
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    dispatch::DispatchClass,
    pallet_prelude::{OptionQuery, ValueQuery},
    storage_alias,
    traits::Get,
    weights::Weight,
    Twox64Concat,
};
use pallet_rewards::WeightInfo as _;
use scale_info::TypeInfo;

/// Offences that are on record: more than there are if a third of the largest set is offline
/// in each of the 288 sessions that a day has. With more of them offline there are no blocks.
const KEPT: u64 = 8_192;
/// Offences that one step looks at, and that it punishes.
const LOOKED_AT: u32 = 256;
const PUNISHED: u32 = 8;
/// Most offences that a single block can bring: each sequencer's for a session, and some.
const PUNISHED_LAST: u32 = 2 * MAX_SEQUENCERS;

/// An offence that was established.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
struct Noted {
    /// The block in which it was.
    at: BlockNumber,
    offence: Offence,
    /// Who brought the evidence, where that is rewarded.
    reporter: Option<AccountId>,
}

/// Set while Stake was not told of some: the first of them, and the one after the last.
#[storage_alias]
type Withheld = StorageValue<RecoveryBooks, (u64, u64), OptionQuery>;

/// The last [`KEPT`] offences, by number.
#[storage_alias]
type Offences = StorageMap<RecoveryBooks, Twox64Concat, u64, Noted, OptionQuery>;

/// The number of the next one.
#[storage_alias]
type OffenceCount = StorageValue<RecoveryBooks, u64, ValueQuery>;

/// While a recovery mends: the next one to be looked at.
#[storage_alias]
type NextMended = StorageValue<RecoveryBooks, u64, OptionQuery>;

fn note(offence: &Offence, reporter: Option<&AccountId>) {
    let number = OffenceCount::get();
    let noted =
        Noted { at: System::block_number(), offence: offence.clone(), reporter: reporter.cloned() };
    Offences::insert(number, noted);
    OffenceCount::put(number.saturating_add(1));
    if Recovery::is_frozen() {
        let first = Withheld::get().map_or(number, |(first, _)| first);
        Withheld::put((first, number.saturating_add(1)));
    }
    if let Some(old) = number.checked_sub(KEPT) {
        Offences::remove(old);
    }
}

fn punish(noted: &Noted) {
    match &noted.reporter {
        Some(reporter) => Stake::on_reported_offence(&noted.offence, reporter),
        None => Stake::on_offence(&noted.offence),
    }
}

/// Stake, and a note of what it was told. While the state is half restored, the note only.
pub struct StakeOffences;

impl OnOffence for StakeOffences {
    fn on_offence(offence: &Offence) {
        note(offence, None);
        if !Recovery::is_frozen() {
            Stake::on_offence(offence);
        }
    }

    fn on_reported_offence(offence: &Offence, reporter: &AccountId) {
        note(offence, Some(reporter));
        if !Recovery::is_frozen() {
            Stake::on_reported_offence(offence, reporter);
        }
    }

    fn max_offence_weight() -> Weight {
        Stake::max_offence_weight().saturating_add(note_weight())
    }

    fn max_reported_offence_weight() -> Weight {
        Stake::max_reported_offence_weight().saturating_add(note_weight())
    }
}

// The number, whether it is frozen, and what is withheld; these, the note, and the one that
// goes.
fn note_weight() -> Weight {
    <Runtime as frame_system::Config>::DbWeight::get().reads_writes(3, 4)
}

/// Rewards, told of sessions that are judged; of none while the state is half restored: the
/// session that its books are in then is another.
pub struct SessionRewards;

impl OnSessionJudged for SessionRewards {
    fn on_session_judged(uptimes: &[SessionUptime]) -> Weight {
        if Recovery::is_frozen() {
            return Weight::zero();
        }
        Rewards::on_session_judged(uptimes)
    }

    fn max_judgement_weight() -> Weight {
        Rewards::max_judgement_weight()
    }
}

/// One step of the mending; the first is 0. Returns the next one.
pub(super) fn mend(since: BlockNumber, step: u32) -> Option<u32> {
    if step == 0 {
        Rewards::begin_again();
        // They are among those since.
        Withheld::kill();
        NextMended::put(OffenceCount::get().saturating_sub(KEPT));
        return Some(1);
    }
    let count = OffenceCount::get();
    let mut number = NextMended::get().unwrap_or(count);
    let mut punished = 0;
    for _ in 0..LOOKED_AT {
        if number >= count || punished >= PUNISHED {
            break;
        }
        if let Some(noted) = Offences::get(number).filter(|noted| noted.at > since) {
            punish(&noted);
            punished = punished.saturating_add(1);
        }
        number = number.saturating_add(1);
    }
    NextMended::put(number);
    (number < count).then(|| step.saturating_add(1))
}

/// The most that a step weighs.
pub(super) fn step_weight() -> Weight {
    let looks = <Runtime as frame_system::Config>::DbWeight::get()
        .reads_writes(u64::from(LOOKED_AT).saturating_add(2), 1);
    let punishes = Stake::max_reported_offence_weight().saturating_mul(u64::from(PUNISHED));
    looks.saturating_add(punishes).max(begin_again_weight())
}

// As a session that ends and one that is settled.
fn begin_again_weight() -> Weight {
    type Weights = crate::weights::pallet_rewards::WeightInfo<Runtime>;
    Weights::end_session().saturating_add(Weights::settle(MAX_SEQUENCERS))
}

/// At the beginning of a block that is not frozen: punishes, some each block, what was withheld
/// while a recovery was that came to nothing.
pub(crate) fn catch_up() {
    let Some((first, end)) = Withheld::get() else { return };
    let next = first.saturating_add(u64::from(PUNISHED));
    for number in first..next.min(end) {
        if let Some(noted) = Offences::get(number) {
            punish(&noted);
        }
    }
    if next < end {
        Withheld::put((next, end));
    } else {
        Withheld::kill();
    }
    let weight =
        Stake::max_reported_offence_weight().saturating_mul(u64::from(PUNISHED)).saturating_add(
            <Runtime as frame_system::Config>::DbWeight::get()
                .reads_writes(u64::from(PUNISHED).saturating_add(2), 1),
        );
    System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
}

/// At the end of the block of the last step: what that block's inherents brought after it.
pub(super) fn finish() {
    let count = OffenceCount::get();
    let first = NextMended::take().unwrap_or(count);
    Withheld::kill();
    for number in (first..count).take(PUNISHED_LAST as usize) {
        if let Some(noted) = Offences::get(number) {
            punish(&noted);
        }
    }
}

/// The most that [`finish`] weighs.
pub(super) fn finish_weight() -> Weight {
    Stake::max_offence_weight().saturating_mul(u64::from(PUNISHED_LAST))
}
