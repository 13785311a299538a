//! The follower's pauses, and who ends them.

use super::*;
use crate::{
    client::{ClientConfig, Credentials},
    testing::MemoryStore,
};
use cascoin_l2_primitives::l1::params::LITECOIN_REGTEST;
use std::sync::atomic::{AtomicU32, Ordering};

/// A client of a node that is down: nothing listens there, and each look fails at once.
fn client() -> L1Client {
    let config = ClientConfig::new("http://127.0.0.1:1", Credentials::None, &LITECOIN_REGTEST);
    L1Client::new(config).expect("a good configuration")
}

fn shared() -> Shared {
    Shared {
        status: RwLock::new(L1Status::new(&client(), 1)),
        seen: RwLock::default(),
        store: Arc::new(MemoryStore::default()),
        skipped: Arc::default(),
        asked: Mutex::default(),
        wake: Condvar::new(),
    }
}

#[test]
fn what_is_asked_for_during_a_call_to_l1_is_done_after_it() {
    let shared = shared();
    let long = Duration::from_secs(600);
    assert_eq!(shared.wait(Duration::ZERO), Woken::Elapsed);
    // Nobody waits while it is asked.
    shared.look_now();
    assert_eq!(shared.wait(long), Woken::Asked);
    assert_eq!(shared.wait(Duration::ZERO), Woken::Elapsed, "one look, not for ever");
    shared.look_now();
    shared.stop();
    assert_eq!(shared.wait(long), Woken::Stopped);
}

#[test]
fn o6_who_asks_for_a_look_does_not_lengthen_the_pauses() {
    let looks = Arc::new(AtomicU32::new(0));
    let counted = looks.clone();
    let chain = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let attested_hash = LITECOIN_REGTEST.genesis;
        Some(RelayPosition { attested_height: 0, attested_hash, applied_height: 0 })
    };
    let config = FollowerConfig {
        poll_interval: Duration::from_millis(100),
        max_backoff: Duration::from_secs(600),
        ..FollowerConfig::new(1)
    };
    let store = Arc::new(MemoryStore::default());
    let follower = Follower::spawn(client(), config, store, Arc::new(chain)).expect("a thread");
    let reach = |count: u32, within: Duration| {
        let started = Instant::now();
        while looks.load(Ordering::SeqCst) < count {
            assert!(started.elapsed() < within, "look {count} does not come");
            thread::sleep(Duration::from_millis(5));
        }
    };
    // After the fifth failure the pause is 1.6 s, after a sixth 3.2 s.
    reach(5, Duration::from_secs(30));
    follower.retry();
    // At once, 100 ms later, 200 ms later.
    reach(8, Duration::from_millis(2_500));
    follower.stop();
}

#[test]
fn catching_up_has_a_bounded_rate() {
    let at = |rate| FollowerConfig { max_blocks_per_second: rate, ..FollowerConfig::new(1) };
    let step = |blocks_read, more| Step { blocks_read, more, ..Step::default() };
    let ms = Duration::from_millis;
    assert_eq!(at(40).pause_after(&step(16, true), ms(0)), ms(400));
    assert_eq!(at(40).pause_after(&step(16, true), ms(150)), ms(250), "reading takes time too");
    assert_eq!(at(40).pause_after(&step(16, true), ms(900)), ms(0));
    assert_eq!(at(0).pause_after(&step(2, true), ms(0)), ms(2_000), "never without a bound");
    assert_eq!(at(40).pause_after(&step(0, true), ms(0)), ms(0), "there is more to do");
    assert_eq!(at(40).pause_after(&step(16, false), ms(0)), POLL_INTERVAL);
}
