//! Who keeps L1 from being attested by casting no vote (R17.6, ADR 0034).
//!
//! More than a third of the sequencers, though fewer than half, can keep every L1 block from
//! being attested: blocks go on, and burns, revocations and forced transactions never arrive.
//! The chain sees it. Where more than half have equal votes on record for the next L1 block,
//! and it is overdue, whoever has no vote there *withholds*. That time is counted for each
//! account, at a look in each [`LOOK_BLOCKS`] blocks, and counted back while it votes or
//! nothing is held up. Who comes to the deadline is punished, and loses its seat.
//!
//! - Who has a vote on record, whatever it says, withholds nothing: what a sequencer sees of
//!   L1 is its own. So no others, few or many, bring an honest voter to the deadline, but where
//!   more than half vote for a block that L1 does not have, at a height that L1 has not reached
//!   for as long as the deadline.
//! - Counted is time and not the last vote: who votes for one block in two days holds L1 up as
//!   well. It is the account's and not the set's: another set, or new keys, do not begin it anew.
//! - It grows by the blocks' own times, since who withholds votes for L1's blocks may hold up
//!   L2's as well; from one look to the next by an eighth of the deadline at most, and only for
//!   who was found at both. It shrinks by blocks at their usual distance.
//! - Nobody is charged where nobody votes, where votes part without a majority, where the
//!   majority's block does not stand on what is attested (L1 forked), where a quorum agrees (it
//!   is something else that holds L1 up), and while [`Config::Unjudged`] says so. Nor is who
//!   cannot vote, since its keys are barred. Where the next block is overdue and no majority
//!   agrees, who has no vote there is not credited either.

use crate::{
    pallet::{Attested, Config, Event, LastSight, Pallet, Unpunished, VotesSince, WithheldTimes},
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::Withheld,
    chain::{AccountId, BlockNumber, Moment, MAX_SEQUENCERS},
    relay::L1BlockDigest,
    sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{Get, Time as _},
    weights::Weight,
    BoundedVec,
};
use scale_info::TypeInfo;

/// L2 blocks between two looks.
pub const LOOK_BLOCKS: BlockNumber = 20;
/// The place of a look among them. Sessions end at multiples of [`LOOK_BLOCKS`] on all chains
/// but such for tests, and nobody has a vote right behind a change of the set.
const LOOK_AT: BlockNumber = LOOK_BLOCKS / 2;
/// Values that say whether anybody is judged: an emergency, and a recovery with what it left.
const JUDGES_READS: u64 = 3;
/// Blocks behind a change of the set in which nobody is looked at: votes come again.
const REST: BlockNumber = LOOK_BLOCKS / 4;
/// An L1 block is overdue when it is older than this part of the deadline, and who was
/// punished and still withholds is punished again after as much.
pub const PARTS: Moment = 8;
/// Sequencers that are punished in one block; others follow in the next ones.
pub const PUNISHED: u32 = 4;
/// Accounts whose time is kept: a set, and as many that left it.
pub const MAX_WITHHOLDERS: u32 = 2 * MAX_SEQUENCERS;

/// For how long accounts have withheld votes, one entry an account.
pub type Times = BoundedVec<Withheld, ConstU32<MAX_WITHHOLDERS>>;

/// What the last look found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Sight {
    /// L2 time of the look, milliseconds since 1970.
    pub time: Moment,
    /// Who withheld its vote.
    pub silent: BoundedVec<AccountId, ConstU32<MAX_SEQUENCERS>>,
}

/// What somebody does at a look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conduct {
    /// It has no vote for the next block, on which more than half agree.
    Withholds,
    /// It has none for one that is overdue, though nobody can say whose fault that is.
    Lacks,
    /// It has one, or nothing is overdue.
    Votes,
}

impl<T: Config> Pallet<T> {
    /// What a block does about it as it begins, after votes of an old set were dropped.
    /// Returns its weight, without the read of whether somebody is to be punished.
    pub(crate) fn watch(now: BlockNumber) -> Weight {
        let punishes = Unpunished::<T>::exists();
        let looks = now % LOOK_BLOCKS == LOOK_AT;
        if !(punishes || looks) {
            return Weight::zero();
        }
        let mut weight = T::DbWeight::get().reads(JUDGES_READS);
        if T::Unjudged::get() {
            // What goes by until they are judged again is charged to nobody.
            LastSight::<T>::kill();
            return weight;
        }
        if punishes {
            weight.saturating_accrue(Self::punish());
        }
        if looks {
            Self::look(now, T::Time::now());
            weight.saturating_accrue(T::WeightInfo::look());
        }
        weight
    }

    /// Counts, and establishes offences, in this block and at this time.
    pub(crate) fn look(now: BlockNumber, time: Moment) {
        let parameters = T::Parameters::get();
        let deadline = parameters.relay_withholding_s.saturating_mul(1_000);
        if deadline == 0 || now.saturating_sub(VotesSince::<T>::get()) < REST {
            return;
        }
        let part = deadline / PARTS;
        let conduct = Self::conduct(time.saturating_sub(part));
        let members = Self::accounts();
        let silent = members
            .iter()
            .filter(|(index, _)| conduct(*index) == Conduct::Withholds)
            .map(|(_, account)| account.clone());
        // A set has no more members than fit, so nothing is cut.
        let sight = Sight { time, silent: BoundedVec::truncate_from(silent.collect()) };
        let before = LastSight::<T>::get();
        LastSight::<T>::put(&sight);
        let mut times = WithheldTimes::<T>::get();
        if sight.silent.is_empty() && times.is_empty() {
            return;
        }
        let step = Moment::from(LOOK_BLOCKS).saturating_mul(parameters.block_time_ms);
        let passed = before.as_ref().map_or(0, |before| time.saturating_sub(before.time));
        let passed = passed.min(part).max(step);
        let mut guilty = Vec::new();
        for (index, account) in &members {
            let place = times.iter().position(|one| one.account == *account);
            let conduct = conduct(*index);
            let place = match (place, conduct) {
                (_, Conduct::Lacks) | (None, Conduct::Votes) => continue,
                (Some(place), _) => place,
                (None, Conduct::Withholds) => {
                    make_room(&mut times, &members);
                    let new = Withheld { account: account.clone(), ms: 0 };
                    if times.try_push(new).is_err() {
                        continue;
                    }
                    times.len().saturating_sub(1)
                }
            };
            let Some(one) = times.get_mut(place) else { continue };
            if conduct == Conduct::Votes {
                one.ms = one.ms.saturating_sub(step);
                continue;
            }
            let goes_on = before.as_ref().is_some_and(|before| before.silent.contains(account));
            one.ms = one.ms.saturating_add(if goes_on { passed } else { step });
            if one.ms >= deadline {
                one.ms = deadline.saturating_sub(part);
                guilty.push(account.clone());
            }
        }
        times.retain(|one| one.ms > 0);
        WithheldTimes::<T>::put(times);
        Self::establish(guilty, now);
    }

    /// What the member with an index does, where a block is overdue that is no younger than
    /// `overdue`.
    fn conduct(overdue: Moment) -> impl Fn(u16) -> Conduct {
        let attested = Attested::<T>::get();
        let votes = match attested.height.checked_add(1) {
            Some(next) => Self::votes_at(next),
            None => Default::default(),
        };
        let is_overdue = |digest: &L1BlockDigest| {
            Moment::from(digest.median_time).saturating_mul(1_000) <= overdue
        };
        let is_held_up = votes.winner(T::Sequencers::quorum()).is_none()
            && votes.0.iter().any(|candidate| is_overdue(&candidate.digest));
        let majority = (T::Sequencers::members() / 2).saturating_add(1);
        let is_agreed = votes
            .winner(majority)
            .is_some_and(|agreed| agreed.previous == attested.hash && is_overdue(agreed));
        move |index| match (is_held_up, is_agreed) {
            (false, _) => Conduct::Votes,
            _ if votes.of(index).is_some() => Conduct::Votes,
            // Who cannot vote, since its keys are barred, withholds nothing.
            (true, true) if T::Sequencers::relay_key(index).is_some() => Conduct::Withholds,
            (true, _) => Conduct::Lacks,
        }
    }

    /// The set's accounts by index.
    fn accounts() -> Vec<(u16, AccountId)> {
        let all = 0..u16::try_from(T::Sequencers::members()).unwrap_or(u16::MAX);
        all.filter_map(|index| T::Sequencers::account(index).map(|account| (index, account)))
            .collect()
    }

    fn establish(guilty: Vec<AccountId>, height: BlockNumber) {
        if guilty.is_empty() {
            return;
        }
        let set_id = T::Sequencers::set_id();
        let mut unpunished = Unpunished::<T>::get();
        for offender in guilty {
            let kind = OffenceKind::Withholding;
            let offence = Offence { kind, offender: offender.clone(), set_id, height };
            // All of before are punished by now, and there are no more than a set has.
            if unpunished.try_push(offence).is_ok() {
                Self::deposit_event(Event::VotesWithheld { sequencer: offender });
            }
        }
        Unpunished::<T>::put(unpunished);
    }

    /// Punishes the first of those that are to be.
    pub(crate) fn punish() -> Weight {
        let mut left = Unpunished::<T>::take().into_inner();
        let now = left.len().min(PUNISHED as usize);
        let later = left.split_off(now);
        if !later.is_empty() {
            Unpunished::<T>::put(BoundedVec::truncate_from(later));
        }
        for offence in &left {
            T::OnOffence::on_offence(offence);
        }
        let each = T::OnOffence::max_offence_weight();
        T::WeightInfo::punish().saturating_add(each.saturating_mul(left.len() as u64))
    }

    /// Between blocks nobody has two times, nor one that is empty, and what is to be punished
    /// is of this kind.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(feature = "try-runtime", test))]
    pub(crate) fn check_withheld() -> Result<(), sp_runtime::TryRuntimeError> {
        use frame_support::ensure;
        let times = WithheldTimes::<T>::get();
        ensure!(times.iter().all(|one| one.ms > 0), "who withheld nothing is not kept");
        let mut accounts: Vec<_> = times.iter().map(|one| &one.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        ensure!(accounts.len() == times.len(), "an account's time is kept once");
        let kinds = Unpunished::<T>::get().into_iter().map(|offence| offence.kind);
        ensure!(
            kinds.into_iter().all(|kind| kind == OffenceKind::Withholding),
            "nothing else is punished here"
        );
        Ok(())
    }
}

/// Where there is no room, of those that are in the set no more the one that withheld least
/// is forgotten. There is one: a set is half of what is kept.
fn make_room(times: &mut Times, members: &[(u16, AccountId)]) {
    if !times.is_full() {
        return;
    }
    let outside = times
        .iter()
        .enumerate()
        .filter(|(_, one)| members.iter().all(|(_, account)| *account != one.account));
    let least = outside.min_by_key(|(_, one)| one.ms).map(|(place, _)| place);
    if let Some(place) = least {
        times.remove(place);
    }
}
