//! Shows what became of an old block's transactions: its events, from its own state.

use cascoin_l2_primitives::recovery::{
    events_key, read_events, PageError, MAX_EVENTS_BYTES, MAX_EVENTS_NODES,
};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{backend::AsTrieBackend, Backend as _, TrieBackendBuilder};
use sp_trie::recorder::Recorder;

/// Why they cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum NoEvents {
    /// The database failed.
    #[error("the state cannot be read: {0}")]
    State(String),
    /// They are more than a block has room for.
    #[error("the events of the block take {bytes} bytes in {nodes} nodes: more than may be shown")]
    TooLarge {
        /// Bytes of what shows them.
        bytes: usize,
        /// Its nodes.
        nodes: usize,
    },
    /// Nobody could read it.
    #[error("what shows the events is wrong: {0}")]
    Wrong(#[from] PageError),
}

/// The nodes that show the events of the block whose state this is, sorted.
///
/// # Errors
/// [`NoEvents`].
pub fn show_events<S: AsTrieBackend<BlakeTwo256>>(state: &S) -> Result<Vec<Vec<u8>>, NoEvents> {
    let recorder = Recorder::<BlakeTwo256>::default();
    let recording =
        TrieBackendBuilder::wrap(state.as_trie_backend()).with_recorder(recorder.clone()).build();
    let root = *recording.root();
    recording.storage(&events_key()).map_err(|error| NoEvents::State(error.to_string()))?;
    let nodes: Vec<Vec<u8>> = recorder.drain_storage_proof().into_iter_nodes().collect();
    let bytes = nodes.iter().fold(0_usize, |sum, node| sum.saturating_add(node.len()));
    let fits = u32::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_EVENTS_BYTES)
        && u32::try_from(nodes.len()).is_ok_and(|count| count <= MAX_EVENTS_NODES);
    if !fits {
        return Err(NoEvents::TooLarge { bytes, nodes: nodes.len() });
    }
    // What the chain would say of it: a leader whose inherent fails makes no block.
    read_events(&root, nodes.clone())?;
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::storage::StateVersion;
    use sp_state_machine::InMemoryBackend;
    use std::collections::BTreeMap;

    fn state(events: Option<Vec<u8>>) -> InMemoryBackend<BlakeTwo256> {
        let mut entries: BTreeMap<Vec<u8>, Vec<u8>> =
            (0..200u8).map(|n| (vec![n, n], vec![n; 60])).collect();
        entries.extend(events.map(|events| (events_key().to_vec(), events)));
        InMemoryBackend::from((entries, StateVersion::V1))
    }

    #[test]
    fn r19_3_events_are_shown_or_that_there_are_none() {
        for events in [None, Some(vec![4, 9]), Some(vec![7; 200_000])] {
            let state = state(events.clone());
            let nodes = show_events(&state).expect("they are shown");
            assert!(nodes.len() < 20, "{}", nodes.len());
            assert_eq!(read_events(state.root(), nodes), Ok(events.unwrap_or_default()));
        }
    }

    #[test]
    fn events_that_no_block_has_room_for_are_an_error() {
        let state = state(Some(vec![7; MAX_EVENTS_BYTES as usize]));
        assert!(matches!(show_events(&state), Err(NoEvents::TooLarge { .. })));
    }
}
