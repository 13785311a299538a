//! Data pointers, byte by byte, and how they are followed.

use super::*;
use proptest::prelude::*;

fn pointers(parts: &[Vec<u8>]) -> Vec<DataPointer> {
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    DataPointer::to_parts(&parts).expect("a possible number of parts")
}

/// Byte by byte, as docs/l1-formats.md shows it.
#[test]
fn r7_1_data_pointers_have_the_bytes_that_are_documented() {
    let [first, last] = pointers(&[b"abc".to_vec(), b"def".to_vec()])[..] else {
        panic!("two parts");
    };
    let expected = "6a4c4f4341534c32010803000000\
                    0000000000000000000000000000000000000000000000000000000000000000\
                    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\
                    00000200";
    assert_eq!(hex::encode(first.script(3)), expected);
    let expected = "6a4c4f4341534c32010803000000\
                    cac8fad96ad31c9790c602707f7a143e40484d67d52aca819d761227636d2dcd\
                    cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34\
                    01000200";
    assert_eq!(hex::encode(last.script(3)), expected);
    let hash = "ef5385b82afd767f24d0607ab6f0d9f0bcc1b5a6993d34ae1c76343529020ca8";
    assert_eq!(hex::encode(last.link()), hash);
    assert!(first.names(b"abc") && last.names(b"def") && !first.names(b"def"));
}

#[test]
fn a_pointer_to_a_part_that_cannot_be_is_none() {
    let [first, last] = pointers(&[vec![1], vec![2]])[..] else { panic!("two parts") };
    let read = |pointer: DataPointer| DataPointer::read(&pointer.body());
    assert_eq!(read(first), Some(first));
    assert_eq!(read(last), Some(last));
    assert_eq!(read(DataPointer { index: 2, ..last }), None, "not below the count");
    assert_eq!(read(DataPointer { count: 0, ..first }), None, "no parts");
    assert_eq!(read(DataPointer { count: MAX_PARTS + 1, ..last }), None, "too many");
    assert_eq!(read(DataPointer { count: MAX_PARTS, ..last }).map(|read| read.index), Some(1));
    assert_eq!(read(DataPointer { previous: H256([1; 32]), ..first }), None);
    assert_eq!(read(DataPointer { previous: H256::zero(), ..last }), None);
    let body = first.body();
    assert_eq!(DataPointer::read(&body[1..]), None);
    assert_eq!(DataPointer::read(&[&body[..], &[0]].concat()), None);
    assert_eq!(DataPointer::read(&[]), None);
}

#[test]
fn only_possible_numbers_of_parts_have_pointers() {
    let parts = vec![&[7u8][..]; usize::from(MAX_PARTS) + 1];
    assert_eq!(DataPointer::to_parts(&[]), None);
    assert_eq!(DataPointer::to_parts(&parts), None);
    let most = DataPointer::to_parts(&parts[1..]).expect("as many as there may be");
    assert_eq!(most.len(), usize::from(MAX_PARTS));
    let hash = most.last().expect("many").link();
    assert_eq!(follow(&most, &hash), Some(most));
}

#[test]
fn the_hash_is_that_of_the_last_pointer_and_of_no_other() {
    let all = pointers(&[vec![1], vec![2], vec![3]]);
    for pointer in &all[..2] {
        assert_eq!(follow(&all, &pointer.link()), None);
    }
    assert_eq!(follow(&all, &H256::zero()), None);
    assert_eq!(follow(&[], &H256::zero()), None);
}

/// Pointers that no honest writer makes, with links that hold: their writer chose the hash.
#[test]
fn a_chain_that_contradicts_itself_leads_nowhere() {
    let [first, last] = pointers(&[vec![1], vec![2]])[..] else { panic!("two parts") };
    let other_count = DataPointer { count: 3, ..first };
    let odd = DataPointer { previous: other_count.link(), ..last };
    assert_eq!(follow(&[other_count, odd], &odd.link()), None);
    let far = DataPointer { index: 2, count: 3, ..last };
    assert_eq!(follow(&[first, far], &far.link()), None);
}

proptest! {
    /// Whatever strangers write besides, in whatever order: the pointers are found by the
    /// hash alone, and without one of them nothing is.
    #[test]
    fn r7_1_the_parts_of_data_are_found_by_its_hash_among_any_pointers(
        parts in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..4), 1..12,
        ),
        strange in proptest::collection::vec((any::<[u8; 32]>(), 0u16..12, 1u16..12), 0..12),
        order in any::<prop::sample::Index>(),
        missing in any::<prop::sample::Index>(),
    ) {
        let right = pointers(&parts);
        let hash = right.last().expect("one at least").link();
        let theirs = strange.into_iter().map(|(part, index, count)| {
            // Also in the places of the right ones.
            let previous = right.get(usize::from(index)).map_or(H256(part), |p| p.previous);
            DataPointer { previous, part: H256(part), index, count }
        });
        let mut all: Vec<_> = right.iter().copied().chain(theirs).collect();
        let turn = order.index(all.len());
        all.rotate_left(turn);
        prop_assert_eq!(follow(&all, &hash), Some(right.clone()));
        let lost = right[missing.index(right.len())];
        all.retain(|pointer| *pointer != lost);
        prop_assert_eq!(follow(&all, &hash), None);
    }

    #[test]
    fn p9_every_data_pointer_reads_as_it_was_written(
        parts in 1usize..20, at in any::<prop::sample::Index>(), chain_id in 1u32..,
    ) {
        let parts: Vec<_> = (0..parts).map(|n| vec![n as u8; n]).collect();
        let pointer = pointers(&parts)[at.index(parts.len())];
        let script = pointer.script(chain_id);
        let message = Message::read(&script).expect("marked").expect("readable");
        prop_assert_eq!((message.kind, message.chain_id), (MessageKind::DataPointer, chain_id));
        prop_assert_eq!(DataPointer::read(message.body), Some(pointer));
    }

    #[test]
    fn any_body_is_read_without_a_panic(
        mut body in proptest::collection::vec(any::<u8>(), 0..90), fits: bool, index in 0u8..3,
    ) {
        if fits {
            body.resize(BODY_LEN, 0);
            body[64..].copy_from_slice(&[index, 0, 2, 0]);
        }
        if let Some(pointer) = DataPointer::read(&body) {
            prop_assert_eq!(pointer.body(), body);
        }
    }
}
