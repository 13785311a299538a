//! Table tests of [`super`]: one L1 block at height 100, five sequencers, six
//! confirmations needed.

use super::*;
use cascoin_l2_primitives::{apis::Peg, chain::L1Start, l1::burn::Recipient, relay::L1BlockDigest};
use proptest::prelude::*;

const HEIGHT: u32 = 100;
const HASH: L1Hash = L1Hash([7; 32]);
const SINCE: Moment = 1_000_000;
const TIMEOUT: u64 = 600_000;

fn context() -> Context {
    Context {
        parameters: ChainParameters {
            chain_id: 3,
            l1_confirmations: 6,
            mint_timeout_ms: TIMEOUT,
            l1_start: L1Start { height: 10, hash: L1Hash([1; 32]) },
            ..ChainParameters::default()
        },
        relay: RelayStatus {
            attested: L1BlockDigest { height: HEIGHT - 1, ..L1BlockDigest::default() },
            applied_height: HEIGHT - 1,
            ..RelayStatus::default()
        },
        sequencers: 5,
        now: SINCE + 1,
        l1_tip: Some(HEIGHT + 5),
        waits: BTreeMap::new(),
    }
}

fn payload(chain_id: u32) -> Vec<u8> {
    let recipient = Recipient::Account([9; 32].into());
    BurnPayload { chain_id, recipient, amount: 50 }.encode().to_vec()
}

fn seen(vout: u32) -> SeenBurn {
    SeenBurn {
        outpoint: OutPoint { txid: L1Hash([2; 32]), vout },
        value: 50,
        payload: payload(3),
        l1_height: HEIGHT,
        l1_hash: HASH,
        confirmations: 6,
        readable: true,
    }
}

fn record(vout: u32, outcome: BurnOutcome) -> BurnRecord {
    BurnRecord {
        outpoint: seen(vout).outpoint,
        peg: Peg::Burn,
        value: 50,
        minted: if outcome == BurnOutcome::Minted { 50 } else { 0 },
        encoded_amount: 50,
        recipient: Some([9; 32].into()),
        outcome,
        l1_height: HEIGHT,
        l1_hash: HASH,
        block: 42,
        time: SINCE,
    }
}

fn vote(hash: L1Hash, voters: u16) -> OpenVote {
    let digest = L1BlockDigest { height: HEIGHT, hash, ..L1BlockDigest::default() };
    OpenVote { digest, voters: (0..voters).collect(), since: SINCE }
}

fn status(context: &Context) -> BurnStatus {
    context.of_seen(&seen(0)).status
}

#[test]
fn the_way_of_a_burn_through_all_states() {
    let mut context = context();
    for (confirmations, expected) in [
        (1, BurnStatus::WaitingConfirmations),
        (5, BurnStatus::WaitingConfirmations),
        (6, BurnStatus::Pending),
    ] {
        let verdict = context.of_seen(&SeenBurn { confirmations, ..seen(0) });
        assert_eq!((verdict.status, verdict.confirmations), (expected, Some(confirmations)));
    }

    context.relay.open_votes = vec![vote(HASH, 3)];
    let verdict = context.of_seen(&seen(0));
    assert_eq!((verdict.status, verdict.votes), (BurnStatus::Pending, Some(3)));
    assert_eq!(verdict.times_out_at, Some(SINCE + TIMEOUT));
    assert_eq!(context.needed(), 4);

    context.relay.open_votes.clear();
    context.relay.attested.height = HEIGHT;
    assert_eq!(status(&context), BurnStatus::Reached);

    context.relay.applied_height = HEIGHT;
    let verdicts = context.verdicts(&[record(0, BurnOutcome::Minted)], &[seen(0)]);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].status, BurnStatus::Minted);
    assert_eq!(verdicts[0].applied, Some((42, SINCE)));
}

#[test]
fn a_burn_in_the_mempool_waits_unless_it_can_never_be_minted() {
    let context = context();
    let SeenBurn { outpoint, value, payload: valid, .. } = seen(0);
    let burn = UnconfirmedBurn { outpoint, value, payload: valid };
    let verdict = context.of_unconfirmed(&burn);
    assert_eq!(verdict.status, BurnStatus::WaitingConfirmations);
    assert_eq!((verdict.confirmations, verdict.l1_height), (Some(0), None));
    assert_eq!(verdict.recipient, Some([9; 32].into()));
    let verdict = context.of_unconfirmed(&UnconfirmedBurn { payload: payload(4), ..burn });
    assert_eq!(verdict.reason, Some(BurnRejection::WrongChain));
}

#[test]
fn an_open_vote_fails_after_the_time_out_and_recovers_when_it_closes() {
    let mut context = context();
    context.relay.open_votes = vec![vote(HASH, 2)];
    for (now, expected) in
        [(SINCE + TIMEOUT, BurnStatus::Pending), (SINCE + TIMEOUT + 1, BurnStatus::Failed)]
    {
        context.now = now;
        assert_eq!(status(&context), expected);
    }
    context.relay.open_votes.clear();
    context.relay.attested.height = HEIGHT;
    assert_eq!(status(&context), BurnStatus::Reached);
}

#[test]
fn votes_for_another_block_of_the_height_do_not_count() {
    let mut context = context();
    context.relay.open_votes = vec![vote(L1Hash([8; 32]), 3), vote(HASH, 1)];
    assert_eq!(context.of_seen(&seen(0)).votes, Some(1));
    context.relay.open_votes.pop();
    assert_eq!(context.of_seen(&seen(0)).votes, Some(0));
}

#[test]
fn what_can_never_be_minted_is_rejected_at_once() {
    let context = context();
    let mut bad_key = payload(3);
    bad_key[10] = 5;
    for (payload, value, reason) in [
        (payload(3), 0, BurnRejection::ZeroValue),
        (payload(4), 50, BurnRejection::WrongChain),
        (bad_key, 50, BurnRejection::BadKey),
        (b"L2BURN".to_vec(), 50, BurnRejection::Malformed),
    ] {
        for confirmations in [1, 6] {
            let seen = SeenBurn { payload: payload.clone(), value, confirmations, ..seen(0) };
            let verdict = context.of_seen(&seen);
            assert_eq!((verdict.status, verdict.reason), (BurnStatus::Rejected, Some(reason)));
        }
    }
    let verdict = context.of_record(&record(0, BurnOutcome::Rejected(BurnRejection::ZeroValue)));
    assert_eq!(verdict.status, BurnStatus::Rejected);
    assert_eq!(verdict.reason, Some(BurnRejection::ZeroValue));
}

#[test]
fn r19_4_a_burn_that_l1_dropped_says_so_whatever_else_its_transaction_has() {
    let context = context();
    let records = [record(0, BurnOutcome::Reverted), record(1, BurnOutcome::Minted)];
    let verdicts = context.verdicts(&records, &[]);
    let statuses: Vec<_> = verdicts.iter().map(|verdict| verdict.status).collect();
    assert_eq!(statuses, [BurnStatus::Reverted, BurnStatus::Minted]);
    let name = serde_json::to_value(BurnStatus::Reverted).expect("a name");
    assert_eq!(name, "REVERTED");
}

#[test]
fn what_governance_rejected_says_so_and_what_was_minted_of_it() {
    let mut context = context();
    context.relay.attested.height = HEIGHT;
    context.relay.applied_height = HEIGHT;
    let reason = BurnRejection::ByGovernance;
    let record = BurnRecord { minted: 20, ..record(0, BurnOutcome::Rejected(reason)) };
    // Its payload is valid, and this node's L1 node still shows it.
    let verdicts = context.verdicts(&[record], &[seen(0)]);
    assert_eq!(verdicts.len(), 1);
    assert_eq!((verdicts[0].status, verdicts[0].reason), (BurnStatus::Rejected, Some(reason)));
    assert_eq!(verdicts[0].minted, Some(20));
    assert!(verdicts[0].message.contains("governance"));
    assert_eq!(serde_json::to_value(reason).expect("it has a name"), reason_name(reason));
}

#[test]
fn a_deferred_burn_is_reached_and_not_minted() {
    let mut context = context();
    context.relay.attested.height = HEIGHT;
    context.relay.applied_height = HEIGHT;
    let verdicts = context.verdicts(&[record(0, BurnOutcome::Deferred)], &[seen(0)]);
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0].status, BurnStatus::Reached);
    assert!(verdicts[0].message.contains("waits for its turn"));
}

#[test]
fn a_burn_that_waits_says_for_what() {
    let mut context = context();
    context.relay.attested.height = HEIGHT;
    context.relay.applied_height = HEIGHT;
    let mut messages = std::collections::BTreeSet::new();
    for cause in [
        WaitCause::TransactionLimit,
        WaitCause::AddressLimit,
        WaitCause::ChainLimit,
        WaitCause::Turn,
        WaitCause::Halted,
        WaitCause::Stopped,
        WaitCause::L1Disputed,
        WaitCause::TooFewSequencers,
        WaitCause::CreditFailed,
        WaitCause::Emergency,
    ] {
        let wait = BurnWait { cause, place: 3, next_at: Some(9), complete_at: None };
        let record = record(0, BurnOutcome::Deferred);
        context.waits = BTreeMap::from([(record.outpoint, wait)]);
        let verdict = context.of_record(&record);
        assert_eq!((verdict.status, verdict.minted), (BurnStatus::Reached, Some(0)));
        assert_eq!((verdict.waits_for, verdict.wait), (Some(cause), Some(wait)));
        // Whether a burn is lost that L1 may have dropped is not ours to promise, nor what
        // governance does with one.
        let promised = !matches!(cause, WaitCause::L1Disputed | WaitCause::Stopped);
        assert_eq!(verdict.message.contains("nothing is lost"), promised, "{}", verdict.message);
        let name = serde_json::to_value(cause).expect("it has a name");
        assert_eq!(name, wait_name(cause));
        messages.insert(verdict.message);
    }
    assert_eq!(messages.len(), 10, "each says something else");
}

#[test]
fn o6_a_set_that_is_too_small_is_said_while_votes_are_open() {
    let mut context = context();
    context.parameters.min_sequencers = 6;
    context.relay.open_votes = vec![vote(HASH, 5)];
    let verdict = context.of_seen(&seen(0));
    assert_eq!((verdict.status, verdict.votes), (BurnStatus::Pending, Some(5)));
    assert_eq!(verdict.waits_for, Some(WaitCause::TooFewSequencers));
    context.now = SINCE + TIMEOUT + 1;
    let verdict = context.of_seen(&seen(0));
    assert_eq!(verdict.status, BurnStatus::Failed);
    assert!(verdict.message.contains("fewer sequencers"));
    // Not before it is deep enough, and not with enough of them.
    context.relay.open_votes.clear();
    let young = SeenBurn { confirmations: 1, ..seen(0) };
    assert_eq!(context.of_seen(&young).waits_for, None);
    context.parameters.min_sequencers = 5;
    assert_eq!(context.of_seen(&seen(0)).waits_for, None);
}

#[test]
fn what_the_applied_history_does_not_contain_is_not_shown_as_coming() {
    let mut context = context();
    context.relay.applied_height = HEIGHT;
    context.relay.attested.height = HEIGHT;
    let verdict = context.of_seen(&seen(0));
    assert_eq!(verdict.status, BurnStatus::Failed);
    assert!(verdict.message.contains("another branch"));
    context.parameters.l1_start.height = HEIGHT;
    assert!(context.of_seen(&seen(0)).message.contains("older than this chain"));
}

#[test]
fn without_an_l1_node_the_chain_still_answers() {
    // A tip below the burn: this node's L1 node was set back.
    for (l1_tip, confirmations) in [(None, None), (Some(HEIGHT - 1), None), (Some(HEIGHT), Some(1))]
    {
        let context = Context { l1_tip, ..context() };
        let verdicts = context.verdicts(&[record(0, BurnOutcome::Minted)], &[]);
        assert_eq!(verdicts[0].status, BurnStatus::Minted);
        assert_eq!(verdicts[0].confirmations, confirmations);
    }
}

#[test]
fn every_output_of_a_transaction_is_listed_by_position() {
    let mut context = context();
    context.relay.attested.height = HEIGHT;
    let records = [record(1, BurnOutcome::Minted)];
    let verdicts = context.verdicts(&records, &[seen(2), seen(1), seen(0)]);
    let listed: Vec<_> = verdicts.iter().map(|v| (v.outpoint.vout, v.status)).collect();
    let expected = [(0, BurnStatus::Reached), (1, BurnStatus::Minted), (2, BurnStatus::Reached)];
    assert_eq!(listed, expected);
    assert_eq!(overall(&verdicts), Some(BurnStatus::Reached));
    assert_eq!(overall(&[]), None);
    let rejected = context.of_record(&record(3, BurnOutcome::Rejected(BurnRejection::ZeroValue)));
    assert_eq!(overall(&[rejected.clone(), verdicts[1].clone()]), Some(BurnStatus::Minted));
    assert_eq!(overall(&[rejected]), Some(BurnStatus::Rejected));
}

proptest! {
    #[test]
    fn a_record_decides_whatever_else_is_known(
        tip in any::<Option<u32>>(), attested: u32, applied: u32, now: u64, voters in 0u16..6,
    ) {
        let mut context = context();
        context.l1_tip = tip;
        context.relay.attested.height = attested;
        context.relay.applied_height = applied;
        context.relay.open_votes = vec![vote(HASH, voters)];
        context.now = now;
        let verdicts = context.verdicts(&[record(0, BurnOutcome::Minted)], &[seen(0)]);
        prop_assert_eq!(verdicts.len(), 1);
        prop_assert_eq!(verdicts[0].status, BurnStatus::Minted);
        // Without a record nothing is ever shown as minted.
        prop_assert_ne!(context.of_seen(&seen(0)).status, BurnStatus::Minted);
    }
}
