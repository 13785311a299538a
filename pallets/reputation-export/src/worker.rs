//! The off-chain worker: signs the batch that waits for signatures with this node's relay
//! key, if the key is in the set.
//!
//! What it signs is what the chain has decided; there is nothing to judge. The signature
//! that it sent last is remembered locally, so that one that is slow to get into a block
//! is not made and sent again in every block.

use crate::pallet::{Config, InSigning, Last, Pallet};
use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::{key_types, BlockNumber},
    reputation::export::{export_message, ExportSignature, ExportVote},
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode};
use frame_system::offchain::SubmitTransaction;
use sp_core::{ed25519, H256};
use sp_runtime::offchain::storage::StorageValueRef;

const TARGET: &str = "reputation-export";

/// L2 blocks after which a signature that is not on chain is sent again.
pub(crate) const RESEND_BLOCKS: BlockNumber = 20;

/// Key of the record of the last signature sent with a relay key.
fn sent_key(key: &ed25519::Public) -> Vec<u8> {
    [b"cascoin-l2/reputation-export/sent/".as_slice(), key.as_ref()].concat()
}

/// What was signed last, and the L2 block when it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Sent {
    set_id: u64,
    hash: H256,
    at: BlockNumber,
}

/// One run, after L2 block `now` was imported.
pub(crate) fn run<T: Config>(now: BlockNumber) {
    let Some(signing) = InSigning::<T>::get() else { return };
    let signing = signing.in_force::<T::Sequencers>();
    for key in sp_io::crypto::ed25519_public_keys(key_types::RELAY) {
        match T::Sequencers::index_of_relay_key(&key) {
            Some(signer) if !signing.has(signer) => sign::<T>(now, signer, &key),
            _ => (),
        }
    }
}

fn sign<T: Config>(now: BlockNumber, signer: u16, key: &ed25519::Public) {
    let set_id = T::Sequencers::set_id();
    let last = Last::<T>::get();
    let record = Sent { set_id, hash: last.hash, at: now };
    let sent_key = sent_key(key);
    let memory = StorageValueRef::persistent(&sent_key);
    if let Ok(Some(sent)) = memory.get::<Sent>() {
        let same = (sent.set_id, sent.hash) == (record.set_id, record.hash);
        // `at` lies ahead after a chain was started anew on old local storage.
        if same && sent.at <= now && now - sent.at < RESEND_BLOCKS {
            return;
        }
    }
    let genesis = genesis_hash::<T>();
    let message = export_message(&genesis, set_id, &last.hash);
    let Some(signature) = sp_io::crypto::ed25519_sign(key_types::RELAY, key, &message) else {
        log::error!(target: TARGET, "cannot sign with relay key {key:?}: it left the keystore");
        return;
    };
    let sequence = last.sequence;
    let vote = ExportVote { set_id, sequence, signature: ExportSignature { signer, signature } };
    let extrinsic = Pallet::<T>::sign_extrinsic(vote);
    match SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic) {
        Ok(()) => {
            memory.set(&record);
            log::debug!(target: TARGET, "signed the export of reputations {sequence}");
        }
        // Tried again after the next block.
        Err(()) => {
            log::debug!(target: TARGET, "the pool does not take a signature of export {sequence}")
        }
    }
}
