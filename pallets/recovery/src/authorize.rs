//! Votes: when the pool and the block take one.
//!
//! They are free, so each must count: one of each sequencer and subject. A node's state may
//! lag behind or run ahead of the sender's, therefore what can become valid by waiting
//! answers *unknown*, what cannot *invalid*.

use crate::pallet::{Call, Cast, Config, Count, Pallet};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    recovery::{recovery_message, RecoverySubject, RecoveryVote},
    sequencers::SequencerSetProvider,
};
use codec::Encode;
use core::cmp::Ordering;
use frame_support::pallet_prelude::{InvalidTransaction, Weight};
use sp_runtime::transaction_validity::{
    TransactionPriority, TransactionSource, TransactionValidityError,
    TransactionValidityWithRefund, UnknownTransaction, ValidTransaction,
};

/// L2 blocks for which the pool keeps a vote; its node sends it again while it is wanted.
const LONGEVITY: u64 = 120;
/// Above what users send, below what the relay needs.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_vote(
        _: TransactionSource,
        vote: &RecoveryVote,
    ) -> TransactionValidityWithRefund {
        let not_yet: TransactionValidityError = UnknownTransaction::CannotLookup.into();
        match vote.set_id.cmp(&T::Sequencers::set_id()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        if vote.subject.number <= Count::<T>::get() {
            return Err(InvalidTransaction::Stale.into());
        }
        // Another fork may be known here, or not yet.
        if !Self::recovery_subject().is_some_and(|due| due.is_same(&vote.subject)) {
            return Err(not_yet);
        }
        if Self::has_vote(vote.voter, &vote.subject) {
            return Err(InvalidTransaction::Stale.into());
        }
        let key = T::Sequencers::relay_key(vote.voter).ok_or(InvalidTransaction::BadSigner)?;
        let message = recovery_message(&genesis_hash::<T>(), vote.set_id, &vote.subject);
        if !sp_io::crypto::ed25519_verify(&vote.signature, &message, &key) {
            return Err(InvalidTransaction::BadProof.into());
        }
        let recovery = RecoverySubject { deficit: 0, ..vote.subject };
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            provides: alloc::vec![(b"rcov", recovery, vote.set_id, key).encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    pub(crate) fn has_vote(voter: u16, subject: &RecoverySubject) -> bool {
        Cast::<T>::get().is_some_and(|cast| cast.in_force::<T::Sequencers>(subject).has(voter))
    }

    /// Whether `voter` has a vote on record for the subject that is due.
    pub fn has_voted_recovery(voter: u16) -> bool {
        Self::recovery_subject().is_some_and(|subject| Self::has_vote(voter, &subject))
    }

    /// The transaction that casts a vote.
    pub fn recovery_vote_extrinsic(vote: RecoveryVote) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::vote { vote }.into())
    }
}
