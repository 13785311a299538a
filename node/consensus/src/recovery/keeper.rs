//! Keeps the state that a recovery goes back to.
//!
//! A node prunes states that are old enough, whether a recovery still has to read them or not.
//! From when sequencers may vote for a recovery until it is over this holds the block of that
//! state in the database, however long the votes and the pages take, and with it all states
//! since: they have the events of the blocks that are repeated. If no node had the state any
//! more, the chain would stay frozen.
//!
//! The database forgets at a restart what it held, and would prune all that is too old with the
//! first block that it then takes. So a node looks once before it takes any ([`Keeper::look`]).

use crate::client::EngineClient;
use cascoin_l2_primitives::{
    apis::RecoveryApi,
    chain::{BlockHash, OpaqueBlock},
    recovery::{RecoveryPoint, RecoveryProgress, RecoverySubject},
};
use sc_client_api::Backend;
use std::sync::Arc;

/// Holds one state in the database, as long as a recovery may need it.
///
/// It does not let go of it when it is dropped: that happens when the node stops, and a block
/// that is imported just then would prune it.
pub struct Keeper<B> {
    backend: Arc<B>,
    kept: Option<RecoveryPoint>,
}

impl<B: Backend<OpaqueBlock>> Keeper<B> {
    /// One that holds nothing yet.
    pub fn new(backend: Arc<B>) -> Self {
        Self { backend, kept: None }
    }

    /// Holds what the chain needs as of this block, and nothing else.
    ///
    /// # Errors
    /// The runtime did not answer; then what was held is.
    pub fn look<C: EngineClient>(
        &mut self,
        client: &C,
        at: BlockHash,
    ) -> Result<(), sp_api::ApiError> {
        let api = client.runtime_api();
        let running = api.recovery_overview(at)?.running;
        let subject = match running {
            Some(_) => None,
            None => api.recovery_subject(at)?,
        };
        self.keep(needed(running, subject));
        Ok(())
    }

    fn keep(&mut self, point: Option<RecoveryPoint>) {
        if self.kept == point {
            return;
        }
        // What is held keeps all that is newer: so the next one first. The database counts, so
        // each is held once and let go of once.
        let next = point.filter(|point| self.hold(point));
        if let Some(old) = std::mem::replace(&mut self.kept, next) {
            self.backend.unpin_block(old.hash);
            log::info!(
                target: "l2",
                "the state of block {} is not needed for a recovery any more", old.number,
            );
        }
    }

    fn hold(&self, point: &RecoveryPoint) -> bool {
        let held = self.backend.pin_block(point.hash);
        match &held {
            Ok(()) => log::info!(
                target: "l2",
                "keeping the state of block {} for a recovery", point.number,
            ),
            // A state that is gone does not come again. The voter and leaders say that.
            Err(error) => log::debug!(
                target: "l2",
                "cannot keep the state of block {} for a recovery: {error}", point.number,
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

    fn point(hashes: &[BlockHash], number: u32) -> RecoveryPoint {
        RecoveryPoint { l1_height: 1, number, hash: hashes[number as usize] }
    }

    #[test]
    fn p20_a_state_that_is_needed_is_not_pruned_until_it_is_not() {
        let (database, mut hashes) = (database(), Vec::new());
        let mut keeper = Keeper::new(database.clone());
        let has = |point: &RecoveryPoint| database.have_state_at(point.hash, point.number);
        extend(&database, &mut hashes, 3);
        let (before, kept) = (point(&hashes, 1), point(&hashes, 2));
        assert!(has(&before) && has(&kept));
        keeper.keep(Some(kept));
        extend(&database, &mut hashes, 10);
        // Again with each look.
        keeper.keep(Some(kept));
        assert!(has(&kept) && !has(&before));
        let state = database.state_at(kept.hash, TrieCacheContext::Untrusted);
        let value = state.expect("it is kept").storage(b"number").expect("it is whole");
        assert_eq!(value, Some(2_u32.to_le_bytes().to_vec()));

        // What was not held is gone with the first block after it.
        keeper.keep(None);
        extend(&database, &mut hashes, 11);
        assert!(!has(&kept));
        keeper.keep(Some(kept));
        assert_eq!(keeper.kept, None);
    }

    #[test]
    fn p20_of_two_states_the_one_that_is_needed_now_is_held() {
        let (database, mut hashes) = (database(), Vec::new());
        let mut keeper = Keeper::new(database.clone());
        let has = |point: &RecoveryPoint| database.have_state_at(point.hash, point.number);
        extend(&database, &mut hashes, 4);
        let (first, second) = (point(&hashes, 2), point(&hashes, 4));
        keeper.keep(Some(first));
        keeper.keep(Some(second));
        extend(&database, &mut hashes, 12);
        assert!(has(&second) && !has(&first));
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
