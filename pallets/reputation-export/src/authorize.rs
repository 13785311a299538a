//! Signatures of batches: when the pool and the block take one.
//!
//! They are free, so each must count: one of each sequencer and batch. A node's state may
//! lag behind or run ahead of the sender's, therefore what can become valid by waiting
//! answers *unknown*, what cannot *invalid*.

use crate::pallet::{Call, Config, InSigning, Last, Pallet};
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    reputation::export::{export_message, ExportVote},
    sequencers::SequencerSetProvider,
};
use codec::Encode;
use core::cmp::Ordering;
use frame_support::pallet_prelude::{InvalidTransaction, Weight};
use sp_runtime::transaction_validity::{
    TransactionPriority, TransactionSource, TransactionValidityError,
    TransactionValidityWithRefund, UnknownTransaction, ValidTransaction,
};

/// L2 blocks for which the pool keeps a signature; its node sends it again while it is
/// wanted.
const LONGEVITY: u64 = 120;
/// Above what users send, below what the relay needs.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_signature(
        _: TransactionSource,
        vote: &ExportVote,
    ) -> TransactionValidityWithRefund {
        let not_yet: TransactionValidityError = UnknownTransaction::CannotLookup.into();
        match vote.set_id.cmp(&T::Sequencers::set_id()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        let last = Last::<T>::get();
        match vote.sequence.cmp(&last.sequence) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        let signing = InSigning::<T>::get().ok_or(InvalidTransaction::Stale)?;
        let signer = vote.signature.signer;
        if signing.in_force::<T::Sequencers>().has(signer) {
            return Err(InvalidTransaction::Stale.into());
        }
        let key = T::Sequencers::relay_key(signer).ok_or(InvalidTransaction::BadSigner)?;
        let genesis = genesis_hash::<T>();
        let message = export_message(&genesis, vote.set_id, &last.hash);
        // The host refuses rubbish quickly; what it takes is checked strictly, which is slower
        // here, and nobody but a sequencer can make that happen.
        let signature = &vote.signature;
        let is_signed = sp_io::crypto::ed25519_verify(&signature.signature, &message, &key);
        if !is_signed || !signature.is_by(&key, &message) {
            return Err(InvalidTransaction::BadProof.into());
        }
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            provides: alloc::vec![(b"rexp", vote.sequence, vote.set_id, key).encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    /// The transaction that brings a signature.
    pub fn sign_extrinsic(vote: ExportVote) -> T::Extrinsic {
        T::create_authorized_transaction(Call::<T>::sign_export { vote }.into())
    }
}
