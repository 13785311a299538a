//! Whatever the pages' sizes and the limits are, what is restored is as it was and what is
//! not is as it is.

use super::{restore, Cursor, RestoreError, State, StatePage};
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Bound};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

impl State for Entries {
    fn next_key(&self, after: &[u8]) -> Option<Vec<u8>> {
        let behind: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Excluded(after), Bound::Unbounded);
        self.range::<[u8], _>(behind).next().map(|(key, _)| key.clone())
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        BTreeMap::get(self, key).cloned()
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.insert(key.to_vec(), value.to_vec());
    }

    fn remove(&mut self, key: &[u8]) {
        BTreeMap::remove(self, key);
    }
}

fn page(of: &Entries, prefix: &[u8], after: Option<&[u8]>, size: usize) -> StatePage {
    let due = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
    let mut entries: Vec<_> = of
        .iter()
        .filter(|(key, _)| due(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let complete = entries.len() <= size;
    entries.truncate(size);
    StatePage { entries, complete }
}

fn entries(pairs: &[(&str, u8)]) -> Entries {
    pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), vec![*value])).collect()
}

#[test]
fn what_changed_is_set_back_what_came_is_removed_and_what_went_returns() {
    let old = entries(&[("a1", 1), ("a2", 2), ("a4", 4), ("b1", 9)]);
    let mut now = entries(&[("a0", 7), ("a1", 1), ("a2", 3), ("a3", 8), ("b1", 6)]);
    let (parts, mut cursor) = ([b"a".to_vec()], Cursor::default());
    let whole = page(&old, b"a", None, 9);
    assert_eq!(restore(&mut now, &parts, &mut cursor, &whole, 100), Ok(5));
    assert_eq!(now, entries(&[("a1", 1), ("a2", 2), ("a4", 4), ("b1", 6)]));
    assert_eq!(cursor, Cursor { part: 1, after: None });
    let again = restore(&mut now, &parts, &mut cursor, &whole, 100);
    assert_eq!(again, Err(RestoreError::Done));
}

#[test]
fn a_page_says_nothing_of_what_is_behind_it() {
    let old = entries(&[("a1", 1), ("a5", 5)]);
    let mut now = entries(&[("a0", 7), ("a3", 8)]);
    let (parts, mut cursor) = ([b"a".to_vec()], Cursor::default());
    let first = page(&old, b"a", None, 1);
    assert_eq!(restore(&mut now, &parts, &mut cursor, &first, 100), Ok(2));
    assert_eq!(now, entries(&[("a1", 1), ("a3", 8)]));
    assert_eq!(cursor, Cursor { part: 0, after: Some(b"a1".to_vec()) });
}

#[test]
fn a_limit_ends_a_step_in_the_middle_of_a_page() {
    let old = entries(&[("a1", 1), ("a2", 2)]);
    // More than one step may remove: anybody can make accounts.
    let mut now: Entries = (0..50u8).map(|n| (vec![b'a', n], vec![0])).collect();
    let (parts, mut cursor) = ([b"a".to_vec()], Cursor::default());
    let mut steps = 0;
    while cursor.due(&parts).is_some() {
        let due = page(&old, b"a", cursor.after.as_deref(), 9);
        let looked_at = restore(&mut now, &parts, &mut cursor, &due, 10);
        assert!(looked_at.is_ok_and(|count| count <= 10));
        steps += 1;
    }
    // "a1" is the last of the fifty, and "a2" the key after it.
    assert_eq!(now, old);
    assert_eq!(steps, 6);
}

#[test]
fn a_part_may_be_one_key() {
    let old = entries(&[("total", 1)]);
    let (parts, mut cursor) = ([b"total".to_vec()], Cursor::default());
    let mut now = entries(&[("total", 2), ("tota", 3), ("u", 4)]);
    let whole = page(&old, b"total", None, 9);
    assert_eq!(restore(&mut now, &parts, &mut cursor, &whole, 100), Ok(1));
    assert_eq!(now, entries(&[("total", 1), ("tota", 3), ("u", 4)]));
    // And one that there was not.
    let (mut cursor, nothing) = (Cursor::default(), page(&Entries::new(), b"total", None, 9));
    assert_eq!(restore(&mut now, &parts, &mut cursor, &nothing, 100), Ok(1));
    assert_eq!(now, entries(&[("tota", 3), ("u", 4)]));
}

#[test]
fn a_page_that_is_not_due_changes_nothing() {
    let parts = [b"a".to_vec(), b"b".to_vec()];
    let start = entries(&[("a0", 7), ("b0", 7)]);
    // Not through a map: it would put them in order.
    let of = |pairs: &[(&str, u8)], complete| {
        let entry = |(key, value): &(&str, u8)| (key.as_bytes().to_vec(), vec![*value]);
        StatePage { entries: pairs.iter().map(entry).collect(), complete }
    };
    let behind = Cursor { part: 0, after: Some(b"a4".to_vec()) };
    for (cursor, page, error) in [
        (Cursor::default(), of(&[], false), RestoreError::Empty),
        (Cursor::default(), of(&[("b1", 1)], true), RestoreError::WrongEntries),
        (Cursor::default(), of(&[("a2", 1), ("a1", 1)], true), RestoreError::WrongEntries),
        (Cursor::default(), of(&[("a1", 1), ("a1", 1)], true), RestoreError::WrongEntries),
        (behind.clone(), of(&[("a4", 1)], true), RestoreError::WrongEntries),
        (behind, of(&[("a3", 1), ("a5", 1)], true), RestoreError::WrongEntries),
        (Cursor { part: 2, after: None }, of(&[], true), RestoreError::Done),
    ] {
        let (mut now, mut moved) = (start.clone(), cursor.clone());
        assert_eq!(restore(&mut now, &parts, &mut moved, &page, 100), Err(error));
        assert_eq!((now, moved), (start.clone(), cursor));
    }
}

fn states() -> impl Strategy<Value = Entries> {
    let key = prop::collection::vec(0..4u8, 1..5);
    prop::collection::btree_map(key, prop::collection::vec(0..3u8, 0..2), 0..40)
}

proptest! {
    #[test]
    fn p20_what_is_restored_is_as_it_was_and_the_rest_is_as_it_is(
        old in states(),
        now in states(),
        sizes in prop::collection::vec(1..5usize, 1..8),
        limits in prop::collection::vec(1..5u32, 1..8),
    ) {
        let parts = [vec![0], vec![2, 1], vec![3]];
        let restored = |key: &Vec<u8>| parts.iter().any(|part| key.starts_with(part));
        let (mut state, mut cursor) = (now.clone(), Cursor::default());
        let mut turns = sizes.iter().cycle().zip(limits.iter().cycle());
        let mut steps = 0;
        while let Some(part) = cursor.due(&parts) {
            let (size, limit) = turns.next().expect("they go round");
            let due = page(&old, part, cursor.after.as_deref(), *size);
            let looked_at = restore(&mut state, &parts, &mut cursor, &due, *limit);
            prop_assert!(looked_at.is_ok_and(|count| count <= *limit));
            steps += 1;
            prop_assert!(steps <= old.len() + now.len() + parts.len(), "each step gets on");
        }
        let expected: Entries = old
            .into_iter()
            .filter(|(key, _)| restored(key))
            .chain(now.into_iter().filter(|(key, _)| !restored(key)))
            .collect();
        prop_assert_eq!(state, expected);
    }
}
