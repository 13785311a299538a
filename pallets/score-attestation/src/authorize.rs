//! Votes: when the pool and the block take one.
//!
//! They are free, so each must count: one of each sequencer and round. A node's state may
//! lag behind or run ahead of the sender's, therefore what can become valid by waiting
//! answers *unknown*, what cannot *invalid*.

use crate::pallet::{Call, Cast, Config, Pallet, Round};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    reputation::attestation::{score_message, ScoreVote},
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
        vote: &ScoreVote,
    ) -> TransactionValidityWithRefund {
        let not_yet: TransactionValidityError = UnknownTransaction::CannotLookup.into();
        match vote.set_id.cmp(&T::Sequencers::set_id()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        let round = Round::<T>::get();
        match vote.round.cmp(&round.number) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        // Of nobody there is nothing to say.
        if vote.scores.is_empty() || vote.scores.len() != round.addresses.len() {
            return Err(InvalidTransaction::Call.into());
        }
        if Cast::<T>::get().in_force::<T::Sequencers>().has(vote.signer) {
            return Err(InvalidTransaction::Stale.into());
        }
        let key = T::Sequencers::relay_key(vote.signer).ok_or(InvalidTransaction::BadSigner)?;
        let genesis = genesis_hash::<T>();
        let message = score_message(&genesis, vote.set_id, vote.round, &vote.scores);
        if !sp_io::crypto::ed25519_verify(&vote.signature, &message, &key) {
            return Err(InvalidTransaction::BadProof.into());
        }
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            provides: alloc::vec![(b"scor", vote.round, vote.set_id, key).encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    /// The transaction that brings a vote.
    pub fn vote_extrinsic(vote: ScoreVote) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::attest { vote }.into())
    }
}
