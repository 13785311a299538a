//! Whether a recovery can begin, and who is for it.

use crate::pallet::{CalledOff, Cast, Config, Count, Error, Forced, LastRecovery, Pallet, Running};
use cascoin_l2_primitives::{
    recovery::{Books, DoubtProvider, NoRecovery, RecoverySubject, RecoveryVote},
    sequencers::SequencerSetProvider,
};
use frame_support::{ensure, traits::Get};

impl<T: Config> Pallet<T> {
    /// The recovery that could begin now, were enough sequencers for it.
    ///
    /// # Errors
    /// Why none can.
    pub(crate) fn possible() -> Result<RecoverySubject, NoRecovery> {
        let doubt = T::Doubt::standing().ok_or(NoRecovery::NothingStands)?;
        let since = doubt.since.ok_or(NoRecovery::PointForgotten)?;
        if Self::now().saturating_sub(since.number) > T::KeptBlocks::get() {
            return Err(NoRecovery::TooFarBack);
        }
        if T::Books::code_changed_after(since.number) {
            return Err(NoRecovery::CodeChanged);
        }
        if LastRecovery::<T>::get().is_some_and(|last| since.number <= last.ended_at) {
            return Err(NoRecovery::EarlierRecovery);
        }
        Ok(RecoverySubject {
            number: Count::<T>::get().saturating_add(1),
            since,
            common: doubt.common,
            deficit: doubt.deficit,
        })
    }

    /// The same, if sequencers are to vote for it.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn votable() -> Result<RecoverySubject, NoRecovery> {
        let subject = Self::possible()?;
        let threshold = T::Threshold::get();
        if threshold == 0 || subject.deficit < threshold {
            return Err(NoRecovery::BelowThreshold);
        }
        // Else it would freeze the chain again and again.
        if CalledOff::<T>::get() == Some(subject.since) {
            return Err(NoRecovery::CalledOff);
        }
        Ok(subject)
    }

    pub(crate) fn do_vote(vote: RecoveryVote) -> Result<(), Error<T>> {
        let RecoveryVote { set_id, voter, subject, .. } = vote;
        ensure!(set_id == T::Sequencers::set_id(), Error::<T>::WrongSet);
        ensure!(!Running::<T>::exists(), Error::<T>::WrongSubject);
        let is_due = Self::votable().is_ok_and(|due| due.is_same(&subject));
        ensure!(is_due, Error::<T>::WrongSubject);
        ensure!(usize::from(voter) < T::Sequencers::members(), Error::<T>::NotAMember);
        let mut cast = Cast::<T>::get().unwrap_or_default().in_force::<T::Sequencers>(&subject);
        ensure!(cast.add(voter), Error::<T>::AlreadyVoted);
        Cast::<T>::put(cast);
        Ok(())
    }

    /// The recovery that enough sequencers are for, if it is still due. Votes of a set that is
    /// gone are dropped.
    pub(crate) fn agreed() -> Option<RecoverySubject> {
        let cast = Cast::<T>::get()?;
        if cast.set_id != T::Sequencers::set_id() {
            Cast::<T>::kill();
            return None;
        }
        if cast.voters.len() < T::Sequencers::quorum() {
            return None;
        }
        Self::votable().ok().filter(|due| due.is_same(&cast.subject))
    }

    /// The recovery that Root began in this block, if it is still due.
    pub(crate) fn forced() -> Option<RecoverySubject> {
        let forced = Forced::<T>::take()?;
        Self::possible().ok().filter(|due| due.is_same(&forced))
    }
}
