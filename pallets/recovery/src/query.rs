//! What others are told.

use crate::{
    pallet::{Cast, Config, Fallen, LastRecovery, Pallet, RedeliveredTo, Running},
    types::{Phase, RecoveryRun},
    MAX_LISTED,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    recovery::{
        Books, FallenTransaction, RecoveryOverview, RecoveryPhase, RecoveryProgress,
        RecoverySubject, MAX_FALLEN,
    },
    sequencers::SequencerSetProvider,
};

impl<T: Config> Pallet<T> {
    /// Whether blocks hold inherents only, and hooks of pallets whose state goes back must
    /// not run.
    pub fn is_frozen() -> bool {
        matches!(
            Running::<T>::get(),
            Some(RecoveryRun { phase: Phase::Restoring { .. } | Phase::Mending { .. }, .. })
        )
    }

    /// Whether a recovery runs: users' calls are refused.
    pub fn is_running() -> bool {
        Running::<T>::exists()
    }

    /// Whether events of the L1 block at this height were delivered before a recovery, and
    /// are delivered again. Pallets whose state stays must not hear of them twice.
    pub fn redelivers(l1_height: u32) -> bool {
        RedeliveredTo::<T>::get().is_some_and(|last| l1_height <= last)
    }

    /// What sequencers may vote on now.
    pub fn recovery_subject() -> Option<RecoverySubject> {
        if Self::is_running() {
            return None;
        }
        Self::votable().ok()
    }

    /// The recovery that runs, the last one, and why none can begin.
    pub fn recovery_overview() -> RecoveryOverview {
        let running = Running::<T>::get().map(Self::progress);
        let votable = Self::votable();
        let votes = votable.ok().and_then(|subject| {
            Cast::<T>::get().map(|cast| cast.in_force::<T::Sequencers>(&subject).voters.len())
        });
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        RecoveryOverview {
            running,
            last: LastRecovery::<T>::get(),
            votes: votes.map_or(0, count),
            quorum: count(T::Sequencers::quorum()),
            why_not: votable.err().filter(|_| running.is_none()),
        }
    }

    fn progress(run: RecoveryRun) -> RecoveryProgress {
        let phase = match run.phase {
            Phase::Restoring { cursor, .. } => RecoveryPhase::Restoring {
                part: cursor.part,
                parts: u32::try_from(T::Books::parts().len()).unwrap_or(u32::MAX),
            },
            Phase::Mending { .. } => RecoveryPhase::Mending,
            Phase::L1Again => RecoveryPhase::L1Again,
            Phase::Replaying { next } => RecoveryPhase::Replaying {
                // Behind the last one when all is repeated and something else is still due.
                block: next.due().map_or(run.begun_at, |due| due.block),
                last: run.begun_at,
            },
        };
        RecoveryProgress {
            number: run.number,
            since: run.since,
            common: run.common,
            deficit: run.deficit,
            begun_at: run.begun_at,
            phase,
            held: run.held,
            fell: run.fell,
            abandoned: run.abandoned,
        }
    }

    /// What fell in the newest recovery, by number from `from` on, at most `limit` and
    /// [`MAX_LISTED`].
    pub fn fallen(from: u32, limit: u32) -> Vec<(u32, FallenTransaction)> {
        let fell = match Running::<T>::get() {
            Some(run) => run.fell,
            None => LastRecovery::<T>::get().map_or(0, |last| last.fell),
        };
        let first = from.max(fell.saturating_sub(MAX_FALLEN));
        let end = fell.min(first.saturating_add(limit.min(MAX_LISTED)));
        (first..end)
            .filter_map(|index| {
                Fallen::<T>::get(Self::fallen_slot(index)).map(|fallen| (index, fallen))
            })
            .collect()
    }

    /// Checks what must hold between blocks.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        use crate::pallet::{Advanced, Count, DeliveredAgain, Forced, HadUsers};
        if Advanced::<T>::exists() || HadUsers::<T>::exists() {
            return Err("what holds for one block outlived it");
        }
        let is_heard_again = Running::<T>::get().is_some_and(|run| run.phase == Phase::L1Again);
        if DeliveredAgain::<T>::exists() && !is_heard_again {
            return Err("it is noted how L1 gets on, and nothing waits for it");
        }
        let count = Count::<T>::get();
        if LastRecovery::<T>::get().is_some_and(|last| {
            last.number > count
                || last.since.number > last.begun_at
                || last.begun_at > last.ended_at
        }) {
            return Err("the last recovery is none that was");
        }
        if let Some(cast) = Cast::<T>::get() {
            if cast.voters.is_empty() || !cast.voters.windows(2).all(|two| two[0] < two[1]) {
                return Err("the voters are not in their order");
            }
        }
        let Some(run) = Running::<T>::get() else { return Ok(()) };
        if Cast::<T>::exists() || Forced::<T>::exists() {
            return Err("votes for a recovery are kept while one runs");
        }
        if run.number != count || run.since.number > run.begun_at {
            return Err("the recovery that runs is not the newest");
        }
        match run.phase {
            Phase::Restoring { cursor, .. } if cursor.due(&T::Books::parts()).is_none() => {
                Err("all is restored, and the state is still being restored")
            }
            Phase::Mending { step: None } => Err("all is mended, and is still being mended"),
            _ => Ok(()),
        }
    }
}
