use super::{builder::*, *};
use proptest::prelude::*;

/// Litecoin's genesis transaction: public, and the same in all its networks.
const COINBASE: &str = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4804ffff001d0104404e592054696d65732030352f4f63742f32303131205374657665204a6f62732c204170706c65e280997320566973696f6e6172792c2044696573206174203536ffffffff0100f2052a010000004341040184710fa689ad5023690c80f3a49c8f13f8d45b8c857fbcbc8bc4a8e4d3eb4b10f4d4604fa08dce601aaf0f470216fe1b51850b4acf21b179c45070ac7b03a9ac00000000";
const COINBASE_ID: &str = "97ddfbbae6be97fd6cdf3e7ca13232a3afff2353e29badfab7f73011edd4ced9";

#[test]
fn a_known_transaction_has_its_known_identifier() {
    let raw = hex::decode(COINBASE).expect("hex");
    let transaction = Transaction::read(&raw).expect("well-formed");
    assert_eq!(transaction.txid.to_string(), COINBASE_ID);
    assert_eq!(transaction.outputs[0].value, 5_000_000_000);
}

#[test]
fn witnesses_do_not_change_the_identifier() {
    let plain = transaction(1, &[(5, vec![0x51])]);
    let with_witness = add_witness(&plain, &[&[1, 2, 3]]);
    let plain = Transaction::read(&plain).expect("plain form");
    let segwit = Transaction::read(&with_witness).expect("BIP 144 form");
    assert_eq!(plain, segwit);
}

#[test]
fn other_flags_are_named_with_their_remedy() {
    let plain = transaction(1, &[(5, vec![0x51])]);
    let mut raw = add_witness(&plain, &[&[1]]);
    raw[5] = 8;
    let error = Transaction::read(&raw).expect_err("MWEB");
    assert_eq!(error, BlockError::UnknownFlag(8));
    assert!(error.to_string().contains("-rpcserialversion=1"));
    let empty = add_witness(&plain, &[]);
    assert_eq!(Transaction::read(&empty), Err(BlockError::EmptyWitness));
}

#[test]
fn every_truncation_and_every_extra_byte_is_refused() {
    let raw = add_witness(&transaction(1, &[(5, vec![0x51; 300]), (6, vec![])]), &[&[7; 260]]);
    Transaction::read(&raw).expect("well-formed");
    for length in 0..raw.len() {
        assert!(Transaction::read(&raw[..length]).is_err(), "{length} of {}", raw.len());
    }
    let longer = [raw.as_slice(), &[0]].concat();
    assert_eq!(Transaction::read(&longer), Err(BlockError::TrailingBytes(1)));
}

#[test]
fn huge_counts_are_refused_before_anything_is_allocated() {
    let mut raw = vec![1, 0, 0, 0];
    raw.push(0xff);
    raw.extend(u64::MAX.to_le_bytes());
    assert_eq!(Transaction::read(&raw), Err(BlockError::Truncated));
    let block = raw_block(&[transaction(1, &[])]);
    let mut raw = block[..HEADER_LEN].to_vec();
    raw.push(0xfe);
    raw.extend(u32::MAX.to_le_bytes());
    let asked = L1Hash::of(&raw[..HEADER_LEN]);
    assert_eq!(Block::read(raw, &asked).map(|_| ()), Err(BlockError::Truncated));
    let huge = vec![0; MAX_BLOCK_BYTES + 1];
    assert_eq!(Block::read(huge, &asked).map(|_| ()), Err(BlockError::TooLarge));
}

#[test]
fn lengths_must_be_short_and_values_positive() {
    let mut raw = transaction(1, &[(5, vec![])]);
    // Version, then the input count 1 as `fd 01 00`.
    raw.splice(4..5, [0xfd, 1, 0]);
    assert_eq!(Transaction::read(&raw), Err(BlockError::LongLength));
    let negative = transaction(1, &[(u64::MAX, vec![])]);
    assert_eq!(Transaction::read(&negative), Err(BlockError::NegativeValue));
}

#[test]
fn a_block_must_be_the_one_asked_for_and_hold_what_its_header_says() {
    for count in 0..9 {
        let transactions: Vec<_> =
            (0..count).map(|n| transaction(n as u8 + 1, &[(n, vec![0x51])])).collect();
        let raw = raw_block(&with_coinbase(&transactions));
        let hash = L1Hash::of(&raw[..HEADER_LEN]);
        let read = Block::read(raw.clone(), &hash).expect("well-formed");
        assert_eq!(read.transaction_count(), count as usize + 1);
        assert_eq!(read.header().hash, hash);

        let other = L1Hash([9; 32]);
        let error = Block::read(raw.clone(), &other).map(|_| ());
        assert_eq!(error, Err(BlockError::WrongHash { found: hash }));

        // The last transaction's lock time: another transaction, same header.
        let mut forged = raw;
        let last = forged.len() - 1;
        forged[last] ^= 1;
        assert_eq!(Block::read(forged, &hash).map(|_| ()), Err(BlockError::WrongMerkleRoot));
    }
}

#[test]
fn repeated_transactions_with_the_same_root_are_refused() {
    // CVE-2012-2459: [a, b, c] and [a, b, c, c] have one root.
    let honest = with_coinbase(&[transaction(1, &[(1, vec![])]), transaction(2, &[(2, vec![])])]);
    let raw = raw_block(&honest);
    let hash = L1Hash::of(&raw[..HEADER_LEN]);
    let mut forged = raw[..HEADER_LEN].to_vec();
    forged.push(4);
    for part in honest.iter().chain([&honest[2]]) {
        forged.extend(part);
    }
    assert_eq!(Block::read(forged, &hash).map(|_| ()), Err(BlockError::WrongMerkleRoot));
}

#[test]
fn only_the_first_transaction_is_a_coinbase() {
    let plain = transaction(1, &[(1, vec![])]);
    for transactions in
        [vec![plain.clone()], vec![coinbase(), plain.clone(), coinbase_with(b"again")]]
    {
        let raw = raw_block(&transactions);
        let hash = L1Hash::of(&raw[..HEADER_LEN]);
        assert_eq!(Block::read(raw, &hash).map(|_| ()), Err(BlockError::MisplacedCoinbase));
    }
}

/// A transaction with a witness, and the same without.
fn with_and_without() -> (Vec<u8>, Vec<u8>) {
    let plain = transaction(1, &[(5, vec![0x51])]);
    (add_witness(&plain, &[&[1, 2, 3]]), plain)
}

/// Reads a block of exactly these transactions.
fn read(transactions: &[Vec<u8>]) -> Result<usize, BlockError> {
    let raw = raw_block(transactions);
    let hash = L1Hash::of(&raw[..HEADER_LEN]);
    Block::read(raw, &hash).map(|block| block.transaction_count())
}

/// Blocks that differ in witnesses only have one hash, so it proves nothing of them.
#[test]
fn a_block_without_its_witnesses_is_refused_with_the_remedy() {
    let (whole, stripped) = with_and_without();
    let other = transaction(2, &[(6, vec![0x51])]);
    for sent in [vec![whole.clone(), other.clone()], vec![stripped.clone(), other], vec![]] {
        assert_eq!(read(&with_commitment(&sent)), Ok(sent.len() + 1));
        // As a node gives it under `-rpcserialversion=0`; also where only the coinbase
        // has a witness to lose.
        let bare = |raw: &Vec<u8>| if *raw == whole { stripped.clone() } else { raw.clone() };
        let mut transactions = vec![committing_coinbase(&sent)];
        transactions.extend(sent.iter().map(bare));
        let hash = |transactions: &[Vec<u8>]| L1Hash::of(&raw_block(transactions)[..HEADER_LEN]);
        assert_eq!(hash(&transactions), hash(&with_commitment(&sent)));
        let error = read(&transactions).expect_err("stripped");
        assert_eq!(error, BlockError::MissingWitnesses);
        assert!(error.to_string().contains("-rpcserialversion=1"));
    }
}

#[test]
fn witnesses_are_those_the_coinbase_commits_to() {
    let (whole, stripped) = with_and_without();
    let changed = add_witness(&stripped, &[&[1, 2, 4]]);
    let sent = [whole.clone(), transaction(2, &[(6, vec![0x51])])];
    let coinbase = committing_coinbase(&sent);
    let with_own = |items: &[&[u8]], first: &[u8]| {
        read(&[add_witness(&coinbase, items), first.to_vec(), sent[1].clone()])
    };
    assert_eq!(with_own(&[&RESERVED_VALUE], &whole), Ok(3));
    for other in [&stripped, &changed] {
        assert_eq!(with_own(&[&RESERVED_VALUE], other), Err(BlockError::WrongWitnesses));
    }
    // The coinbase's own witness is covered too.
    assert_eq!(with_own(&[&[8; 32]], &whole), Err(BlockError::WrongWitnesses));
    let own = RESERVED_VALUE.as_slice();
    for malformed in [vec![&own[..31]], vec![own, own], vec![own, &[]]] {
        assert_eq!(with_own(&malformed, &whole), Err(BlockError::MalformedReservedValue));
    }
}

#[test]
fn without_a_commitment_there_are_no_witnesses() {
    let (whole, stripped) = with_and_without();
    assert_eq!(read(&[coinbase(), stripped.clone()]), Ok(2));
    assert_eq!(read(&[coinbase(), whole]), Err(BlockError::UncommittedWitnesses));
    let own = add_witness(&coinbase(), &[&RESERVED_VALUE]);
    assert_eq!(read(&[own, stripped]), Err(BlockError::UncommittedWitnesses));
}

#[test]
fn the_last_commitment_of_the_coinbase_holds() {
    let (whole, _) = with_and_without();
    let right = commitment(std::slice::from_ref(&whole));
    let wrong = commitment(&[]);
    let read = |scripts: &[&Vec<u8>]| {
        let outputs: Vec<_> = scripts.iter().map(|script| (0, script.to_vec())).collect();
        let coinbase = add_witness(&coinbase_paying(b"cb", &outputs), &[&RESERVED_VALUE]);
        read(&[coinbase, whole.clone()])
    };
    assert_eq!(read(&[&wrong, &right]), Ok(2));
    assert_eq!(read(&[&right, &wrong]), Err(BlockError::WrongWitnesses));
    // What follows the 32 bytes is free; less than them, or another push, is none.
    assert_eq!(read(&[&[right.as_slice(), b"more"].concat()]), Ok(2));
    let short = right[..37].to_vec();
    let other_push = [&[0x6a, 0x25][..], &right[2..]].concat();
    for none in [&short, &other_push] {
        assert_eq!(read(&[none]), Err(BlockError::UncommittedWitnesses));
        assert_eq!(read(&[&right, none]), Ok(2));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Transaction::read(&bytes);
        let hash = L1Hash::of(bytes.get(..HEADER_LEN).unwrap_or_default());
        prop_assert!(Block::read(bytes, &hash).is_err());
    }

    #[test]
    fn damaged_blocks_never_panic_and_never_pass(
        at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<prop::sample::Index>(),
    ) {
        let plain = transaction(1, &[(5, vec![0x6a; 20]), (7, vec![])]);
        let signed = add_witness(&transaction(2, &[(1, plain.clone())]), &[&[9; 70], &[2; 33]]);
        let raw = raw_block(&with_commitment(&[plain, signed]));
        let hash = L1Hash::of(&raw[..HEADER_LEN]);
        let mut damaged = raw.clone();
        let at = at.index(raw.len());
        damaged[at] ^= 1 << bit;
        prop_assert!(Block::read(damaged, &hash).is_err());
        prop_assert!(Block::read(raw[..cut.index(raw.len())].to_vec(), &hash).is_err());
    }

    #[test]
    fn outputs_survive_writing_and_reading(
        outputs in proptest::collection::vec(
            (0..=i64::MAX as u64, proptest::collection::vec(any::<u8>(), 0..300)), 1..8),
    ) {
        let raw = transaction(3, &outputs);
        let read = Transaction::read(&raw).expect("well-formed");
        let read: Vec<_> = read.outputs.iter().map(|o| (o.value, o.script.to_vec())).collect();
        prop_assert_eq!(read, outputs);
    }
}
