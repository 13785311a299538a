use super::*;
use crate::wire::{CertifiedBlock, Instance, SignedVote, SigningContext};
use cascoin_bft::{BlockId, Height, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock},
    consensus::{Certificate, GrandpaRound},
};
use sp_core::Pair as _;
use sp_runtime::{traits::Block as _, OpaqueExtrinsic};

fn key(seed: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[seed; 32])
}

fn at(height: u32, set_id: u64) -> Instance {
    Instance { height: Height(height), set_id }
}

fn vote(height: u32, round: u16) -> Record {
    vote_in(0, height, round)
}

fn vote_in(set_id: u64, height: u32, round: u16) -> Record {
    let context = SigningContext { genesis: BlockHash::zero(), set_id };
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
    memory.votes_at(at(height, 0)).map(|vote| vote.vote().round.0).collect()
}

#[test]
fn a_log_remembers_what_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(1).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(4, 0)]).unwrap();
    wal.append(&[vote(5, 0)]).unwrap();
    wal.append(&[vote(5, 1)]).unwrap();
    wal.append(&[Record::Lock { height: 5, set_id: 0, round: 1, block: [7; 32].into() }]).unwrap();
    wal.sync().unwrap();
    drop(wal);
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    assert_eq!(rounds(&memory, 5), [0, 1]);
    let recovery = memory.recovery(at(5, 0));
    assert_eq!(recovery.votes.len(), 2);
    assert_eq!(recovery.lock, Some((Round(1), BlockId([7; 32]))));
    assert_eq!(memory.recovery(at(6, 0)).lock, None);
}

/// R17.6: behind the base of a hand-over another set decides the height anew. What was said,
/// locked and decided in the old set binds nobody there, and who has spoken in the new one
/// speaks no more in the old one.
#[test]
fn r17_6_what_binds_in_one_set_binds_in_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(18).public();
    let header = |root: u8| Header {
        parent_hash: BlockHash::zero(),
        number: 5,
        state_root: BlockHash::repeat_byte(root),
        extrinsics_root: Default::default(),
        digest: Default::default(),
    };
    let [old, new] = [1, 2].map(|root| OpaqueBlock { header: header(root), extrinsics: vec![] });
    let lock = |set_id, round, block: &OpaqueBlock| Record::Lock {
        height: 5,
        set_id,
        round,
        block: block.hash(),
    };
    let decided = |set_id, block: &OpaqueBlock| Record::Decided {
        height: 5,
        set_id,
        block: block.hash(),
        certificate: Certificate {
            round: GrandpaRound { epoch: 0, height: 5, round: 0 }.into(),
            commit: sp_consensus_grandpa::Commit::<Header> {
                target_hash: block.hash(),
                target_number: 5,
                precommits: Vec::new(),
            },
            votes_ancestries: Vec::new(),
        },
    };
    let open = || Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    let voted = |memory: &Memory, set_id| {
        let rounds = memory.votes_at(at(5, set_id)).map(|vote| vote.vote().round.0);
        rounds.collect::<Vec<_>>()
    };
    let imported = |memory: &Memory, set_id| {
        memory.decided_at(at(5, set_id)).map(|CertifiedBlock { block, .. }| block)
    };

    let (mut wal, _) = open();
    wal.append(&[Record::Block(old.clone()), vote(5, 0), lock(0, 0, &old), vote(5, 1)]).unwrap();
    wal.append(&[decided(0, &old)]).unwrap();
    drop(wal);
    let (mut wal, memory) = open();
    assert_eq!(memory.highest(), Some(at(5, 0)));
    let recovery = memory.recovery(at(5, 3));
    assert!(recovery.votes.is_empty() && recovery.lock.is_none() && recovery.valid.is_none());
    assert_eq!(memory.recovery(at(5, 0)).lock, Some((Round(0), BlockId(old.hash().0))));
    assert_eq!((imported(&memory, 0), imported(&memory, 3)), (Some(old.clone()), None));

    wal.append(&[Record::Block(new.clone()), vote_in(3, 5, 0), lock(3, 0, &new)]).unwrap();
    wal.append(&[decided(3, &new)]).unwrap();
    drop(wal);
    // Each opening writes what binds once more, of both sets.
    for _ in 0..2 {
        let (_, mut memory) = open();
        assert_eq!(memory.highest(), Some(at(5, 3)));
        assert_eq!((voted(&memory, 0), voted(&memory, 3)), (vec![0, 1], vec![0]));
        assert_eq!(memory.recovery(at(5, 3)).lock, Some((Round(0), BlockId(new.hash().0))));
        assert_eq!(memory.recovery(at(5, 0)).lock, None, "it is left for good");
        let both = (imported(&memory, 0), imported(&memory, 3));
        assert_eq!(both, (Some(old.clone()), Some(new.clone())));
        memory.forget_below(Height(6));
        assert_eq!((memory.highest(), imported(&memory, 3)), (None, None));
    }
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

/// A file system that loses what was synced, or somebody who cuts a file: the key has
/// signed, so what is left is no new log.
#[test]
fn a_log_without_its_beginning_is_not_new() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(13).public();
    let open = |new_key| Wal::open(folder.path(), BlockHash::zero(), key, new_key).map(|_| ());
    open(true).unwrap();
    let path = segment_path(&folder.path().join(hex::encode(key.0)), 1);
    let whole = fs::read(&path).unwrap();
    for end in 1..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        assert!(matches!(open(true), Err(WalError::Damaged { .. })), "cut at byte {end}");
    }
    fs::write(&path, vec![0; whole.len()]).unwrap();
    assert!(matches!(open(true), Err(WalError::Damaged { .. })), "zeros");
    let mut newer = whole.clone();
    newer[8] += 1;
    fs::write(&path, newer).unwrap();
    assert!(matches!(open(true), Err(WalError::Version { version: 3, .. })));
    fs::write(&path, []).unwrap();
    assert!(matches!(open(false), Err(WalError::Missing { .. })), "an empty file");
    open(true).unwrap();
    open(false).unwrap();
}

#[test]
fn a_crash_while_a_log_is_made_leaves_a_new_key_new() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(14).public();
    let log = folder.path().join(hex::encode(key.0));
    fs::create_dir_all(&log).unwrap();
    fs::write(log.join("000001.new"), "CASL2").unwrap();
    assert!(matches!(
        Wal::open(folder.path(), BlockHash::zero(), key, false),
        Err(WalError::Missing { .. })
    ));
    drop(Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap());
    Wal::open(folder.path(), BlockHash::zero(), key, false).unwrap();
}

#[test]
fn a_segment_that_is_missing_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(15).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    (0..3).for_each(|_| wal.rotate().unwrap());
    drop(wal);
    for number in 1..=3 {
        let path = segment_path(&folder.path().join(hex::encode(key.0)), number);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let result = Wal::open(folder.path(), BlockHash::zero(), key, true);
        assert!(matches!(result, Err(WalError::Gap { path: found }) if found == path));
        fs::write(&path, []).unwrap();
        let result = Wal::open(folder.path(), BlockHash::zero(), key, true);
        assert!(matches!(result, Err(WalError::Damaged { .. })), "{number} is empty");
        fs::write(&path, whole).unwrap();
    }
    Wal::open(folder.path(), BlockHash::zero(), key, false).unwrap();
}

/// A user may put a whole frame into a transaction, and so into a block's record.
#[test]
fn a_frame_within_a_block_does_not_make_a_torn_write_damage() {
    let (folder, users) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = key(16).public();
    let path = |base: &Path| segment_path(&base.join(hex::encode(key.0)), 1);
    let (mut wal, _) = Wal::open(users.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(1, 0)]).unwrap();
    drop(wal);
    let crafted = fs::read(path(users.path())).unwrap();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    wal.append(&[vote(1, 0)]).unwrap();
    let before = wal.current.len();
    let header = Header {
        parent_hash: BlockHash::zero(),
        number: 2,
        state_root: Default::default(),
        extrinsics_root: Default::default(),
        digest: Default::default(),
    };
    let extrinsics = vec![OpaqueExtrinsic::from_blob(crafted)];
    wal.append(&[Record::Block(OpaqueBlock { header, extrinsics }), vote(2, 0)]).unwrap();
    drop(wal);
    let mut bytes = fs::read(path(folder.path())).unwrap();
    bytes.pop();
    assert!(bytes.len() as u64 > before);
    fs::write(path(folder.path()), bytes).unwrap();
    let (_, memory) = Wal::open(folder.path(), BlockHash::zero(), key, false).unwrap();
    assert_eq!((rounds(&memory, 1), rounds(&memory, 2)), (vec![0], vec![]));
}

#[test]
fn a_lock_file_of_another_user_is_used_or_explained() {
    let key = key(17).public();
    let path = lock::path(BlockHash::zero(), key);
    let _ = fs::remove_file(&path);
    fs::write(&path, []).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    let first = KeyLock::take(BlockHash::zero(), key).unwrap();
    assert!(matches!(KeyLock::take(BlockHash::zero(), key), Err(WalError::InUse { .. })));
    drop(first);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &path).unwrap();
    let result = KeyLock::take(BlockHash::zero(), key);
    fs::remove_file(&path).unwrap();
    assert!(matches!(result, Err(WalError::LockFile { .. })));
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
    assert_eq!((&logs[0].key, &logs[0].unread), (&hex::encode(key.0), &vec![]));
    let records = &logs[0].records;
    assert_eq!(records[1..], [vote(1, 0), vote(1, 1)]);
    let shown = records[2].to_json();
    assert_eq!((&shown["record"], &shown["round"]), (&"prevote".into(), &1.into()));
    let line = records[2].to_line();
    assert!(line.starts_with("prevote height 1 round 1 voter 1 block 0x0707"), "{line}");
    assert_eq!((records[0].height(), records[2].height()), (None, Some(1)));
}

#[test]
fn what_cannot_be_read_of_a_log_is_named_and_the_rest_shown() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(12).public();
    let (mut wal, _) = Wal::open(folder.path(), BlockHash::zero(), key, true).unwrap();
    let start = wal.current.len();
    wal.append(&[vote(1, 0)]).unwrap();
    wal.rotate().unwrap();
    wal.append(&[vote(2, 0)]).unwrap();
    let whole = wal.current.len();
    wal.append(&[vote(2, 1)]).unwrap();
    drop(wal);
    let path = |number| segment_path(&folder.path().join(hex::encode(key.0)), number);
    let unread = || {
        let mut logs = read_all(folder.path()).unwrap();
        (logs[0].records.split_off(1), std::mem::take(&mut logs[0].unread))
    };
    let mut bytes = fs::read(path(2)).unwrap();
    bytes.pop();
    fs::write(path(2), &bytes).unwrap();
    let bytes = bytes.len() as u64 - whole;
    let torn = Unread { path: path(2), offset: whole, bytes, why: Why::Unfinished };
    assert_eq!(unread().1, [torn]);
    let mut old = fs::read(path(1)).unwrap();
    let last = old.len() - 1;
    old[last] ^= 1;
    fs::write(path(1), &old).unwrap();
    let bytes = old.len() as u64 - start;
    let damage = Unread { path: path(1), offset: start, bytes, why: Why::Damaged };
    let (records, found) = unread();
    assert_eq!(found[0], damage);
    assert_eq!(records[1..], [vote(2, 0)], "behind the damage");
    fs::remove_file(path(1)).unwrap();
    assert_eq!(unread().1[0].why, Why::Missing);
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
        assert_eq!(memory.highest(), Some(at(9, 0)));
        assert_eq!(rounds(&memory, 9), [2]);
        memory.forget_below(Height(6));
        assert!(rounds(&memory, 4).is_empty());
        assert_eq!((rounds(&memory, 6), rounds(&memory, 9)), (vec![0], vec![2]));
    }
}
