//! `l2_gethandover`, `l2_consenthandover`, `l2_createhandover` and `l2_accepthandover`.

use super::*;
use crate::address::show_account;
use cascoin_consensus::hand_over::{AcceptedHandOver, DeskError};
use cascoin_l2_primitives::hand_over::{Consent, HandOverBase, Successor};
use parking_lot::Mutex;
use sp_core::{ed25519, H256};

/// The transaction that stands on L1.
const TXID: L1Hash = L1Hash([0x77; 32]);
/// The L1 block for which a hand-over is due.
const DUE: L1Hash = L1Hash([1; 32]);
/// Those who may go on; three of them at most.
const SUCCESSORS: [u8; 4] = [0, 1, 2, 9];

pub fn terms() -> HandOverTerms {
    let successor = |seed: u8| Successor {
        account: AccountId::new([seed; 32]),
        // All are one's.
        entity: AccountId::new([SUCCESSORS[0]; 32]),
        relay: ed25519::Public::from_raw([seed; 32]),
        weight: 100 + u64::from(seed),
        in_force: seed < 3,
    };
    HandOverTerms { set_id: 2, size: (2, 3), successors: SUCCESSORS.map(successor).to_vec() }
}

fn consent(seed: u8) -> Consent {
    let signature = ed25519::Signature::from_raw([seed; 64]);
    Consent { account: AccountId::new([seed; 32]), signature }
}

fn base(set_id: u64) -> HandOverBase {
    let hash = TestChain::hash(HEAD);
    HandOverBase { number: HEAD, hash, set_id, l1_block: DUE, txid: TXID }
}

fn of(seeds: &[u8], set_id: u64) -> HandOver {
    let consents = seeds.iter().map(|seed| consent(*seed)).collect::<Vec<_>>();
    HandOver { base: base(set_id), consents: consents.try_into().expect("a few") }
}

pub fn record() -> HandOverRecord {
    HandOverRecord { id: H256::repeat_byte(8), base: base(1), members: 3 }
}

/// What the state says of one. Good is a signature that repeats its account's byte.
pub fn decide(hand_over: &HandOver) -> Result<(), HandOverError> {
    let (least, size) = (terms().set_id, terms().size);
    if hand_over.base.set_id < least {
        return Err(HandOverError::SetId(least));
    }
    if !hand_over.is_in_order() {
        return Err(HandOverError::Unordered);
    }
    let accounts = u32::try_from(hand_over.consents.len()).expect("a few");
    if !(size.0..=size.1).contains(&accounts) {
        return Err(HandOverError::Size(size.0, size.1));
    }
    for given in &hand_over.consents {
        let seed = <AccountId as AsRef<[u8]>>::as_ref(&given.account)[0];
        if !SUCCESSORS.contains(&seed) {
            return Err(HandOverError::NotEligible(given.account.clone()));
        }
        if *given != consent(seed) {
            return Err(HandOverError::BadSignature(given.account.clone()));
        }
    }
    Ok(())
}

/// What L1 has: its blocks tell by their first byte what is wrong with them.
pub fn forced(
    block: &L1Hash,
    txid: &L1Hash,
    chain_id: u32,
) -> Result<ForcedInBlock, ForcedInBlockError> {
    assert_eq!((*txid, chain_id), (TXID, 3), "what was asked for, of this chain");
    let due = ForcedInBlock {
        height: 101,
        confirmations: 6,
        median_time: 10_000,
        tip_median_time: 11_200,
    };
    match block.0[0] {
        1 => Ok(due),
        2 => Ok(ForcedInBlock { confirmations: 4, ..due }),
        3 => Ok(ForcedInBlock { tip_median_time: 11_100, ..due }),
        4 => Ok(ForcedInBlock { height: 100, ..due }),
        5 => Err(ForcedInBlockError::NotOnBestChain),
        6 => Err(ForcedInBlockError::NotForced),
        7 => Err(L1Error::Syncing { blocks: 1, headers: 9 }.into()),
        8 => Err(L1Error::Pruned { url: "http://l1".into(), block: "101".into() }.into()),
        9 => Err(ForcedInBlockError::Moving),
        _ => Err(ForcedInBlockError::UnknownBlock(*block)),
    }
}

/// Holds the relay keys of accounts 1 and 2, and takes what the state takes.
#[derive(Default)]
pub struct TestDesk {
    accepted: Mutex<Vec<AcceptedHandOver>>,
    halts_at: Mutex<Option<BlockNumber>>,
    /// What it says instead.
    fault: Option<fn() -> DeskError>,
}

impl HandOverDesk for TestDesk {
    fn accepted(&self) -> Vec<AcceptedHandOver> {
        self.accepted.lock().clone()
    }

    fn consent(&self, asked: &HandOverBase) -> Result<Vec<Consent>, DeskError> {
        assert_eq!((asked.number, asked.hash), (HEAD, TestChain::hash(HEAD)));
        match self.fault {
            Some(fault) => Err(fault()),
            None => Ok(vec![consent(1), consent(2)]),
        }
    }

    fn accept(&self, hand_over: HandOver) -> Result<AcceptedHandOver, DeskError> {
        if let Some(fault) = self.fault {
            return Err(fault());
        }
        decide(&hand_over).map_err(DeskError::Refused)?;
        let accepted = AcceptedHandOver { hand_over, in_force: true };
        let mut all = self.accepted.lock();
        all.retain(|known| known.hand_over.id() != accepted.hand_over.id());
        all.push(accepted.clone());
        Ok(accepted)
    }

    fn halts_at(&self) -> Option<BlockNumber> {
        *self.halts_at.lock()
    }

    fn halt_at(&self, height: Option<BlockNumber>) -> Result<(), DeskError> {
        if height.is_some_and(|height| height < HEAD) {
            return Err(DeskError::Above { number: HEAD, hash: TestChain::hash(HEAD) });
        }
        *self.halts_at.lock() = height;
        Ok(())
    }
}

fn with(fault: fn() -> DeskError) -> Setup {
    let desk = TestDesk { fault: Some(fault), ..TestDesk::default() };
    Setup { desk: Arc::new(desk), ..Setup::default() }
}

fn in_hex(encoded: &impl Encode) -> String {
    format!("0x{}", hex::encode(encoded.encode()))
}

fn address(seed: u8) -> String {
    show_account(&AccountId::new([seed; 32]))
}

fn shown_base(set_id: u64) -> Value {
    json!({
        "blockNumber": HEAD,
        "blockHash": TestChain::hash(HEAD),
        "setId": set_id,
        "l1Block": DUE,
        "txid": TXID,
    })
}

const NOT_DUE: Named = Named::HandOverNotDue;
const REFUSED: Named = Named::HandOverRefused;

fn expect(setup: Setup, method: &str, params: Value, named: Named, text: &str) {
    let (code, message) = error(setup, method, params);
    assert_eq!(code, i64::from(named.code()), "{message}");
    assert!(message.contains(text), "{message}");
}

#[test]
fn r17_6_who_may_go_on_and_what_was_accepted_is_shown() {
    let desk = Arc::new(TestDesk::default());
    let accepted = of(&[1, 2], 2);
    desk.accept(accepted.clone()).expect("the state takes it");
    let deny = Some(DenyUnsafe::Yes);
    let setup = Setup { desk, deny, l1: None, ..Setup::default() };
    let shown = setup.call("l2_gethandover", json!([])).expect("an answer");
    assert_eq!(shown["blockHash"], json!(TestChain::hash(HEAD)));
    let terms = &shown["terms"];
    assert_eq!(
        (&terms["setId"], &terms["minAccounts"], &terms["maxAccounts"]),
        (&json!(2), &json!(2), &json!(3))
    );
    assert_eq!(terms["successors"].as_array().map(Vec::len), Some(4));
    let last = json!({
        "address": address(9),
        "entity": address(0),
        "relay": format!("0x{}", "09".repeat(32)),
        "weight": 109,
        "isInForce": false,
    });
    assert_eq!(terms["successors"][3], last);
    let due = json!({"appliedHeight": 100, "confirmationsNeeded": 6, "afterSeconds": 1_200});
    assert_eq!(shown["due"], due);
    let expected = json!([{
        "id": accepted.id(),
        "base": shown_base(2),
        "accounts": [address(1), address(2)],
        "inForce": true,
        "handOver": in_hex(&accepted),
    }]);
    assert_eq!(shown["accepted"], expected);
    let last = json!({"id": H256::repeat_byte(8), "base": shown_base(1), "members": 3});
    assert_eq!(shown["last"], last);
}

#[test]
fn r17_6_a_node_consents_if_a_hand_over_is_due() {
    for (params, set_id) in [(json!([DUE, TXID]), 2), (json!([DUE, TXID, "7"]), 7)] {
        let answer = call("l2_consenthandover", params);
        assert_eq!(answer["base"], shown_base(set_id));
        assert_eq!(answer["accounts"], json!([address(1), address(2)]));
        let consents = format!("{},{}", in_hex(&consent(1)), in_hex(&consent(2)));
        assert_eq!(answer["consents"], consents);
        assert_eq!(
            (&answer["l1Height"], &answer["confirmations"], &answer["l1AgeSeconds"]),
            (&json!(101), &json!(6), &json!(1_200))
        );
    }
    let refused = [
        (2, NOT_DUE, "must have 2 more"),
        (3, NOT_DUE, "1100 seconds old, and the second deadline is over in 100 seconds"),
        (4, NOT_DUE, "applied L1 up to height 100, and the forced transaction stands at 100"),
        (5, NOT_DUE, "not on the best chain"),
        (6, NOT_DUE, "forces nothing on this chain"),
        (7, Named::L1Unavailable, "syncing"),
        (8, Named::L1Refused, "pruned"),
        (9, Named::L1Unavailable, "try again"),
        (10, NOT_DUE, "knows no block"),
    ];
    for (block, named, text) in refused {
        let params = json!([L1Hash([block; 32]), TXID]);
        expect(Setup::default(), "l2_consenthandover", params, named, text);
    }
    let params = json!([DUE, TXID]);
    let stranger = Setup { deny: Some(DenyUnsafe::Yes), ..Setup::default() };
    let (_, message) = error(stranger, "l2_consenthandover", params.clone());
    assert_eq!(message, "RPC call is unsafe to be called externally");
    let blind = Setup { l1: None, ..Setup::default() };
    expect(blind, "l2_consenthandover", params, Named::L1NotConfigured, "--l1-rpc-url");
    for bad in [json!([DUE]), json!(["x", TXID]), json!([DUE, TXID, "x"]), json!([DUE, TXID, 1])] {
        assert_eq!(error(Setup::default(), "l2_consenthandover", bad).0, -32_602);
    }
}

#[test]
fn a_node_that_cannot_consent_says_why() {
    struct Syncing;
    impl SyncOracle for Syncing {
        fn is_major_syncing(&self) -> bool {
            true
        }
        fn is_offline(&self) -> bool {
            false
        }
    }
    let params = || json!([DUE, TXID]);
    let behind = Setup { sync: Arc::new(Syncing), ..Setup::default() };
    expect(behind, "l2_consenthandover", params(), REFUSED, "catching up");
    // Who was told to stop here sees others go on, and consents; further below it does not.
    for (height, consents) in [(HEAD, true), (HEAD + 1, false)] {
        let desk = Arc::new(TestDesk::default());
        desk.halt_at(Some(height)).expect("it is not below");
        let stands = Setup { desk, sync: Arc::new(Syncing), ..Setup::default() };
        assert_eq!(stands.call("l2_consenthandover", params()).is_ok(), consents, "{height}");
    }
    let keyless = with(|| DeskError::NoKeys);
    expect(keyless, "l2_consenthandover", params(), REFUSED, "none of those who may go on");
    let moved = with(|| DeskError::NotTheHead { head: (26, TestChain::hash(26)) });
    expect(moved, "l2_consenthandover", params(), REFUSED, "is 26");
    let parameters = ChainParameters {
        chain_id: 3,
        l1_confirmations: 6,
        forced_inclusion_s: 0,
        ..ChainParameters::default()
    };
    let without = Setup { parameters: Some(parameters), ..Setup::default() };
    expect(without, "l2_consenthandover", params(), NOT_DUE, "no time within which");
}

#[test]
fn r17_6_consents_are_put_together_without_l1_and_by_anybody() {
    let create = |consents: &str| {
        let (l1, deny) = (None, Some(DenyUnsafe::Yes));
        let setup = Setup { l1, deny, ..Setup::default() };
        setup.call("l2_createhandover", json!([DUE, TXID, consents])).expect("the state takes it")
    };
    let expected = of(&[1, 2, 9], 2);
    let given = |seeds: &[u8]| seeds.iter().map(|seed| in_hex(&consent(*seed))).collect::<Vec<_>>();
    let lists = [
        given(&[1, 2, 9]).join(","),
        given(&[9, 1, 2]).join(", "),
        // Some came by two ways.
        given(&[2, 9, 1, 2, 1]).join("\n"),
        format!(",{},", given(&[2, 9, 1]).join(" ")),
    ];
    for list in lists {
        let answer = create(&list);
        assert_eq!(answer["id"], json!(expected.id()));
        assert_eq!(answer["base"], shown_base(2));
        assert_eq!(answer["accounts"], json!([address(1), address(2), address(9)]));
        assert_eq!(answer["handOver"], in_hex(&expected));
    }
    let params = json!([DUE, TXID, given(&[1, 2]).join(","), 5]);
    let answer = call("l2_createhandover", params);
    assert_eq!(answer["handOver"], in_hex(&of(&[1, 2], 5)));
}

#[test]
fn consents_that_make_no_hand_over_are_told_apart() {
    let list = |seeds: &[u8]| {
        seeds.iter().map(|seed| in_hex(&consent(*seed))).collect::<Vec<_>>().join(",")
    };
    let foreign = Consent { signature: ed25519::Signature::from_raw([0x55; 64]), ..consent(2) };
    let refused = [
        (list(&[1]), "from 2 to 3 accounts".to_owned()),
        (list(&[0, 1, 2, 9]), "from 2 to 3 accounts".to_owned()),
        (list(&[1, 4]), format!("{} may not go on", address(4))),
        (format!("{},{}", list(&[1]), in_hex(&foreign)), format!("consent of {}", address(2))),
    ];
    for (consents, text) in refused {
        let params = json!([DUE, TXID, consents]);
        expect(Setup::default(), "l2_createhandover", params, REFUSED, &text);
    }
    let too_many: Vec<u8> = (0..65).collect();
    let bad = [
        json!([DUE, TXID, "0x00"]),
        json!([DUE, TXID, format!("{}00", list(&[1]))]),
        json!([DUE, TXID, list(&too_many)]),
        json!([DUE, TXID, format!("{},{}", list(&[2]), in_hex(&foreign))]),
        json!([DUE, TXID, list(&[1, 2]), 1]),
        json!([DUE, TXID, [list(&[1, 2])]]),
        json!([DUE, TXID]),
    ];
    for params in bad {
        let (code, message) = error(Setup::default(), "l2_createhandover", params);
        assert_eq!(code, -32_602, "{message}");
    }
}

#[test]
fn r17_6_an_operator_accepts_what_its_l1_node_and_its_state_confirm() {
    let desk = Arc::new(TestDesk::default());
    let hand_over = of(&[1, 2], 2);
    let encoded = in_hex(&hand_over);
    let setup = || Setup { desk: desk.clone(), ..Setup::default() };
    let stranger = Setup { deny: Some(DenyUnsafe::Yes), ..setup() };
    let (_, message) = error(stranger, "l2_accepthandover", json!([encoded]));
    assert_eq!(message, "RPC call is unsafe to be called externally");
    for bad in [json!(["0x00"]), json!(["x"]), json!([]), json!([encoded, "perhaps"])] {
        assert_eq!(error(setup(), "l2_accepthandover", bad).0, -32_602);
    }

    // What its L1 node does not confirm is not accepted, unless it is not asked.
    let mut early = hand_over.clone();
    early.base.l1_block = L1Hash([3; 32]);
    let params = json!([in_hex(&early)]);
    expect(setup(), "l2_accepthandover", params, NOT_DUE, "over in 100 seconds");
    let blind = || Setup { l1: None, ..setup() };
    let named = Named::L1NotConfigured;
    expect(blind(), "l2_accepthandover", json!([encoded]), named, "withoutl1");
    expect(blind(), "l2_accepthandover", json!([encoded, "false"]), named, "withoutl1");
    assert!(desk.accepted().is_empty());

    let answer = setup().call("l2_accepthandover", json!([encoded])).expect("it is due");
    assert_eq!(answer["id"], json!(hand_over.id()));
    assert_eq!((&answer["base"], &answer["inForce"]), (&shown_base(2), &json!(true)));
    // Again is nothing new, and L1 is not asked: its set may have applied it by now.
    let again = blind().call("l2_accepthandover", json!([encoded])).expect("it is known");
    assert_eq!(again, answer);
    assert_eq!(desk.accepted().len(), 1);
    // The desk sees it all the same: the id says nothing of the signatures.
    let mut bad = hand_over.clone();
    bad.consents[1].signature = ed25519::Signature::from_raw([7; 64]);
    assert_eq!(bad.id(), hand_over.id());
    expect(blind(), "l2_accepthandover", json!([in_hex(&bad)]), REFUSED, "the consent of");
    let other = in_hex(&of(&[1, 9], 3));
    blind().call("l2_accepthandover", json!([other, true])).expect("nobody asks L1");
    assert_eq!(desk.accepted().len(), 2);
}

#[test]
fn what_is_not_accepted_is_told_apart() {
    let encoded = || json!([in_hex(&of(&[1, 2], 2))]);
    let cases: [(fn() -> DeskError, Named, &str); 6] = [
        (|| DeskError::Refused(HandOverError::SetId(4)), REFUSED, "must be 4"),
        (|| DeskError::Refused(HandOverError::WrongBlock), REFUSED, "another block"),
        (|| DeskError::OtherAccepted(H256::repeat_byte(5)), REFUSED, "0x0505"),
        (|| DeskError::Above { number: 26, hash: TestChain::hash(26) }, REFUSED, "never undone"),
        (
            || DeskError::Decided { number: 26, hash: TestChain::hash(26) },
            REFUSED,
            "about to be final. Try again",
        ),
        (|| DeskError::Unknown("no database".into()), Named::RuntimeError, "no database"),
    ];
    for (fault, named, text) in cases {
        expect(with(fault), "l2_accepthandover", encoded(), named, text);
    }
    let mut bad = of(&[1, 2], 2);
    bad.consents[1].signature = ed25519::Signature::from_raw([7; 64]);
    let text = format!("consent of {}", address(2));
    expect(Setup::default(), "l2_accepthandover", json!([in_hex(&bad)]), REFUSED, &text);
    let unordered = in_hex(&of(&[2, 1], 2));
    expect(Setup::default(), "l2_accepthandover", json!([unordered]), REFUSED, "do not rise");
}

#[test]
fn r17_6_an_operator_has_its_node_stop_at_a_height_and_resume() {
    let desk = Arc::new(TestDesk::default());
    let setup = || Setup { desk: desk.clone(), ..Setup::default() };
    let shown = || setup().call("l2_gethandover", json!([])).expect("an answer");
    assert_eq!(shown()["haltsAt"], Value::Null);
    let halted = setup().call("l2_haltat", json!([HEAD + 9])).expect("it is to come");
    assert_eq!(halted["haltsAt"], json!(HEAD + 9));
    assert_eq!((&halted["blockNumber"], &halted["finality"]), (&json!(HEAD), &json!("final")));
    assert_eq!(shown()["haltsAt"], json!(HEAD + 9));
    // What is refused changes nothing.
    expect(setup(), "l2_haltat", json!([HEAD - 1]), REFUSED, "never undone");
    for bad in [json!([]), json!(["x"]), json!([-1]), json!([HEAD, 1])] {
        assert_eq!(error(setup(), "l2_haltat", bad).0, -32_602);
    }
    assert_eq!(error(setup(), "l2_resume", json!([1])).0, -32_602);
    for (method, params) in [("l2_haltat", json!([HEAD + 1])), ("l2_resume", json!([]))] {
        let stranger = Setup { deny: Some(DenyUnsafe::Yes), ..setup() };
        let (_, message) = error(stranger, method, params);
        assert_eq!(message, "RPC call is unsafe to be called externally");
    }
    assert_eq!(desk.halts_at(), Some(HEAD + 9));
    let resumed = setup().call("l2_resume", json!([])).expect("an answer");
    assert_eq!(resumed["haltsAt"], Value::Null);
    assert_eq!(shown()["haltsAt"], Value::Null);
}
