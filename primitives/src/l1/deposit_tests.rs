//! A deposit's bytes, and which deposits are credited.

use super::*;
use crate::{chain::AccountId, l1::address::L1Address};
use proptest::prelude::*;
use sp_core::{ecdsa, Pair};

const CHAIN: u32 = 3;
const VAULT: [u8; 32] = [0x55; 32];

fn account() -> Recipient {
    Recipient::Account(AccountId::new([0x11; 32]))
}

/// Byte by byte, as docs/l1-formats.md shows it.
#[test]
fn r4_1_a_deposit_has_the_bytes_that_are_documented() {
    let script = script(&account(), CHAIN);
    let expected = format!("6a2c4341534c3201020300000000{}", "11".repeat(32));
    assert_eq!(hex::encode(&script), expected);
    let message = Message::read(&script).expect("marked").expect("readable");
    assert_eq!((message.kind, message.chain_id), (MessageKind::VaultDeposit, CHAIN));
    assert_eq!(read(message.body), Ok(account()));
}

#[test]
fn only_witness_script_hashes_can_be_a_vault() {
    let pays = L1Address::WitnessScriptHash(VAULT).script();
    assert_eq!(witness_script_hash(&pays), Some(VAULT));
    assert_eq!(witness_script_hash(&pays[..33]), None);
    assert_eq!(witness_script_hash(&[&pays[..], &[0]].concat()), None);
    assert_eq!(witness_script_hash(&L1Address::WitnessPublicKeyHash([5; 20]).script()), None);
    assert_eq!(witness_script_hash(&L1Address::ScriptHash([5; 20]).script()), None);
    assert_eq!(witness_script_hash(&[]), None);
}

#[test]
fn r4_1_the_first_reason_in_the_fixed_order_is_given() {
    let (good, short, odd) = (body(&account()), [0; 32], [9; 33]);
    let right = Deposit { chain_id: CHAIN, value: 5, script: &VAULT, body: &good };
    let judged = |deposit: Deposit<'_>, vault| judge(&deposit, CHAIN, vault);
    let other = Deposit { script: &[1; 32], ..right };
    let nothing = Deposit { value: 0, ..other };
    let elsewhere = Deposit { chain_id: 4, ..nothing };
    let bad_key = Deposit { body: &odd, ..elsewhere };
    let malformed = Deposit { body: &short, ..elsewhere };
    assert_eq!(judged(malformed, None), Err(BurnRejection::Malformed));
    assert_eq!(judged(bad_key, None), Err(BurnRejection::BadKey));
    assert_eq!(judged(elsewhere, None), Err(BurnRejection::WrongChain));
    assert_eq!(judged(nothing, None), Err(BurnRejection::ZeroValue));
    assert_eq!(judged(other, None), Err(BurnRejection::NoVault));
    assert_eq!(judged(other, Some(&VAULT)), Err(BurnRejection::WrongVault));
    assert_eq!(judged(right, None), Err(BurnRejection::NoVault));
    assert_eq!(judged(right, Some(&VAULT)), Ok(account()));
}

fn recipients() -> impl Strategy<Value = Recipient> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|account| Recipient::Account(AccountId::new(account))),
        any::<[u8; 32]>().prop_filter_map("a secret key", |seed| {
            Some(Recipient::Key(ecdsa::Pair::from_seed_slice(&seed).ok()?.public()))
        }),
    ]
}

proptest! {
    #[test]
    fn p9_every_deposit_reads_as_it_was_written(recipient in recipients(), chain_id in 1u32..) {
        let script = script(&recipient, chain_id);
        let message = Message::read(&script).expect("marked").expect("readable");
        prop_assert_eq!((message.kind, message.chain_id), (MessageKind::VaultDeposit, chain_id));
        prop_assert_eq!(read(message.body), Ok(recipient));
    }

    #[test]
    fn any_body_is_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..70), prefix in 0u8..5, cut: bool,
    ) {
        let mut bytes = bytes;
        if cut {
            bytes.resize(BODY_LEN, 1);
            bytes[0] = prefix;
        }
        if let Ok(recipient) = read(&bytes) {
            prop_assert_eq!(&body(&recipient)[..], &bytes[..]);
        }
    }
}
