//! What this node has heard of the nodes of sequencers and candidates. Pure.
//!
//! Taken is what is signed with a key that its account has registered, names a block
//! that is final here and is newer than what was heard before, so nobody can say it
//! earlier than it is said, for another, or so often that it floods others: of one
//! account something is taken every ten seconds at most, by its blocks and by this
//! node's clock.

use cascoin_l2_primitives::{
    chain::{AccountId, BlockHash, BlockNumber, Moment},
    sequencers::{Announcement, SignedAnnouncement},
};
use sp_core::{ed25519, Pair};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long an announcement says that a node is there.
const FRESH_MS: Moment = 90_000;
/// Least time between two announcements of one account that others take.
const SPACING_MS: Moment = 10_000;
/// How far behind its head a node looks for the block that it names, so that others have
/// it, too, those that lag a little among them.
const BEHIND_MS: Moment = 10_000;

/// What a node knows of the chain while it judges announcements.
pub struct View<'a> {
    /// Registered relay keys.
    pub announcers: &'a BTreeMap<AccountId, ed25519::Public>,
    /// The last final block.
    pub finalized: BlockNumber,
    /// Aimed distance of blocks, milliseconds.
    pub block_time_ms: Moment,
    /// Hashes of final blocks; `None` of those that this node does not have.
    pub hash_at: &'a dyn Fn(BlockNumber) -> Option<BlockHash>,
}

impl View<'_> {
    fn blocks(&self, time: Moment) -> BlockNumber {
        let blocks = time.checked_div(self.block_time_ms).unwrap_or(0);
        BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX).max(1)
    }

    /// The block to name in an announcement made now.
    pub fn block_to_name(&self) -> Option<(BlockNumber, BlockHash)> {
        let height = self.finalized.saturating_sub(self.blocks(BEHIND_MS));
        Some((height, (self.hash_at)(height)?))
    }

    fn is_fresh(&self, height: BlockNumber) -> bool {
        self.finalized.saturating_sub(height) <= self.blocks(FRESH_MS)
    }
}

/// What is to be done with an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is new: others are to hear it.
    News,
    /// It says nothing new, or what this node cannot judge: its own state may lag.
    Nothing,
    /// It is not signed with the key that this node knows. An honest peer that has seen a
    /// new key earlier passes on a few of these, nobody passes on many.
    Unproven,
    /// No node of this chain says so.
    Wrong,
}

/// The last announcement of everybody.
#[derive(Default)]
pub struct Book {
    genesis: BlockHash,
    heard: BTreeMap<AccountId, Kept>,
}

struct Kept {
    signed: SignedAnnouncement,
    at: Instant,
}

impl Book {
    /// An empty one, of the chain with this genesis block.
    pub fn new(genesis: BlockHash) -> Self {
        Self { genesis, heard: BTreeMap::new() }
    }

    /// Judges an announcement that was heard `now`, and keeps it if it is news.
    pub fn take(&mut self, signed: SignedAnnouncement, view: &View, now: Instant) -> Verdict {
        let said = &signed.announcement;
        let Some(key) = view.announcers.get(&said.account) else { return Verdict::Nothing };
        if said.height > view.finalized || !view.is_fresh(said.height) {
            return Verdict::Nothing;
        }
        let too_soon = |known: &Kept| {
            let next = known.signed.announcement.height.saturating_add(view.blocks(SPACING_MS));
            said.height < next || now.duration_since(known.at) < Duration::from_millis(SPACING_MS)
        };
        if self.heard.get(&said.account).is_some_and(too_soon) {
            return Verdict::Nothing;
        }
        match (view.hash_at)(said.height) {
            None => return Verdict::Nothing,
            Some(hash) if hash != said.hash => return Verdict::Wrong,
            Some(_) => {}
        }
        if !ed25519::Pair::verify(&signed.signature, said.message(&self.genesis), key) {
            return Verdict::Unproven;
        }
        self.heard.insert(said.account.clone(), Kept { signed, at: now });
        Verdict::News
    }

    /// Forgets who says nothing any more, and who has nothing to say.
    pub fn forget(&mut self, view: &View) {
        self.heard.retain(|account, kept| {
            let height = kept.signed.announcement.height;
            view.announcers.contains_key(account) && view.is_fresh(height)
        });
    }

    /// What an account's node said last.
    pub fn of(&self, account: &AccountId) -> Option<&Announcement> {
        self.heard.get(account).map(|kept| &kept.signed.announcement)
    }

    /// Everything, by account.
    pub fn all(&self) -> impl Iterator<Item = &SignedAnnouncement> {
        self.heard.values().map(|kept| &kept.signed)
    }

    /// Whether somebody has announced a node with this network identity.
    pub fn names(&self, peer: &[u8]) -> bool {
        self.all().any(|signed| signed.announcement.peer.as_slice() == peer)
    }
}
