//! Pages show what the state has, in order, whichever nodes they hold.

use super::{read_page, PageError, StatePage};
use crate::chain::BlockHash;
use proptest::prelude::*;
use sp_runtime::traits::BlakeTwo256;
use sp_trie::{LayoutV1, MemoryDB, StorageProof, TrieDBMutBuilder, TrieMut};
use std::collections::BTreeMap;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The root of a state, and all nodes of its trie.
fn trie(entries: &Entries) -> (BlockHash, Vec<Vec<u8>>) {
    let mut nodes = MemoryDB::<BlakeTwo256>::default();
    let mut root = BlockHash::default();
    {
        let mut trie =
            TrieDBMutBuilder::<LayoutV1<BlakeTwo256>>::new(&mut nodes, &mut root).build();
        for (key, value) in entries {
            trie.insert(key, value).expect("a trie in memory takes everything");
        }
    }
    let mut all: Vec<_> = nodes
        .drain()
        .into_iter()
        .filter(|(_, (_, count))| *count > 0)
        .map(|(_, (node, _))| node)
        .collect();
    all.sort();
    (root, all)
}

fn part(entries: &Entries, prefix: &[u8], after: Option<&[u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let due = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
    entries
        .iter()
        .filter(|(key, _)| due(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Short keys of few letters, so that some begin others; values inside and beside nodes.
fn entries() -> impl Strategy<Value = Entries> {
    let key = prop::collection::vec(0..4u8, 1..5);
    let value = prop::collection::vec(any::<u8>(), 1..80);
    prop::collection::btree_map(key, value, 0..60)
}

fn small() -> Entries {
    (0..40u8).map(|n| (vec![n / 10, n], vec![n; 40])).collect()
}

#[test]
fn an_empty_state_has_a_complete_page_without_entries() {
    let (root, nodes) = trie(&Entries::new());
    let page = read_page(&root, &StorageProof::new(nodes), &[1], None);
    assert_eq!(page, Ok(StatePage { entries: vec![], complete: true }));
}

#[test]
fn a_part_may_be_a_single_key() {
    let entries = Entries::from([(vec![1], vec![10]), (vec![1, 0], vec![11]), (vec![2], vec![12])]);
    let (root, nodes) = trie(&entries);
    let page = read_page(&root, &StorageProof::new(nodes), &[2], None).expect("all is there");
    assert_eq!(page, StatePage { entries: vec![(vec![2], vec![12])], complete: true });
}

#[test]
fn without_its_root_a_page_shows_nothing() {
    let (root, _) = trie(&small());
    let page = read_page(&root, &StorageProof::empty(), &[1], None);
    assert_eq!(page, Err(PageError::ShowsNothing));
}

#[test]
fn a_page_of_another_state_shows_nothing() {
    let (root, _) = trie(&small());
    let mut other = small();
    other.insert(vec![1, 10], vec![99; 40]);
    let (other_root, nodes) = trie(&other);
    assert_ne!(root, other_root);
    // All their common nodes are there, but not the way to them.
    let page = read_page(&root, &StorageProof::new(nodes), &[1], None);
    assert_eq!(page, Err(PageError::ShowsNothing));
}

proptest! {
    #[test]
    fn p20_all_nodes_show_all_of_a_part(
        entries in entries(),
        prefix in prop::collection::vec(0..4u8, 1..3),
        pick in any::<prop::sample::Index>(),
    ) {
        let (root, nodes) = trie(&entries);
        let proof = StorageProof::new(nodes);
        let all = part(&entries, &prefix, None);
        let page = read_page(&root, &proof, &prefix, None);
        prop_assert_eq!(page, Ok(StatePage { entries: all.clone(), complete: true }));
        // From any entry on.
        if !all.is_empty() {
            let after = all[pick.index(all.len())].0.as_slice();
            let page = read_page(&root, &proof, &prefix, Some(after));
            let rest = part(&entries, &prefix, Some(after));
            prop_assert_eq!(page, Ok(StatePage { entries: rest, complete: true }));
        }
    }

    /// Whoever makes a page decides which nodes it holds, and nothing else.
    #[test]
    fn p20_a_page_that_lacks_nodes_ends_early_and_never_skips_an_entry(
        entries in entries(),
        prefix in prop::collection::vec(0..4u8, 1..3),
        pick in any::<prop::sample::Index>(),
        from_start in any::<bool>(),
        kept in prop::collection::vec(prop::bool::weighted(0.8), 1..40),
        foreign in entries(),
    ) {
        let (root, nodes) = trie(&entries);
        let kept = nodes.into_iter().zip(kept.into_iter().cycle());
        let kept = kept.filter(|(_, kept)| *kept).map(|(node, _)| node);
        let foreign = trie(&foreign).1;
        let proof = StorageProof::new(kept.chain(foreign));
        let all = part(&entries, &prefix, None);
        let after = if from_start || all.is_empty() {
            None
        } else {
            Some(all[pick.index(all.len())].0.as_slice())
        };
        let due = part(&entries, &prefix, after);
        match read_page(&root, &proof, &prefix, after) {
            Ok(page) => {
                prop_assert!(due.starts_with(&page.entries));
                prop_assert!(!page.complete || page.entries == due);
                prop_assert!(page.complete || !page.entries.is_empty());
            }
            Err(error) => prop_assert_eq!(error, PageError::ShowsNothing),
        }
    }
}
