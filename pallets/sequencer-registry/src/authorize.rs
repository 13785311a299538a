//! Answers that sequencers' nodes give in polls: when the pool and the block take one.
//!
//! They are free, so each must count: one of each asked sequencer and poll, signed with
//! its relay key. A node's state may lag behind or run ahead of the sender's, therefore
//! what can become valid by waiting answers *unknown*, what cannot *invalid*.

use crate::{
    candidates::Attestation,
    pallet::{Call, Candidates, Config, Pallet},
};
use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    apis::OpenPoll,
    chain::{AccountId, BlockHash},
    sequencers::{NodeAttestation, SequencerSetProvider},
};
use codec::Encode;
use core::cmp::Ordering;
use frame_support::{
    pallet_prelude::{InvalidTransaction, Weight},
    traits::Get,
};
use sp_core::ed25519;
use sp_runtime::transaction_validity::{
    TransactionPriority, TransactionSource, TransactionValidityError,
    TransactionValidityWithRefund, UnknownTransaction, ValidTransaction,
};

/// L2 blocks for which the pool keeps an answer; its node sends it again while the poll
/// is open.
const LONGEVITY: u64 = 20;
/// Above what users send, below what the relay needs.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 4;

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_attestation(
        _: TransactionSource,
        attestation: &NodeAttestation,
        signature: &ed25519::Signature,
    ) -> TransactionValidityWithRefund {
        let not_yet: TransactionValidityError = UnknownTransaction::CannotLookup.into();
        match attestation.set_id.cmp(&T::SetId::get()) {
            Ordering::Less => return Err(InvalidTransaction::Stale.into()),
            Ordering::Greater => return Err(not_yet),
            Ordering::Equal => (),
        }
        let key = <Self as SequencerSetProvider>::relay_key(attestation.voter);
        let account = <Self as SequencerSetProvider>::account(attestation.voter);
        let (key, account) = key.zip(account).ok_or(InvalidTransaction::BadSigner)?;
        let candidate = Candidates::<T>::get(&attestation.candidate);
        // Perhaps its announcement is in a block that is not known here.
        let candidate = candidate.ok_or(not_yet)?;
        match &candidate.attestation {
            Attestation::Waiting(wait) if wait.since <= attestation.opened => return Err(not_yet),
            Attestation::Open(poll) if poll.opened < attestation.opened => return Err(not_yet),
            Attestation::Open(poll)
                if poll.opened == attestation.opened && poll.waits_for(&account) => {}
            _ => return Err(InvalidTransaction::Stale.into()),
        }
        let genesis: BlockHash = genesis_hash::<T>();
        let message = attestation.message(&genesis);
        if !sp_io::crypto::ed25519_verify(signature, &message, &key) {
            return Err(InvalidTransaction::BadProof.into());
        }
        let poll = (b"atst", &attestation.candidate, attestation.opened, key);
        let validity = ValidTransaction {
            priority: PRIORITY,
            requires: Default::default(),
            provides: alloc::vec![poll.encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        Ok((validity, Weight::zero()))
    }

    /// The polls that wait for answers, by candidate.
    pub fn open_polls_now() -> Vec<OpenPoll> {
        let mut polls: Vec<OpenPoll> = Candidates::<T>::iter()
            .filter_map(|(candidate, about)| {
                let Attestation::Open(poll) = about.attestation else { return None };
                let asked = poll.sample.iter();
                let waiting_for: Vec<AccountId> =
                    asked.filter(|asked| poll.waits_for(asked)).cloned().collect();
                Some(OpenPoll { candidate, opened: poll.opened, waiting_for })
            })
            .collect();
        polls.sort_by(|a, b| a.candidate.cmp(&b.candidate));
        polls
    }

    /// The transaction with which a node answers.
    pub fn attest_extrinsic(
        attestation: NodeAttestation,
        signature: ed25519::Signature,
    ) -> T::Extrinsic {
        let call = Call::<T>::attest_with_key { attestation, signature };
        T::create_authorized_transaction(call.into())
    }
}
