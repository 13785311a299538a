//! The off-chain worker: sends what this node's L1 node says of the addresses of the round,
//! signed with this node's relay key, if the key is in the set.
//!
//! It asks nobody: the answers lie in the off-chain storage, where the node's own thread
//! left them ([`LocalScores`]). The vote that it sent last is remembered there, too, so that
//! one that is slow to get into a block is not made and sent again in every block.

use crate::pallet::{Cast, Config, Pallet, Round};
use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::{key_types, BlockNumber},
    reputation::attestation::{score_message, LocalScores, ScoreVote, LOCAL_SCORES_KEY},
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode};
use frame_system::offchain::SubmitTransaction;
use sp_core::ed25519;
use sp_runtime::offchain::storage::StorageValueRef;

const TARGET: &str = "score-attestation";

/// L2 blocks after which a vote that is not on chain is sent again.
pub(crate) const RESEND_BLOCKS: BlockNumber = 20;

/// Key of the record of the last vote sent with a relay key.
fn sent_key(key: &ed25519::Public) -> Vec<u8> {
    [b"cascoin-l2/score-attestation/sent/".as_slice(), key.as_ref()].concat()
}

/// In what was voted last, and the L2 block when it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Sent {
    set_id: u64,
    round: u32,
    at: BlockNumber,
}

/// One run, after L2 block `now` was imported.
pub(crate) fn run<T: Config>(now: BlockNumber) {
    let round = Round::<T>::get();
    if round.addresses.is_empty() {
        return;
    }
    let local = StorageValueRef::persistent(LOCAL_SCORES_KEY).get::<LocalScores>();
    // None where L1 does not serve scores; another round while L1 is being asked.
    let Ok(Some(local)) = local else { return };
    if local.round != round || local.scores.len() != round.addresses.len() {
        return;
    }
    let cast = Cast::<T>::get().in_force::<T::Sequencers>();
    for key in sp_io::crypto::ed25519_public_keys(key_types::RELAY) {
        match T::Sequencers::index_of_relay_key(&key) {
            Some(signer) if !cast.has(signer) => vote::<T>(now, signer, &key, &local),
            _ => (),
        }
    }
}

fn vote<T: Config>(now: BlockNumber, signer: u16, key: &ed25519::Public, local: &LocalScores) {
    let (set_id, round) = (T::Sequencers::set_id(), local.round.number);
    let record = Sent { set_id, round, at: now };
    let sent_key = sent_key(key);
    let memory = StorageValueRef::persistent(&sent_key);
    if let Ok(Some(sent)) = memory.get::<Sent>() {
        let same = (sent.set_id, sent.round) == (set_id, round);
        // `at` lies ahead after a chain was started anew on old local storage.
        if same && sent.at <= now && now - sent.at < RESEND_BLOCKS {
            return;
        }
    }
    let genesis = genesis_hash::<T>();
    let message = score_message(&genesis, set_id, round, &local.scores);
    let Some(signature) = sp_io::crypto::ed25519_sign(key_types::RELAY, key, &message) else {
        log::error!(target: TARGET, "cannot sign with relay key {key:?}: it left the keystore");
        return;
    };
    let vote = ScoreVote { set_id, round, signer, scores: local.scores.clone(), signature };
    let extrinsic = Pallet::<T>::vote_extrinsic(vote);
    match SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic) {
        Ok(()) => {
            memory.set(&record);
            log::debug!(target: TARGET, "attested L1's scores of round {round}");
        }
        // Tried again after the next block.
        Err(()) => {
            log::debug!(target: TARGET, "the pool does not take L1's scores of round {round}")
        }
    }
}
