//! The format against the spec's text, byte by byte.

use super::*;
use proptest::prelude::*;

fn payload() -> TrustPayload {
    TrustPayload {
        kind: TrustKind::Edge,
        from: [0x11; 20],
        to: [0x22; 20],
        weight: -2,
        bond: 10_200_000,
        timestamp: 1_700_000_000,
    }
}

/// cascoin-l1.md 2.2, written out by hand.
#[test]
fn the_scripts_are_those_of_the_specification() {
    let body = [
        "1111111111111111111111111111111111111111",
        "2222222222222222222222222222222222222222",
        "feff",
        "c0a39b0000000000",
        "00f15365",
    ]
    .concat();
    let edge = format!("6a0443564d31010436{body}");
    assert_eq!(hex::encode(payload().script()), edge);
    let vote = TrustPayload { kind: TrustKind::Vote, ..payload() };
    assert_eq!(hex::encode(vote.script()), format!("6a0443564d31010536{body}"));
    assert_eq!(vote.script().len(), 63, "within the 83 bytes that L1 relays");
    for read in [payload(), vote] {
        assert_eq!(TrustPayload::read(&read.script()), Some(read));
    }
}

#[test]
fn there_is_one_form_and_no_other() {
    let good = payload().script();
    let changed = |at: usize, byte: u8| {
        let mut script = good.clone();
        script[at] = byte;
        TrustPayload::read(&script)
    };
    // OP_RETURN, magic, push of the type, other types, length.
    for (at, byte) in
        [(0, 0x51), (1, 5), (2, b'c'), (6, 0), (7, 3), (7, 6), (7, 0), (8, 53), (8, 0x4c)]
    {
        assert_eq!(changed(at, byte), None, "{byte} at {at}");
    }
    // Weight 101 and −101, a negative bond.
    let weight_at = 9 + 40;
    for weight in [101i16, -101, i16::MIN, i16::MAX] {
        let mut script = good.clone();
        script[weight_at..weight_at + 2].copy_from_slice(&weight.to_le_bytes());
        assert_eq!(TrustPayload::read(&script), None, "{weight}");
    }
    assert_eq!(changed(weight_at + 9, 0x80), None);
    let longer = [good.as_slice(), &[0]].concat();
    assert_eq!(TrustPayload::read(&longer), None);
    // The same payload by another form of push.
    let mut pushed = good.clone();
    pushed.insert(8, 0x4c);
    assert_eq!(TrustPayload::read(&pushed), None);
    assert!(is_container(&pushed) && is_container(&good[..6]) && !is_container(&good[1..]));
}

/// Numbers as Bitcoin's scripts write them.
#[test]
fn heights_are_script_numbers() {
    for (number, bytes) in [
        (0, "00"),
        (1, "51"),
        (16, "60"),
        (17, "0111"),
        (127, "017f"),
        (128, "028000"),
        (1_440, "02a005"),
        (32_767, "02ff7f"),
        (32_768, "03008000"),
        (326_440, "0328fb04"),
        (8_388_608, "0400008000"),
        (u32::MAX, "05ffffffff00"),
    ] {
        let mut script = Vec::new();
        push_number(&mut script, number);
        assert_eq!(hex::encode(script), bytes, "{number}");
    }
}

/// The redeem script written out, hashed by other means.
#[test]
fn a_bond_is_locked_by_the_script_of_l1s_wallet() {
    let redeem =
        hex::decode(format!("630328fb04b17576a914{}88ac676a68", "11".repeat(20))).expect("hex");
    let hash = ripemd::Ripemd160::digest(sp_crypto_hashing::sha2_256(&redeem));
    let expected = format!("a914{}87", hex::encode(hash));
    assert_eq!(hex::encode(bond_script(&[0x11; 20], 326_440)), expected);
}

#[test]
fn a_bond_must_be_locked_for_long_and_to_the_right_key() {
    let payload = payload();
    // The wallet saw block 325,000.
    let script = bond_script(&payload.from, 325_000 + BOND_BLOCKS);
    for (height, locked) in [
        (325_000, false),
        (325_001, true),
        (325_001 + MAX_WAIT, true),
        (325_002 + MAX_WAIT, false),
        (0, false),
        (u32::MAX, false),
    ] {
        assert_eq!(payload.locks_bond(&script, height), locked, "{height}");
    }
    let others = TrustPayload { from: [9; 20], ..payload };
    assert!(!others.locks_bond(&script, 325_001));
    // Its owner can spend such an output at once.
    let unlocked = L1Address::PublicKeyHash(payload.from).script();
    assert!(!payload.locks_bond(&unlocked, 325_001));
}

/// A block can hold thousands of outputs that look like bonds at first sight.
#[test]
fn scripts_are_hashed_only_for_outputs_that_pay_to_a_script() {
    let payload = payload();
    let hashes = |script: &[u8]| {
        let mut count = 0;
        let counting = |redeem: &[u8]| {
            count += 1;
            hash160(redeem)
        };
        let locked = payload.locks_bond_by(script, 325_001, counting);
        (locked, count)
    };
    let good = bond_script(&payload.from, 325_000 + BOND_BLOCKS);
    assert_eq!(hashes(&good), (true, 1));
    let oldest = bond_script(&payload.from, 325_000 - MAX_WAIT + BOND_BLOCKS);
    assert_eq!(hashes(&oldest), (true, MAX_WAIT + 1));
    assert_eq!(hashes(&[&good[..22], &[0x88]].concat()), (false, 0));
    for other in [
        b"".as_slice(),
        &good[..22],
        &good[1..],
        &[good.as_slice(), &[0x87]].concat(),
        &L1Address::PublicKeyHash(payload.from).script(),
        &L1Address::WitnessPublicKeyHash(payload.from).script(),
        &L1Address::WitnessScriptHash([3; 32]).script(),
    ] {
        assert_eq!(hashes(other), (false, 0), "{other:?}");
    }
    let strangers = L1Address::ScriptHash([9; 20]).script();
    assert_eq!(hashes(&strangers), (false, MAX_WAIT + 1));
}

proptest! {
    #[test]
    fn payloads_survive_writing_and_reading(
        vote: bool, from: [u8; 20], to: [u8; 20], weight in -100i8..=100,
        bond in 0..=i64::MAX as u64, timestamp: u32,
    ) {
        let kind = if vote { TrustKind::Vote } else { TrustKind::Edge };
        let payload = TrustPayload { kind, from, to, weight, bond, timestamp };
        prop_assert_eq!(TrustPayload::read(&payload.script()), Some(payload));
    }

    #[test]
    fn any_script_is_read_as_it_stands_or_not_at_all(
        random in proptest::collection::vec(any::<u8>(), 0..80),
        at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut damaged = payload().script();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        for script in [random, damaged] {
            if let Some(read) = TrustPayload::read(&script) {
                prop_assert_eq!(read.script(), script);
            }
        }
    }
}
