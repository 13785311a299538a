//! Whole engines in one process: real clients, logs and keystores; only the
//! network is simulated.

pub mod chain;
pub mod checks;
pub mod cluster;
pub mod logger;
pub mod net;
pub mod puppets;
pub mod random;
pub mod soft_token;

use std::time::{Duration, Instant};

/// How long a test waits for what must happen. Generous: a busy machine is no
/// failure, and what never happens is waited for only once.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `happened`.
pub async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
