//! What every format that we write on L1 must obey (spec: cascoin-l1.md 1.5, 2.2).

use super::{
    anchor::{Anchor, DataPlace},
    burn::{return_payload, BurnPayload, Recipient},
    cross_layer::{CrossLayerPayload, MAX_CALL},
    data_pointer::DataPointer,
    deposit,
    envelope::{Message, MessageKind, MAX_BODY, MAX_MESSAGE},
    forced::ForcedPayload,
    registration::{chain_name, Registration},
    revocation::Revocation,
    stake::{StakePayload, TimeLock},
    L1Hash,
};
use crate::chain::AccountId;
use proptest::prelude::*;
use sp_core::H256;

/// Words that L1's own transaction checks look for from the second byte of a script on,
/// and its container of contracts.
const FORBIDDEN: [&[u8]; 5] = [b"CASTOK", b"CASXFR", b"CASNFT", b"CASGEN", b"CVM1"];
/// Most bytes of a script with data that L1's nodes relay (`-datacarriersize`).
const MAX_RELAYED: usize = 83;
/// The largest push operation that we write.
const OP_PUSHDATA1: u8 = 0x4c;

fn account() -> AccountId {
    AccountId::new([0xff; 32])
}

fn recipient() -> Recipient {
    Recipient::Account(account())
}

/// The longest script of each kind. A new kind does not compile without its own.
pub(crate) fn longest(kind: MessageKind, chain_id: u32) -> Vec<u8> {
    let lock = TimeLock { unlock: 499_999_999, owner: [0xff; 20] };
    match kind {
        MessageKind::ChainRegistration => Registration {
            lock,
            definition: L1Hash([0xff; 32]),
            name: chain_name(b"CASTOK-CASNFT").expect("a name"),
        }
        .script(chain_id),
        MessageKind::VaultDeposit => deposit::script(&recipient(), chain_id),
        MessageKind::ForcedTransaction => {
            ForcedPayload::of(&[7; 3_000]).expect("it fits").script(chain_id)
        }
        MessageKind::CrossLayer => CrossLayerPayload { gas: u32::MAX, call: vec![0xff; MAX_CALL] }
            .script(chain_id)
            .expect("it fits"),
        MessageKind::KeyRevocation => Revocation { chain_id, account: account() }.script(),
        MessageKind::Stake => {
            StakePayload { account: account(), unlock: lock.unlock, owner: lock.owner }
                .script(chain_id)
        }
        MessageKind::Anchor => Anchor {
            data: DataPlace::Shares,
            last_block: u32::MAX,
            batch: H256([0xff; 32]),
            settlement_root: H256([0xff; 32]),
        }
        .script(chain_id),
        MessageKind::DataPointer => {
            let pointers = DataPointer::to_parts(&[b"a", b"b"]).expect("two parts");
            pointers[1].script(chain_id)
        }
    }
}

/// Whether L1's nodes relay it and none of their own rules takes it for something else.
fn obeys(script: &[u8]) -> bool {
    // Neither empty nor a lone OP_RETURN: L1's checks read beyond the end of these.
    let Some(&[op, push]) = script.first_chunk() else { return false };
    let Some(behind) = script.get(2..).filter(|behind| !behind.is_empty()) else { return false };
    let Some(payload) = return_payload(script) else { return false };
    op == 0x6a
        // A push, so no operation that begins a bee or anything else of L1's.
        && push <= OP_PUSHDATA1
        && script.len() <= MAX_RELAYED
        && payload.len() <= MAX_MESSAGE
        // Nothing is behind what is pushed.
        && script.ends_with(payload)
        && FORBIDDEN.iter().all(|word| !behind.starts_with(word) && !payload.starts_with(word))
}

#[test]
fn what_l1_forbids_does_not_obey() {
    assert!(obeys(b"\x6a\x05CASL2"));
    assert!(!obeys(b""));
    assert!(!obeys(b"\x6a"));
    assert!(!obeys(b"\x6a\x00"));
    assert!(!obeys(b"\x6a\x05CASL2\x51"));
    assert!(!obeys(b"\x6a\x06CASTOK"));
    assert!(!obeys(b"\x6a\x08CASGEN11"));
    assert!(!obeys(b"\x6a\x04CVM1"));
    assert!(!obeys(&[&[0x6a, 0x4c, 81][..], &[7; 81]].concat()));
}

/// Also of chains whose ids spell such a word, and of names that do.
#[test]
fn every_format_obeys_l1s_rules() {
    for chain_id in [1, u32::MAX, u32::from_le_bytes(*b"CVM1"), u32::from_le_bytes(*b"CAST")] {
        for kind in MessageKind::ALL {
            let script = longest(kind, chain_id);
            assert!(obeys(&script), "{kind:?}: {script:02x?}");
            let read = Message::read(&script).expect("marked").expect("readable");
            assert_eq!((read.kind, read.chain_id), (kind, chain_id));
        }
        let burn = BurnPayload { chain_id, recipient: recipient(), amount: u64::MAX }.script();
        assert!(obeys(&burn), "{burn:02x?}");
    }
}

#[test]
fn no_two_kinds_have_one_number_and_none_is_given_twice() {
    let numbers: Vec<_> = MessageKind::ALL.into_iter().map(|kind| kind as u8).collect();
    // As they stand on L1: an entry never changes.
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
}

proptest! {
    #[test]
    fn any_message_obeys_l1s_rules(
        kind in 0usize..MessageKind::ALL.len(),
        chain_id in 1u32..,
        body in proptest::collection::vec(any::<u8>(), 0..=MAX_BODY),
    ) {
        let message = Message { kind: MessageKind::ALL[kind], chain_id, body: &body };
        prop_assert!(obeys(&message.script().expect("it fits")));
    }
}
