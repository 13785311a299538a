//! Who keeps L1 from being attested by casting no vote (R17.6, ADR 0034).
//!
//! More than a third of the sequencers, though fewer than half, can keep every L1 block from
//! being attested: blocks go on, and burns, revocations and forced transactions never arrive.
//! The chain sees it. Where more than half have equal votes on record for the next L1 block,
//! and it is overdue, whoever has no vote there *withholds*. That time is counted for each
//! account, at a look in each [`LOOK_BLOCKS`] blocks, and counted back while it votes. Who
//! comes to the deadline is punished, and loses its seat.
//!
//! - Who has a vote on record, whatever it says, withholds nothing: what a sequencer sees of
//!   L1 is its own. So no others, few or many, bring an honest voter to the deadline, but where
//!   more than half vote for a block that L1 does not have, at a height that L1 has not reached
//!   for as long as the deadline.
//! - Counted is time and not the last vote: who votes for one block in two days holds L1 up as
//!   well. It is the account's and not the set's: another set, or new keys, do not begin it anew.
//! - Nobody is looked at where nobody votes, where votes part without a majority, where the
//!   majority's block does not stand on what is attested (L1 forked), where a quorum agrees (it
//!   is something else that holds L1 up), and while [`Config::Unjudged`] says so or a fork is
//!   followed. Nor is who cannot vote, since its keys are barred.

use crate::{
    pallet::{Attested, Config, Event, Mismatch, Pallet, Recovery, Unpunished, WithheldTimes},
    WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::Withheld,
    chain::{AccountId, BlockNumber, Moment, MAX_SEQUENCERS},
    sequencers::{Offence, OffenceKind, OnOffence, SequencerSetProvider},
};
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{Get, Time as _},
    weights::Weight,
    BoundedVec,
};

/// L2 blocks between two looks.
pub const LOOK_BLOCKS: BlockNumber = 20;
/// The place of a look among them. Sessions end at multiples of [`LOOK_BLOCKS`], and nobody
/// has a vote right behind a change of the set.
const LOOK_AT: BlockNumber = LOOK_BLOCKS / 2;
/// An L1 block is overdue when it is older than this part of the deadline, and who was
/// punished and still withholds is punished again after as much.
pub const PARTS: Moment = 8;
/// Sequencers that are punished in one block; others follow in the next ones.
pub const PUNISHED: u32 = 4;
/// Accounts whose time is kept: a set, and as many that left it.
pub const MAX_WITHHOLDERS: u32 = 2 * MAX_SEQUENCERS;

/// For how long accounts have withheld votes, one entry an account.
pub type Times = BoundedVec<Withheld, ConstU32<MAX_WITHHOLDERS>>;

impl<T: Config> Pallet<T> {
    /// What a block does about it as it begins, after votes of an old set were dropped.
    /// Returns its weight, without the read of whether somebody is to be punished.
    pub(crate) fn watch(now: BlockNumber) -> Weight {
        let punishes = Unpunished::<T>::exists();
        let looks = now % LOOK_BLOCKS == LOOK_AT;
        if !(punishes || looks) || T::Unjudged::get() {
            return Weight::zero();
        }
        let mut weight = Weight::zero();
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
        if deadline == 0 || Mismatch::<T>::exists() || Recovery::<T>::exists() {
            return;
        }
        let part = deadline / PARTS;
        let silent = Self::silent(time.saturating_sub(part));
        let mut times = WithheldTimes::<T>::get();
        if silent.is_empty() && times.is_empty() {
            return;
        }
        let step = Moment::from(LOOK_BLOCKS).saturating_mul(parameters.block_time_ms);
        let members = Self::accounts();
        let mut guilty = Vec::new();
        for (index, account) in &members {
            let withholds = silent.contains(index);
            let place = times.iter().position(|one| one.account == *account);
            let place = match place {
                Some(place) => place,
                None if withholds => {
                    make_room(&mut times, &members);
                    let new = Withheld { account: account.clone(), ms: 0 };
                    if times.try_push(new).is_err() {
                        continue;
                    }
                    times.len().saturating_sub(1)
                }
                None => continue,
            };
            let Some(one) = times.get_mut(place) else { continue };
            if !withholds {
                one.ms = one.ms.saturating_sub(step);
                continue;
            }
            one.ms = one.ms.saturating_add(step);
            if one.ms >= deadline {
                one.ms = deadline.saturating_sub(part);
                guilty.push(account.clone());
            }
        }
        times.retain(|one| one.ms > 0);
        WithheldTimes::<T>::put(times);
        Self::establish(guilty, now);
    }

    /// Those without a vote for the next L1 block, by index, if more than half agree on it and
    /// it is no younger than `overdue`.
    fn silent(overdue: Moment) -> Vec<u16> {
        let attested = Attested::<T>::get();
        let Some(next) = attested.height.checked_add(1) else { return Vec::new() };
        let votes = Self::votes_at(next);
        let members = T::Sequencers::members();
        let Some(agreed) = votes.winner((members / 2).saturating_add(1)) else {
            return Vec::new();
        };
        let is_held_up = agreed.previous == attested.hash
            && votes.winner(T::Sequencers::quorum()).is_none()
            && Moment::from(agreed.median_time).saturating_mul(1_000) <= overdue;
        if !is_held_up {
            return Vec::new();
        }
        let all = 0..u16::try_from(members).unwrap_or(u16::MAX);
        all.filter(|index| votes.of(*index).is_none())
            .filter(|index| T::Sequencers::relay_key(*index).is_some())
            .collect()
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

    /// Between blocks nobody has two times, nor one that is empty or over.
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
