//! The follower's logic, one bounded step at a time, without a clock or thread.

use super::{
    seen::{SeenBurn, SeenIndex},
    skipped::SkippedMessages,
    status::ForkFromAttested,
    L1Source, LocalStore, RelayPosition, Tip, LOG,
};
use crate::{
    block::Header,
    client::L1Error,
    events::{events, local_block, EXTRACTION, MEDIAN_TIME_SPAN},
};
use cascoin_l2_primitives::{
    l1::{L1Hash, OutPoint},
    relay::{
        local::{block_key, LocalBlock, LocalTip, TIP_KEY},
        L1BlockDigest, L1Event, MAX_FORK_DEPTH,
    },
};
use codec::{Decode, Encode};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Where the lowest stored height is kept, for clean-up after a restart.
const FLOOR_KEY: &[u8] = b"cascoin-l2/l1/floor";
/// By which rules the stored blocks were made ([`EXTRACTION`]); absent where a program
/// stored them that did not number its rules.
const EXTRACTION_KEY: &[u8] = b"cascoin-l2/l1/extraction";

/// Most L1 blocks that are read in one step.
pub const MAX_BLOCKS_PER_STEP: u32 = 16;
/// Most L1 blocks that are read ahead of what is attested.
pub const MAX_READ_AHEAD: u32 = 2_048;
/// L1 blocks that are kept below what is applied: more than a fork may go back
/// ([`MAX_FORK_DEPTH`]).
pub const KEPT_BELOW: u32 = 1_000;
/// Most L1 blocks above the readable ones that are scanned for burns.
pub const MAX_SHALLOW: u32 = 144;
/// Most burns that are kept in memory.
pub const MAX_BURNS: usize = 65_536;
/// Bytes of stored L1 blocks from which on no more are read ahead, and the pages of applied
/// ones are removed. Above it the store holds at most the blocks that are attested and not
/// applied and the one that is next: what the relay cannot go on without. A full L1 block of
/// burns makes 3 MB.
pub const MAX_STORED_BYTES: usize = 256 * 1024 * 1024;

/// Bounds of the follower's work and memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Confirmations that make a block readable; 0 is taken as 1.
    pub confirmations: u32,
    /// Most blocks to read in one step.
    pub blocks_per_step: u32,
    /// Most blocks to read ahead of what is attested.
    pub read_ahead: u32,
    /// Blocks kept below what is applied.
    pub kept_below: u32,
    /// Most blocks above the readable ones that are scanned for burns.
    pub shallow: u32,
    /// Most burns kept in memory; a block that would exceed it is kept without
    /// its burns (they are voted on all the same).
    pub burns: usize,
    /// Bytes of stored blocks from which on only what the relay needs is kept whole.
    pub stored_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            confirmations: 6,
            blocks_per_step: MAX_BLOCKS_PER_STEP,
            read_ahead: MAX_READ_AHEAD,
            kept_below: KEPT_BELOW,
            shallow: MAX_SHALLOW,
            burns: MAX_BURNS,
            stored_bytes: MAX_STORED_BYTES,
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Blocks it read and stored.
    pub blocks_read: u32,
    /// Whether there is more to do at once.
    pub more: bool,
    /// Whether what is known of burns may have changed.
    pub changed: bool,
    /// Blocks that the node read now is behind the tip that another one showed.
    pub behind: Option<u32>,
}

/// A block as it is remembered.
#[derive(Clone)]
struct Known {
    hash: L1Hash,
    previous: L1Hash,
    burns: Arc<[KnownBurn]>,
    /// Its size in the store; 0 where it is not there.
    bytes: usize,
    /// Whether the store has its pages.
    whole: bool,
}

struct KnownBurn {
    outpoint: OutPoint,
    value: u64,
    payload: Vec<u8>,
}

/// The follower's state.
pub struct Engine {
    limits: Limits,
    /// What stands in the store: consecutive heights, each block on the one
    /// below, except perhaps right above the attested one (a fork from it).
    stored: BTreeMap<u32, Known>,
    /// Blocks above the readable ones, down from the tip.
    shallow: BTreeMap<u32, Known>,
    tip: Option<Tip>,
    /// The tip for which all work is done.
    settled_tip: Option<L1Hash>,
    /// What the store's tip says.
    written: Option<LocalTip>,
    readable_height: u32,
    last_position: Option<RelayPosition>,
    /// The fork for which L1 was read again from below it, as long as what was read then is
    /// stored, up to the attested height.
    reread: Option<ForkFromAttested>,
    /// While L1 is read again: the height below the first block, and the one that must be
    /// passed.
    rereading: Option<(u32, u32)>,
    /// Previous block and time by hash, for median times.
    headers: HashMap<L1Hash, (L1Hash, u32)>,
    /// Messages of the blocks read that nobody can read.
    skipped: Arc<SkippedMessages>,
}

impl Engine {
    /// Takes up what an earlier run left in `store`, if it made it by the same rules.
    pub fn load(limits: Limits, store: &dyn LocalStore) -> Self {
        remove_other_extraction(store);
        let mut engine = Self {
            limits: Limits { confirmations: limits.confirmations.max(1), ..limits },
            stored: BTreeMap::new(),
            shallow: BTreeMap::new(),
            tip: None,
            settled_tip: None,
            written: read(store, TIP_KEY),
            readable_height: engine_floor(store).unwrap_or(0),
            last_position: None,
            reread: None,
            rereading: None,
            headers: HashMap::new(),
            skipped: Arc::default(),
        };
        let mut height = engine.readable_height;
        while let Some(block) = read::<LocalBlock>(store, &block_key(height)) {
            let known = engine.remember_stored(&block);
            engine.stored.insert(height, known);
            match height.checked_add(1) {
                Some(next) => height = next,
                None => break,
            }
        }
        engine
    }

    /// Counts messages that are skipped from now on in `skipped`.
    pub(super) fn count_skipped_in(&mut self, skipped: Arc<SkippedMessages>) {
        self.skipped = skipped;
    }

    /// L1's tip at the last step.
    pub fn tip(&self) -> Option<&Tip> {
        self.tip.as_ref()
    }

    /// Highest block that is deep enough to be read.
    pub fn deep_height(&self) -> Option<u32> {
        self.tip.as_ref().and_then(|tip| self.deep_enough(tip))
    }

    /// Highest block that is deep enough and stored, or applied already.
    pub fn readable_height(&self) -> u32 {
        self.readable_height
    }

    /// Whether our L1 contradicts what is attested.
    pub fn fork(&self, position: &RelayPosition) -> Option<ForkFromAttested> {
        let (height, attested) = (position.attested_height, position.attested_hash);
        let above = self.stored.get(&height.checked_add(1)?).map(|known| known.previous);
        let at = self.stored.get(&height).map(|known| known.hash);
        // The block above tells what L1 has now; the one at it may be kept as
        // settled.
        let ours = above.or(at)?;
        (ours != attested).then_some(ForkFromAttested { height, attested, ours })
    }

    /// Burns on L1 that are not applied yet.
    pub(super) fn seen(&self, position: &RelayPosition) -> SeenIndex {
        let Some(tip) = &self.tip else { return SeenIndex::default() };
        let unapplied = position.applied_height.saturating_add(1);
        let from_store = self.stored.range(unapplied..).filter(|(height, known)| {
            // After L1's tip fell, a block can be stored and shallow again.
            self.shallow.get(height).is_none_or(|shallow| shallow.hash != known.hash)
        });
        let burns = from_store
            .chain(self.shallow.range(unapplied..))
            .filter(|(height, _)| **height <= tip.height)
            .flat_map(|(&height, known)| {
                known.burns.iter().map(move |burn| SeenBurn {
                    outpoint: burn.outpoint,
                    value: burn.value,
                    payload: burn.payload.clone(),
                    l1_height: height,
                    l1_hash: known.hash,
                    confirmations: tip.height - height + 1,
                    readable: height <= self.readable_height,
                })
            })
            .collect();
        SeenIndex::new(burns)
    }

    /// Looks at L1 once and does at most one batch of work.
    ///
    /// # Errors
    /// [`L1Error`]; what was done before it stays done, and the next step goes on
    /// from there.
    pub fn step(
        &mut self,
        source: &dyn L1Source,
        store: &dyn LocalStore,
        position: &RelayPosition,
    ) -> Result<Step, L1Error> {
        let seen = source.tip()?;
        // A node that is only behind another one does not take back what that one showed.
        let held = self.tip.filter(|last| self.is_only_behind(&seen, last));
        let tip = held.unwrap_or(seen);
        // Set at the end, when all that depends on it is done: after an error or a
        // reorganisation in between, the next step sees the change again.
        let settled_tip = self.settled_tip.take();
        let tip_changed = held.is_none() && settled_tip != Some(tip.hash);
        let moved = self.last_position.replace(*position) != Some(*position);
        self.follow_position(store, position, &tip);
        let behind = held.map(|last| last.height - seen.height);
        let mut step = Step { changed: tip_changed || moved, behind, ..Step::default() };
        if tip_changed {
            self.drop_reorganised(source, store, position, &tip)?;
        }
        let one_branch = self.read_blocks(source, store, position, &seen, &mut step)?;
        self.read_fork_again(store, position, &tip, &mut step);
        if tip_changed {
            self.scan_shallow(source, &tip)?;
        }
        self.tip = Some(tip);
        let settled_tip = if held.is_some() { settled_tip } else { Some(tip.hash) };
        self.settled_tip = settled_tip.filter(|_| one_branch);
        self.write_tip(store, position, &tip);
        Ok(step)
    }

    /// Whether a node shows less of the branch that another one showed, and nothing else.
    /// As soon as it has a block that the other did not have, it counts like any other.
    fn is_only_behind(&self, seen: &Tip, last: &Tip) -> bool {
        if seen.node == last.node || seen.height >= last.height {
            return false;
        }
        let known = self.shallow.get(&seen.height).or_else(|| self.stored.get(&seen.height));
        match known {
            Some(known) => known.hash == seen.hash,
            // Below all that is kept, where nothing is looked at again.
            None => self.stored.keys().next().is_some_and(|&lowest| seen.height < lowest),
        }
    }

    fn deep_enough(&self, tip: &Tip) -> Option<u32> {
        tip.height.checked_add(1)?.checked_sub(self.limits.confirmations)
    }

    /// Prunes what is long applied, and starts over where the chain went further
    /// than what is stored.
    fn follow_position(&mut self, store: &dyn LocalStore, position: &RelayPosition, tip: &Tip) {
        let applied = position.applied_height;
        let behind = self.stored.last_key_value().is_some_and(|(&top, _)| top < applied);
        let gap = behind && self.rereading.is_none();
        let keep_from = match gap {
            true => applied.saturating_add(1),
            false => applied.saturating_sub(self.limits.kept_below),
        };
        if gap {
            self.reread = None;
            self.lower_tip(store, tip, applied);
        }
        while let Some((&height, _)) = self.stored.first_key_value() {
            if height >= keep_from {
                break;
            }
            // The floor first: a crash in between leaves one block too many, not
            // a floor without a block.
            store.set(FLOOR_KEY, &height.saturating_add(1).encode());
            store.remove(&block_key(height));
            self.stored.remove(&height);
        }
        self.read_from_further_down(store, applied, tip);
        self.read_again_what_is_due(store, applied, tip);
        self.remove_pages(store, applied);
    }

    /// A recovery of L2 takes the relay back to where L1 forked, which may be below all that
    /// is stored: a node that came later has read nothing there. Then all is read again from
    /// the next block on.
    fn read_from_further_down(&mut self, store: &dyn LocalStore, applied: u32, tip: &Tip) {
        let next = applied.saturating_add(1);
        let lowest = self.stored.first_key_value().map(|(&height, _)| height);
        if self.rereading.is_some() || lowest.is_none_or(|lowest| lowest <= next) {
            return;
        }
        self.lower_tip(store, tip, applied);
        while let Some((&height, _)) = self.stored.last_key_value() {
            self.drop_top(store, tip, height);
        }
    }

    /// After the relay went back, blocks may be due whose pages are removed: they are read
    /// again, and with them all above.
    fn read_again_what_is_due(&mut self, store: &dyn LocalStore, applied: u32, tip: &Tip) {
        let mut unapplied = self.stored.range(applied.saturating_add(1)..);
        let Some(lowest) = unapplied.find(|(_, known)| !known.whole).map(|(&height, _)| height)
        else {
            return;
        };
        while let Some((&height, _)) = self.stored.last_key_value().filter(|(&h, _)| h >= lowest) {
            self.drop_top(store, tip, height);
        }
    }

    /// Removes the pages of applied blocks, lowest first, while the store is too large.
    /// Their digests stay, from which the worker sees where L1 forked.
    fn remove_pages(&mut self, store: &dyn LocalStore, applied: u32) {
        let bare = |digest| LocalBlock { digest, pages: Vec::new() };
        let least = bare(L1BlockDigest::default()).encoded_size();
        let mut bytes = self.stored_bytes();
        for (&height, known) in self.stored.range_mut(..=applied) {
            if bytes <= self.limits.stored_bytes {
                return;
            }
            if known.bytes <= least {
                continue;
            }
            let Some(block) = read::<LocalBlock>(store, &block_key(height)) else { continue };
            store.set(&block_key(height), &bare(block.digest).encode());
            bytes = bytes.saturating_sub(known.bytes).saturating_add(least);
            (known.bytes, known.whole) = (least, false);
        }
    }

    fn stored_bytes(&self) -> usize {
        self.stored.values().map(|known| known.bytes).sum()
    }

    /// Removes from the top what is no longer on L1's best chain.
    fn drop_reorganised(
        &mut self,
        source: &dyn L1Source,
        store: &dyn LocalStore,
        position: &RelayPosition,
        tip: &Tip,
    ) -> Result<(), L1Error> {
        let settled = self.settled(position);
        while let Some((&height, known)) = self.stored.last_key_value() {
            if height <= settled {
                break;
            }
            if height <= tip.height && source.hash_at(height)? == Some(known.hash) {
                break;
            }
            log::warn!(target: LOG, "L1 reorganised: block {height} {} is gone", known.hash);
            self.drop_top(store, tip, height);
        }
        Ok(())
    }

    /// Up to which height nothing is looked at again.
    fn settled(&self, position: &RelayPosition) -> u32 {
        let at_attested = self.stored.get(&position.attested_height);
        match at_attested {
            Some(known) if known.hash == position.attested_hash => position.attested_height,
            _ => position.applied_height,
        }
    }

    fn drop_top(&mut self, store: &dyn LocalStore, tip: &Tip, height: u32) {
        // What was read for a fork is not whole any more.
        if self.rereading.is_none() && self.reread.is_some_and(|fork| height <= fork.height) {
            self.reread = None;
        }
        self.lower_tip(store, tip, height.saturating_sub(1));
        store.remove(&block_key(height));
        self.stored.remove(&height);
    }

    fn lower_tip(&mut self, store: &dyn LocalStore, tip: &Tip, readable_height: u32) {
        if self.written.is_some_and(|written| written.readable_height > readable_height) {
            self.set_tip(store, tip, readable_height);
        }
    }

    /// Has L1 read again from as far down as a fork can begin, once for each fork, so that
    /// the worker can tell where it does and has the new branch to vote for and to deliver.
    /// What is stored may be of either branch, so nothing of it is kept; what is due of the
    /// attested branch is for those to deliver whose L1 has it.
    fn read_fork_again(
        &mut self,
        store: &dyn LocalStore,
        position: &RelayPosition,
        tip: &Tip,
        step: &mut Step,
    ) {
        let top = self.stored.last_key_value().map(|(&height, _)| height);
        if let Some((_, to)) = self.rereading {
            if top.is_none_or(|top| top <= to) {
                return;
            }
            self.rereading = None;
        }
        let fork = self.fork(position);
        // Also after it vanished for a while: of two nodes each may have a branch of its own.
        if fork.is_none() || fork == self.reread {
            return;
        }
        let to = position.attested_height;
        let first = to.saturating_sub(MAX_FORK_DEPTH).max(1);
        log::warn!(target: LOG, "L1 left what is attested at block {to}: reading it again from block {first}");
        while let Some((&height, _)) = self.stored.last_key_value() {
            self.drop_top(store, tip, height);
        }
        self.reread = fork;
        self.rereading = Some((first.saturating_sub(1), to));
        step.more = true;
        step.changed = true;
    }

    /// Reads what is deep enough, one batch at most; false if L1 reorganised between
    /// two answers.
    fn read_blocks(
        &mut self,
        source: &dyn L1Source,
        store: &dyn LocalStore,
        position: &RelayPosition,
        tip: &Tip,
        step: &mut Step,
    ) -> Result<bool, L1Error> {
        let Some(deepest) = self.deep_enough(tip) else { return Ok(true) };
        let target = deepest.min(position.attested_height.saturating_add(self.limits.read_ahead));
        loop {
            let top = self.stored.last_key_value().map(|(&height, _)| height);
            let begin = self.rereading.map_or(position.applied_height, |(below, _)| below);
            let Some(height) = top.unwrap_or(begin).checked_add(1) else {
                return Ok(true);
            };
            if height > target {
                return Ok(true);
            }
            // The next one to attest is read however full the store is.
            let needed = height <= position.attested_height.saturating_add(1);
            if !needed && self.stored_bytes() >= self.limits.stored_bytes {
                return Ok(true);
            }
            if step.blocks_read == self.limits.blocks_per_step {
                step.more = true;
                return Ok(true);
            }
            // `None`: the tip fell since.
            let Some(hash) = source.hash_at(height)? else { return Ok(false) };
            let block = source.block(&hash).map_err(|error| error.at_height(height))?;
            let all_new = self.rereading.is_some();
            let below = self
                .stored
                .last_key_value()
                .filter(|(&h, _)| all_new || h > self.settled(position));
            if below.is_some_and(|(_, known)| known.hash != block.header().previous) {
                self.drop_top(store, tip, height - 1);
                step.more = true;
                step.changed = true;
                return Ok(false);
            }
            let times = self.times(source, block.header())?;
            let local = local_block(&block, height, &times);
            if self.stored.is_empty() {
                store.set(FLOOR_KEY, &height.encode());
            }
            store.set(&block_key(height), &local.encode());
            self.skipped.count(&block);
            let known = self.remember_stored(&local);
            if local.digest.event_count > 0 {
                let count = local.digest.event_count;
                log::info!(target: LOG, "L1 block {height} is deep enough: {count} events");
            }
            self.stored.insert(height, known);
            step.blocks_read += 1;
            step.changed = true;
        }
    }

    /// Times of the last headers up to `header`, by following their links: heights
    /// may move while we ask, hashes do not.
    fn times(&mut self, source: &dyn L1Source, header: &Header) -> Result<Vec<u32>, L1Error> {
        /// More than a read-ahead needs, little enough to forget at once.
        const MAX_HEADERS: usize = 4_096;
        if self.headers.len() > MAX_HEADERS {
            self.headers.clear();
        }
        self.headers.insert(header.hash, (header.previous, header.time));
        let mut times = vec![header.time];
        let mut hash = header.previous;
        while times.len() < MEDIAN_TIME_SPAN && hash != L1Hash::default() {
            let (previous, time) = match self.headers.get(&hash) {
                Some(known) => *known,
                None => {
                    let header = source.header(&hash)?;
                    self.headers.insert(hash, (header.previous, header.time));
                    (header.previous, header.time)
                }
            };
            times.push(time);
            hash = previous;
        }
        Ok(times)
    }

    /// Scans the blocks that are not deep enough, from the tip down by their
    /// links, which gives one branch whatever happens meanwhile.
    fn scan_shallow(&mut self, source: &dyn L1Source, tip: &Tip) -> Result<(), L1Error> {
        let readable = self.deep_enough(tip).unwrap_or(0);
        let lowest = readable.max(tip.height.saturating_sub(self.limits.shallow));
        let old = std::mem::take(&mut self.shallow);
        let mut hash = tip.hash;
        for height in (lowest.saturating_add(1)..=tip.height).rev() {
            let same = |known: &&Known| known.hash == hash;
            let known = match old.get(&height).filter(same) {
                Some(known) => known.clone(),
                None => {
                    let block = source.block(&hash).map_err(|error| error.at_height(height))?;
                    let events = events(&block, height);
                    if !events.is_empty() {
                        let count = events.len();
                        log::info!(target: LOG, "L1 block {height} has {count} events, not yet deep enough");
                    }
                    self.remember(hash, block.header().previous, events.iter())
                }
            };
            hash = known.previous;
            self.shallow.insert(height, known);
        }
        Ok(())
    }

    fn remember_stored(&self, block: &LocalBlock) -> Known {
        let events = block.pages.iter().flat_map(|page| page.events.iter());
        let known = self.remember(block.digest.hash, block.digest.previous, events);
        let whole = block.digest.event_count == 0 || !block.pages.is_empty();
        Known { bytes: block.encoded_size(), whole, ..known }
    }

    fn remember<'a>(
        &self,
        hash: L1Hash,
        previous: L1Hash,
        events: impl Iterator<Item = &'a L1Event>,
    ) -> Known {
        let held: usize =
            self.stored.values().chain(self.shallow.values()).map(|known| known.burns.len()).sum();
        let burns: Vec<_> = events
            .filter_map(|event| match event {
                L1Event::Burn { outpoint, value, payload } => Some(KnownBurn {
                    outpoint: *outpoint,
                    value: *value,
                    payload: payload.to_vec(),
                }),
                L1Event::Trust(_)
                | L1Event::KeyRevocation { .. }
                | L1Event::Stake { .. }
                | L1Event::Message { .. }
                | L1Event::ForcedTransaction { .. }
                | L1Event::ChainRegistration { .. }
                | L1Event::VaultDeposit { .. } => None,
            })
            .collect();
        let fits = held.saturating_add(burns.len()) <= self.limits.burns;
        let burns = if fits { burns.into() } else { Arc::default() };
        Known { hash, previous, burns, bytes: 0, whole: false }
    }

    fn write_tip(&mut self, store: &dyn LocalStore, position: &RelayPosition, tip: &Tip) {
        let top = self.stored.last_key_value().map(|(&height, _)| height);
        let deep = self.deep_enough(tip).unwrap_or(0);
        self.readable_height = top.unwrap_or(position.applied_height).min(deep);
        self.set_tip(store, tip, self.readable_height);
    }

    fn set_tip(&mut self, store: &dyn LocalStore, tip: &Tip, readable_height: u32) {
        let tip = LocalTip { readable_height, height: tip.height, time: tip.time };
        if self.written != Some(tip) {
            store.set(TIP_KEY, &tip.encode());
            self.written = Some(tip);
        }
    }
}

/// Removes all that other rules than ours made of L1; it will be read again. The tip goes
/// first, so that the worker finds no block, and our mark comes last, so that a crash in
/// between leaves the work to the next start; from the top, so that this one finds the rest.
fn remove_other_extraction(store: &dyn LocalStore) {
    if read(store, EXTRACTION_KEY) == Some(EXTRACTION) {
        return;
    }
    store.remove(TIP_KEY);
    if let Some(floor) = engine_floor(store) {
        let stored = |height: &u32| store.get(&block_key(*height)).is_some();
        let heights: Vec<u32> = (floor..=u32::MAX).take_while(stored).collect();
        let count = heights.len();
        log::info!(target: LOG, "{count} L1 blocks were read by other rules and are read again");
        for height in heights.into_iter().rev() {
            store.remove(&block_key(height));
        }
        store.remove(FLOOR_KEY);
    }
    store.set(EXTRACTION_KEY, &EXTRACTION.encode());
}

fn engine_floor(store: &dyn LocalStore) -> Option<u32> {
    read(store, FLOOR_KEY)
}

/// Decodes a stored value; what cannot be read counts as absent and is written
/// anew.
fn read<T: Decode>(store: &dyn LocalStore, key: &[u8]) -> Option<T> {
    T::decode(&mut store.get(key)?.as_slice()).ok()
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
