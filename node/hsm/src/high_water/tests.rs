use super::*;
use proptest::prelude::*;
use std::cell::Cell;

const KEY: [u8; 32] = [7; 32];
const GENESIS: Option<[u8; 32]> = Some([1; 32]);

fn at(height: u32, round: u16, step: u8) -> Position {
    in_set(0, height, round, step)
}

fn in_set(set_id: u64, height: u32, round: u16, step: u8) -> Position {
    Position { epoch: 0, height, set_id, round, step }
}

fn fresh() -> (tempfile::TempDir, HighWater) {
    let folder = tempfile::tempdir().unwrap();
    let marks = HighWater::new(folder.path().to_owned());
    marks.begin(KEY).unwrap();
    (folder, marks)
}

fn sign(marks: &HighWater, position: Position, message: &[u8]) -> Result<(), HighWaterError> {
    marks.sign(KEY, position, GENESIS, message, || Ok(()))
}

/// Where the mark of `KEY` is.
fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(hex::encode(KEY))
}

#[test]
fn a_mark_rises_and_never_falls() {
    let (_folder, marks) = fresh();
    sign(&marks, at(5, 1, 1), b"a").unwrap();
    sign(&marks, at(5, 1, 1), b"a").unwrap();
    for lower in [at(5, 1, 1), at(5, 1, 0), at(5, 0, 2), at(4, 9, 2)] {
        let refused = sign(&marks, lower, b"b");
        assert!(matches!(refused, Err(HighWaterError::Refused { .. })), "{lower}");
    }
    for higher in [at(5, 1, 2), at(5, 2, 0), at(6, 0, 1)] {
        sign(&marks, higher, b"c").unwrap();
    }
}

/// R17.6: who goes on in the set of a hand-over signs there from the first round on, at a height
/// that it had signed for the old set, and never again for that one.
#[test]
fn r17_6_a_key_signs_for_a_later_set_of_a_height_and_no_more_for_the_earlier_one() {
    let (folder, marks) = fresh();
    sign(&marks, in_set(0, 5, 7, 2), b"a").unwrap();
    sign(&marks, in_set(2, 5, 0, 1), b"b").unwrap();
    drop(marks);
    let marks = HighWater::new(folder.path().to_owned());
    for old in [in_set(0, 5, 7, 2), in_set(0, 5, 8, 0), in_set(1, 5, 9, 1)] {
        assert!(matches!(sign(&marks, old, b"a"), Err(HighWaterError::Refused { .. })), "{old}");
    }
    sign(&marks, in_set(2, 5, 0, 1), b"b").unwrap();
    sign(&marks, in_set(2, 5, 0, 2), b"c").unwrap();
    sign(&marks, in_set(2, 6, 0, 0), b"d").unwrap();
}

#[test]
fn the_folder_is_made_with_all_that_is_above_it() {
    let above = tempfile::tempdir().unwrap();
    let marks = HighWater::new(above.path().join("chains/one/hsm"));
    for _ in 0..2 {
        marks.begin(KEY).unwrap();
        marks.check(KEY).unwrap();
    }
}

#[test]
fn a_refusal_says_what_was_signed_and_what_was_asked() {
    let (_folder, marks) = fresh();
    sign(&marks, at(5, 1, 2), b"a").unwrap();
    let said = sign(&marks, at(5, 0, 1), b"b").unwrap_err().to_string();
    assert!(said.contains("precommit of height 5 round 1"), "{said}");
    assert!(said.contains("another prevote of height 5 round 0"), "{said}");
}

#[test]
fn a_mark_outlasts_the_process() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    drop(marks);
    let marks = HighWater::new(folder.path().to_owned());
    assert!(sign(&marks, at(5, 0, 1), b"b").is_err());
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    sign(&marks, at(5, 0, 2), b"c").unwrap();
}

#[test]
fn what_was_not_signed_leaves_no_mark() {
    let (_folder, marks) = fresh();
    let failed = marks.sign(KEY, at(5, 0, 1), GENESIS, b"a", || {
        Err::<(), _>(HighWaterError::InUse { path: "the token is gone".into() })
    });
    assert!(failed.is_err());
    sign(&marks, at(5, 0, 1), b"b").unwrap();
}

/// The mark is on the disk when the caller gets the signature: a crash in between is as if
/// the signature had been given out.
#[test]
fn a_crash_between_mark_and_signature_binds_the_key() {
    let (folder, marks) = fresh();
    let during = Cell::new(Vec::new());
    marks
        .sign(KEY, at(5, 0, 1), GENESIS, b"a", || {
            during.set(fs::read(file(&folder)).unwrap());
            Ok::<_, HighWaterError>(())
        })
        .unwrap();
    drop(marks);
    let says = |bytes: &[u8]| {
        let newest = SLOTS.iter().filter_map(|slot| decode(slot_of(bytes, *slot)));
        newest.max_by_key(|mark| mark.sequence).unwrap().last
    };
    assert_eq!(says(&during.take()), None, "the signature is not given out yet");
    assert_eq!(says(&fs::read(file(&folder)).unwrap()), Some((at(5, 0, 1), b"a".to_vec())));
    let marks = HighWater::new(folder.path().to_owned());
    assert!(sign(&marks, at(5, 0, 1), b"b").is_err());
}

#[test]
fn a_torn_write_leaves_the_mark_before_it() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    sign(&marks, at(5, 0, 2), b"b").unwrap();
    drop(marks);
    let path = file(&folder);
    let bytes = fs::read(&path).unwrap();
    let sequence = |slot: &&u64| decode(slot_of(&bytes, **slot)).unwrap().sequence;
    let newest = *SLOTS.iter().max_by_key(sequence).unwrap();
    let handle = OpenOptions::new().write(true).open(&path).unwrap();
    handle.write_all_at(&[0xff; 40], newest + 20).unwrap();
    let marks = HighWater::new(folder.path().to_owned());
    assert!(sign(&marks, at(5, 0, 1), b"x").is_err(), "the mark before it holds");
    sign(&marks, at(5, 0, 2), b"other").unwrap();
}

#[test]
fn a_missing_or_damaged_mark_is_refused_and_never_made_anew_by_itself() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    drop(marks);
    let path = file(&folder);
    let whole = fs::read(&path).unwrap();
    let marks = || HighWater::new(folder.path().to_owned());
    for damaged in [Vec::new(), vec![0; 10], vec![0xff; whole.len()]] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(sign(&marks(), at(9, 0, 0), b"x"), Err(HighWaterError::Damaged { .. })));
        // Not even when told that the key is new.
        marks().begin(KEY).unwrap();
        assert!(marks().check(KEY).is_err());
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(sign(&marks(), at(9, 0, 0), b"x"), Err(HighWaterError::Missing { .. })));
    marks().begin(KEY).unwrap();
    sign(&marks(), at(9, 0, 0), b"x").unwrap();
}

#[test]
fn a_mark_tells_the_last_two_messages_also_after_a_restart() {
    let (folder, marks) = fresh();
    assert_eq!(marks.last_signed(KEY).unwrap(), Vec::<Vec<u8>>::new());
    sign(&marks, at(5, 0, 0), b"a").unwrap();
    assert_eq!(marks.last_signed(KEY).unwrap(), [b"a"]);
    sign(&marks, at(5, 0, 1), b"b").unwrap();
    sign(&marks, at(5, 0, 2), b"c").unwrap();
    // Once more, or refused: it is as it was.
    sign(&marks, at(5, 0, 2), b"c").unwrap();
    sign(&marks, at(5, 0, 2), b"d").unwrap_err();
    drop(marks);
    let marks = HighWater::new(folder.path().to_owned());
    assert_eq!(marks.last_signed(KEY).unwrap(), [b"c", b"b"]);
    assert!(matches!(marks.last_signed([8; 32]), Err(HighWaterError::Missing { .. })));
}

/// The longest messages that are votes have their place; what has none is refused.
#[test]
fn a_message_that_does_not_fit_is_refused_and_harms_nothing() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 0), &[1; 93]).unwrap();
    sign(&marks, at(5, 0, 1), &[2; 93]).unwrap();
    let refused = sign(&marks, at(5, 0, 2), &[3; 500]);
    assert!(matches!(refused, Err(HighWaterError::Io { .. })));
    drop(marks);
    let marks = HighWater::new(folder.path().to_owned());
    assert_eq!(marks.last_signed(KEY).unwrap(), [[2; 93], [1; 93]]);
    sign(&marks, at(5, 0, 2), &[3; 93]).unwrap();
}

/// Two processes that find no mark must not end with one mark each.
#[test]
fn a_mark_that_another_process_makes_meanwhile_is_kept() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    // As one that saw no mark before this one was made.
    MarkFile::create(folder.path(), &file(&folder), KEY).unwrap();
    let second = HighWater::new(folder.path().to_owned());
    assert!(matches!(second.check(KEY), Err(HighWaterError::InUse { .. })));
    drop(marks);
    assert!(sign(&second, at(5, 0, 1), b"b").is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
}

#[test]
fn a_mark_of_another_key_is_refused() {
    let (folder, marks) = fresh();
    drop(marks);
    fs::rename(file(&folder), folder.path().join(hex::encode([8; 32]))).unwrap();
    let marks = HighWater::new(folder.path().to_owned());
    assert!(matches!(marks.check([8; 32]), Err(HighWaterError::Damaged { .. })));
}

#[test]
fn a_key_serves_one_chain() {
    let (folder, marks) = fresh();
    sign(&marks, at(5, 0, 1), b"a").unwrap();
    let other = marks.sign(KEY, at(6, 0, 1), Some([2; 32]), b"b", || Ok(()));
    assert!(matches!(other, Err(HighWaterError::OtherChain { .. })));
    marks.sign(KEY, at(6, 0, 2), None, b"c", || Ok::<_, HighWaterError>(())).unwrap();
    drop(marks);
    let of = |genesis| HighWater::new(folder.path().to_owned()).of_chain([genesis; 32]);
    assert!(matches!(of(2).check(KEY), Err(HighWaterError::OtherChain { .. })));
    of(1).check(KEY).unwrap();
}

#[test]
fn two_processes_do_not_share_a_mark() {
    let (folder, marks) = fresh();
    marks.check(KEY).unwrap();
    let second = HighWater::new(folder.path().to_owned());
    assert!(matches!(second.check(KEY), Err(HighWaterError::InUse { .. })));
}

/// A disk that takes no writes costs the signature, and the mark is read again afterwards.
#[test]
fn a_mark_that_cannot_be_written_gives_out_no_signature() {
    let (folder, marks) = fresh();
    marks.check(KEY).unwrap();
    // In place of the open file: one that only reads.
    let slot = marks.open.lock().get(&KEY).cloned().unwrap();
    if let Some(open) = slot.lock().as_mut() {
        open.file = File::open(file(&folder)).unwrap();
    }
    assert!(matches!(sign(&marks, at(5, 0, 1), b"a"), Err(HighWaterError::Io { .. })));
    sign(&marks, at(5, 0, 1), b"b").unwrap();
    assert!(sign(&marks, at(5, 0, 1), b"a").is_err());
}

fn slot_of(bytes: &[u8], slot: u64) -> &[u8; SLOT_BYTES] {
    bytes[usize::try_from(slot).unwrap()..][..SLOT_BYTES].try_into().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..Default::default() })]

    /// Whatever is asked in whatever order, with restarts: no two messages are signed at one
    /// position, and positions never fall.
    #[test]
    fn no_two_messages_at_one_position(
        asked in prop::collection::vec(
            ((0..3u32, 0..2u64), 0..2u16, 0..3u8, 0..2u8, prop::bool::weighted(0.1)),
            1..40,
        )
    ) {
        let (folder, mut marks) = fresh();
        let mut signed: Vec<(Position, u8)> = Vec::new();
        for ((height, set_id), round, step, message, restart) in asked {
            if restart {
                drop(marks);
                marks = HighWater::new(folder.path().to_owned());
            }
            let position = in_set(set_id, height, round, step);
            // As in the real messages, the position is part of the bytes.
            let bytes = (position, message).encode();
            if marks.sign(KEY, position, GENESIS, &bytes, || Ok::<_, HighWaterError>(())).is_ok() {
                if let Some((last, said)) = signed.last() {
                    prop_assert!(*last < position || (*last, *said) == (position, message));
                }
                signed.push((position, message));
            }
        }
    }
}
