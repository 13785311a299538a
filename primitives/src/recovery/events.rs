//! What became of a past block's transactions.
//!
//! No note of it is needed: a block's events stand in its own state, so its header's state
//! root proves them. What they say is the runtime's business
//! ([`Books::outcomes`](super::Books::outcomes)).

use super::PageError;
use crate::chain::BlockHash;
use alloc::vec::Vec;
use sp_crypto_hashing::twox_128;
use sp_runtime::traits::BlakeTwo256;
use sp_trie::{read_trie_value, LayoutV1, StorageProof};

/// Most bytes of the nodes that show a block's events. With the largest body they have room
/// in a block; a block of calls that do nothing but tell has less.
pub const MAX_EVENTS_BYTES: u32 = 2560 * 1024;
/// Most nodes: more than there are on the way to any key.
pub const MAX_EVENTS_NODES: u32 = 128;

/// Where the state has its block's events.
#[must_use]
pub fn events_key() -> [u8; 32] {
    let mut key = [0; 32];
    let (pallet, item) = key.split_at_mut(16);
    pallet.copy_from_slice(&twox_128(b"System"));
    item.copy_from_slice(&twox_128(b"Events"));
    key
}

/// Reads the encoded events of the block whose state has this root. A block without any has
/// none in its state: then there are no bytes.
///
/// # Errors
/// [`PageError`], when the nodes do not show it.
pub fn read_events(root: &BlockHash, nodes: Vec<Vec<u8>>) -> Result<Vec<u8>, PageError> {
    let nodes = StorageProof::new(nodes).into_memory_db::<BlakeTwo256>();
    let value =
        read_trie_value::<LayoutV1<BlakeTwo256>, _>(&nodes, root, &events_key(), None, None)
            .map_err(|error| PageError::of(&error))?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use sp_trie::{recorder::Recorder, MemoryDB, Trie, TrieDBBuilder, TrieDBMutBuilder, TrieMut};

    type Layout = LayoutV1<BlakeTwo256>;

    /// The root of a state with these events, among other things, and what shows them.
    fn proof(events: Option<&[u8]>) -> (BlockHash, Vec<Vec<u8>>) {
        let (mut nodes, mut root) = (MemoryDB::<BlakeTwo256>::default(), BlockHash::default());
        {
            let mut trie = TrieDBMutBuilder::<Layout>::new(&mut nodes, &mut root).build();
            for byte in 0..40u8 {
                trie.insert(&twox_128(&[byte]), &[byte; 50]).expect("it takes everything");
            }
            if let Some(events) = events {
                trie.insert(&events_key(), events).expect("it takes everything");
            }
        }
        let recorder = Recorder::<BlakeTwo256>::default();
        {
            let mut recorded = recorder.as_trie_recorder(root);
            let trie =
                TrieDBBuilder::<Layout>::new(&nodes, &root).with_recorder(&mut recorded).build();
            let value = trie.get(&events_key()).expect("the trie is whole");
            assert_eq!(value.as_deref(), events);
        }
        (root, recorder.drain_storage_proof().into_iter_nodes().collect())
    }

    #[test]
    fn r19_3_a_blocks_events_are_proven_by_its_state() {
        // As every explorer knows it.
        let known = "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";
        assert_eq!(hex::encode(events_key()), known);

        for events in [vec![1], vec![7; 33], vec![9; 100_000]] {
            let (root, nodes) = proof(Some(&events));
            assert_eq!(read_events(&root, nodes.clone()), Ok(events));
            for left_out in 0..nodes.len() {
                let mut nodes = nodes.clone();
                nodes.remove(left_out);
                assert_eq!(read_events(&root, nodes), Err(PageError::ShowsNothing));
            }
        }
    }

    /// Attack: who brings a block says that it had no events, or others.
    #[test]
    fn r19_3_that_a_block_had_no_events_is_proven_as_well() {
        let (root, nodes) = proof(None);
        assert_eq!(read_events(&root, nodes.clone()), Ok(vec![]));
        let (with, _) = proof(Some(&[7; 33]));
        assert_eq!(read_events(&with, nodes), Err(PageError::ShowsNothing));
        assert_eq!(read_events(&root, vec![]), Err(PageError::ShowsNothing));
    }
}
