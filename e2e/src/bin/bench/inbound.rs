//! What comes in from L1: one L1 block full of burns, and an L1 that is far ahead.

use crate::FINE;
use cascoin_e2e::{
    burns::{self, Burn, ChainFacts},
    error::Result,
    extrinsic::{account, dev_pair},
    interrupt,
    network::{Network, Setup},
    Error,
};
use cascoin_l2_runtime::Runtime;
use codec::Decode;
use serde::Serialize;
use serde_json::{json, Value};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Longest time any of this may take.
pub const LIMIT: Duration = Duration::from_secs(600);
/// Bytes of outputs in a full L1 block, a bit below what consensus allows without
/// witnesses.
const FULL_BLOCK: usize = 950_000;
/// An output that anybody can spend: it needs no signature.
const OP_TRUE: &[u8] = &[0x51];
/// Such outputs of one transaction.
const COINS_PER_TRANSACTION: usize = 500;
/// What each of them holds, in L1 units.
const COIN: u64 = 1_000_000;

/// Many burns of one L1 block.
#[derive(Serialize)]
pub struct Flood {
    /// Burns of the block.
    pub burns: usize,
    /// From the k-th confirmation until all were minted.
    pub milliseconds: f64,
    /// L2 blocks that minted some.
    pub blocks: usize,
    /// Most weight of such a block, in milliseconds of execution.
    pub heaviest_ms: f64,
}

/// Reading an L1 that was there before the nodes.
#[derive(Serialize)]
pub struct CatchUp {
    /// L1 blocks.
    pub l1_blocks: u32,
    /// Bytes of outputs in each.
    pub bytes_per_block: usize,
    /// From the first look until the chain had applied all but those without enough
    /// confirmations.
    pub milliseconds: f64,
    /// Blocks of them in a second.
    pub blocks_per_second: f64,
}

/// Burns `count` times in one L1 block and waits for all mints.
pub fn flood(network: &Network, count: usize) -> Result<Flood> {
    let facts = ChainFacts::of(network, 0)?;
    let recipient = account(&dev_pair("//Flood")?);
    let burns: Vec<_> = (0..count)
        .map(|number| Burn::to_account(facts.chain_id, &recipient, 1_000 + number as u64))
        .collect();
    let minted = burns::supply(network, 0)?.burn_count + count as u64;
    network.l1()?.mine_with_burns(&burns)?;
    if facts.l1_confirmations > 1 {
        network.l1()?.mine(facts.l1_confirmations.saturating_sub(2))?;
        // What is there is read before the last block comes, which is what is timed.
        interrupt::pause(Duration::from_secs(3))?;
        network.l1()?.mine(1)?;
    }
    let first = network.finalized_height(0)?;
    let took = timed(|| Ok(burns::supply(network, 0)?.burn_count >= minted))?;
    let last = network.finalized_height(0)?;

    let (mut blocks, mut heaviest) = (0, 0);
    let mut before = burn_count(network, first.saturating_sub(1))?;
    for height in first..=last {
        let after = burn_count(network, height)?;
        if after > before {
            blocks += 1;
            heaviest = heaviest.max(weight(network, height)?);
        }
        before = after;
    }
    Ok(Flood {
        burns: count,
        milliseconds: crate::millis(took),
        blocks,
        // Weight counts picoseconds.
        heaviest_ms: heaviest as f64 / 1e9,
    })
}

/// Starts a network whose L1 has `blocks` more than usual, each with outputs of `bytes`,
/// and waits until the relay has applied them.
pub fn catch_up(setup: &Setup, blocks: u32, bytes: usize) -> Result<CatchUp> {
    let bytes = bytes.min(FULL_BLOCK);
    let mut network = Network::prepare(setup)?;
    mine(&network, blocks, bytes)?;
    let tip = network.l1()?.height()?;
    network.start_nodes()?;
    network.wait_for_progress(2)?;
    let facts = ChainFacts::of(&network, 0)?;
    let target = u64::from(tip.saturating_sub(facts.l1_confirmations.saturating_sub(1)));
    let start = applied(&network)?;
    let took = timed(|| Ok(applied(&network)? >= target))?;
    Ok(CatchUp {
        l1_blocks: blocks,
        bytes_per_block: bytes,
        milliseconds: crate::millis(took),
        blocks_per_second: target.saturating_sub(start) as f64 / took.as_secs_f64(),
    })
}

/// Blocks of `bytes`, or as the node makes them where that is 0.
fn mine(network: &Network, blocks: u32, bytes: usize) -> Result<()> {
    let l1 = network.l1()?;
    if bytes == 0 {
        return l1.mine(blocks);
    }
    let mut coins = Vec::new();
    for number in 0..blocks {
        if coins.is_empty() {
            coins = anyones_coins(network)?;
        }
        let coin = coins.pop().ok_or_else(|| Error::other("no coins"))?;
        let raw = wide_transaction(&coin, bytes);
        l1.litecoind().mine_raw(&[raw])?;
        if number % 20 == 19 {
            eprintln!("    {} of {blocks} L1 blocks", number + 1);
        }
    }
    Ok(())
}

/// Identifier (as it is hashed) and position of outputs that anybody can spend.
fn anyones_coins(network: &Network) -> Result<Vec<([u8; 32], u32)>> {
    let l1 = network.l1()?;
    let outputs: Vec<_> = (0..COINS_PER_TRANSACTION).map(|_| (COIN, OP_TRUE.to_vec())).collect();
    let raw = l1.litecoind().signed(&outputs)?;
    l1.litecoind().mine_raw(&[raw.clone()])?;
    let decoded = l1.call("decoderawtransaction", json!([hex::encode(raw)]))?;
    let missing = || Error::other("an L1 transaction that cannot be read");
    let mut txid = [0; 32];
    let text = decoded["txid"].as_str().ok_or_else(missing)?;
    hex::decode_to_slice(text, &mut txid).map_err(Error::other)?;
    txid.reverse();
    let places = decoded["vout"].as_array().ok_or_else(missing)?.iter();
    let anyones = places.filter(|output| output["scriptPubKey"]["hex"] == hex::encode(OP_TRUE));
    let place = |output: &Value| output["n"].as_u64().and_then(|n| u32::try_from(n).ok());
    anyones.map(|output| Ok((txid, place(output).ok_or_else(missing)?))).collect()
}

/// A transaction that spends a coin of anybody into as many small outputs as fit.
fn wide_transaction((txid, vout): &([u8; 32], u32), bytes: usize) -> Vec<u8> {
    // Value, length and a script of a usual form, which asks for no signature operations.
    let output = [&[1, 0, 0, 0, 0, 0, 0, 0, 22, 0, 20][..], &[7; 20]].concat();
    // A full block has fewer than 2^16 of them, and a count must have its shortest form.
    let count = (bytes / output.len()).clamp(0xfd, 0xffff) as u16;
    let mut raw = vec![2, 0, 0, 0, 1];
    raw.extend(txid);
    raw.extend(vout.to_le_bytes());
    raw.push(0);
    raw.extend([0xff; 4]);
    raw.push(0xfd);
    raw.extend(count.to_le_bytes());
    for _ in 0..count {
        raw.extend(&output);
    }
    raw.extend([0; 4]);
    raw
}

fn timed(done: impl Fn() -> Result<bool>) -> Result<Duration> {
    let start = Instant::now();
    while !done()? {
        interrupt::check()?;
        if start.elapsed() > LIMIT {
            return Err(Error::other(format!("not done in {} s", LIMIT.as_secs())));
        }
        sleep(FINE);
    }
    Ok(start.elapsed())
}

fn applied(network: &Network) -> Result<u64> {
    let info = network.call(0, "l2_getchaininfo", json!([]))?;
    let height = info["l1"]["appliedHeight"].as_u64();
    height.ok_or_else(|| Error::other(format!("no height of L1 in {info}")))
}

/// A value of the state after a block.
fn state<T: Decode + Default>(network: &Network, height: u32, key: [u8; 32]) -> Result<T> {
    let at = network.block_hash(0, height)?;
    let key = format!("0x{}", hex::encode(key));
    let value = network.call(0, "state_getStorage", json!([key, at]))?;
    let Some(value) = value.as_str() else { return Ok(T::default()) };
    let bytes = hex::decode(value.trim_start_matches("0x")).map_err(Error::other)?;
    T::decode(&mut &bytes[..]).map_err(Error::other)
}

fn burn_count(network: &Network, height: u32) -> Result<u64> {
    state(network, height, pallet_burn_mint::BurnCount::<Runtime>::hashed_key())
}

fn weight(network: &Network, height: u32) -> Result<u64> {
    let key = frame_system::BlockWeight::<Runtime>::hashed_key();
    let used: frame_system::ConsumedWeight = state(network, height, key)?;
    Ok(used.total().ref_time())
}
