//! A stake message and its lock, byte by byte.

use super::*;
use proptest::prelude::*;

fn payload(unlock: u32) -> StakePayload {
    StakePayload { account: AccountId::new([0x11; 32]), unlock, owner: [0x22; 20] }
}

/// Byte by byte, as docs/l1-formats.md shows it.
#[test]
fn r2_3_a_lock_has_the_bytes_that_are_documented() {
    let said = payload(1_000_000);
    let expected =
        format!("6a434341534c32010601000000{}40420f00{}", "11".repeat(32), "22".repeat(20));
    assert_eq!(hex::encode(said.script(1)), expected);
    let redeem = format!("0340420fb17576a914{}88ac", "22".repeat(20));
    assert_eq!(hex::encode(said.redeem_script()), redeem);
    let script = said.lock_script();
    assert_eq!((script.len(), &script[..2], script[22]), (23, &[0xa9, 20][..], 0x87));
    assert!(pays_to_script_hash(&script));
}

#[test]
fn heights_are_pushed_as_scripts_have_numbers() {
    let pushed = |unlock| hex::encode(payload(unlock).redeem_script());
    // The highest bit of the last byte would be the sign.
    assert!(pushed(0x7f_ff).starts_with("02ff7fb1"));
    assert!(pushed(0x80_00).starts_with("03008000b1"));
    assert!(pushed(MAX_UNLOCK).starts_with("04ff64cd1db1"));
}

#[test]
fn what_is_malformed_is_no_stake() {
    let body = payload(9).body();
    assert_eq!(StakePayload::read(&body), Some(payload(9)));
    assert_eq!(StakePayload::read(&body[1..]), None);
    assert_eq!(StakePayload::read(&[&body[..], &[0]].concat()), None);
    assert_eq!(StakePayload::read(&payload(0).body()), None);
    assert_eq!(StakePayload::read(&payload(MAX_UNLOCK + 1).body()), None);
}

#[test]
fn only_script_hashes_can_lock() {
    let good = payload(9).lock_script();
    assert!(!pays_to_script_hash(&good[..22]));
    assert!(!pays_to_script_hash(&[&good[..], &[0x87]].concat()));
    assert!(!pays_to_script_hash(&L1Address::PublicKeyHash([7; 20]).script()));
    assert!(!pays_to_script_hash(&[]));
}

#[test]
fn locks_rank_by_coins_and_time_and_a_year_is_the_most() {
    assert_eq!(coin_blocks(5, 110, 100), 50);
    assert_eq!(coin_blocks(5, 100, 110), 0);
    let year = coin_blocks(5, MAX_RANKED_BLOCKS + 7, 7);
    assert_eq!(coin_blocks(5, MAX_UNLOCK, 7), year);
    assert_eq!(coin_blocks(u64::MAX, u32::MAX, 0), u128::from(u64::MAX) * 210_240);
}

proptest! {
    #[test]
    fn p9_every_stake_message_reads_as_it_was_written(
        account: [u8; 32], unlock in 1..=MAX_UNLOCK, owner: [u8; 20], chain_id in 1u32..,
    ) {
        let said = StakePayload { account: AccountId::new(account), unlock, owner };
        let script = said.script(chain_id);
        let read = Message::read(&script).expect("marked").expect("well-formed");
        prop_assert_eq!((read.kind, read.chain_id), (MessageKind::Stake, chain_id));
        prop_assert_eq!(StakePayload::read(read.body), Some(said));
    }

    /// What the message says is all that the lock depends on, and all of it but the
    /// account.
    #[test]
    fn another_unlock_or_owner_is_another_lock(
        unlock in 1..=MAX_UNLOCK, other in 1..=MAX_UNLOCK, owner: [u8; 20], bit in 0usize..160,
    ) {
        let said = StakePayload { owner, ..payload(unlock) };
        let mut stranger = owner;
        stranger[bit / 8] ^= 1 << (bit % 8);
        let later = StakePayload { unlock: other, ..said.clone() };
        prop_assert_eq!(later.lock_script() == said.lock_script(), other == unlock);
        let theirs = StakePayload { owner: stranger, ..said.clone() };
        prop_assert_ne!(theirs.lock_script(), said.lock_script());
    }
}
