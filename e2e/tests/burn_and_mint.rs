//! Coins destroyed on L1 arrive on L2, once, or are rejected with a reason.

use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    extrinsic::{self, account, dev_pair, next_nonce, submit, transfer, SigningContext},
    network::{with_network, Setup},
    set_changes::set_parameters,
    wait::{until, Seen, PATIENCE},
    Error,
};
use cascoin_l2_primitives::{
    l1::burn::{BurnPayload, Recipient},
    relay::RECOVERY_WINDOW,
};
use pallet_chain_parameters::ParameterChange;
use serde_json::json;
use sp_core::{ecdsa, Pair};

const COIN: u64 = 100_000_000;
/// What the pool answers when the runtime judges a transaction invalid. One that
/// it only remembers from a block is 1012, "temporarily banned".
const INVALID_TRANSACTION: i64 = 1010;

#[test]
fn a_burn_is_minted_on_all_nodes_and_can_be_spent() {
    let setup = Setup { full_nodes: 1, ..Setup::regtest() };
    with_network(&setup, |network| {
        let facts = ChainFacts::of(network, 0)?;
        let demo = dev_pair("//Happy")?;
        let other = account(&dev_pair("//Other")?);
        let before = burns::supply(network, 0)?;
        let value = 5 * COIN / 2;

        let burn = Burn::to_account(facts.chain_id, &account(&demo), value);
        let txid = network.l1()?.burn(&burn)?;
        let sent = network.call(0, "l2_getburnstatus", json!([txid]))?;
        assert_eq!(sent["consensusStatus"], "WAITING_CONFIRMATIONS", "in the mempool: {sent}");
        assert_eq!(sent["confirmations"], 0, "{sent}");
        network.l1()?.mine(facts.l1_confirmations)?;
        for node in 0..network.nodes.len() {
            let state = burns::minted(network, node, &txid)?;
            assert!(state.mint_block.is_some_and(|height| height > 0), "{state:?}");
            assert_eq!(burns::balance(network, node, &account(&demo))?, u128::from(value));
        }
        let supply = burns::supply(network, 0)?;
        assert!(supply.valid);
        assert_eq!(supply.issuance - before.issuance, u128::from(value));
        assert_eq!(supply.minted, u128::from(value));
        assert_eq!(supply.burn_count, 1);

        let history = network.call(4, "l2_getminthistory", json!([]))?;
        assert_eq!(history["count"], 1, "{history}");
        assert_eq!(history["mints"][0]["l1TxHash"], txid);
        assert_eq!(history["mints"][0]["amount"], "2.50000000");
        let own = network.call(1, "l2_getburnsforaddress", json!([account(&demo).to_string()]))?;
        assert_eq!(own["burns"][0]["l1TxHash"], txid, "{own}");
        let pending = network.call(0, "l2_getpendingburns", json!([]))?;
        assert_eq!(pending["count"], 0, "{pending}");

        // It is money: it moves, through a node that does not sequence.
        let full = network.nodes[4].rpc();
        let context = SigningContext::of(&full)?;
        let sent = context.sign(transfer(&other, u128::from(COIN)), &demo, 0);
        submit(&full, &sent)?;
        until("the transfer is final everywhere", PATIENCE, || {
            let mut balances = Vec::new();
            for node in 0..network.nodes.len() {
                balances.push(burns::balance(network, node, &other)?);
            }
            let done = balances.iter().all(|balance| *balance == u128::from(COIN));
            Ok(Seen::when(done, balances))
        })?;
        assert_eq!(next_nonce(&full, &account(&demo))?, 1);
        let left = burns::balance(network, 0, &account(&demo))?;
        assert!(left < u128::from(value - COIN), "a fee was paid: {left}");
        for node in 0..network.nodes.len() {
            assert!(burns::supply(network, node)?.valid);
        }
        network.expect_one_chain()?;

        // The full node is one: it follows and certifies nothing.
        let info = network.call(4, "l2_getchaininfo", json!([]))?;
        assert_eq!(info["engine"]["sequencing"], false, "{info}");
        Ok(())
    });
}

#[test]
fn l2_createburntx_and_l2_sendburntx_burn_coins_of_the_l1_wallet() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//ThroughRpc")?);
        let key = ecdsa::Pair::from_string("//ThroughRpc", None).map_err(|_| Error::other("//"))?;
        let key_account = BurnPayload {
            chain_id: facts.chain_id,
            recipient: Recipient::Key(key.public()),
            amount: 0,
        }
        .recipient
        .account();

        // Amounts as a number and as text, recipients as an account and as a key.
        let cases = [
            (json!([1.25, recipient.to_string()]), recipient.clone(), 5 * COIN / 4),
            (json!(["0.5", hex::encode(key.public())]), key_account, COIN / 2),
        ];
        for (params, credited, value) in cases {
            let created = network.call(0, "l2_createburntx", params)?;
            let sent = network.call(0, "l2_sendburntx", json!([created["hex"]]))?;
            let txid = sent["txid"].as_str().unwrap_or_default().to_string();
            network.l1()?.mine(facts.l1_confirmations)?;
            burns::minted(network, 2, &txid)?;
            assert_eq!(burns::balance(network, 2, &credited)?, u128::from(value));
        }

        // Nothing is sent that would destroy coins and mint nothing.
        let foreign = Burn::to_account(facts.chain_id + 1, &recipient, COIN);
        let raw = network.l1()?.transaction(&[foreign])?;
        let refused = network.call(0, "l2_sendburntx", json!([raw]));
        assert!(
            matches!(&refused, Err(Error::Rpc { data: Some(data), .. }) if data.contains("NOT_A_BURN")),
            "{refused:?}"
        );
        assert!(burns::supply(network, 0)?.valid);
        Ok(())
    });
}

#[test]
fn outputs_that_are_no_valid_burns_are_rejected_with_their_reason() {
    with_network(&Setup::regtest(), |network| {
        let chain_id = ChainFacts::of(network, 0)?.chain_id;
        let recipient = account(&dev_pair("//Rejected")?);
        let before = burns::supply(network, 0)?;
        let good = Burn::to_account(chain_id, &recipient, COIN);
        let with_payload = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut burn = good.clone();
            change(&mut burn.payload);
            burn
        };
        let cases = [
            ("value 0", good.clone().with_value(0), "ZERO_VALUE"),
            ("another chain's id", Burn::to_account(chain_id + 1, &recipient, COIN), "WRONG_CHAIN"),
            ("chain id 0", Burn::to_account(0, &recipient, COIN), "MALFORMED"),
            ("one byte short", with_payload(&|bytes| bytes.truncate(50)), "MALFORMED"),
            ("trailing bytes", with_payload(&|bytes| bytes.extend([0; 20])), "MALFORMED"),
            ("marker only", with_payload(&|bytes| bytes.truncate(6)), "MALFORMED"),
            ("unknown kind of recipient", with_payload(&|bytes| bytes[10] = 5), "BAD_KEY"),
            (
                "a point that is not on the curve",
                with_payload(&|bytes| {
                    bytes[10] = 2;
                    bytes[11..43].fill(0xff);
                }),
                "BAD_KEY",
            ),
        ];
        let mut sent = Vec::new();
        for (what, burn, reason) in &cases {
            sent.push((*what, network.l1()?.burn(burn)?, *reason));
        }
        // What is destroyed counts, not what the payload says.
        let overstated = network.l1()?.burn(&good.clone().with_value(COIN / 4))?;
        network.l1()?.mine(1)?;
        for (what, txid, reason) in &sent {
            for node in 0..network.nodes.len() {
                let states = burns::settled(network, node, txid)?;
                assert_eq!(states.len(), 1, "{what}: {states:?}");
                assert_eq!(states[0].status, "REJECTED", "{what}");
                assert_eq!(states[0].reason.as_deref(), Some(*reason), "{what}");
            }
        }
        burns::minted(network, 0, &overstated)?;
        assert_eq!(burns::balance(network, 0, &recipient)?, u128::from(COIN / 4));

        // Several burn outputs are not relayed but valid in a block; each counts.
        let key = ecdsa::Pair::from_string("//Rejected", None).map_err(|_| Error::other("//"))?;
        let to_key =
            BurnPayload { chain_id, recipient: Recipient::Key(key.public()), amount: COIN / 8 };
        let key_account = to_key.recipient.account();
        let two = [good.clone(), good.clone().with_value(0), Burn::of(to_key)];
        let txid = network.l1()?.mine_with_burns(&two)?;
        let states = burns::settled(network, 3, &txid)?;
        let statuses: Vec<_> = states.iter().map(|state| state.status.as_str()).collect();
        assert_eq!(statuses, ["MINTED", "REJECTED", "MINTED"]);
        assert_eq!(burns::balance(network, 3, &recipient)?, u128::from(COIN + COIN / 4));
        assert_eq!(burns::balance(network, 3, &key_account)?, u128::from(COIN / 8));

        let after = burns::supply(network, 0)?;
        assert!(after.valid);
        assert_eq!(after.minted, u128::from(COIN + COIN / 4 + COIN / 8));
        assert_eq!(after.issuance - before.issuance, after.minted);
        assert_eq!(after.rejected_count, cases.len() as u64 + 1);
        Ok(())
    });
}

#[test]
fn a_burn_seen_twice_is_minted_once() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//Once")?);
        let burn = Burn::to_account(facts.chain_id, &recipient, COIN);
        let txid = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        let mint_block = burns::minted(network, 0, &txid)?.mint_block.unwrap_or_default();
        let once = burns::supply(network, 0)?;

        // Every relay transaction of the blocks around the mint.
        let mut relayed = Vec::new();
        for height in mint_block.saturating_sub(5)..=mint_block {
            let hash = network.block_hash(0, height as u32)?;
            let block = network.call(0, "chain_getBlock", json!([hash]))?;
            let extrinsics = block["block"]["extrinsics"].as_array().cloned().unwrap_or_default();
            let texts = extrinsics.iter().filter_map(|extrinsic| extrinsic.as_str());
            relayed.extend(texts.filter(|text| is_general(text)).map(String::from));
        }
        assert!(!relayed.is_empty(), "votes and a page came before the mint");

        // L1 shows the same block again: its tip goes away and comes back.
        let tip = network.l1()?.tip()?;
        network.l1()?.call("invalidateblock", json!([tip]))?;
        network.wait_for_progress(3)?;
        network.l1()?.call("reconsiderblock", json!([tip]))?;
        network.l1()?.mine(1)?;

        // All nodes forget what they have in memory and read L1 again. Their pools
        // forget too what stood in a block and is banned for that: now only the
        // chain's own memory refuses what it has applied.
        for node in 0..network.nodes.len() {
            assert!(network.nodes[node].stop()?, "it stops when it is told to");
        }
        network.start_nodes()?;
        for extrinsic in &relayed {
            let again = network.call(1, "author_submitExtrinsic", json!([extrinsic]));
            assert!(
                matches!(again, Err(Error::Rpc { code: INVALID_TRANSACTION, .. })),
                "the runtime refuses {extrinsic}: {again:?}"
            );
        }
        network.wait_for_progress(5)?;
        let still_once = burns::supply(network, 0)?;
        assert_eq!(still_once.burn_count, once.burn_count);
        assert_eq!(still_once.minted, once.minted);
        assert_eq!(burns::balance(network, 0, &recipient)?, u128::from(COIN));

        let second = network.l1()?.burn(&burn)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::minted(network, 0, &second)?;

        let twice = burns::supply(network, 0)?;
        assert!(twice.valid);
        assert_eq!(twice.burn_count, once.burn_count + 1, "only the second burn was added");
        assert_eq!(burns::balance(network, 0, &recipient)?, u128::from(2 * COIN));
        network.expect_one_chain()?;
        Ok(())
    });
}

/// L1 replaces applied blocks. It brings one burn again and another not, until much later.
#[test]
fn p20_a_deep_reorganisation_of_l1_is_followed_and_the_books_stay_right() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let (stays, goes) = (account(&dev_pair("//Stays")?), account(&dev_pair("//Goes")?));
        let kept = Burn::to_account(facts.chain_id, &stays, 2 * COIN);
        let kept_raw = network.l1()?.transaction(&[kept])?;
        let kept = network.l1()?.txid(&kept_raw)?;
        network.l1()?.mine_only(&[kept_raw.clone()])?;
        let fork = network.l1()?.tip()?;
        let lost = Burn::to_account(facts.chain_id, &goes, COIN);
        let lost_raw = network.l1()?.transaction(&[lost])?;
        let lost = network.l1()?.txid(&lost_raw)?;
        network.l1()?.mine_only(&[lost_raw.clone()])?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::minted(network, 0, &kept)?;
        burns::minted(network, 0, &lost)?;
        let before = burns::supply(network, 0)?;
        let old_height = network.l1()?.height()?;

        // All blocks from the first burn's on are gone, and more than these come instead.
        network.l1()?.call("invalidateblock", json!([fork]))?;
        network.l1()?.mine_only(&[kept_raw])?;
        while network.l1()?.height()? < old_height + 3 {
            network.l1()?.mine_only(&[])?;
        }
        until("the relay follows the new branch", PATIENCE, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
            let follows = info["recoversUntil"].is_u64() && info["parentMismatch"].is_null();
            Ok(if follows { Seen::Done(()) } else { Seen::NotYet(info.to_string()) })
        })?;
        for _ in 0..RECOVERY_WINDOW {
            network.l1()?.mine_only(&[])?;
        }
        for node in 0..network.nodes.len() {
            burns::reaches(network, node, &lost, "REVERTED", PATIENCE)?;
            burns::reaches(network, node, &kept, "MINTED", PATIENCE)?;
            assert_eq!(burns::balance(network, node, &stays)?, u128::from(2 * COIN));
            assert_eq!(burns::balance(network, node, &goes)?, 0);
        }
        let after = burns::supply(network, 0)?;
        assert!(after.valid);
        assert_eq!(before.minted - after.minted, u128::from(COIN));
        assert_eq!(after.burn_count, before.burn_count - 1);

        // Hours later somebody mines it again.
        network.l1()?.mine_only(&[lost_raw])?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::reaches(network, 0, &lost, "MINTED", PATIENCE)?;
        assert_eq!(burns::balance(network, 0, &goes)?, u128::from(COIN));
        let again = burns::supply(network, 0)?;
        assert!(again.valid);
        assert_eq!((again.minted, again.burn_count), (before.minted, before.burn_count));
        network.expect_one_chain()?;
        Ok(())
    });
}

#[test]
fn r36_what_is_above_a_limit_waits_visibly_until_governance_raises_it() {
    with_network(&Setup::regtest(), |network| {
        use ParameterChange::{MaxDailyDeposit, MaxDeposit};
        let facts = ChainFacts::of(network, 0)?;
        let recipient = account(&dev_pair("//Limited")?);
        let coin = u128::from(COIN);
        set_parameters(network, &[MaxDeposit(coin), MaxDailyDeposit(coin)])?;

        let within = Burn::to_account(facts.chain_id, &recipient, COIN);
        let within = network.l1()?.burn(&within)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        burns::minted(network, 0, &within)?;
        // More than a few days' limits: it waits also if this day ends meanwhile.
        let above = Burn::to_account(facts.chain_id, &recipient, 9 * COIN);
        let above = network.l1()?.burn(&above)?;
        network.l1()?.mine(facts.l1_confirmations)?;
        for node in 0..network.nodes.len() {
            let waiting = until("what is above the limit waits", PATIENCE, || {
                let burn =
                    network.call(node, "l2_getburnstatus", json!([above]))?["burns"][0].clone();
                let waits = burn["limit"] == "BRIDGE_DEPOSIT_LIMIT";
                Ok(if waits { Seen::Done(burn) } else { Seen::NotYet(burn.to_string()) })
            })?;
            assert_eq!(
                (&waiting["status"], &waiting["queuePlace"]),
                (&json!("REACHED"), &json!(0))
            );
            let (next, last) = (waiting["nextMintAt"].as_u64(), waiting["completeMintAt"].as_u64());
            assert!(next.is_some() && next < last, "{waiting}");
            let pending = network.call(node, "l2_getpendingburns", json!([]))?;
            assert_eq!(pending["burns"][0]["l1TxHash"], above, "{pending}");
            assert_eq!(pending["burns"][0]["limit"], "BRIDGE_DEPOSIT_LIMIT", "{pending}");
            assert!(burns::balance(network, node, &recipient)? <= 2 * coin, "{pending}");
            assert!(burns::supply(network, node)?.valid);
        }

        set_parameters(network, &[MaxDailyDeposit(1_000 * coin), MaxDeposit(100 * coin)])?;
        for node in 0..network.nodes.len() {
            burns::minted(network, node, &above)?;
            assert_eq!(burns::balance(network, node, &recipient)?, 10 * coin);
            let supply = burns::supply(network, node)?;
            assert!(supply.valid);
            assert_eq!((supply.minted, supply.burn_count), (10 * coin, 2));
        }
        let pending = network.call(0, "l2_getpendingburns", json!([]))?;
        assert_eq!(pending["count"], 0, "{pending}");
        network.expect_one_chain()?;
        Ok(())
    });
}

/// Whether an encoded extrinsic is a General transaction of format version 5, as
/// `AuthorizeCall` makes them (the byte behind the length prefix).
fn is_general(text: &str) -> bool {
    let Ok(bytes) = hex::decode(text.trim_start_matches("0x")) else { return false };
    let prefix = match bytes.first().map(|byte| byte & 3) {
        Some(0) => 1,
        Some(1) => 2,
        Some(2) => 4,
        _ => return false,
    };
    bytes.get(prefix) == Some(&0x45)
}

#[test]
fn a_transfer_that_is_not_covered_or_forged_is_refused() {
    with_network(&Setup { l1: false, ..Setup::regtest() }, |network| {
        let rpc = network.nodes[0].rpc();
        let context = SigningContext::of(&rpc)?;
        let alice = dev_pair("//Alice")?;
        let poor = dev_pair("//Poor")?;
        let to = account(&dev_pair("//Other")?);
        let nonce = next_nonce(&rpc, &account(&alice))?;
        let other_chain = SigningContext { genesis: Default::default(), ..context };
        let refused = [
            ("no money", context.sign(transfer(&to, 1), &poor, 0)),
            ("another chain's signature", other_chain.sign(transfer(&to, 1), &alice, nonce)),
        ];
        for (what, extrinsic) in refused {
            let answer = submit(&rpc, &extrinsic);
            assert!(matches!(answer, Err(Error::Rpc { .. })), "{what}: {answer:?}");
        }
        let good = context.sign(transfer(&to, 1_000), &alice, nonce);
        submit(&rpc, &good)?;
        until("the good one is final", PATIENCE, || {
            let balance = burns::balance(network, 2, &to)?;
            Ok(Seen::when(balance == 1_000, balance))
        })?;
        let replayed = network.call(1, "author_submitExtrinsic", json!([extrinsic::hex(&good)]));
        assert!(matches!(replayed, Err(Error::Rpc { .. })), "a replay: {replayed:?}");
        assert_eq!(burns::balance(network, 2, &to)?, 1_000);
        Ok(())
    });
}
