//! When the pool and the block take a report.
//!
//! It is free, so it must prove itself. A node's state may lag behind the
//! sender's, so evidence of a set that is yet to come answers *unknown* (the pool
//! forgets it but does not ban it); all else that is not taken never will be, and
//! answers *invalid*.

use crate::pallet::{Call, Config, Error, Pallet};
use alloc::boxed::Box;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash},
    consensus::DoubleSignEvidence,
};
use codec::Encode;
use frame_support::pallet_prelude::{InvalidTransaction, Weight};
use sp_runtime::transaction_validity::{
    TransactionPriority, TransactionSource, TransactionValidityError,
    TransactionValidityWithRefund, UnknownTransaction, ValidTransaction,
};

/// L2 blocks for which the pool keeps a report; whoever holds the evidence sends
/// it again.
pub(crate) const LONGEVITY: u64 = 600;
/// Above all that users send: a full pool must not shelter an offender.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

impl<T: Config> From<Error<T>> for TransactionValidityError {
    fn from(error: Error<T>) -> Self {
        match error {
            Error::FutureSet => UnknownTransaction::CannotLookup.into(),
            Error::ForgottenSet | Error::AlreadyReported => InvalidTransaction::Stale.into(),
            Error::NotAMember => InvalidTransaction::BadSigner.into(),
            _ => InvalidTransaction::Call.into(),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Whether both signatures hold on this chain.
    pub(crate) fn is_proven(evidence: &DoubleSignEvidence) -> bool {
        let genesis: BlockHash = genesis_hash::<T>();
        evidence.verify(&genesis, sp_io::crypto::ed25519_verify)
    }

    pub(crate) fn authorize_report(
        _: TransactionSource,
        evidence: &DoubleSignEvidence,
    ) -> TransactionValidityWithRefund {
        Self::find(evidence)?;
        if !Self::is_proven(evidence) {
            return Err(InvalidTransaction::BadProof.into());
        }
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            // One of an offender and set is taken, so the pool keeps one.
            provides: alloc::vec![(b"dbls", evidence.set_id, evidence.key).encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    /// The transaction that reports `evidence`.
    pub fn report_extrinsic(
        evidence: DoubleSignEvidence,
        reporter: Option<AccountId>,
    ) -> T::Extrinsic {
        let evidence = Box::new(evidence);
        T::create_authorized_transaction(Call::<T>::report { evidence, reporter }.into())
    }
}
