//! The L1 client, the burn builder and the follower against a real `litecoind`.
//!
//! Each test has a node of its own; none depends on another or on a clock.

mod burns;
mod endpoints;
mod faults;
mod follower;
mod forced;
mod logs;
mod node;
mod proxy;
mod pruned;
mod registrations;
mod scores;
mod stakes;

use cascoin_l1::testing::Litecoind;
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::burn::{BurnPayload, Recipient},
};
use std::time::{Duration, Instant};

/// The chain id burns name in these tests.
const CHAIN: u32 = 3;

fn payload(amount: u64) -> BurnPayload {
    let recipient = Recipient::Account(AccountId::new([7; 32]));
    BurnPayload { chain_id: CHAIN, recipient, amount }
}

fn funded() -> Litecoind {
    Litecoind::start_funded().expect("litecoind starts")
}

/// Waits until `probe` gives something; the deadline only ends a test that fails.
fn eventually<T>(what: &str, probe: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
