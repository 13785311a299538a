//! What becomes of burns whose L1 block was replaced (R19, ADR 0026).
//!
//! A burn is *orphaned* while its record names a block that is not on the attested branch
//! ([`L1Branch`]). If the new branch brings it again it keeps what was minted, and only the
//! record changes. What the branch has not brought when the relay has caught up is
//! *reverted*: taken out of the queue, and what was minted of it is taken back from its
//! recipient's free balance. What is not there is the deficit: the record goes on calling
//! it minted, [`Deficit`](crate::Deficit) counts it, and anybody can have more taken back
//! later. A burn that comes after all is minted like any other that waits, less what was
//! never taken back; one that root had rejected is rejected again. The recipient's account stays, even if nothing is left in it.
//!
//! Which burns have to be looked at is known from a log of all those of L1 blocks that a
//! fork could still remove.

use crate::{
    limits::Spent,
    pallet::{
        BurnCount, Burns, ClawedBack, ClawedBackTotal, Config, Deficit, Error, Event, MintedTotal,
        Pallet, RecentBurns, RecentRange, RejectedBefore, RejectedWaitingCount, RepeatedCount,
        RevertedCount, Sweep, VaultedTotal,
    },
    types::RecentBurn,
    WeightInfo,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, Peg, WaitCause},
    chain::{AccountId, Balance},
    l1::{burn::BurnRejection, OutPoint},
    relay::{L1BlockContext, L1Branch, OnL1Fork, MAX_FORK_DEPTH},
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
    weights::Weight,
};
use sp_runtime::SaturatedConversion;

/// Burns that are judged in one block after the relay has caught up.
pub const MAX_JUDGED: u32 = 16;
/// Burns of the log that are let go of when one is added: more than one, so that it
/// shrinks.
const MAX_LET_GO: u32 = 2;

impl<T: Config> Pallet<T> {
    /// Whether the block that the record names was replaced on L1.
    pub(crate) fn is_orphaned(record: &BurnRecord) -> bool {
        !T::L1Blocks::has_block(record.l1_height, &record.l1_hash)
    }

    /// Whether there are coins that no burn on L1 backs (R19, ADR 0026). While there are,
    /// nothing may be withdrawn to L1.
    pub fn has_deficit() -> bool {
        Deficit::<T>::get() > 0
    }

    /// The relay brings an output that is on record.
    pub(crate) fn see_again(mut record: BurnRecord, block: &L1BlockContext) {
        let outpoint = record.outpoint;
        let reverted = record.outcome == BurnOutcome::Reverted;
        let moved = record.l1_hash != block.hash && Self::is_orphaned(&record);
        if !reverted && !moved {
            RepeatedCount::<T>::mutate(|count| *count = count.saturating_add(1));
            Self::deposit_event(Event::MintAlreadyProcessed { outpoint });
            return;
        }
        (record.l1_height, record.l1_hash) = (block.height, block.hash);
        Self::deposit_event(Event::BurnConfirmedAgain {
            outpoint,
            l1_height: block.height,
            l1_hash: block.hash,
        });
        if reverted {
            Self::restore(&mut record);
        }
        // Of a rejected one a part may have been minted, which can be lost again.
        if !matches!(record.outcome, BurnOutcome::Rejected(_)) || record.minted > 0 {
            Self::note_recent(outpoint, block.height);
        }
        Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
    }

    // What was taken back waits to be minted again; the rest never left. What root rejected
    // is rejected as before: nothing more of it is minted, nor what was taken back.
    fn restore(record: &mut BurnRecord) {
        RevertedCount::<T>::mutate(|count| *count = count.saturating_sub(1));
        Deficit::<T>::mutate(|sum| *sum = sum.saturating_sub(record.minted.into()));
        let OutPoint { txid, vout } = record.outpoint;
        if RejectedBefore::<T>::take(txid, vout).is_some() {
            record.outcome = BurnOutcome::Rejected(BurnRejection::ByGovernance);
            RejectedWaitingCount::<T>::mutate(|count| *count = count.saturating_add(1));
            return;
        }
        if record.minted >= record.value {
            record.outcome = BurnOutcome::Minted;
            BurnCount::<T>::mutate(|count| *count = count.saturating_add(1));
            return;
        }
        record.outcome = BurnOutcome::Deferred;
        let today = Self::today(&T::Parameters::get());
        let cause = Self::closed(&today).unwrap_or(WaitCause::Turn);
        Self::defer(record, Spent::default(), cause);
    }

    /// Keeps in mind a burn of the L1 block at `height`, and lets go of some that no fork
    /// can remove any more; of none while L1 is disputed. Forks that follow each other go no
    /// deeper together than one (the relay sees to it), so one fork's depth is enough.
    pub(crate) fn note_recent(outpoint: OutPoint, height: u32) {
        let (mut start, end) = RecentRange::<T>::get();
        RecentBurns::<T>::insert(end, RecentBurn { outpoint, height });
        if !T::L1Disputed::get() && !Sweep::<T>::exists() {
            for _ in 0..MAX_LET_GO {
                let safe = RecentBurns::<T>::get(start)
                    .is_some_and(|burn| burn.height.saturating_add(MAX_FORK_DEPTH) <= height);
                if !safe {
                    break;
                }
                RecentBurns::<T>::remove(start);
                start = start.saturating_add(1);
            }
        }
        RecentRange::<T>::put((start, end.saturating_add(1)));
    }

    /// Judges burns after the relay has caught up with the new branch, some each block.
    pub(crate) fn judge_orphans(remaining: Weight) -> Weight {
        let mut used = T::WeightInfo::judge_base();
        if !used.all_lte(remaining) {
            return Weight::zero();
        }
        let Some((mut place, end)) = Sweep::<T>::get() else { return used };
        for _ in 0..MAX_JUDGED {
            let after = used.saturating_add(T::WeightInfo::judge_orphan());
            if place >= end || !after.all_lte(remaining) {
                break;
            }
            used = after;
            if let Some(burn) = RecentBurns::<T>::get(place) {
                Self::judge_orphan(burn.outpoint);
            }
            place = place.saturating_add(1);
        }
        if place < end {
            Sweep::<T>::put((place, end));
        } else {
            Sweep::<T>::kill();
            Self::deposit_event(Event::OrphansJudged { deficit: Deficit::<T>::get() });
        }
        used
    }

    fn judge_orphan(outpoint: OutPoint) {
        let Some(mut record) = Burns::<T>::get(outpoint.txid, outpoint.vout) else { return };
        if !Self::is_orphaned(&record) {
            return;
        }
        match record.outcome {
            BurnOutcome::Minted => {
                BurnCount::<T>::mutate(|count| *count = count.saturating_sub(1));
            }
            BurnOutcome::Deferred => {
                if Self::take_out_of_queue(&record).is_err() {
                    // It waits, so it is in the queue (`try_state`).
                    log::error!(target: "burn-mint", "{outpoint:?} waits without a place");
                }
            }
            // Of one that root rejected while it waited a part may have been minted before.
            BurnOutcome::Rejected(BurnRejection::ByGovernance) if record.minted > 0 => {
                RejectedBefore::<T>::insert(outpoint.txid, outpoint.vout, ());
                RejectedWaitingCount::<T>::mutate(|count| *count = count.saturating_sub(1));
            }
            // They have nothing to lose.
            BurnOutcome::Rejected(_) | BurnOutcome::Reverted => return,
        }
        record.outcome = BurnOutcome::Reverted;
        RevertedCount::<T>::mutate(|count| *count = count.saturating_add(1));
        Deficit::<T>::mutate(|sum| *sum = sum.saturating_add(record.minted.into()));
        let clawed_back = Self::take_back(&mut record);
        Self::deposit_event(Event::BurnReverted {
            outpoint,
            recipient: record.recipient.clone(),
            clawed_back,
            deficit: record.minted,
        });
        Burns::<T>::insert(outpoint.txid, outpoint.vout, record);
    }

    // Takes back what the recipient's free balance has of what was minted. The caller
    // stores the record, and has counted all that was minted as deficit.
    fn take_back(record: &mut BurnRecord) -> u64 {
        let Some(recipient) = record.recipient.clone() else { return 0 };
        let owed = record.minted;
        let (preservation, force) = (Preservation::Expendable, Fortitude::Polite);
        Self::keep_account(&recipient, owed);
        let there = T::Currency::reducible_balance(&recipient, preservation, force);
        let amount = there.min(owed.into());
        if amount == 0 {
            return 0;
        }
        let precision = Precision::BestEffort;
        let burned = T::Currency::burn_from(&recipient, amount, preservation, precision, force);
        // Refused: it is owed as before. It is never more than was asked for.
        let taken = burned.unwrap_or(0).saturated_into::<u64>().min(owed);
        if taken == 0 {
            return 0;
        }
        record.minted = record.minted.saturating_sub(taken);
        let OutPoint { txid, vout } = record.outpoint;
        let amount = Balance::from(taken);
        Deficit::<T>::mutate(|sum| *sum = sum.saturating_sub(amount));
        MintedTotal::<T>::mutate(|total| *total = total.saturating_sub(amount));
        if record.peg == Peg::Vault {
            VaultedTotal::<T>::mutate(|total| *total = total.saturating_sub(amount));
        }
        ClawedBackTotal::<T>::mutate(|total| *total = total.saturating_add(amount));
        ClawedBack::<T>::mutate(txid, vout, |sum| *sum = sum.saturating_add(amount));
        taken
    }

    // An account that loses its last coins would be reaped. Its nonce would begin anew, so
    // that its old transactions could be included again, and what it did would be forgotten.
    // So it gets a reference that nobody takes back: it stays for ever, with coins or
    // without. Its last unit can be taken, too, then, whatever else refers to the account.
    fn keep_account(who: &AccountId, owed: u64) {
        let balance = T::Currency::balance(who);
        let least = T::Currency::minimum_balance().saturating_add(owed.into());
        let may_be_emptied = balance > 0 && balance < least;
        // With more than one it outlives its balance by another's reference.
        if may_be_emptied && frame_system::Pallet::<T>::providers(who) == 1 {
            frame_system::Pallet::<T>::inc_providers(who);
        }
    }

    /// Takes back more of a reverted burn.
    pub(crate) fn do_claw_back(outpoint: OutPoint) -> DispatchResult {
        let OutPoint { txid, vout } = outpoint;
        let mut record = Burns::<T>::get(txid, vout).ok_or(Error::<T>::NothingOwed)?;
        let owed = record.outcome == BurnOutcome::Reverted && record.minted > 0;
        ensure!(owed, Error::<T>::NothingOwed);
        let clawed_back = Self::take_back(&mut record);
        ensure!(clawed_back > 0, Error::<T>::NothingThere);
        let deficit = record.minted;
        Self::deposit_event(Event::DeficitReduced { outpoint, clawed_back, deficit });
        Burns::<T>::insert(txid, vout, record);
        Ok(())
    }
}

impl<T: Config> OnL1Fork for Pallet<T> {
    // All is judged anew when the relay has caught up with this branch.
    fn on_fork(_: &L1BlockContext) {
        Sweep::<T>::kill();
    }

    fn on_recovered() {
        let (start, end) = RecentRange::<T>::get();
        if start < end {
            Sweep::<T>::put((start, end));
        }
    }

    fn max_fork_weight() -> Weight {
        T::WeightInfo::on_fork()
    }
}
