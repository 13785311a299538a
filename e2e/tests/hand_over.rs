//! Half of the sequencers are gone for good, so the chain stands. The others and a candidate
//! go on from its last block, on the nodes whose operators accept that.

use cascoin_e2e::{
    burns,
    candidates::{announcement, newcomer, wait_for_attestation},
    extrinsic::{self, account, dev_pair, next_nonce, SigningContext},
    network::{with_network, Network, Setup},
    set_changes::{call, govern, keys_in_force, rotate_keys},
    spec,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::{chain::AccountId, reputation::Score};
use cascoin_l2_runtime::Runtime;
use serde_json::{json, Value};
use sp_core::H256;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// Who go on.
const ALIVE: [usize; 2] = [0, 1];
/// Who are gone; the first of them comes back at the end.
const GONE: [usize; 2] = [2, 3];
/// Who only follows.
const FULL: usize = 4;
const AMOUNT: u128 = 1_000_000;
/// Half of the second deadline.
const FORCED_INCLUSION_S: u64 = 20;
/// So far beyond it L1's clock is set.
const LATER_S: u64 = 3 * FORCED_INCLUSION_S;
/// Blocks by which L1's median time is that of its newest ones.
const MEDIAN_SPAN: u32 = 11;
/// How long nothing changes before the chain is said to stand.
const QUIET: Duration = Duration::from_secs(3);
/// Who was sent away by others asks them again in its own time.
const LONG: Duration = Duration::from_secs(240);

/// Four sequencers, for whom there are no more seats, and a full node.
fn setup() -> (TempDir, Setup) {
    let folder = TempDir::new().expect("a folder for the chain's specification");
    let file = folder.path().join("hand-over.json");
    let changes = [("forcedInclusionS", json!(FORCED_INCLUSION_S)), ("maxSequencers", json!(4))];
    spec::write_with_parameters("regtest", 4, &changes, &file).expect("a specification");
    let chain = file.display().to_string();
    (folder, Setup { chain, full_nodes: 1, ..Setup::regtest() })
}

/// Makes an account an attested candidate, with a node of its own; the node's position.
fn candidate(network: &mut Network, chain: &str, path: &str) -> Result<usize> {
    let l1 = network.l1()?.access()?;
    let node = newcomer(network, chain, Some(l1))?;
    let height = network.finalized_height(0)?;
    network.wait_for_height(node, height)?;
    let who = account(&dev_pair(path)?);
    let score = Score::saturating(60);
    let set = pallet_reputation::Call::<Runtime>::set_l1_score { account: who.clone(), score };
    govern(network, 0, set)?;
    let arguments = json!(["4", 60, "/dns/eve.example/tcp/30333", who.to_string()]);
    let answer = network.call(0, "l2_announcesequencer", arguments)?;
    call(network, 0, path, announcement(&answer)?)?;
    rotate_keys(network, node, path)?;
    wait_for_attestation(network, &who)?;
    assert_eq!(keys_in_force(network, 0)?.len(), 4, "it got a seat");
    Ok(node)
}

/// Waits until all of these nodes have one last block, and it stays that.
fn last_block(network: &Network, nodes: &[usize]) -> Result<(u32, H256)> {
    let mut stands: Option<((u32, H256), Instant)> = None;
    until("the chain stands", PATIENCE, || {
        let mut heads = BTreeSet::new();
        for node in nodes {
            let height = network.finalized_height(*node)?;
            heads.insert((height, network.block_hash(*node, height)?));
        }
        let head = heads.first().copied().filter(|_| heads.len() == 1);
        match (head, stands) {
            (Some(head), Some((known, since))) if head == known => {
                if since.elapsed() >= QUIET {
                    return Ok(Seen::Done(head));
                }
            }
            (Some(head), _) => stands = Some((head, Instant::now())),
            (None, _) => stands = None,
        }
        Ok(Seen::NotYet(format!("{heads:?}")))
    })
}

/// Expects an error of this name that says this.
fn expect_refusal(answer: Result<Value>, name: &str, text: &str) {
    let Err(Error::Rpc { message, data, .. }) = &answer else {
        panic!("{name} is expected: {answer:?}");
    };
    assert!(data.as_deref().is_some_and(|data| data.contains(name)), "{name}: {answer:?}");
    assert!(message.contains(text), "{text}: {message}");
}

/// The text of a field.
fn text(answer: &Value, field: &str) -> Result<String> {
    let found = answer[field].as_str().map(String::from);
    found.ok_or_else(|| Error::other(format!("no {field} in {answer}")))
}

/// The transfer that nobody but L1 hears of, and its L1 block and transaction.
fn force(network: &Network, from: &str, to: &AccountId) -> Result<(String, String)> {
    let rpc = network.nodes[0].rpc();
    let pair = dev_pair(from)?;
    let nonce = next_nonce(&rpc, &account(&pair))?;
    let signed = SigningContext::of(&rpc)?.sign(extrinsic::transfer(to, AMOUNT), &pair, nonce);
    let sent = network.call(0, "l2_forceinclusion", json!([extrinsic::hex(&signed)]))?;
    network.l1()?.mine(1)?;
    Ok((network.l1()?.tip()?, text(&sent, "txid")?))
}

/// Moves L1's median time beyond the second deadline of what it has now.
fn let_l1_time_pass(network: &Network) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Error::other)?;
    let later = now.as_secs() + LATER_S;
    network.l1()?.call("setmocktime", json!([later]))?;
    network.l1()?.mine(MEDIAN_SPAN)
}

fn accept(network: &Network, node: usize, hand_over: &str) -> Result<Value> {
    network.call(node, "l2_accepthandover", json!([hand_over]))
}

fn balance_arrives(network: &Network, node: usize, to: &AccountId) -> Result<()> {
    until("what L1 forces is in force", LONG, || {
        let balance = burns::balance(network, node, to)?;
        Ok(Seen::when(balance == AMOUNT, balance))
    })
    .map(drop)
}

#[test]
fn r17_6_operators_hand_a_dead_chain_over_to_those_who_are_left_and_a_candidate() {
    let (_folder, setup) = setup();
    with_network(&setup, |network| {
        let new = candidate(network, &setup.chain, "//Eve")?;
        let going_on = [ALIVE[0], ALIVE[1], new];
        let watching = [ALIVE[0], ALIVE[1], FULL, new];
        network.expect_no_equivocations()?;

        // Nobody is left to make blocks.
        for node in GONE {
            network.nodes[node].kill()?;
        }
        let (height, base) = last_block(network, &watching)?;
        let to = account(&dev_pair("//OnlyOnL1")?);
        let (l1_block, txid) = force(network, "//Eve", &to)?;
        let reason = || json!([l1_block, txid]);

        // Until the second deadline nobody consents, nor for what does not stand on L1.
        let early = network.call(0, "l2_consenthandover", reason());
        expect_refusal(early, "HAND_OVER_NOT_DUE", "second deadline");
        let_l1_time_pass(network)?;
        let tip = network.l1()?.tip()?;
        let elsewhere = network.call(0, "l2_consenthandover", json!([tip, txid]));
        expect_refusal(elsewhere, "HAND_OVER_NOT_DUE", "no such transaction");
        let unknown = network.call(0, "l2_consenthandover", json!(["77".repeat(32), txid]));
        expect_refusal(unknown, "HAND_OVER_NOT_DUE", "knows no block");
        let follower = network.call(FULL, "l2_consenthandover", reason());
        expect_refusal(follower, "HAND_OVER_REFUSED", "none of those who may go on");

        let terms = network.call(FULL, "l2_gethandover", json!([]))?;
        assert_eq!(terms["terms"]["successors"].as_array().map(Vec::len), Some(5), "{terms}");
        assert_eq!((&terms["accepted"], &terms["last"]), (&json!([]), &Value::Null), "{terms}");
        let mut consents = Vec::new();
        for node in going_on {
            let answer = network.call(node, "l2_consenthandover", reason())?;
            assert_eq!(answer["base"]["blockHash"], json!(base), "{answer}");
            assert_eq!(answer["base"]["blockNumber"], height, "{answer}");
            assert_eq!(answer["accounts"].as_array().map(Vec::len), Some(1), "{answer}");
            consents.push(text(&answer, "consents")?);
        }
        let create = |node: usize, consents: String| {
            network.call(node, "l2_createhandover", json!([l1_block, txid, consents]))
        };
        let created = create(0, consents.join(","))?;
        // Whoever puts them together, in whatever order, has the same.
        consents.reverse();
        let again = create(FULL, consents.join(","))?;
        assert_eq!((&created["id"], &created["handOver"]), (&again["id"], &again["handOver"]));
        assert_eq!(created["accounts"].as_array().map(Vec::len), Some(3), "{created}");
        let hand_over = text(&created, "handOver")?;
        let other = text(&create(0, consents[1..].join(","))?, "handOver")?;

        // A consent that is for another attempt.
        let set_id = terms["terms"]["setId"].as_u64();
        let next = set_id.ok_or_else(|| Error::other(format!("no set id in {terms}")))? + 1;
        let foreign = network.call(1, "l2_consenthandover", json!([l1_block, txid, next]))?;
        let mixed = format!("{},{}", consents[0], text(&foreign, "consents")?);
        expect_refusal(create(0, mixed), "HAND_OVER_REFUSED", "another block, set id or L1");
        // The last byte is one of a signature.
        let (rest, last) = hand_over.split_at(hand_over.len() - 2);
        let forged = format!("{rest}{}", if last == "00" { "01" } else { "00" });
        expect_refusal(accept(network, 0, &forged), "HAND_OVER_REFUSED", "not signed by");

        let accepted = accept(network, ALIVE[0], &hand_over)?;
        assert_eq!((&accepted["id"], &accepted["inForce"]), (&created["id"], &json!(true)));
        let id = text(&created, "id")?;
        expect_refusal(accept(network, ALIVE[0], &other), "HAND_OVER_REFUSED", &id);
        for node in [ALIVE[1], new] {
            assert_eq!(accept(network, node, &hand_over)?["inForce"], true);
        }

        // The chain goes on, with what it was to bring.
        network.wait_for_progress_of(&going_on, 10)?;
        for node in going_on {
            balance_arrives(network, node, &to)?;
            let shown = network.call(node, "l2_gethandover", json!([]))?;
            let last = &shown["last"];
            assert_eq!((&last["id"], &last["members"]), (&created["id"], &json!(3)), "{shown}");
            assert_eq!(last["base"]["blockHash"], json!(base), "{shown}");
            assert_eq!(shown["accepted"][0]["inForce"], true, "{shown}");
            assert_eq!(keys_in_force(network, node)?.len(), 3);
        }
        // Sessions end, and those who are gone get no seats.
        network.wait_for_progress_of(&going_on, 130)?;
        assert_eq!(keys_in_force(network, 0)?.len(), 3);

        // Who has not accepted stays where it was, and follows once it has.
        assert_eq!(network.finalized_height(FULL)?, height);
        assert_eq!(network.block_hash(FULL, height)?, base);
        assert_eq!(accept(network, FULL, &hand_over)?["inForce"], true);
        let reached = network.finalized_height(0)?;
        until("the full node follows", LONG, || {
            let followed = network.finalized_height(FULL)?;
            Ok(Seen::when(followed >= reached, followed))
        })?;
        assert_eq!(burns::balance(network, FULL, &to)?, AMOUNT);

        // One of the old set comes back, and has heard of nothing.
        let back = GONE[0];
        network.nodes[back].start()?;
        network.nodes[back].wait_for_rpc()?;
        network.wait_for_progress_of(&going_on, 30)?;
        assert!(network.finalized_height(back)? <= height);
        let shown = network.call(back, "l2_gethandover", json!([]))?;
        assert_eq!((&shown["accepted"], &shown["last"]), (&json!([]), &Value::Null), "{shown}");
        network.expect_one_chain()?;
        network.expect_no_equivocations()?;
        Ok(())
    });
}
