//! Makes pages of a past block's state.
//!
//! A page is what an iteration over the state reads of its trie. Whoever reads the page
//! ([`read_page`]) walks the same way, and so finds every node that it needs, up to the last
//! entry of the page; where the iteration came to the end of the part, it also finds that
//! nothing follows.

use cascoin_l2_primitives::recovery::{read_page, PageError, MAX_KEYS_PER_STEP, MAX_PAGE_NODES};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{backend::AsTrieBackend, Backend as _, IterArgs, TrieBackendBuilder};
use sp_trie::{recorder::Recorder, StorageProof};
use std::time::{Duration, Instant};

/// How long the state is read for a page of [`MAX_KEYS_PER_STEP`] entries. Making and checking
/// the page takes some milliseconds more.
const READ_FOR: Duration = Duration::from_millis(120);

/// How long the state is read for a page of so many entries at most. All who execute the page
/// need their time too, so what is to be smaller is not read for as long.
pub(super) fn time_for(max_keys: u32) -> Duration {
    READ_FOR * max_keys.min(MAX_KEYS_PER_STEP) / MAX_KEYS_PER_STEP
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug)]
pub struct PageOrder<'a> {
    /// Keys that begin with it.
    pub prefix: &'a [u8],
    /// Only those behind this one.
    pub after: Option<&'a [u8]>,
    /// Most entries.
    pub max_keys: u32,
    /// Most bytes of all nodes together.
    pub max_bytes: u32,
    /// When to stop. A page has one entry at least, if there is one.
    pub until: Instant,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// The database failed.
    #[error("the state cannot be read: {0}")]
    State(String),
    /// One entry alone is more than a page may be.
    #[error("an entry with the way to it takes {bytes} bytes in {nodes} nodes: more than a page")]
    TooLarge {
        /// Bytes of the page.
        bytes: usize,
        /// Its nodes.
        nodes: usize,
    },
    /// Nobody could read it.
    #[error("the page is wrong: {0}")]
    Wrong(#[from] PageError),
}

/// The nodes of a page of this state, sorted.
///
/// # Errors
/// [`NoPage`].
pub fn make_page<S: AsTrieBackend<BlakeTwo256>>(
    state: &S,
    order: &PageOrder<'_>,
) -> Result<Vec<Vec<u8>>, NoPage> {
    let failed = |error: &dyn std::fmt::Display| NoPage::State(error.to_string());
    let recorder = Recorder::<BlakeTwo256>::default();
    let recording =
        TrieBackendBuilder::wrap(state.as_trie_backend()).with_recorder(recorder.clone()).build();
    let root = *recording.root();
    let mut args = IterArgs::default();
    args.prefix = Some(order.prefix);
    args.start_at = Some(order.after.unwrap_or(order.prefix));
    args.start_at_exclusive = order.after.is_some();

    let mut entries = recording.pairs(args).map_err(|error| failed(&error))?;
    let max_bytes = usize::try_from(order.max_bytes).unwrap_or(usize::MAX);
    let mut keys = 0;
    while keys < order.max_keys {
        // What an entry needs is in the page as a whole, or not at all.
        recorder.start_transaction();
        let entry = entries.next().transpose().map_err(|error| failed(&error))?;
        let fits = recorder.estimate_encoded_size() <= max_bytes;
        let kept = match fits || keys == 0 {
            true => recorder.commit_transaction(),
            false => recorder.rollback_transaction(),
        };
        kept.map_err(|()| failed(&"the recorder lost its transaction"))?;
        // At the end of the part, or of the page.
        if entry.is_none() || !fits {
            break;
        }
        keys += 1;
        if Instant::now() >= order.until {
            break;
        }
    }
    check(&root, recorder.drain_storage_proof(), order)
}

/// What the chain would say of it: a leader whose inherent fails makes no block.
fn check(
    root: &sp_core::H256,
    proof: StorageProof,
    order: &PageOrder<'_>,
) -> Result<Vec<Vec<u8>>, NoPage> {
    let page = read_page(root, &proof, order.prefix, order.after)?;
    if page.entries.is_empty() && !page.complete {
        return Err(PageError::ShowsNothing.into());
    }
    let nodes: Vec<Vec<u8>> = proof.into_iter_nodes().collect();
    let bytes = nodes.iter().fold(0_usize, |sum, node| sum.saturating_add(node.len()));
    let fits = u32::try_from(bytes).is_ok_and(|bytes| bytes <= order.max_bytes)
        && u32::try_from(nodes.len()).is_ok_and(|count| count <= MAX_PAGE_NODES);
    match fits {
        true => Ok(nodes),
        false => Err(NoPage::TooLarge { bytes, nodes: nodes.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::recovery::StatePage;
    use proptest::prelude::*;
    use sp_core::storage::StateVersion;
    use sp_state_machine::InMemoryBackend;
    use std::collections::BTreeMap;

    type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

    fn state(entries: &Entries) -> InMemoryBackend<BlakeTwo256> {
        InMemoryBackend::from((entries.clone(), StateVersion::V1))
    }

    fn order<'a>(prefix: &'a [u8], after: Option<&'a [u8]>) -> PageOrder<'a> {
        let until = Instant::now() + Duration::from_secs(60);
        PageOrder { prefix, after, max_keys: 1_000, max_bytes: 1024 * 1024, until }
    }

    fn read(state: &InMemoryBackend<BlakeTwo256>, order: &PageOrder<'_>) -> StatePage {
        let nodes = make_page(state, order).expect("a page");
        let proof = StorageProof::new(nodes);
        read_page(state.root(), &proof, order.prefix, order.after).expect("it can be read")
    }

    fn part(entries: &Entries, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let of_part = entries.iter().filter(|(key, _)| key.starts_with(prefix));
        of_part.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn numbered(count: u8, value: usize) -> Entries {
        let key = |n: u8| vec![1, n / 16, n];
        (0..count).map(|n| (key(n), vec![n; value])).chain([(vec![2], vec![9; 40])]).collect()
    }

    #[test]
    fn a_part_without_entries_is_shown_to_be_empty() {
        for entries in [Entries::new(), numbered(9, 40), numbered(0, 0)] {
            let page = read(&state(&entries), &order(&[7], None));
            assert_eq!(page, StatePage { entries: vec![], complete: true });
        }
        // And so is what is behind the last entry of one.
        let entries = numbered(9, 40);
        let page = read(&state(&entries), &order(&[1], Some(&[1, 0, 8])));
        assert_eq!(page, StatePage { entries: vec![], complete: true });
    }

    #[test]
    fn a_part_may_be_one_key() {
        let page = read(&state(&numbered(9, 40)), &order(&[2], None));
        assert_eq!(page, StatePage { entries: vec![(vec![2], vec![9; 40])], complete: true });
        let page = read(&state(&numbered(9, 40)), &order(&[2], Some(&[2])));
        assert_eq!(page, StatePage { entries: vec![], complete: true });
    }

    #[test]
    fn a_page_is_bounded_by_keys_bytes_and_time_and_has_an_entry() {
        let entries = numbered(200, 500);
        let (state, whole) = (state(&entries), order(&[1], None));
        let all = read(&state, &whole);
        assert_eq!((all.entries.len(), all.complete), (200, true));
        let few = read(&state, &PageOrder { max_keys: 5, ..whole });
        assert_eq!(few.entries, all.entries[..5]);
        assert!(!few.complete);
        let size = |order: &PageOrder<'_>| -> usize {
            make_page(&state, order).expect("a page").iter().map(Vec::len).sum()
        };
        let small = PageOrder { max_bytes: 10_000, ..whole };
        assert!(size(&small) <= 10_000);
        let page = read(&state, &small);
        assert!((10..20).contains(&page.entries.len()), "{}", page.entries.len());
        assert_eq!(page.entries, all.entries[..page.entries.len()]);
        let late = read(&state, &PageOrder { until: Instant::now(), ..whole });
        assert_eq!(late.entries, all.entries[..1]);
    }

    #[test]
    fn half_a_page_is_read_for_half_of_the_time() {
        assert_eq!(time_for(MAX_KEYS_PER_STEP), READ_FOR);
        assert_eq!(time_for(MAX_KEYS_PER_STEP / 2), READ_FOR / 2);
        assert_eq!(time_for(u32::MAX), READ_FOR);
    }

    #[test]
    fn an_entry_larger_than_a_page_is_an_error() {
        let entries = numbered(3, 5_000);
        let small = PageOrder { max_bytes: 4_000, ..order(&[1], None) };
        let answer = make_page(&state(&entries), &small);
        assert!(matches!(answer, Err(NoPage::TooLarge { bytes: 5_000.., .. })), "{answer:?}");
    }

    fn entries() -> impl Strategy<Value = Entries> {
        let key = prop::collection::vec(0..4u8, 1..5);
        let value = prop::collection::vec(any::<u8>(), 1..80);
        prop::collection::btree_map(key, value, 0..60)
    }

    proptest! {
        /// Page by page all of a part comes, each once and in order.
        #[test]
        fn p20_pages_of_a_part_show_all_of_it(
            entries in entries(),
            prefix in prop::collection::vec(0..4u8, 1..3),
            sizes in prop::collection::vec((1..6u32, 300..1_000u32), 1..6),
        ) {
            let state = state(&entries);
            let (mut shown, mut after) = (Vec::new(), None::<Vec<u8>>);
            let mut sizes = sizes.into_iter().cycle();
            loop {
                let (max_keys, max_bytes) = sizes.next().expect("they go round");
                let wanted = order(&prefix, after.as_deref());
                let wanted = PageOrder { max_keys, max_bytes, ..wanted };
                let page = match make_page(&state, &wanted) {
                    // The way to an entry may be longer than the least page here.
                    Err(NoPage::TooLarge { .. }) => read(&state, &PageOrder {
                        max_bytes: 100_000,
                        ..wanted
                    }),
                    other => {
                        let nodes = other.expect("a page");
                        let bytes: usize = nodes.iter().map(Vec::len).sum();
                        prop_assert!(bytes <= max_bytes as usize);
                        let proof = StorageProof::new(nodes);
                        let read = read_page(state.root(), &proof, &prefix, after.as_deref());
                        read.expect("it can be read")
                    }
                };
                prop_assert!(page.complete || !page.entries.is_empty());
                shown.extend(page.entries);
                if page.complete {
                    break;
                }
                after = shown.last().map(|(key, _)| key.clone());
            }
            prop_assert_eq!(shown, part(&entries, &prefix));
        }
    }
}
