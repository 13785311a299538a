//! What a recovery does between transactions: it begins, goes from phase to phase, and ends.

use crate::{
    pallet::{
        Advanced, CalledOff, Cast, Config, Count, DeliveredAgain, Event, Forced, HadUsers,
        LastRecovery, NotesFrom, Pallet, RedeliveredTo, Running, UserBlocks, UsersIn,
    },
    types::{Phase, RecoveryRun, Redelivery},
    WeightInfo, MAX_PATIENCE, MAX_SCANNED, NOTES_KEPT,
};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    recovery::{self, Books, Cursor, DoubtProvider, RelayRewind, Replay},
};
use frame_support::{migrations::MultiStepMigrator, traits::Get, weights::Weight};
use sp_runtime::SaturatedConversion;

/// Blocks whose notes are removed in one block at most: more than come to an end of their
/// time, so that a recovery, which keeps all, leaves nothing behind.
const MAX_PRUNED: u32 = 2;
/// What asking twice whether a block may be repeated reads.
const MAY_REPEAT_READS: u64 = 4;

impl<T: Config> Pallet<T> {
    /// The number of the running block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// The beginning of a block. Its weight has that of the end in it.
    pub(crate) fn begin_block(now: BlockNumber) -> Weight {
        if let Some(number) = UsersIn::<T>::take() {
            let parent = frame_system::Pallet::<T>::parent_hash();
            UserBlocks::<T>::insert(number, parent);
        }
        let Some(mut run) = Running::<T>::get() else {
            Self::prune(now);
            let weight = T::WeightInfo::block();
            if !Cast::<T>::exists() && !Forced::<T>::exists() {
                return weight;
            }
            return weight
                .saturating_add(T::WeightInfo::begin())
                .saturating_add(T::Doubt::weight());
        };
        let more = match run.phase {
            Phase::Restoring { .. } => Weight::zero(),
            Phase::Mending { step } => {
                if let Some(step) = step {
                    run.phase = Phase::Mending { step: T::Books::mend(run.since.number, step) };
                    run.moved_at = now;
                    Running::<T>::put(run);
                }
                // At its end the last step is followed by the relay's.
                T::Books::mend_weight()
                    .saturating_add(T::Relay::rewind_weight())
                    .saturating_add(T::Doubt::weight())
            }
            // Whether the block that is due may be repeated is asked when it is brought, and
            // at the end.
            Phase::L1Again | Phase::Replaying { .. } => {
                T::WeightInfo::scan().saturating_add(T::DbWeight::get().reads(MAY_REPEAT_READS))
            }
        };
        T::WeightInfo::running().saturating_add(more)
    }

    // Notes that no recovery can need any more. While one runs all are kept, however long it
    // takes.
    fn prune(now: BlockNumber) {
        let Some(kept_from) = now.checked_sub(NOTES_KEPT) else { return };
        let mut next = NotesFrom::<T>::get();
        for _ in 0..MAX_PRUNED {
            if next >= kept_from {
                break;
            }
            UserBlocks::<T>::remove(next);
            next = next.saturating_add(1);
        }
        NotesFrom::<T>::put(next);
    }

    /// The end of a block, after that of all other pallets.
    pub(crate) fn end_block(now: BlockNumber) {
        if HadUsers::<T>::take() {
            UsersIn::<T>::put(now);
        }
        if RedeliveredTo::<T>::get().is_some_and(|height| T::Relay::applied() >= height) {
            RedeliveredTo::<T>::kill();
        }
        match Running::<T>::get() {
            Some(run) => Self::turn(run, now),
            None => Self::begin(now),
        }
    }

    fn begin(now: BlockNumber) {
        // What stays would hear the first pages of a block twice: once now, and once more with
        // the others when it is delivered again, as if it were new.
        if !T::Relay::is_between_blocks() {
            return;
        }
        // What else happened in this block, or since the votes, may have changed it.
        let Some(subject) = Self::forced().or_else(Self::agreed) else { return };
        Cast::<T>::kill();
        let recovery::RecoverySubject { number, since, common, deficit } = subject;
        Count::<T>::put(number);
        Running::<T>::put(RecoveryRun {
            number,
            since,
            common,
            deficit,
            begun_at: now,
            phase: Phase::Restoring { root: None, cursor: Cursor::default() },
            moved_at: now,
            applied_before: T::Relay::applied(),
            held: 0,
            fell: 0,
            abandoned: 0,
        });
        log::warn!(
            target: "recovery",
            "Recovery {number} begins: the state of users' money goes back to block {}, since \
             {deficit} base units are not backed by L1",
            since.number,
        );
        Self::deposit_event(Event::Begun { number, since, deficit });
    }

    // Goes to the next phase, if this one is over.
    fn turn(mut run: RecoveryRun, now: BlockNumber) {
        Advanced::<T>::kill();
        let is_stuck = now.saturating_sub(run.moved_at) >= T::PatienceBlocks::get();
        let next = match &run.phase {
            Phase::Restoring { cursor, .. } => {
                if cursor.due(&T::Books::parts()).is_none() {
                    Phase::Mending { step: Some(0) }
                // New code of the block in which it began migrated the state before this one.
                } else if *cursor == Cursor::default()
                    && (is_stuck || T::Books::code_changed_after(run.since.number))
                {
                    return Self::call_off(&run);
                } else {
                    return;
                }
            }
            Phase::Mending { step: Some(_) } => return,
            Phase::Mending { step: None } => {
                T::Relay::rewind(&run.common);
                T::Doubt::recovered(&run.common);
                RedeliveredTo::<T>::put(run.applied_before);
                DeliveredAgain::<T>::put(Self::redelivery(&run, now));
                let (number, block) = (run.number, run.since.number);
                Self::deposit_event(Event::Restored { number, block });
                Phase::L1Again
            }
            Phase::L1Again => {
                if !T::Relay::is_settled() && Self::waits_for_l1(&run, now, is_stuck) {
                    return;
                }
                DeliveredAgain::<T>::kill();
                let mut next = Replay::between(run.since.number, run.begun_at);
                Self::scan(&mut next);
                Phase::Replaying { next }
            }
            Phase::Replaying { next } => {
                let mut next = *next;
                let mut has_moved = Self::scan(&mut next);
                // As long as nobody may bring it, nobody is late.
                let is_wanted = next.due().is_none_or(|due| T::Books::may_repeat(due.block));
                let is_late = !has_moved && is_wanted && Self::gives_up(&run, now);
                if is_late && Self::abandon(&mut next) {
                    run.abandoned = run.abandoned.saturating_add(1);
                    Self::scan(&mut next);
                    has_moved = true;
                }
                match next.due() {
                    None if T::Books::may_repeat(BlockNumber::MAX) => {
                        return Self::finish(&run, now);
                    }
                    // Something is still to be made up for; users wait for it.
                    None => Phase::Replaying { next },
                    Some(_) if has_moved || !is_wanted => Phase::Replaying { next },
                    Some(_) => return,
                }
            }
        };
        run.phase = next;
        run.moved_at = now;
        Running::<T>::put(run);
    }

    // L1 blocks that were not delivered before are not waited for.
    fn redelivery(run: &RecoveryRun, begun_at: BlockNumber) -> Redelivery {
        let applied = T::Relay::applied().min(run.applied_before);
        Redelivery { begun_at, applied, turns: T::Relay::turns() }
    }

    // Whether it is worth while to wait longer for L1. What moves is noted. Who withholds
    // votes could have it move now and then: so it comes to an end all the same.
    fn waits_for_l1(run: &RecoveryRun, now: BlockNumber, is_stuck: bool) -> bool {
        let most = T::PatienceBlocks::get().saturating_mul(MAX_PATIENCE);
        let known = DeliveredAgain::<T>::get().unwrap_or_else(|| Self::redelivery(run, now));
        if now.saturating_sub(known.begun_at) >= most {
            return false;
        }
        let is_now = Self::redelivery(run, known.begun_at);
        if is_now != known {
            DeliveredAgain::<T>::put(is_now);
            Running::<T>::put(RecoveryRun { moved_at: now, ..run.clone() });
            return true;
        }
        !is_stuck
    }

    // Passes over blocks without users' transactions, as many as one block may; whether there
    // were any.
    fn scan(next: &mut Replay) -> bool {
        let mut has_moved = false;
        for _ in 0..MAX_SCANNED {
            let is_empty = |block: BlockNumber| !UserBlocks::<T>::contains_key(block);
            if !next.due().is_some_and(|due| is_empty(due.block)) || next.pass_over().is_err() {
                break;
            }
            has_moved = true;
        }
        has_moved
    }

    // Whether the block that is due was waited for long enough. Who has to wait for many has
    // waited for the first as long as for anything else.
    fn gives_up(run: &RecoveryRun, now: BlockNumber) -> bool {
        let patience = match run.abandoned {
            0 => T::PatienceBlocks::get(),
            _ => T::NextPatienceBlocks::get(),
        };
        now.saturating_sub(run.moved_at) >= patience
    }

    // Passes over the block that is due, and no other; whether there was one.
    fn abandon(next: &mut Replay) -> bool {
        let Some(due) = next.due() else { return false };
        if next.pass_over().is_err() {
            return false;
        }
        let (number, from) = (due.block, due.index);
        log::error!(
            target: "recovery",
            "Block {number} is passed over: nobody brought it, or the rest of it. Its \
             transactions from number {from} on fell",
        );
        Self::deposit_event(Event::BlockAbandoned { number, from });
        true
    }

    fn call_off(run: &RecoveryRun) {
        let number = run.number;
        Running::<T>::kill();
        CalledOff::<T>::put(run.since);
        log::error!(
            target: "recovery",
            "Recovery {number} is called off: nobody brought the old state, or the code changed. \
             All is as it was",
        );
        Self::deposit_event(Event::CalledOff { number });
    }

    fn finish(run: &RecoveryRun, now: BlockNumber) {
        let RecoveryRun { number, since, deficit, begun_at, held, fell, abandoned, .. } = *run;
        LastRecovery::<T>::put(recovery::LastRecovery {
            number,
            since,
            begun_at,
            ended_at: now,
            deficit,
            held,
            fell,
            abandoned,
        });
        Running::<T>::kill();
        log::info!(
            target: "recovery",
            "Recovery {number} is over: {held} transactions hold, {fell} fell",
        );
        Self::deposit_event(Event::Recovered { number, held, fell });
    }
}

/// While the state goes back, blocks hold inherents only.
impl<T: Config> MultiStepMigrator for Pallet<T> {
    fn ongoing() -> bool {
        Self::is_frozen()
    }

    fn step() -> Weight {
        Weight::zero()
    }
}
