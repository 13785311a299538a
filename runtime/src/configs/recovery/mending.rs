//! What the two sides of the cut left between them, once all that goes back is back.
//!
//! - **Rewards.** The sessions that the restored books speak of are long over, and their
//!   uptimes are judged: what they had collected goes into the bonus pool, and a session
//!   begins with the set of today.
//! - **Offences.** What an offence took of a stake since the point is there again, and its
//!   offender has to lose it again. So all offences are noted here, those of some days, and
//!   those since the point are punished once more, where it is money: in Stake. Elsewhere what
//!   they led to never went back.
//!
//! They are punished while users' transactions are repeated, each when those of the blocks
//! before it are: what was bonded since the point is there by then, and what would be withdrawn
//! after the offence is there still. While a recovery runs Stake is told of no other one
//! either; what comes then is noted, and has its turn behind the others when all is repeated,
//! or the recovery is given up or called off. A block punishes a few; until all are, what users
//! do waits ([`users_wait`]), so that nobody takes out what is to be lost.

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
    weights::Weight,
    Twox64Concat,
};
use pallet_recovery::types::Phase;
use pallet_rewards::WeightInfo as _;
use scale_info::TypeInfo;

/// Offences that are on record: more than there are if a third of the largest set is offline
/// in each of the 288 sessions that a day has. With more of them offline there are no blocks.
const KEPT: u64 = 8_192;
/// Offences that are looked at to find the first one since a block, at most: [`KEPT`] halved
/// until one is left.
const LOOKED_AT: u64 = 14;
/// Offences that one block punishes at most.
const PUNISHED: u32 = 8;

/// An offence that was established.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
struct Noted {
    /// The block in which it was; of one that was punished later, the block of that.
    at: BlockNumber,
    offence: Offence,
    /// Who brought the evidence, where that is rewarded.
    reporter: Option<AccountId>,
}

/// The last [`KEPT`] offences, by number.
#[storage_alias]
type Offences = StorageMap<RecoveryBooks, Twox64Concat, u64, Noted, OptionQuery>;

/// The number of the next one.
#[storage_alias]
type OffenceCount = StorageValue<RecoveryBooks, u64, ValueQuery>;

/// The first one that Stake is still to be told of; so it is of all behind it.
#[storage_alias]
type NextPunished = StorageValue<RecoveryBooks, u64, OptionQuery>;

/// Whether what users do waits: while a recovery runs, and until all is taken of stakes that
/// offences cost.
pub(crate) fn users_wait() -> bool {
    Recovery::is_running() || NextPunished::exists()
}

/// Notes an offence; whether Stake is told of it at once.
fn note(offence: &Offence, reporter: Option<&AccountId>) -> bool {
    let number = OffenceCount::get();
    let noted =
        Noted { at: System::block_number(), offence: offence.clone(), reporter: reporter.cloned() };
    Offences::insert(number, noted);
    OffenceCount::put(number.saturating_add(1));
    if let Some(old) = number.checked_sub(KEPT) {
        Offences::remove(old);
    }
    if NextPunished::exists() {
        return false;
    }
    let waits = Recovery::is_running();
    if waits {
        NextPunished::put(number);
    }
    !waits
}

fn punish(noted: &Noted) {
    match &noted.reporter {
        Some(reporter) => Stake::on_reported_offence(&noted.offence, reporter),
        None => Stake::on_offence(&noted.offence),
    }
}

/// Stake, and a note of what it is told. While a recovery runs, the note only.
pub struct StakeOffences;

impl OnOffence for StakeOffences {
    fn on_offence(offence: &Offence) {
        if note(offence, None) {
            Stake::on_offence(offence);
        }
    }

    fn on_reported_offence(offence: &Offence, reporter: &AccountId) {
        if note(offence, Some(reporter)) {
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

// The number, whether a recovery runs, and what is to be punished; these, the note, and the
// one that goes.
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

/// The mending. It takes one step, so it returns `None`.
pub(super) fn mend(since: BlockNumber, _: u32) -> Option<u32> {
    Rewards::begin_again();
    owe_since(since);
    None
}

/// What came since a block is to be punished again.
fn owe_since(since: BlockNumber) {
    let first = first_since(since);
    if first < OffenceCount::get() {
        NextPunished::put(first);
    } else {
        NextPunished::kill();
    }
}

/// The number of the first offence that is not punished in the state of a block. Those that
/// are stand in the order of the blocks that punished them.
fn first_since(since: BlockNumber) -> u64 {
    let count = OffenceCount::get();
    let (mut low, mut high) = (count.saturating_sub(KEPT), NextPunished::get().unwrap_or(count));
    for _ in 0..LOOKED_AT {
        if low >= high {
            break;
        }
        let middle = low.saturating_add(high.saturating_sub(low) / 2);
        if Offences::get(middle).is_some_and(|noted| noted.at > since) {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    low
}

/// The most that a step weighs.
pub(super) fn step_weight() -> Weight {
    let looks = LOOKED_AT.saturating_add(2);
    <Runtime as frame_system::Config>::DbWeight::get()
        .reads_writes(looks, 1)
        .saturating_add(begin_again_weight())
}

// As a session that ends and one that is settled.
fn begin_again_weight() -> Weight {
    type Weights = crate::weights::pallet_rewards::WeightInfo<Runtime>;
    Weights::end_session().saturating_add(Weights::settle(MAX_SEQUENCERS))
}

/// Whether all is punished that was established up to a block, so that its transactions find
/// the stakes that they found.
pub(super) fn may_repeat(block: BlockNumber) -> bool {
    let next = NextPunished::get().and_then(Offences::get);
    next.is_none_or(|noted| noted.at > block)
}

/// At the beginning of a block that is not frozen: punishes what was not punished yet, some
/// each block. While a recovery repeats, up to the block that is due.
pub(crate) fn catch_up() {
    let Some(next) = NextPunished::get() else { return };
    let until = match pallet_recovery::Running::<Runtime>::get().map(|run| run.phase) {
        None => BlockNumber::MAX,
        Some(Phase::Replaying { next }) => next.due().map_or(BlockNumber::MAX, |due| due.block),
        Some(_) => return,
    };
    let count = OffenceCount::get();
    let first = next.max(count.saturating_sub(KEPT));
    let mut number = first;
    for _ in 0..PUNISHED {
        if number >= count {
            break;
        }
        // One that is not there must keep nobody waiting.
        if let Some(noted) = Offences::get(number) {
            if noted.at > until {
                break;
            }
            punish(&noted);
            Offences::insert(number, Noted { at: System::block_number(), ..noted });
        }
        number = number.saturating_add(1);
    }
    if number < count {
        NextPunished::put(number);
    } else {
        NextPunished::kill();
    }
    let each = Stake::max_reported_offence_weight()
        .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1));
    let weight = each
        .saturating_mul(number.saturating_sub(first))
        .saturating_add(<Runtime as frame_system::Config>::DbWeight::get().reads_writes(3, 1));
    System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::sequencers::OffenceKind;

    fn put(number: u64, at: BlockNumber) {
        let offender = AccountId::new([1; 32]);
        let offence = Offence { kind: OffenceKind::Offline, offender, set_id: 0, height: at };
        Offences::insert(number, Noted { at, offence, reporter: None });
    }

    #[test]
    fn p20_the_first_offence_since_a_block_is_found_whatever_came_when() {
        sp_io::TestExternalities::default().execute_with(|| {
            assert_eq!(first_since(5), 0, "there is none");
            assert!(may_repeat(BlockNumber::MAX));
            let count = KEPT + 3;
            // Two in each block, from block 2 on; three are forgotten.
            (3..count).for_each(|number| put(number, 2 + number as BlockNumber / 2));
            OffenceCount::put(count);
            assert_eq!(first_since(0), 3);
            for number in 3..count {
                let since = 1 + number as BlockNumber / 2;
                assert_eq!(first_since(since), (number & !1).max(3));
            }
            assert_eq!(first_since(BlockNumber::MAX), count);
            // What is not punished yet is not, whatever the block.
            NextPunished::put(100);
            assert_eq!(first_since(BlockNumber::MAX), 100);
            assert!(may_repeat(51) && !may_repeat(52));
        });
    }

    #[test]
    fn p20_what_came_since_is_punished_again_and_users_wait_for_it() {
        sp_io::TestExternalities::default().execute_with(|| {
            (0..4).for_each(|number| put(number, 10 + number as BlockNumber));
            OffenceCount::put(4);
            assert!(!users_wait());
            owe_since(11);
            assert_eq!(NextPunished::get(), Some(2));
            assert!(users_wait() && may_repeat(11) && !may_repeat(12));
            NextPunished::kill();
            owe_since(13);
            assert!(!users_wait(), "none is newer");
        });
    }
}
