//! A recovery on real nodes: L1 forks deep below what L2 has applied, coins that it dropped
//! were spent, and the chain undoes what stands on them by itself, with a node that misses
//! all of it.

use cascoin_e2e::{
    audit::audit,
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair, hex, submit, transfer, SigningContext},
    l1::L1,
    network::{with_network, Network, Setup},
    set_changes::call,
    spec,
    wait::{until, Seen, PATIENCE},
    witness::Witness,
    Error, Result,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::params::LITECOIN_REGTEST,
    relay::RECOVERY_WINDOW,
};
use serde_json::{json, Value};
use std::time::Duration;

const COIN: u64 = LITECOIN_REGTEST.coin;
/// More than any fee.
const FEES: u64 = COIN / 100;
/// While one of four is down, each of its terms costs some time-outs.
const LONG: Duration = Duration::from_secs(240);
/// The state goes back part by part, a block each, and L1 is delivered again.
const VERY_LONG: Duration = Duration::from_secs(600);
/// Who misses the fork and the recovery.
const ABSENT: usize = 3;
/// Who is killed in the middle of it.
const KILLED: usize = 2;

fn coins(units: u64) -> Balance {
    units.into()
}

/// Mines a block with just this burn; the transaction in hex and its id.
fn mine_burn(l1: &L1, chain_id: u32, to: &AccountId, value: u64) -> Result<(String, String)> {
    let raw = l1.transaction(&[Burn::to_account(chain_id, to, value)])?;
    l1.mine_only(&[raw.clone()])?;
    let txid = l1.txid(&raw)?;
    Ok((raw, txid))
}

/// Has L1 replace its blocks from `fork` on by longer ones, of which the first has the burn
/// `kept` again.
fn replace_branch(
    network: &Network,
    fork: &str,
    kept: String,
    old_height: u32,
    replaced: u32,
) -> Result<()> {
    let l1 = network.l1()?;
    l1.call("invalidateblock", json!([fork]))?;
    l1.mine_only(&[kept])?;
    while l1.height()? < old_height + 3 {
        l1.mine_only(&[])?;
    }
    until("the relay follows the new branch", LONG, || {
        let info = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
        let recovers = info["recoversUntil"] == replaced + RECOVERY_WINDOW;
        let follows = recovers && info["parentMismatch"].is_null();
        Ok(Seen::when(follows, info))
    })?;
    (0..RECOVERY_WINDOW).try_for_each(|_| l1.mine_only(&[]))
}

/// How a recovery stands, and with what L1 it waits for where it does not get on.
fn recovery(network: &Network) -> Result<(Value, String)> {
    let answer = network.call(0, "l2_getrecovery", json!([]))?;
    let l1 = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
    let text = format!("{answer}; L1 as relayed: {l1}");
    Ok((answer, text))
}

/// Waits until the recovery is over. A node without which there is no quorum is killed while
/// the state is restored, and goes on with it when it is there again.
fn wait_for_recovery(network: &mut Network) -> Result<Value> {
    let is_over = |answer: &Value| answer["last"]["number"] == 1 && answer["running"].is_null();
    let seen = |done: bool, answer: Value, text: String| match done {
        true => Seen::Done(answer),
        false => Seen::NotYet(text),
    };
    let phase = until("the state is being restored", VERY_LONG, || {
        let (answer, text) = recovery(network)?;
        let is_restoring = answer["running"]["phase"] == "restoring";
        Ok(seen(is_restoring || is_over(&answer), answer, text))
    })?;
    // It is a matter of a second or two here: nothing is wrong if it is over by now.
    if !is_over(&phase) {
        network.nodes[KILLED].kill()?;
        let (_, text) = recovery(network)?;
        eprintln!("    killed {} in the middle: {text}", network.nodes[KILLED].name());
        network.nodes[KILLED].start()?;
        network.nodes[KILLED].wait_for_rpc()?;
    }
    until("the recovery is over", VERY_LONG, || {
        let (answer, text) = recovery(network)?;
        Ok(seen(is_over(&answer), answer, text))
    })
}

/// Who sent what fell, by its hash, and in the order in which it was tried.
fn fallen(network: &Network, node: usize) -> Result<Vec<(String, String)>> {
    let answer = network.call(node, "l2_getfallentransactions", json!([]))?;
    let list = answer["transactions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(list.iter().map(|one| (text(&one["from"]), text(&one["hash"]))).collect())
}

#[test]
fn p20_r19_2_payments_with_coins_that_l1_dropped_are_undone_and_all_others_hold() {
    let folder = tempfile::tempdir().expect("a folder for the chain's specification");
    let file = folder.path().join("recovery.json");
    // Sequencers vote whatever the deficit is.
    spec::write_with_parameter("regtest", "recoveryThreshold", &json!(1), &file)
        .expect("a specification");
    let setup = Setup { chain: file.display().to_string(), ..Setup::regtest() };
    with_network(&setup, |network| {
        let facts = ChainFacts::of(network, 0)?;
        let names = ["//Keeps", "//Gets", "//Loses", "//Paid", "//Passed", "//Elder", "//Eve"];
        let [keeps, gets, loses, paid, passed, elder, eve] =
            names.map(|path| dev_pair(path).map(|pair| account(&pair)));
        let (keeps, gets, loses, paid) = (keeps?, gets?, loses?, paid?);
        let (passed, elder, eve) = (passed?, elder?, eve?);

        // Each may spend change of those before it, so what L1 keeps comes first.
        let (kept_raw, kept) = mine_burn(network.l1()?, facts.chain_id, &keeps, 3 * COIN)?;
        let fork = network.l1()?.tip()?;
        let (_, lost) = mine_burn(network.l1()?, facts.chain_id, &loses, 4 * COIN)?;
        network.l1()?.mine_only(&[])?;
        network.l1()?.mine(facts.l1_confirmations)?;
        for txid in [&kept, &lost] {
            burns::minted(network, 0, txid)?;
        }

        // What is paid with coins that L1 will drop, and what is not.
        let rpc = network.nodes[0].rpc();
        let context = SigningContext::of(&rpc)?;
        let payment = context.sign(transfer(&paid, coins(2 * COIN)), &dev_pair("//Loses")?, 0);
        let payment_hash = submit(&rpc, &payment)?;
        until("the payment is final", PATIENCE, || {
            let balance = burns::balance(network, 0, &paid)?;
            Ok(Seen::when(balance == coins(2 * COIN), balance))
        })?;
        call(network, 0, "//Paid", transfer(&passed, coins(COIN)))?;
        call(network, 0, "//Keeps", transfer(&gets, coins(COIN)))?;
        call(network, 0, "//Eve", transfer(&elder, coins(5 * COIN)))?;
        // Which fails, and is not tried again.
        call(network, 0, "//Eve", transfer(&elder, Balance::MAX / 2))?;
        assert_eq!(burns::supply(network, 0)?.minted, coins(7 * COIN));
        assert_eq!(burns::balance(network, 0, &passed)?, coins(COIN));
        let senders = [(&loses, 1), (&paid, 1), (&keeps, 1), (&eve, 2)];

        // One of four sees nothing of what follows.
        let witness = Witness::of(network);
        let old_height = network.l1()?.height()?;
        let replaced = old_height + 1 - facts.l1_confirmations;
        until("all of the old branch is attested", PATIENCE, || {
            let info = network.call(ABSENT, "l2_getchaininfo", json!([]))?["l1"].clone();
            Ok(Seen::when(info["attestedHeight"] == replaced, info))
        })?;
        network.expect_no_equivocations()?;
        network.nodes[ABSENT].kill()?;
        replace_branch(network, &fork, kept_raw, old_height, replaced)?;

        // Nobody is asked: the others vote for the recovery, and run it.
        let recovery = wait_for_recovery(network)?;
        let last = &recovery["last"];
        assert_eq!((&last["holds"], &last["fell"]), (&json!(2), &json!(2)), "{recovery}");
        assert_eq!(last["blocksAbandoned"], 0, "{recovery}");
        assert_eq!(recovery["whyNot"], "nothingStands", "{recovery}");
        for node in 0..ABSENT {
            assert!(network.nodes[node].logged("voting for recovery 1"));
            assert!(network.nodes[node].logged("keeping the state of block"));
        }

        // Who was down follows, by executing the same blocks.
        network.nodes[ABSENT].start()?;
        network.nodes[ABSENT].wait_for_rpc()?;
        let height = network.finalized_height(0)?;
        until("who was down has caught up", LONG, || {
            let reached = network.finalized_height(ABSENT)?;
            Ok(Seen::when(reached >= height, reached))
        })?;
        let height = network.wait_for_progress(5)?;
        for node in 0..network.nodes.len() {
            network.wait_for_height(node, height)?;
            for (who, expected) in [
                (&loses, 0),
                (&paid, 0),
                (&passed, 0),
                (&gets, coins(COIN)),
                (&elder, coins(5 * COIN)),
            ] {
                assert_eq!(burns::balance(network, node, who)?, expected, "{who} on {node}");
            }
            let rest = burns::balance(network, node, &keeps)?;
            assert!((coins(2 * COIN - FEES)..coins(2 * COIN)).contains(&rest), "{rest}");
            // Nonces do not go back.
            for (who, sent) in senders {
                assert_eq!(burns::transaction_count(network, node, who)?, sent, "{who}");
            }
            let supply = burns::supply(network, node)?;
            assert!(supply.valid, "{supply:?}");
            assert_eq!((supply.minted, supply.burn_count), (coins(3 * COIN), 1));
            assert_eq!((supply.deficit, supply.clawed_back), (0, 0));
            assert_eq!(burns::status(network, node, &kept)?.status, "MINTED");
            let doubt = network.call(node, "l2_getrecoverypoint", json!([]))?;
            assert_eq!(doubt["state"], "clear", "{doubt}");
            // Their senders are told.
            let fell = fallen(network, node)?;
            assert_eq!(fell.len(), 2, "{fell:?}");
            assert_eq!(fell[0], (loses.to_string(), format!("{payment_hash:?}")));
            assert_eq!(fell[1].0, paid.to_string());
        }

        // Life goes on. Now the quorum needs the late one, also for what L1 says.
        network.expect_no_equivocations()?;
        network.nodes[0].kill()?;
        let (_, new) = mine_burn(network.l1()?, facts.chain_id, &loses, 4 * COIN)?;
        // Not what waits in the mempool: L1 put what it dropped back there.
        (0..facts.l1_confirmations).try_for_each(|_| network.l1()?.mine_only(&[]))?;
        for node in [1, ABSENT] {
            burns::reaches(network, node, &new, "MINTED", LONG)?;
            assert_eq!(burns::balance(network, node, &loses)?, coins(4 * COIN));
        }
        network.nodes[0].start()?;
        network.nodes[0].wait_for_rpc()?;
        network.wait_for_progress(5)?;

        // What fell is for its sender alone to send again.
        let again = network.call(1, "author_submitExtrinsic", json!([hex(&payment)]));
        assert!(matches!(again, Err(Error::Rpc { .. })), "{again:?}");
        call(network, 1, "//Loses", transfer(&paid, coins(COIN)))?;
        call(network, 1, "//Gets", transfer(&elder, coins(COIN / 2)))?;
        for node in 0..network.nodes.len() {
            until("the new transfers are there", PATIENCE, || {
                let balances =
                    (burns::balance(network, node, &paid)?, burns::balance(network, node, &elder)?);
                let expected = (coins(COIN), coins(5 * COIN + COIN / 2));
                Ok(Seen::when(balances == expected, balances))
            })?;
            let rest = burns::balance(network, node, &loses)?;
            assert!((coins(3 * COIN - FEES)..coins(3 * COIN)).contains(&rest), "{rest}");
            assert!(burns::supply(network, node)?.valid);
        }
        let audited = audit(network, witness)?;
        eprintln!("    {audited:?}");
        Ok(())
    });
}
