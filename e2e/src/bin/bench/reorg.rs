//! How long L2 needs to follow an L1 that forks below what is applied.

use crate::{inbound::LIMIT, millis, quantiles, Quantiles, FINE};
use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    error::Result,
    extrinsic::{account, dev_pair},
    interrupt,
    l1::L1,
    network::Network,
    wait::{until, Seen, PATIENCE},
    Error,
};
use cascoin_l2_primitives::relay::RECOVERY_WINDOW;
use serde::Serialize;
use serde_json::json;
use std::{thread::sleep, time::Instant};

/// How much deeper than the confirmations that burns need a fork is.
const BELOW: u32 = 3;

/// Forks of L1.
#[derive(Serialize)]
pub struct Reorg {
    /// L1 blocks that were replaced.
    pub depth: u32,
    /// L1 blocks that came instead, all at once: those of the depth, and as many above as
    /// the chain waits for before it judges what is gone.
    pub new_blocks: u32,
    /// From the last of them until a burn of the new branch was MINTED.
    pub minting_ms: Quantiles,
    /// From the last of them until a burn that the new branch has not was REVERTED.
    pub reverted_ms: Quantiles,
}

/// Has L1 fork so many times.
pub fn reorg(network: &Network, forks: usize) -> Result<Reorg> {
    let facts = ChainFacts::of(network, 0)?;
    let depth = facts.l1_confirmations + BELOW;
    // One more than there was, and above it what recovery waits for.
    let new_blocks = depth + 1 + RECOVERY_WINDOW;
    let (mut minted, mut reverted) = (Vec::new(), Vec::new());
    for _ in 0..forks {
        let (minting, reverting) = one(network, &facts, depth, new_blocks)?;
        minted.push(minting);
        reverted.push(reverting);
    }
    let none = || Error::other("L1 did not fork");
    Ok(Reorg {
        depth,
        new_blocks,
        minting_ms: quantiles(minted).ok_or_else(none)?,
        reverted_ms: quantiles(reverted).ok_or_else(none)?,
    })
}

/// Milliseconds until minting goes on, and until what is gone is taken back.
fn one(network: &Network, facts: &ChainFacts, depth: u32, new_blocks: u32) -> Result<(f64, f64)> {
    let l1 = network.l1()?;
    let recipient = account(&dev_pair("//Reorg")?);
    let burn = |value| l1.transaction(&[Burn::to_account(facts.chain_id, &recipient, value)]);
    // Made first, so that it spends nothing that only the old branch has.
    let stays = burn(2_000_000)?;
    let goes = burn(1_000_000)?;
    let (kept, lost) = (l1.txid(&stays)?, l1.txid(&goes)?);
    let common = l1.height()?;
    l1.mine_only(&[goes])?;
    let fork = l1.tip()?;
    mine_empty(l1, depth - 1)?;
    burns::reaches(network, 0, &lost, "MINTED", PATIENCE)?;
    // All that is deep enough is attested, so that all of it has to be replaced.
    let attested = u64::from(l1.height()? + 1 - facts.l1_confirmations);
    until("the old branch is attested", PATIENCE, || {
        let info = network.call(0, "l2_getchaininfo", json!([]))?["l1"].clone();
        Ok(Seen::when(info["attestedHeight"] == attested, info))
    })?;

    // The other branch grows elsewhere and comes at once.
    let elsewhere = L1::copy_of(l1)?;
    elsewhere.call("invalidateblock", json!([fork]))?;
    elsewhere.mine_only(&[stays])?;
    mine_empty(&elsewhere, new_blocks - 1)?;
    l1.take_blocks(&elsewhere, common)?;

    let start = Instant::now();
    let (mut minted, mut reverted) = (None, None);
    loop {
        let now = millis(start.elapsed());
        if minted.is_none() && burns::status(network, 0, &kept)?.status == "MINTED" {
            minted = Some(now);
        }
        if reverted.is_none() && burns::status(network, 0, &lost)?.status == "REVERTED" {
            reverted = Some(now);
        }
        if let (Some(minted), Some(reverted)) = (minted, reverted) {
            return Ok((minted, reverted));
        }
        if start.elapsed() > LIMIT {
            return Err(Error::other(format!("not recovered in {} s", LIMIT.as_secs())));
        }
        interrupt::check()?;
        sleep(FINE);
    }
}

fn mine_empty(l1: &L1, blocks: u32) -> Result<()> {
    (0..blocks).try_for_each(|_| l1.mine_only(&[]))
}
