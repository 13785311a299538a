use super::*;
use crate::wire::{SignedVote, SigningContext};
use cascoin_bft::{BlockId, Height, Round, SequencerIndex, Vote, VoteKind};
use sp_core::Pair as _;

fn key(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

fn vote(height: u32, round: u16) -> Record {
    let context = SigningContext { genesis: BlockHash::zero(), set_id: 0 };
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: Height(height),
        round: Round(round),
        block: Some(BlockId([7; 32])),
        voter: SequencerIndex(1),
    };
    Record::Vote(SignedVote::new(&vote, &context, ed25519::Signature::from_raw([3; 64])))
}

fn rounds(memory: &Memory, height: u32) -> Vec<u16> {
    memory.votes_at(Height(height)).map(|vote| vote.vote().round.0).collect()
}

#[test]
fn a_log_remembers_what_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(1).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(4, 0)]).unwrap();
    wal.append(&[vote(5, 0)]).unwrap();
    wal.append(&[vote(5, 1)]).unwrap();
    wal.append(&[Record::Lock { height: 5, round: 1, block: [7; 32].into() }]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert_eq!(rounds(&memory, 5), [0, 1]);
    let recovery = memory.recovery(Height(5));
    assert_eq!(recovery.votes.len(), 2);
    assert_eq!(recovery.lock, Some((Round(1), BlockId([7; 32]))));
    assert_eq!(memory.recovery(Height(6)).lock, None);
}

#[test]
fn a_torn_end_is_cut_off_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(2).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(1, 0)]).unwrap();
    wal.sync().unwrap();
    let whole = wal.current.len();
    wal.append(&[vote(1, 1)]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    let path = segment_path(&folder.path().join(hex::encode(key.0)), 1);
    let bytes = fs::read(&path).unwrap();
    for end in whole..bytes.len() as u64 {
        fs::write(&path, &bytes[..end as usize]).unwrap();
        let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
        assert_eq!(rounds(&memory, 1), [0], "cut at byte {end}");
    }
}

#[test]
fn damage_before_the_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(3).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    let header = wal.current.len() as usize;
    wal.append(&[vote(1, 0)]).unwrap();
    wal.append(&[vote(1, 1)]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    let path = segment_path(&folder.path().join(hex::encode(key.0)), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[header + 12] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let result = Wal::open(folder.path(), BlockHash::zero(), key, true);
    assert!(matches!(result, Err(WalError::Damaged { .. })));
}

#[test]
fn a_missing_log_is_made_for_a_new_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(10).public();
    let missing = Wal::open(folder.path(), BlockHash::zero(), key, false);
    let Err(error @ WalError::Missing { .. }) = missing else { panic!("a log from nowhere") };
    assert!(error.to_string().contains("--accept-missing-log"), "{error}");
    drop(Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap());
    Wal::open(folder.path(), BlockHash::zero(), key, false).unwrap();
}

#[test]
fn a_log_can_be_read_beside_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    assert!(read_all(&folder.path().join("none")).unwrap().is_empty());
    let key = key(11).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(1, 0), vote(1, 1)]).unwrap();
    let logs = read_all(folder.path()).unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].0, hex::encode(key.0));
    assert_eq!(logs[0].1[1..], [vote(1, 0), vote(1, 1)]);
    let shown = logs[0].1[2].to_json();
    assert_eq!((&shown["record"], &shown["round"]), (&"prevote".into(), &1.into()));
    let line = logs[0].1[2].to_line();
    assert!(line.starts_with("prevote height 1 round 1 voter 1 block 0x0707"), "{line}");
    assert_eq!((logs[0].1[0].height(), logs[0].1[2].height()), (None, Some(1)));
}

#[test]
fn a_log_of_another_chain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(4).public();
    drop(Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap());
    let result = Wal::open(folder.path(), BlockHash::repeat_byte(1), key, true);
    assert!(matches!(result, Err(WalError::Foreign { what: "chain", .. })));
}

#[test]
fn one_key_is_used_once_per_machine() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = key(5).public();
    let first = Wal::open(one.path(), BlockHash::zero(), key, true).unwrap();
    let second = Wal::open(two.path(), BlockHash::zero(), key, true);
    assert!(matches!(second, Err(WalError::InUse { .. })));
    drop(first);
    Wal::open(two.path(), BlockHash::zero(), key, true).unwrap();
}

#[test]
fn old_segments_go_and_the_newest_stay() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(6).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    for height in 1..=8 {
        wal.append(&[vote(height, 0)]).unwrap();
        wal.sync().unwrap();
        wal.rotate().unwrap();
    }
    drop(wal);
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert!(rounds(&memory, 1).is_empty());
    assert_eq!(rounds(&memory, 8), [0]);
    let left = segment_numbers(&folder.path().join(hex::encode(key.0))).unwrap();
    assert_eq!(left, [5, 6, 7, 8, 9]);
}

#[test]
fn damage_of_a_length_is_found_too() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(7).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    let header = wal.current.len() as usize;
    for height in 1..=3 {
        wal.append(&[vote(height, 0)]).unwrap();
    }
    wal.sync().unwrap();
    drop(wal);
    let path = segment_path(&folder.path().join(hex::encode(key.0)), 1);
    let whole = fs::read(&path).unwrap();
    // Its length now reaches beyond the file, as that of a torn write does.
    let mut bytes = whole.clone();
    bytes[header + 3] = 0xff;
    fs::write(&path, &bytes).unwrap();
    let result = Wal::open(folder.path(), BlockHash::zero(), key, true);
    assert!(matches!(result, Err(WalError::Damaged { .. })), "votes stand behind it");
    // What a power cut may leave of a file that grew: nothing but zeros.
    let mut bytes = whole;
    bytes.resize(bytes.len() + 5_000, 0);
    fs::write(&path, &bytes).unwrap();
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert_eq!(rounds(&memory, 3), [0]);
}

#[test]
fn what_was_written_together_is_there_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(8).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    let before = wal.current.len();
    wal.append(&[vote(1, 0), vote(1, 1), vote(1, 2)]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    let path = segment_path(&folder.path().join(hex::encode(key.0)), 1);
    let bytes = fs::read(&path).unwrap();
    for end in before..bytes.len() as u64 {
        fs::write(&path, &bytes[..end as usize]).unwrap();
        let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
        assert!(rounds(&memory, 1).is_empty(), "cut at byte {end}");
    }
    fs::write(&path, &bytes).unwrap();
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert_eq!(rounds(&memory, 1), [0, 1, 2]);
}

#[test]
fn a_log_says_up_to_where_it_binds() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(9).public();
    let (mut wal, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert_eq!(memory.highest(), None);
    wal.append(&[vote(4, 0), vote(9, 2), vote(6, 0)]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    for _ in 0..3 {
        // Each opening writes the last height once more, and it counts once.
        let (_, mut memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
        assert_eq!(memory.highest(), Some(Height(9)));
        assert_eq!(rounds(&memory, 9), [2]);
        memory.forget_below(Height(6));
        assert!(rounds(&memory, 4).is_empty());
        assert_eq!((rounds(&memory, 6), rounds(&memory, 9)), (vec![0], vec![2]));
    }
}
