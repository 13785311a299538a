//! The off-chain worker: votes with this node's relay key for what this node's
//! L1 follower left in local storage, says where that left the attested branch, and
//! delivers the pages that are due.
//!
//! It reads local storage and state, signs, submits, and touches nothing else:
//! the L1 node itself is the follower's business. The vote that it sent last is
//! remembered locally, so that one that is slow to get into a block is not signed
//! and sent again in every block; an operator may ask for just that
//! (`l2_retryburn`).

use crate::{
    fork::ForkStanding,
    pallet::{Attested, AttestedQueue, Config, PageProgress, Pallet},
    tally::REVOTE_BLOCKS,
    types::PAGE_LOOKAHEAD,
};
use alloc::vec::Vec;
use cascoin_l2_pallet_support::genesis_hash;
use cascoin_l2_primitives::{
    chain::{key_types, BlockNumber},
    relay::{
        local::{self, LocalBlock, LocalTip},
        ForkPoint, ForkVote, L1BlockContext, L1BlockDigest, PageTree, RelayRange, RelayVote,
        MAX_FORK_DEPTH,
    },
    sequencers::SequencerSetProvider,
};
use codec::{Decode, Encode};
use frame_system::offchain::SubmitTransaction;
use sp_core::{ed25519, offchain::StorageKind, H256};
use sp_runtime::offchain::storage::StorageValueRef;

const TARGET: &str = "l1-relay";

/// Key of the record of the last vote sent with a relay key.
fn sent_vote_key(key: &ed25519::Public) -> Vec<u8> {
    [b"cascoin-l2/relay/sent-vote/".as_slice(), key.as_ref()].concat()
}

/// Key of the record of the last fork vote sent with a relay key.
fn sent_fork_key(key: &ed25519::Public) -> Vec<u8> {
    [b"cascoin-l2/relay/sent-fork/".as_slice(), key.as_ref()].concat()
}

/// The fork point voted for last, and the L2 block when the vote was sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct SentFork {
    set_id: u64,
    fork: ForkPoint,
    at: BlockNumber,
}

/// The ids of the digests voted for last, and the L2 block when they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct SentVote {
    set_id: u64,
    range: Vec<H256>,
    at: BlockNumber,
}

/// One run, after L2 block `now` was imported.
pub(crate) fn run<T: Config>(now: BlockNumber) {
    let again = take_request();
    let fork = local_fork::<T>();
    for key in sp_io::crypto::ed25519_public_keys(key_types::RELAY) {
        if let Some(voter) = T::Sequencers::index_of_relay_key(&key) {
            vote::<T>(now, voter, &key, again);
            if let Some(fork) = fork {
                vote_fork::<T>(now, voter, &key, fork, again);
            }
        }
    }
    deliver::<T>();
}

// Whether somebody asked to send again what is not on chain.
fn take_request() -> bool {
    let mut request = StorageValueRef::persistent(local::RETRY_KEY);
    let asked = matches!(request.get::<bool>(), Ok(Some(true)));
    if asked {
        request.clear();
    }
    asked
}

fn local_tip() -> Option<LocalTip> {
    StorageValueRef::persistent(local::TIP_KEY).get().ok().flatten()
}

// A block's pages can be megabytes; its digest stands first and is all a vote
// needs.
fn local_digest(height: u32) -> Option<L1BlockDigest> {
    let key = local::block_key(height);
    let bytes = sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, &key)?;
    L1BlockDigest::decode(&mut &bytes[..]).ok().filter(|digest| digest.height == height)
}

// The consecutive blocks that this node's L1 node shows above the attested one.
// Ends early where the follower is not done or rewrites after a reorg.
fn readable_range<T: Config>(tip: &LocalTip) -> RelayRange {
    let window = Pallet::<T>::window();
    let last = tip.readable_height.min(*window.end());
    let mut range = RelayRange::default();
    for digest in (*window.start()..=last).map_while(local_digest) {
        let fits = range.0.last().is_none_or(|below| below.hash == digest.previous);
        if !fits || range.0.try_push(digest).is_err() {
            break;
        }
    }
    range
}

fn vote<T: Config>(now: BlockNumber, voter: u16, key: &ed25519::Public, again: bool) {
    let Some(tip) = local_tip() else { return };
    let range = readable_range::<T>(&tip);
    if range.0.is_empty() {
        return;
    }
    let set_id = T::Sequencers::set_id();
    let tip_time = tip_time::<T>(&tip, voter, &range);
    let mut vote =
        RelayVote { set_id, voter, range, tip_time, signature: ed25519::Signature::default() };
    if !Pallet::<T>::vote_standing(&vote).is_taken() {
        return;
    }
    let record =
        SentVote { set_id, range: vote.range.0.iter().map(L1BlockDigest::id).collect(), at: now };
    let sent_key = sent_vote_key(key);
    let memory = StorageValueRef::persistent(&sent_key);
    if let Ok(Some(sent)) = memory.get::<SentVote>() {
        let same = sent.set_id == set_id && sent.range == record.range;
        // `at` lies ahead after a chain was started anew on old local storage.
        if same && !again && sent.at <= now && now - sent.at < REVOTE_BLOCKS {
            return;
        }
    }
    let genesis = genesis_hash::<T>();
    let message = RelayVote::message(&genesis, set_id, &vote.range, tip_time);
    let Some(signature) = sp_io::crypto::ed25519_sign(key_types::RELAY, key, &message) else {
        log::error!(target: TARGET, "cannot sign with relay key {key:?}: it left the keystore");
        return;
    };
    vote.signature = signature;
    let (first, blocks) = (vote.range.first(), vote.range.0.len());
    let extrinsic = Pallet::<T>::vote_extrinsic(vote);
    match SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic) {
        Ok(()) => {
            memory.set(&record);
            log::debug!(target: TARGET, "voted for {blocks} L1 blocks from {first}");
        }
        // Tried again after the next block.
        Err(()) => log::debug!(target: TARGET, "the pool does not take a vote from {first}"),
    }
}

// Where this node's L1 leaves the attested branch, if the new one is readable above all
// that is attested and down to what both have. The follower reads it as far down once it
// sees the fork; until then the links are broken, or lead nowhere.
fn local_fork<T: Config>() -> Option<ForkPoint> {
    let attested = Attested::<T>::get();
    let tip = local_tip()?;
    let mut above = local_digest(attested.height.checked_add(1)?)?;
    if tip.readable_height < above.height || above.previous == attested.hash {
        return None;
    }
    for _ in 0..=MAX_FORK_DEPTH {
        let below = local_digest(above.height.checked_sub(1)?)?;
        if below.hash != above.previous {
            return None;
        }
        if Pallet::<T>::attested_hash(below.height)? == below.hash {
            let common = L1BlockContext::from(&below);
            return Some(ForkPoint { common, branch: above.hash, replaced: attested.hash });
        }
        above = below;
    }
    None
}

fn vote_fork<T: Config>(
    now: BlockNumber,
    voter: u16,
    key: &ed25519::Public,
    fork: ForkPoint,
    again: bool,
) {
    let Some(tip) = local_tip() else { return };
    let set_id = T::Sequencers::set_id();
    let tip_time = fork_tip_time::<T>(&tip, voter);
    let takes = Pallet::<T>::check_fork(&fork).is_ok()
        && Pallet::<T>::fork_standing(voter, &fork, tip_time) == ForkStanding::Taken;
    if !takes {
        return;
    }
    let record = SentFork { set_id, fork, at: now };
    let sent_key = sent_fork_key(key);
    let memory = StorageValueRef::persistent(&sent_key);
    if let Ok(Some(sent)) = memory.get::<SentFork>() {
        let same = sent.set_id == set_id && sent.fork == fork;
        if same && !again && sent.at <= now && now - sent.at < REVOTE_BLOCKS {
            return;
        }
    }
    let genesis = genesis_hash::<T>();
    let message = ForkVote::message(&genesis, set_id, &fork, tip_time);
    let Some(signature) = sp_io::crypto::ed25519_sign(key_types::RELAY, key, &message) else {
        log::error!(target: TARGET, "cannot sign with relay key {key:?}: it left the keystore");
        return;
    };
    let extrinsic =
        Pallet::<T>::fork_extrinsic(ForkVote { set_id, voter, fork, tip_time, signature });
    let height = fork.common.height;
    match SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic) {
        Ok(()) => {
            memory.set(&record);
            log::warn!(target: TARGET, "L1 left the attested branch above block {height}: voted so");
        }
        // Tried again after the next block.
        Err(()) => log::debug!(target: TARGET, "the pool does not take a fork vote at {height}"),
    }
}

// The time of the L1 tip, but no earlier than that of any vote of this voter and
// later than that of every vote this one replaces: L1 header times may run
// backwards, and that must not keep a sequencer from saying more or from
// correcting itself after an L1 reorg.
fn tip_time<T: Config>(tip: &LocalTip, voter: u16, range: &RelayRange) -> u32 {
    let replaced = range.0.iter().filter_map(|digest| {
        let votes = Pallet::<T>::votes_at(digest.height);
        votes.of(voter).map(|(_, vote)| vote.tip_time)
    });
    let least = tip.time.max(Pallet::<T>::tip_time_of(voter));
    replaced.map(|time| time.saturating_add(1)).fold(least, u32::max)
}

// Later than all that this voter said before, and than the vote for a range that it may
// have sent a moment ago ([`tip_time`]): that one comes first into a block, and a fork vote
// that is no later would be stale there.
fn fork_tip_time<T: Config>(tip: &LocalTip, voter: u16) -> u32 {
    // A vote that a range replaces is no later than the last one.
    let most = tip.time.max(Pallet::<T>::tip_time_of(voter).saturating_add(1));
    most.saturating_add(1)
}

// Sends what is due after every block until it is on chain: a burn waits for it. That
// the pool says it took a page means nothing. It judges by the newest block that it
// has looked at, which may be the one before, where the page is not due yet; then the
// fork-aware pool drops it, and says that it took it. What it does have it does not
// take twice.
fn deliver<T: Config>() {
    let Some(due) = AttestedQueue::<T>::get().first().copied() else { return };
    let first = PageProgress::<T>::get().page;
    let key = local::block_key(due.height);
    let Some(block) = StorageValueRef::persistent(&key).get::<LocalBlock>().ok().flatten() else {
        log::debug!(target: TARGET, "L1 block {} is attested but not read here yet", due.height);
        return;
    };
    if block.digest != due {
        log::warn!(
            target: TARGET,
            "this node's L1 node disagrees with the quorum: L1 block {} is {} here, {} for more than two thirds",
            due.height, block.digest.hash, due.hash,
        );
        return;
    }
    let end = first.saturating_add(PAGE_LOOKAHEAD).min(block.pages.len() as u32);
    let tree = PageTree::of(&block.pages);
    for index in first..end {
        let Some(proof) = tree.proof(index) else { return };
        let page = block.pages[index as usize].clone();
        let extrinsic = Pallet::<T>::page_extrinsic(due.height, page, proof);
        // Refused: it has it already, or cannot take it now.
        let _ = SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic);
    }
}
