//! Keeps the state that a recovery goes back to.
//!
//! A node prunes states that are old enough, whether a recovery still has to read them or not.
//! From when sequencers may vote for a recovery until it is over this holds the block of that
//! state in the database, however long the votes and the pages take, and with it all states
//! since: they have the events of the blocks that are repeated. If no node had the state any
//! more, the chain would stay frozen.
//!
//! It lets go of them by and by: a database prunes all that is too old with one block and in
//! one piece, which after hours of a recovery would be more than a node can do at once. And
//! since it forgets at a restart what it held, a node looks once before it takes any block
//! ([`Keeper::look`]), and holds what is left of an earlier run to let go of it likewise.

use crate::client::EngineClient;
use cascoin_l2_primitives::{
    apis::RecoveryApi,
    chain::{BlockHash, BlockNumber, OpaqueBlock},
    recovery::{RecoveryPoint, RecoveryProgress, RecoverySubject},
};
use sc_client_api::Backend;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Most blocks whose states are let go of at one look.
const STRIDE: BlockNumber = 500;

/// A block whose state is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    number: BlockNumber,
    hash: BlockHash,
}

/// Holds one state in the database, and with it all that are newer, as long as a recovery may
/// need them.
///
/// It does not let go of it when it is dropped: that happens when the node stops, and a block
/// that is imported just then would prune it.
pub struct Keeper<B> {
    backend: Arc<B>,
    held: Option<Held>,
    /// Whether it was looked what an earlier run of the node left.
    has_looked: bool,
}

impl<B: Backend<OpaqueBlock>> Keeper<B> {
    /// One that holds nothing yet.
    pub fn new(backend: Arc<B>) -> Self {
        Self { backend, held: None, has_looked: false }
    }

    /// Holds what the chain needs as of the last final block; goes a stride on with letting go
    /// of what it does not need any more.
    ///
    /// # Errors
    /// The runtime did not answer; then what was held is.
    pub fn look<C: EngineClient>(&mut self, client: &C) -> Result<(), sp_api::ApiError> {
        let info = client.info();
        let at = info.finalized_hash;
        let hash_of = |number: BlockNumber| HeaderBackend::hash(client, number).ok().flatten();
        if !self.has_looked {
            self.has_looked = true;
            let left = self.oldest(info.finalized_number, hash_of);
            self.held = left.filter(|oldest| self.hold(oldest));
        }
        let api = client.runtime_api();
        let running = api.recovery_overview(at)?.running;
        let subject = match running {
            Some(_) => None,
            None => api.recovery_subject(at)?,
        };
        let needed = needed(running, subject);
        let needed = needed.map(|RecoveryPoint { number, hash, .. }| Held { number, hash });
        self.keep(needed, info.finalized_number, hash_of);
        Ok(())
    }

    // The oldest block whose state is there; none if no state was ever pruned here.
    fn oldest(
        &self,
        finalized: BlockNumber,
        hash_of: impl Fn(BlockNumber) -> Option<BlockHash>,
    ) -> Option<Held> {
        let block = |number| hash_of(number).map(|hash| Held { number, hash });
        let has_state = |number| {
            block(number).is_some_and(|one| self.backend.have_state_at(one.hash, one.number))
        };
        // Pruned below, there above.
        let (mut below, mut above) = (0, finalized);
        if has_state(below) || !has_state(above) {
            return None;
        }
        while above.saturating_sub(below) > 1 {
            let half = below.saturating_add(above.saturating_sub(below) / 2);
            match has_state(half) {
                true => above = half,
                false => below = half,
            }
        }
        block(above)
    }

    fn keep(
        &mut self,
        needed: Option<Held>,
        finalized: BlockNumber,
        hash_of: impl Fn(BlockNumber) -> Option<BlockHash>,
    ) {
        let next = match self.held {
            Some(held) if needed.is_none_or(|needed| needed.number > held.number) => {
                let stride = held.number.saturating_add(STRIDE);
                if stride < needed.map_or(finalized, |needed| needed.number) {
                    hash_of(stride).map(|hash| Held { number: stride, hash }).or(self.held)
                } else {
                    needed
                }
            }
            _ => needed,
        };
        if self.held == next {
            return;
        }
        // The next one first. The database counts, so each is held once and let go of once.
        let next = next.filter(|next| self.hold(next));
        if let Some(kept) = next.filter(|_| next == needed) {
            log::info!(
                target: "l2",
                "keeping the state of block {}, and those since, for a recovery", kept.number,
            );
        }
        if let Some(old) = std::mem::replace(&mut self.held, next) {
            self.backend.unpin_block(old.hash);
        }
    }

    fn hold(&self, block: &Held) -> bool {
        let held = self.backend.pin_block(block.hash);
        match &held {
            Ok(()) => {
                log::debug!(target: "l2", "keeping the states from block {} on", block.number);
            }
            // A state that is gone does not come again. The voter and leaders say that.
            Err(error) => log::debug!(
                target: "l2",
                "cannot keep the state of block {} for a recovery: {error}", block.number,
            ),
        }
        held.is_ok()
    }
}

/// The block whose state is needed.
fn needed(
    running: Option<RecoveryProgress>,
    subject: Option<RecoverySubject>,
) -> Option<RecoveryPoint> {
    match running {
        Some(run) => Some(run.since),
        None => subject.map(|subject| subject.since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::{chain::Header, recovery::RecoveryPhase, relay::L1BlockContext};
    use sc_client_api::{BlockImportOperation, NewBlockState, TrieCacheContext};
    use sc_client_db::{BlocksPruning, DatabaseSettings, DatabaseSource, PruningMode};
    use sp_core::storage::StateVersion;
    use sp_runtime::traits::Header as _;
    use sp_state_machine::Backend as _;

    type Database = sc_client_db::Backend<OpaqueBlock>;

    /// Keeps the states of three blocks.
    fn database() -> Arc<Database> {
        let settings = DatabaseSettings {
            trie_cache_maximum_size: None,
            state_pruning: Some(PruningMode::blocks_pruning(3)),
            source: DatabaseSource::Custom {
                db: Arc::new(sp_database::MemDb::new()),
                require_create_flag: true,
            },
            blocks_pruning: BlocksPruning::KeepAll,
            pruning_filters: Vec::new(),
            metrics_registry: None,
        };
        sc_service::new_db_backend(settings).expect("a database in memory opens")
    }

    /// Adds a final block, in whose state its number stands.
    fn add(database: &Database, parent: BlockHash, number: u32) -> BlockHash {
        let mut operation = database.begin_operation().expect("it begins");
        database.begin_state_operation(&mut operation, parent).expect("the parent's state");
        let state = operation.state().expect("it answers").expect("it has one");
        let value = number.to_le_bytes();
        let change = [(&b"number"[..], Some(&value[..]))];
        let (root, changes) = state.storage_root(change.into_iter(), StateVersion::V1);
        operation.update_db_storage(changes).expect("it takes them");
        let header = Header::new(number, Default::default(), root, parent, Default::default());
        let hash = header.hash();
        operation
            .set_block_data(header, Some(Vec::new()), None, None, NewBlockState::Final, true)
            .expect("it takes it");
        database.commit_operation(operation).expect("it is committed");
        hash
    }

    fn extend(database: &Database, hashes: &mut Vec<BlockHash>, to: u32) {
        while hashes.len() <= to as usize {
            let parent = hashes.last().copied().unwrap_or_default();
            hashes.push(add(database, parent, hashes.len() as u32));
        }
    }

    fn hash_of(hashes: &[BlockHash]) -> impl Fn(BlockNumber) -> Option<BlockHash> + '_ {
        |number| hashes.get(number as usize).copied()
    }

    fn held(hashes: &[BlockHash], number: u32) -> Held {
        Held { number, hash: hashes[number as usize] }
    }

    fn keep(keeper: &mut Keeper<Database>, hashes: &[BlockHash], needed: Option<Held>) {
        let head = u32::try_from(hashes.len() - 1).expect("few");
        keeper.keep(needed, head, hash_of(hashes));
    }

    #[test]
    fn p20_a_state_that_is_needed_is_not_pruned_until_it_is_not() {
        let (database, mut hashes) = (database(), Vec::new());
        let mut keeper = Keeper::new(database.clone());
        let has = |block: &Held| database.have_state_at(block.hash, block.number);
        extend(&database, &mut hashes, 3);
        let (before, kept) = (held(&hashes, 1), held(&hashes, 2));
        assert!(has(&before) && has(&kept));
        keep(&mut keeper, &hashes, Some(kept));
        extend(&database, &mut hashes, 10);
        // Again with each look.
        keep(&mut keeper, &hashes, Some(kept));
        assert!(has(&kept) && !has(&before));
        let state = database.state_at(kept.hash, TrieCacheContext::Untrusted);
        let value = state.expect("it is kept").storage(b"number").expect("it is whole");
        assert_eq!(value, Some(2_u32.to_le_bytes().to_vec()));

        // What was not held is gone with the first block after it.
        keep(&mut keeper, &hashes, None);
        extend(&database, &mut hashes, 11);
        assert!(!has(&kept));
        keep(&mut keeper, &hashes, Some(kept));
        assert_eq!(keeper.held, None);
    }

    #[test]
    fn p20_of_two_states_the_one_that_is_needed_now_is_held() {
        let (database, mut hashes) = (database(), Vec::new());
        let mut keeper = Keeper::new(database.clone());
        let has = |block: &Held| database.have_state_at(block.hash, block.number);
        extend(&database, &mut hashes, 4);
        let (first, second) = (held(&hashes, 2), held(&hashes, 4));
        keep(&mut keeper, &hashes, Some(first));
        keep(&mut keeper, &hashes, Some(second));
        extend(&database, &mut hashes, 12);
        assert!(has(&second) && !has(&first));
        // One that is older than what is held.
        let third = held(&hashes, 11);
        keep(&mut keeper, &hashes, Some(third));
        keep(&mut keeper, &hashes, Some(held(&hashes, 10)));
        assert_eq!(keeper.held, Some(held(&hashes, 10)));
    }

    /// Else all of it would be pruned with one block.
    #[test]
    fn p20_what_was_held_for_long_is_let_go_of_by_and_by() {
        let (database, mut hashes) = (database(), Vec::new());
        let mut keeper = Keeper::new(database.clone());
        extend(&database, &mut hashes, 3);
        keep(&mut keeper, &hashes, Some(held(&hashes, 2)));
        extend(&database, &mut hashes, 2 * STRIDE + 50);
        // A restart forgets what was held, and finds it.
        let oldest = keeper.oldest(2 * STRIDE + 50, hash_of(&hashes));
        assert_eq!(oldest, Some(held(&hashes, 2)));
        for number in [2 + STRIDE, 2 + 2 * STRIDE] {
            keep(&mut keeper, &hashes, None);
            assert_eq!(keeper.held, Some(held(&hashes, number)));
            let next = u32::try_from(hashes.len()).expect("few");
            extend(&database, &mut hashes, next);
            let oldest = keeper.oldest(next, hash_of(&hashes));
            assert_eq!(oldest, Some(held(&hashes, number)));
        }
        keep(&mut keeper, &hashes, None);
        assert_eq!(keeper.held, None);
    }

    #[test]
    fn where_nothing_was_pruned_nothing_is_let_go_of() {
        let (database, mut hashes) = (database(), Vec::new());
        let keeper = Keeper::new(database.clone());
        extend(&database, &mut hashes, 2);
        assert_eq!(keeper.oldest(2, hash_of(&hashes)), None);
    }

    #[test]
    fn p20_a_state_is_needed_from_the_vote_until_the_recovery_is_over() {
        let since = RecoveryPoint { l1_height: 5, number: 70, hash: BlockHash::repeat_byte(1) };
        let subject = RecoverySubject { number: 1, since, ..Default::default() };
        assert_eq!(needed(None, None), None);
        assert_eq!(needed(None, Some(subject)), Some(since));
        let run = |phase| RecoveryProgress {
            number: 1,
            since,
            common: L1BlockContext::default(),
            deficit: 1,
            begun_at: 80,
            phase,
            held: 0,
            fell: 0,
            abandoned: 0,
        };
        let restoring = RecoveryPhase::Restoring { part: 10, parts: 11 };
        let replaying = RecoveryPhase::Replaying { block: 71, last: 80 };
        for phase in [restoring, RecoveryPhase::Mending, RecoveryPhase::L1Again, replaying] {
            assert_eq!(needed(Some(run(phase)), None), Some(since));
        }
    }
}
