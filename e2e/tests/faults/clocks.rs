//! A sequencer whose clock is wrong.

use crate::support::{start_again, under_load};
use cascoin_e2e::{
    network::{with_network, Network, Setup},
    slot::slots,
    Error, Result,
};
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// How far ahead of honest clocks a block may be (R27.3).
const MAX_AHEAD_MS: u64 = 30_000;
/// How far behind this machine's clock the newest block may be here: a loaded
/// machine, and three of four sequencers with a right clock.
const MAX_BEHIND_MS: u64 = 15_000;

/// Debian's libfaketime, which shifts the clock of one process.
fn library() -> Result<String> {
    let known = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| format!("/usr/lib/{machine}/faketime/libfaketimeMT.so.1"));
    let found = known.into_iter().find(|path| Path::new(path).exists());
    found.ok_or_else(|| Error::other("libfaketime is missing: scripts/setup installs `faketime`"))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The newest block is about now, and times rose since `from`.
fn check_times(network: &Network, from: u32) -> Result<u32> {
    let last = network.finalized_height(0)?;
    let now = now_ms();
    let times = slots(&network.nodes[0].rpc(), from, last)?;
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "times rise: {times:?}");
    let newest = times.last().copied().unwrap_or_default();
    assert!(newest <= now + MAX_AHEAD_MS, "{} ms ahead", newest - now);
    assert!(newest + MAX_BEHIND_MS >= now, "{} ms behind", now - newest);
    Ok(last)
}

#[test]
fn a_sequencer_with_a_wrong_clock_neither_stops_the_chain_nor_moves_its_time() {
    with_network(&Setup::regtest_without_l1(), |network| {
        let library = library()?;
        under_load(network, |network| {
            let mut from = 1;
            for offset in ["+20s", "+60s", "-60s"] {
                network.nodes[3].kill()?;
                network.nodes[3].set_environment("LD_PRELOAD", &library);
                network.nodes[3].set_environment("FAKETIME", offset);
                // Its timers stay right: only the time of day is wrong.
                network.nodes[3].set_environment("FAKETIME_DONT_FAKE_MONOTONIC", "1");
                start_again(network, &[3])?;
                // Five blocks a term: it leads some.
                network.wait_for_progress(40)?;
                from = check_times(network, from)?;
            }
            // A clock that was put right.
            network.nodes[3].kill()?;
            network.nodes[3].set_environment("FAKETIME", "+0s");
            start_again(network, &[3])?;
            check_times(network, from).map(drop)
        })
    });
}
