//! An L1 node that has removed old blocks, and a long backlog.

use crate::{
    endpoints::{client_of, follow},
    eventually,
};
use cascoin_l1::testing::{Litecoind, Options};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// Height of the tip; `pruneblockchain` wants more than a thousand blocks.
const TIP: u32 = 1_100;
/// Blocks up to this height are removed.
const REMOVED: usize = 600;

/// A real pruned node with the blocks of `original`.
///
/// A node removes whole files of blocks, never the newest, and a file takes 128 MB. Files
/// that are there at a reindex are taken as they are, however small.
fn pruned_copy(original: &Litecoind, folder: &Path) -> Litecoind {
    let chain = fs::read(original.dir().join("regtest/blocks/blk00000.dat")).expect("its blocks");
    let magic = chain[..4].to_vec();
    // A record: magic bytes, length, block. The genesis block is the first one.
    let (mut at, mut records, mut split) = (0, 0, 0);
    while chain.get(at..at + 4) == Some(&magic[..]) {
        let length: [u8; 4] = chain[at + 4..at + 8].try_into().expect("four bytes");
        at += 8 + u32::from_le_bytes(length) as usize;
        records += 1;
        if records == REMOVED + 1 {
            split = at;
        }
    }
    assert_eq!(records, TIP as usize + 1, "all blocks are in the file");
    let blocks = folder.join("regtest/blocks");
    fs::create_dir_all(&blocks).expect("a folder");
    fs::write(blocks.join("blk00000.dat"), &chain[..split]).expect("written");
    fs::write(blocks.join("blk00001.dat"), &chain[split..at]).expect("written");

    let config = ["txindex=0", "prune=1", "reindex=1"].map(String::from).to_vec();
    let options = Options { dir: Some(folder.to_owned()), config, ..Options::default() };
    let node = Litecoind::start_with(options).expect("litecoind starts");
    eventually("the end of the reindex", || {
        node.client().block_count().is_ok_and(|count| count == TIP).then_some(())
    });
    let removed: u32 = node.client().query("pruneblockchain", vec![700.into()]).expect("pruned");
    // The height of the last one that is gone: litecoind counts from the genesis block.
    assert!((REMOVED..=REMOVED + 1).contains(&(removed as usize)), "{removed}");
    node
}

#[test]
fn a_pruned_node_is_named_with_the_missing_block_and_another_stands_in() {
    let whole = Litecoind::start().expect("litecoind starts");
    whole.mine(TIP).expect("mined");
    let folder = tempfile::tempdir().expect("a folder");
    let pruned = pruned_copy(&whole, folder.path());
    let hash = |height| whole.client().block_hash(height).expect("an answer");

    // Alone it cannot serve a relay that is so far back.
    let alone = follow(client_of(&[&pruned]), 100, hash(100), 10_000);
    let status = eventually("the error", || {
        Some(alone.follower.status()).filter(|status| status.error_name == Some("Pruned"))
    });
    let error = status.error.expect("in words");
    let (missing, url) = (format!("block 101 ({})", hash(101)), pruned.url());
    for part in [missing.as_str(), url.as_str(), "prune=0", "--l1-rpc-url"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!status.connected);
    assert_eq!(alone.block(101), None);
    alone.follower.stop();

    // It can serve one that is behind by no more than it keeps.
    let near = follow(client_of(&[&pruned]), 900, hash(900), 10_000);
    near.wait("the tip", |status| status.readable_height == Some(TIP));
    near.follower.stop();

    // With another node the missing blocks come, no faster than they may.
    let rate = 250;
    let started = Instant::now();
    let both = follow(client_of(&[&pruned, &whole]), 100, hash(100), rate);
    let catching_up = both.wait("a long backlog", |status| status.catch_up.is_some());
    let catch_up = catching_up.catch_up.expect("waited for");
    assert!(catch_up.target == TIP && catch_up.percent < 100, "{catch_up:?}");
    assert!((100..TIP).contains(&catch_up.readable), "{catch_up:?}");
    let status = both.wait("the tip", |status| status.readable_height == Some(TIP));
    assert_eq!(status.catch_up, None);
    // The last batch needs no pause behind it.
    let least = Duration::from_millis(u64::from((TIP - 100 - 16) * 1_000 / rate));
    assert!(started.elapsed() >= least, "{:?}", started.elapsed());
    let block = both.block(101).expect("stored");
    assert_eq!(block.digest.hash, hash(101));
}
