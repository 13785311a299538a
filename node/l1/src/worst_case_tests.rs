//! L1 blocks that somebody fills with our messages, kind by kind: what is made of them is
//! bounded, and everybody makes the same.
//!
//! The weight limit of an L1 block lets it hold a million bytes outside witnesses; what is
//! in a block here takes at least as much.

use crate::{
    block::{
        builder::{add_witness, block, nested, signer, transaction, trust, Trust, TRUST_HEIGHT},
        Block,
    },
    events::local_block,
    follower::engine::MAX_STORED_BYTES,
};
use bitcoin::secp256k1::Secp256k1;
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        envelope::{Message, MessageKind},
        forced::{data_script, ForcedPayload},
        registration::{chain_name, Registration, MIN_REGISTRATION_BLOCKS},
        revocation::Revocation,
        signed_message::key_hash,
        stake::{StakePayload, TimeLock, MIN_LOCK_BLOCKS},
        L1Hash,
    },
    relay::{
        L1Event, PageTree, MAX_EVENTS_PER_PAGE, MAX_FORCED_PER_BLOCK, MAX_PAGE_BYTES,
        MAX_PROOF_DEPTH, MAX_REGISTRATIONS_PER_BLOCK, MAX_STAKE_PER_BLOCK, MAX_TRUST_PER_BLOCK,
    },
};
use codec::Encode;

const CHAIN: u32 = 3;
/// Where the blocks stand.
const HEIGHT: u32 = TRUST_HEIGHT;
/// Bytes that an L1 block has room for outside witnesses.
const ROOM: usize = 1_000_000;

/// The events of a block, after a look at all that must hold of any.
fn events_of(block: &Block) -> Vec<L1Event> {
    let local = local_block(block, HEIGHT, &[1]);
    assert!(local.pages.len() <= 1 << MAX_PROOF_DEPTH, "{} pages", local.pages.len());
    for page in &local.pages {
        assert!(page.encoded_size() <= MAX_PAGE_BYTES && !page.events.is_empty());
    }
    // A node keeps many of these at a time.
    assert!(local.encoded_size() < MAX_STORED_BYTES / 16, "{} bytes", local.encoded_size());
    let tree = PageTree::of(&local.pages);
    assert_eq!(tree.root(), local.digest.pages_root);
    for page in local.pages.iter().step_by(97).chain(local.pages.last()) {
        let proof = tree.proof(page.index).expect("the tree is not too deep");
        assert_eq!(proof.verify(page, &local.digest.pages_root), Ok(()));
    }
    let pages = local.pages.into_iter();
    let events: Vec<_> = pages.flat_map(|page| page.events.into_inner()).collect();
    assert_eq!(events.len(), local.digest.event_count as usize);
    events
}

/// Signed by a key, as a witness in a script hash proves it.
fn signed(unsigned: &[u8]) -> Vec<u8> {
    let key = signer();
    let public = key.public_key(&Secp256k1::new()).serialize();
    nested(unsigned, &key, key_hash(&public), 1)
}

/// As many outputs of this script as take the room of a block.
fn filled_with(value: u64, script: Vec<u8>) -> Vec<(u64, Vec<u8>)> {
    vec![(value, script.clone()); ROOM / (9 + script.len())]
}

/// `count` transactions that lock something: message, lock, change.
fn locking(count: u64, of: impl Fn(u64) -> (Vec<u8>, Vec<u8>)) -> Vec<Vec<u8>> {
    let outputs = |value| {
        let (message, lock) = of(value);
        [(0, message), (value, lock), (5, vec![0x51])]
    };
    (1..=count).map(|value| transaction(1, &outputs(value))).collect()
}

fn account(number: u64) -> AccountId {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

fn stakes(count: u64) -> Vec<Vec<u8>> {
    locking(count, |number| {
        let unlock = HEIGHT + MIN_LOCK_BLOCKS;
        let said = StakePayload { account: account(number), unlock, owner: [9; 20] };
        (said.script(CHAIN), said.lock_script())
    })
}

fn registrations(count: u64) -> Vec<Vec<u8>> {
    locking(count, |number| {
        let lock = TimeLock { unlock: HEIGHT + MIN_REGISTRATION_BLOCKS, owner: [9; 20] };
        let name = chain_name(b"demo").expect("a name");
        let said = Registration { lock, definition: L1Hash::of(&number.to_le_bytes()), name };
        (said.script(CHAIN), lock.script())
    })
}

fn forced(count: u64) -> Vec<Vec<u8>> {
    let of = |paid: u64| {
        let data = [&paid.to_le_bytes()[..], &[7; 992]].concat();
        let message = ForcedPayload::of(&data).expect("it fits").script(CHAIN);
        let plain = transaction(1, &[(5, vec![0x51]), (paid, message)]);
        let shown = data_script(&data, &[2; 33]).expect("it fits");
        add_witness(&plain, &[&[0x30; 71], &shown])
    };
    (1..=count).map(of).collect()
}

fn statements(count: u64) -> Vec<Vec<u8>> {
    (1..=count).map(|number| trust(1, 1_000_000 + number, &signer()).signed()).collect()
}

fn revocations(count: u64) -> Vec<Vec<u8>> {
    let script = |number| Revocation { chain_id: CHAIN, account: account(number) }.script();
    (1..=count).map(|number| signed(&transaction(1, &[(0, script(number))]))).collect()
}

fn values(events: &[L1Event]) -> Vec<u64> {
    let value = |event: &L1Event| match event {
        L1Event::Burn { value, .. }
        | L1Event::Stake { value, .. }
        | L1Event::Message { value, .. }
        | L1Event::VaultDeposit { value, .. }
        | L1Event::ChainRegistration { value, .. } => Some(*value),
        L1Event::ForcedTransaction { paid, .. } => Some(*paid),
        L1Event::Trust(statement) => Some(statement.bond),
        L1Event::KeyRevocation { .. } => None,
    };
    events.iter().filter_map(value).collect()
}

#[test]
fn a_block_of_the_smallest_burns_has_pages_of_bounded_size() {
    let smallest = [&[0x6a, 6][..], b"L2BURN"].concat();
    let outputs = filled_with(0, smallest);
    let count = outputs.len();
    assert!(count > 58_000, "{count}");
    let events = events_of(&block(&[transaction(1, &outputs)]));
    assert_eq!(events.len(), count, "all are events");
    assert!(count.div_ceil(MAX_EVENTS_PER_PAGE as usize) < 1_000);
}

#[test]
fn a_block_of_burns_with_long_payloads_keeps_no_more_than_their_beginnings() {
    let long = [&[0x6a, 0x4d, 0x10, 0x27][..], b"L2BURN", &[9; 9_994]].concat();
    let outputs = filled_with(1, long);
    let events = events_of(&block(&[transaction(1, &outputs)]));
    assert_eq!(events.len(), outputs.len());
    assert!(events.encoded_size() < 200 * outputs.len());
}

#[test]
fn a_block_of_messages_delivers_all_of_them() {
    let message = Message { kind: MessageKind::CrossLayer, chain_id: CHAIN, body: &[1] };
    let outputs = filled_with(3, message.script().expect("it fits"));
    assert!(outputs.len() > 20_000, "{}", outputs.len());
    let events = events_of(&block(&[signed(&transaction(1, &outputs))]));
    assert_eq!(values(&events), vec![3; outputs.len()], "they destroy coins: none is lost");
    // Without a signature they are nobody's.
    assert!(events_of(&block(&[transaction(1, &outputs)])).is_empty());
}

#[test]
fn a_block_of_revocations_crowds_none_out() {
    let raws = revocations(5_000);
    let events = events_of(&block(&raws));
    assert_eq!(events.len(), raws.len());
    assert!(events.iter().all(|event| matches!(event, L1Event::KeyRevocation { .. })));
}

#[test]
fn of_what_has_a_limit_a_full_block_brings_the_largest() {
    let last = |count: u64, kept: usize| (count - kept as u64 + 1..=count).collect::<Vec<_>>();
    let stakes = events_of(&block(&stakes(5_000)));
    assert_eq!(values(&stakes), last(5_000, MAX_STAKE_PER_BLOCK));
    let registrations = events_of(&block(&registrations(5_000)));
    assert_eq!(values(&registrations), last(5_000, MAX_REGISTRATIONS_PER_BLOCK));
    let forced = events_of(&block(&forced(1_000)));
    assert_eq!(values(&forced), last(1_000, MAX_FORCED_PER_BLOCK));
    let statements = events_of(&block(&statements(2_000)));
    assert_eq!(values(&statements), last(1_002_000, MAX_TRUST_PER_BLOCK));
}

/// What is limited takes nothing from what is not.
#[test]
fn all_kinds_in_one_block_do_not_crowd_each_other_out() {
    let burn = [&[0x6a, 6][..], b"L2BURN"].concat();
    let message = Message { kind: MessageKind::CrossLayer, chain_id: CHAIN, body: &[1] };
    let message = message.script().expect("it fits");
    let both = Trust { before: Some(message), burn: Some(burn.clone()), ..trust(9, 5, &signer()) };
    let raws = [
        stakes(100),
        vec![transaction(2, &vec![(1, burn); 3_000])],
        registrations(100),
        revocations(200),
        forced(100),
        vec![both.signed()],
        statements(100),
    ]
    .concat();
    let events = events_of(&block(&raws));
    let count = |kind: fn(&L1Event) -> bool| events.iter().filter(|event| kind(event)).count();
    assert_eq!(count(|event| matches!(event, L1Event::Burn { .. })), 3_001);
    assert_eq!(count(|event| matches!(event, L1Event::Message { .. })), 1);
    assert_eq!(count(|event| matches!(event, L1Event::KeyRevocation { .. })), 200);
    assert_eq!(count(|event| matches!(event, L1Event::Stake { .. })), MAX_STAKE_PER_BLOCK);
    assert_eq!(count(|event| matches!(event, L1Event::Trust(_))), MAX_TRUST_PER_BLOCK);
    let registered = count(|event| matches!(event, L1Event::ChainRegistration { .. }));
    assert_eq!(registered, MAX_REGISTRATIONS_PER_BLOCK);
    let forced = count(|event| matches!(event, L1Event::ForcedTransaction { .. }));
    assert_eq!(forced, MAX_FORCED_PER_BLOCK);
}
