//! Transactions that are only ever posted on a real L1 are included on L2.

use cascoin_e2e::{
    burns,
    extrinsic::{self, account, dev_pair, next_nonce, SigningContext},
    network::{with_network, Network, Setup},
    set_changes::call,
    spec,
    wait::{until, Seen, PATIENCE},
    Error, Result,
};
use cascoin_l2_primitives::chain::Nonce;
use cascoin_l2_runtime::RuntimeCall;
use codec::Encode;
use serde_json::{json, Value};
use sp_core::sr25519;
use tempfile::TempDir;

const AMOUNT: u128 = 1_000_000;
const INVALID_PARAMS: i64 = -32_602;
/// Leaders can include what is overdue at once only if the block that heard of it has a
/// number that the workers work in, which is every fourth.
const ATTEMPTS: Nonce = 12;

/// Looks at a network, a second or longer, after which an account's transaction is sent again.
const LOOKS: u32 = 20;

/// A network whose transactions on L1 are overdue after a second: its leaders hear of them
/// when their time is over, or nearly.
fn quick() -> (TempDir, Setup) {
    let folder = TempDir::new().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("quick.json");
    let written = spec::write_with_parameter("regtest", "forcedInclusionS", &json!(1), &file);
    if let Err(error) = written {
        panic!("{error}");
    }
    (folder, Setup { chain: file.display().to_string(), ..Setup::regtest() })
}

/// What became of transactions on L1 so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Totals {
    heard: u64,
    included: u64,
    applied: u64,
    dropped: u64,
    waiting: u64,
}

fn totals(network: &Network, node: usize) -> Result<Totals> {
    let shown = network.call(node, "l2_getforcedtransactions", json!([]))?;
    let count = |name: &str| {
        shown[name].as_u64().ok_or_else(|| Error::other(format!("no {name} in {shown}")))
    };
    Ok(Totals {
        heard: count("heard")?,
        included: count("included")?,
        applied: count("applied")?,
        dropped: count("dropped")?,
        waiting: count("waiting")?,
    })
}

/// Waits until a node has heard of so many, and none of them waits.
fn settled(network: &Network, node: usize, heard: u64) -> Result<Totals> {
    until("what stands on L1 is settled", PATIENCE, || {
        let now = totals(network, node)?;
        Ok(Seen::when(now.heard == heard && now.waiting == 0, now))
    })
}

/// Whether a transaction stands in a block of a node above `from` and up to its last final
/// one.
fn is_in_a_block(network: &Network, node: usize, from: u32, transaction: &str) -> Result<bool> {
    for height in from + 1..=network.finalized_height(node)? {
        let hash = network.block_hash(node, height)?;
        let block = network.call(node, "chain_getBlock", json!([hash]))?;
        let extrinsics = block["block"]["extrinsics"].as_array().cloned();
        let extrinsics = extrinsics.ok_or_else(|| Error::other(format!("no body in {block}")))?;
        if extrinsics.iter().any(|extrinsic| extrinsic == transaction) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn remark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![1] })
}

/// No node is given it, and honest leaders include it as soon as the relay tells of it.
#[test]
fn r17_4_what_is_posted_on_l1_is_included_by_honest_leaders() {
    with_network(&Setup::regtest(), |network| {
        let rpc = network.nodes[0].rpc();
        let eve = dev_pair("//Eve")?;
        let who = account(&eve);
        let to = account(&dev_pair("//OnlyOnL1")?);
        let signed = SigningContext::of(&rpc)?.sign(extrinsic::transfer(&to, AMOUNT), &eve, 0);
        let signed = extrinsic::hex(&signed);
        let from = network.finalized_height(1)?;
        let sent = network.call(0, "l2_forceinclusion", json!([signed]))?;
        assert_eq!(sent["includedWithinSeconds"], 600, "{sent}");
        // Until L1 has it in a block nobody knows it.
        let unknown = Totals { heard: 0, included: 0, applied: 0, dropped: 0, waiting: 0 };
        assert_eq!(totals(network, 1)?, unknown);
        network.l1()?.mine(2)?;
        for node in 0..network.nodes.len() {
            until("the transaction is in a block", PATIENCE, || {
                let count = burns::transaction_count(network, node, &who)?;
                Ok(Seen::when(count == 1, count))
            })?;
            assert_eq!(burns::balance(network, node, &to)?, AMOUNT);
        }
        // A leader put it there, long before the chain would have had to.
        assert!(is_in_a_block(network, 1, from, &signed)?);
        let known = network.call(1, "l2_getforcedtransactions", json!([]))?;
        assert_eq!((&known["heard"], &known["waiting"]), (&json!(1), &json!(1)), "{known}");
        assert_eq!(known["transactions"][0]["hash"], sent["hash"]);
        assert_eq!((&known["applied"], &known["dropped"]), (&json!(0), &json!(0)), "{known}");
        network.wait_for_progress(10)?;
        network.expect_one_chain()?;
        Ok(())
    });
}

/// Waits until an account's transaction with this nonce is in a block, after one that may
/// stand in none. A pool that held both may have dropped this one with the one before it, and
/// bans its bytes then: whoever sends it again, as a wallet does, sends others.
fn next_is_included(network: &Network, who: &sr25519::Pair, nonce: Nonce) -> Result<()> {
    let to = account(&dev_pair(&format!("//After{nonce}"))?);
    let context = SigningContext::of(&network.nodes[1].rpc())?;
    let sender = account(who);
    let (mut looks, mut again) = (0u32, 0u32);
    until("the account's next transaction is in a block", PATIENCE, || {
        let count = burns::transaction_count(network, 1, &sender)?;
        let is_included = count == u64::from(nonce) + 1;
        looks += 1;
        // The one that was sent has its time first.
        if !is_included && looks % LOOKS == 0 {
            again += 1;
            let other = extrinsic::transfer(&to, AMOUNT + u128::from(again));
            let other = extrinsic::hex(&context.sign(other, who, nonce));
            // Where the one before is known and pays as much this one is refused.
            for node in 0..network.nodes.len() {
                let _ = network.call(node, "author_submitExtrinsic", json!([other]));
            }
        }
        Ok(Seen::when(is_included, count))
    })?;
    for node in 0..network.nodes.len() {
        until("all nodes have it", PATIENCE, || {
            let balance = burns::balance(network, node, &to)?;
            Ok(Seen::when((AMOUNT..=AMOUNT + u128::from(again)).contains(&balance), balance))
        })?;
    }
    Ok(())
}

/// Leaders that have not included it when its time is over have no say any more: it takes
/// effect without standing in anybody's block. The account's next one, which a pool has
/// already, is included afterwards.
#[test]
fn p19_what_leaders_have_not_included_in_time_the_chain_applies_by_itself() {
    let (_folder, setup) = quick();
    with_network(&setup, |network| {
        let eve = dev_pair("//Eve")?;
        let who = account(&eve);
        for nonce in (0..ATTEMPTS).map(|attempt| 2 * attempt) {
            // Of L1 blocks that are seconds ahead of us nothing is overdue.
            network.l1()?.wait_for_its_clock()?;
            let to = account(&dev_pair(&format!("//Forced{nonce}"))?);
            let context = SigningContext::of(&network.nodes[0].rpc())?;
            let signed = context.sign(extrinsic::transfer(&to, AMOUNT), &eve, nonce);
            let signed = extrinsic::hex(&signed);
            let (from, before) = (network.finalized_height(1)?, totals(network, 1)?);
            let after_it = account(&dev_pair(&format!("//After{}", nonce + 1))?);
            let next = context.sign(extrinsic::transfer(&after_it, AMOUNT), &eve, nonce + 1);
            network.call(1, "author_submitExtrinsic", json!([extrinsic::hex(&next)]))?;
            network.call(0, "l2_forceinclusion", json!([signed]))?;
            network.l1()?.mine(1)?;

            let after = settled(network, 1, before.heard + 1)?;
            assert_eq!(after.dropped, 0, "{after:?}");
            // Whoever included it, it took effect, once, for all.
            for node in 0..network.nodes.len() {
                assert_eq!(settled(network, node, after.heard)?, after);
                assert_eq!(burns::balance(network, node, &to)?, AMOUNT);
                let count = burns::transaction_count(network, node, &who)?;
                assert!(count > u64::from(nonce), "{count}");
            }
            next_is_included(network, &eve, nonce + 1)?;
            let in_a_block = is_in_a_block(network, 1, from, &signed)?;
            if after.applied == before.applied {
                assert_eq!(after.included, before.included + 1, "{after:?}");
                assert!(in_a_block, "its leader was quick: {after:?}");
                continue;
            }
            assert_eq!(after.applied, before.applied + 1, "{after:?}");
            assert_eq!(after.included, before.included, "{after:?}");
            assert!(!in_a_block, "no leader has it in its block: {after:?}");

            // It paid its fee, and its nonce is used: nobody can have it included again.
            let again = network.call(1, "author_submitExtrinsic", json!([signed]));
            assert!(matches!(again, Err(Error::Rpc { .. })), "{again:?}");
            assert_eq!(next_nonce(&network.nodes[1].rpc(), &who)?, nonce + 2);
            network.wait_for_progress(10)?;
            assert!(burns::supply(network, 1)?.valid);
            network.expect_one_chain()?;
            return Ok(());
        }
        Err(Error::other(format!("leaders included all of {ATTEMPTS} at once")))
    });
}

#[test]
fn r17_5_what_cannot_be_included_is_refused_or_told() {
    let (_folder, setup) = quick();
    with_network(&setup, |network| {
        let context = SigningContext::of(&network.nodes[0].rpc())?;
        let (eve, poor) = (dev_pair("//Eve")?, dev_pair("//Poor")?);
        let to = account(&dev_pair("//Nobodys")?);
        let transfer = || extrinsic::transfer(&to, AMOUNT);

        // What can be no transaction costs nobody a coin.
        let coins = network.l1()?.call("getbalance", json!([]))?;
        let refused = [
            ("too large", hex::encode(vec![0u8; 3_072].encode())),
            ("another length in front", "0x0c0102".into()),
            ("not hex", "transfer".into()),
            ("nothing", String::new()),
        ];
        for (what, transaction) in refused {
            let answer = network.call(0, "l2_forceinclusion", json!([transaction]));
            let Err(Error::Rpc { code, message, .. }) = &answer else {
                panic!("{what}: {answer:?}");
            };
            assert_eq!(*code, INVALID_PARAMS, "{what}: {message}");
            assert!(message.contains("3072"), "{what}: {message}");
        }
        assert_eq!(network.l1()?.call("getbalance", json!([]))?, coins);

        call(network, 0, "//Eve", remark())?;
        let elsewhere = SigningContext { genesis: Default::default(), ..context };
        let posted = [
            ("a wrong signature", elsewhere.sign(transfer(), &eve, 1)),
            ("a used nonce", context.sign(transfer(), &eve, 0)),
            ("no coins for the fee", context.sign(transfer(), &poor, 0)),
        ];
        for (what, signed) in &posted {
            let answer = network.call(0, "l2_forceinclusion", json!([extrinsic::hex(signed)]));
            let Err(Error::Rpc { message, .. }) = &answer else { panic!("{what}: {answer:?}") };
            assert!(message.contains("unchecked"), "{what}: {message}");
        }
        assert_eq!(network.l1()?.call("getbalance", json!([]))?, coins);

        // Posted all the same, the chain judges it when its time is over.
        for (what, signed) in &posted {
            let args = json!([extrinsic::hex(signed), "0", true]);
            let sent = network.call(0, "l2_forceinclusion", args)?;
            assert!(sent["txid"].is_string(), "{what}: {sent}");
        }
        network.l1()?.mine(1)?;
        for node in 0..network.nodes.len() {
            let told = settled(network, node, posted.len() as u64)?;
            let expected = Totals { heard: 3, included: 1, applied: 0, dropped: 2, waiting: 0 };
            assert_eq!(told, expected);
            let shown = network.call(node, "l2_getforcedtransactions", json!([]))?;
            assert_eq!(shown["transactions"], Value::Array(Vec::new()), "{shown}");
            assert_eq!(burns::balance(network, node, &to)?, 0);
            assert_eq!(burns::transaction_count(network, node, &account(&eve))?, 1);
            assert!(burns::supply(network, node)?.valid);
        }
        network.expect_one_chain()?;
        Ok(())
    });
}
