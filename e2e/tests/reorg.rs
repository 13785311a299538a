//! L1 forks deep below what L2 has applied, under load and with a node that misses all of
//! it.

use cascoin_e2e::{
    audit::audit,
    burns::{self, Burn, ChainFacts},
    extrinsic::{account, dev_pair, transfer},
    l1::L1,
    load::Load,
    network::{with_network, Network, Setup},
    set_changes::call,
    wait::{until, Seen, PATIENCE},
    witness::Witness,
    Error, Result,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{params::LITECOIN_REGTEST, OutPoint},
    relay::RECOVERY_WINDOW,
};
use cascoin_l2_runtime::RuntimeCall;
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

const COIN: u64 = LITECOIN_REGTEST.coin;
/// Transfers a second: enough that every block has some, and two cores stand it.
const RATE: u64 = 20;
/// While one of four is down, each of its terms costs some time-outs.
const LONG: Duration = Duration::from_secs(240);
/// Who misses the fork.
const ABSENT: usize = 3;

/// Mines a block with just this burn; the transaction in hex and its id.
fn mine_burn(l1: &L1, chain_id: u32, to: &AccountId, value: u64) -> Result<(String, String)> {
    let raw = l1.transaction(&[Burn::to_account(chain_id, to, value)])?;
    l1.mine_only(&[raw.clone()])?;
    let txid = l1.txid(&raw)?;
    Ok((raw, txid))
}

/// The state roots that the nodes have at the highest block that all of them hold.
fn state_roots(network: &Network) -> Result<BTreeSet<String>> {
    let mut common = u32::MAX;
    for node in 0..network.nodes.len() {
        common = common.min(network.finalized_height(node)?);
    }
    let mut roots = BTreeSet::new();
    for node in 0..network.nodes.len() {
        let hash = network.block_hash(node, common)?;
        let header = network.call(node, "chain_getHeader", json!([hash]))?;
        roots.insert(header["stateRoot"].to_string());
    }
    Ok(roots)
}

#[test]
fn p20_r19_a_node_that_was_down_during_a_deep_fork_of_l1_agrees_with_the_others_on_the_books() {
    with_network(&Setup::regtest(), |network| {
        let facts = ChainFacts::of(network, 0)?;
        let [stays, moves, goes, spends] = ["//Stays", "//Moves", "//Goes", "//Spends"]
            .map(|path| dev_pair(path).map(|pair| account(&pair)));
        let (stays, moves, goes, spends) = (stays?, moves?, goes?, spends?);
        // Each may spend change of those before it, so what L1 keeps comes first.
        let (kept_raw, kept) = mine_burn(network.l1()?, facts.chain_id, &stays, 2 * COIN)?;
        let fork = network.l1()?.tip()?;
        let (moved_raw, moved) = mine_burn(network.l1()?, facts.chain_id, &moves, COIN)?;
        let (_, lost) = mine_burn(network.l1()?, facts.chain_id, &goes, COIN)?;
        let (_, spent) = mine_burn(network.l1()?, facts.chain_id, &spends, 3 * COIN)?;
        network.l1()?.mine_only(&[])?;
        network.l1()?.mine(facts.l1_confirmations)?;
        for txid in [&kept, &moved, &lost, &spent] {
            burns::minted(network, 0, txid)?;
        }
        let buyer = account(&dev_pair("//Buyer")?);
        call(network, 0, "//Spends", transfer(&buyer, u128::from(2 * COIN)))?;
        let before = burns::supply(network, 0)?;
        assert_eq!((before.minted, before.burn_count), (u128::from(7 * COIN), 4));
        assert_eq!((before.clawed_back, before.deficit), (0, 0));

        // Blocks go on, and one of four sees nothing of what follows.
        let witness = Witness::of(network);
        let load = Load::start(network.nodes.iter().map(|node| node.rpc()).collect(), RATE)?;
        network.wait_for_progress(5)?;
        let old_height = network.l1()?.height()?;
        let replaced = old_height + 1 - facts.l1_confirmations;
        until("all of the old branch is attested", PATIENCE, || {
            let info = network.call(ABSENT, "l2_getchaininfo", json!([]))?["l1"].clone();
            Ok(Seen::when(info["attestedHeight"] == replaced, info))
        })?;
        network.expect_no_equivocations()?;
        network.nodes[ABSENT].kill()?;

        network.l1()?.call("invalidateblock", json!([fork]))?;
        network.l1()?.mine_only(&[kept_raw])?;
        network.l1()?.mine_only(&[])?;
        network.l1()?.mine_only(&[])?;
        network.l1()?.mine_only(&[moved_raw])?;
        while network.l1()?.height()? < old_height + 3 {
            network.l1()?.mine_only(&[])?;
        }
        until("the relay follows the new branch", LONG, || {
            let info = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
            let recovers = info["recoversUntil"] == replaced + RECOVERY_WINDOW;
            let follows = recovers && info["parentMismatch"].is_null();
            Ok(Seen::when(follows, info))
        })?;
        // Nothing is minted before what is gone is known, nor taken back.
        assert_eq!(burns::status(network, 0, &lost)?.status, "MINTED");
        for _ in 0..RECOVERY_WINDOW {
            network.l1()?.mine_only(&[])?;
        }
        for node in 0..ABSENT {
            for txid in [&lost, &spent] {
                burns::reaches(network, node, txid, "REVERTED", LONG)?;
            }
        }

        // It has the old branch in its own books of L1, and all of L2's blocks to make up
        // for.
        network.nodes[ABSENT].start()?;
        network.nodes[ABSENT].wait_for_rpc()?;
        network.wait_for_progress(5)?;
        let supply = burns::supply(network, 0)?;
        for node in 0..network.nodes.len() {
            for (txid, status) in
                [(&kept, "MINTED"), (&moved, "MINTED"), (&lost, "REVERTED"), (&spent, "REVERTED")]
            {
                burns::reaches(network, node, txid, status, LONG)?;
            }
            assert_eq!(burns::balance(network, node, &stays)?, u128::from(2 * COIN));
            assert_eq!(burns::balance(network, node, &moves)?, u128::from(COIN));
            assert_eq!(burns::balance(network, node, &goes)?, 0);
            assert_eq!(burns::balance(network, node, &spends)?, 0);
            // Who got the coins keeps them.
            assert_eq!(burns::balance(network, node, &buyer)?, u128::from(2 * COIN));
            let books = burns::supply(network, node)?;
            assert!(books.valid, "{books:?}");
            assert_eq!(
                (books.minted, books.burn_count, books.clawed_back, books.deficit),
                (supply.minted, supply.burn_count, supply.clawed_back, supply.deficit)
            );
        }
        assert_eq!(supply.burn_count, 2);
        assert_eq!(before.minted - supply.minted, supply.clawed_back);
        // All of the one, and of the other what was neither spent nor paid as a fee.
        assert_eq!(supply.clawed_back + supply.deficit, u128::from(4 * COIN));
        let most = u128::from(2 * COIN + COIN / 100);
        assert!((u128::from(2 * COIN) + 1..most).contains(&supply.deficit), "{supply:?}");
        assert_eq!(state_roots(network)?.len(), 1);

        // Once there is something to take, anybody has the deficit covered.
        call(network, 0, "//Eve", transfer(&spends, u128::from(3 * COIN)))?;
        let outpoint = OutPoint { txid: spent.parse().map_err(Error::other)?, vout: 0 };
        let claw_back = pallet_burn_mint::Call::claw_back { outpoint };
        call(network, 0, "//Eve", RuntimeCall::BurnMint(claw_back))?;
        for node in 0..network.nodes.len() {
            let books = until("the deficit is covered", PATIENCE, || {
                let books = burns::supply(network, node)?;
                Ok(Seen::when(books.deficit == 0, books))
            })?;
            assert!(books.valid, "{books:?}");
            assert_eq!(books.clawed_back, u128::from(4 * COIN));
            assert_eq!(books.minted, u128::from(3 * COIN), "what the new branch has");
        }

        // The late one votes for the new branch: now the quorum needs it.
        network.expect_no_equivocations()?;
        network.nodes[0].kill()?;
        let (_, new) = mine_burn(network.l1()?, facts.chain_id, &stays, COIN)?;
        burns::reaches(network, 1, &new, "MINTED", LONG)?;
        burns::reaches(network, ABSENT, &new, "MINTED", LONG)?;
        network.nodes[0].start()?;
        network.nodes[0].wait_for_rpc()?;
        network.wait_for_progress(5)?;
        load.stop();
        for node in 0..network.nodes.len() {
            burns::reaches(network, node, &new, "MINTED", PATIENCE)?;
            assert!(burns::supply(network, node)?.valid);
        }
        let audited = audit(network, witness)?;
        eprintln!("    {audited:?}");
        Ok(())
    });
}
