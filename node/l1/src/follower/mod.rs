//! Follows the node's own L1 and leaves finished blocks for the off-chain worker.
//!
//! Reads, `k` confirmations deep (the tip has one), every L1 block above what L2
//! has applied, checks it, and writes its [`LocalBlock`] and the [`LocalTip`] into
//! the node's persistent off-chain storage. What lies above is only scanned for
//! burns, so that a user can be told of theirs before anything is voted on.
//!
//! Rules:
//! - A block is written before the tip says so, and the tip is lowered before a
//!   block is removed: whatever the worker finds is whole.
//! - What L2 attested is settled: it is kept until 1,000 blocks above it are
//!   applied, since its pages may still be due. Everything above follows L1's best
//!   chain. Once a block of that is deep enough that does not stand on the attested
//!   one, the new branch is read from as far down as a fork can begin, in place of
//!   what is stored (ADR 0026).
//! - What a program stored that made events by other rules
//!   ([`EXTRACTION`](crate::events::EXTRACTION)) is removed and read again.
//! - L1 being down, slow or wrong never stops the follower; it says so in its
//!   status, waits longer each time, and goes on. An L1 node that is behind its
//!   network is read all the same.
//!
//! [`engine`] holds the logic, step by step, over traits; here are the thread,
//! the clock and the status.
//!
//! [`LocalBlock`]: cascoin_l2_primitives::relay::local::LocalBlock
//! [`LocalTip`]: cascoin_l2_primitives::relay::local::LocalTip

pub mod endpoints;
pub mod engine;
mod progress;
mod seen;
mod skipped;
mod status;

#[cfg(test)]
mod pause_tests;

pub use progress::CatchUp;
pub use seen::SeenBurn;
pub use skipped::SkippedMessages;
pub use status::{ForkFromAttested, L1Status};

use crate::{
    backoff::{doubled, jittered},
    block::{Block, Header},
    client::{L1Client, L1Error},
};
use cascoin_l2_primitives::{l1::L1Hash, relay::local::RETRY_KEY};
use codec::Encode;
use endpoints::{Endpoints, LastAttested};
use engine::{Engine, Limits, Step};
use parking_lot::{Condvar, Mutex, RwLock};
use progress::Progress;
use seen::SeenIndex;
use std::{
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant},
};

pub(crate) const LOG: &str = "l2::l1";

/// The node's off-chain storage, as far as the follower needs it.
pub trait LocalStore: Send + Sync {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Sets the value of `key`.
    fn set(&self, key: &[u8], value: &[u8]);
    /// Removes `key`.
    fn remove(&self, key: &[u8]);
}

/// Where the relay on L2 stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayPosition {
    /// Height of the last L1 block that is attested (at first the start block of
    /// genesis).
    pub attested_height: u32,
    /// Its hash.
    pub attested_hash: L1Hash,
    /// Height of the last L1 block all of whose events are applied.
    pub applied_height: u32,
}

/// The chain's side: asked before every step.
pub trait ChainView: Send + Sync {
    /// Where the relay stands in the best block; `None` while that cannot be
    /// told.
    fn relay_position(&self) -> Option<RelayPosition>;
}

impl<F: Fn() -> Option<RelayPosition> + Send + Sync> ChainView for F {
    fn relay_position(&self) -> Option<RelayPosition> {
        self()
    }
}

/// The tip of L1's best chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: L1Hash,
    /// Time in its header, seconds since 1970.
    pub time: u32,
    /// Height of the best header the node knows.
    pub headers: u32,
    /// Whether the node is behind its network.
    pub syncing: bool,
    /// Which of the L1 nodes says so, by its place in the configuration.
    pub node: usize,
}

/// Where blocks come from: the L1 node, or a model of one in tests.
pub trait L1Source {
    /// The tip.
    ///
    /// # Errors
    /// [`L1Error`].
    fn tip(&self) -> Result<Tip, L1Error>;
    /// Hash of the best chain's block at `height`; `None` above the tip.
    ///
    /// # Errors
    /// [`L1Error`].
    fn hash_at(&self, height: u32) -> Result<Option<L1Hash>, L1Error>;
    /// A header, checked against its hash.
    ///
    /// # Errors
    /// [`L1Error`].
    fn header(&self, hash: &L1Hash) -> Result<Header, L1Error>;
    /// A block, checked against its hash.
    ///
    /// # Errors
    /// [`L1Error`].
    fn block(&self, hash: &L1Hash) -> Result<Block, L1Error>;
}

/// Most blocks to read a second while catching up. What was measured is a quarter of it at
/// most: the L1 node and the disk are the slower ones.
pub const MAX_BLOCKS_PER_SECOND: u32 = 200;
/// Pause between two looks at L1's tip.
pub const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Longest pause after errors.
pub const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// How the follower follows.
#[derive(Clone, Debug)]
pub struct FollowerConfig {
    /// Confirmations that make a block readable (k); the tip has 1.
    pub confirmations: u32,
    /// Pause between two looks at L1's tip.
    pub poll_interval: Duration,
    /// Longest pause after errors; the first is the poll interval, each further
    /// one doubles. A random part of each, at most half, is left out.
    pub max_backoff: Duration,
    /// Most blocks to read a second while catching up, so that a long backlog
    /// leaves the L1 node and this machine room for their work.
    pub max_blocks_per_second: u32,
}

impl FollowerConfig {
    /// The usual pauses and rate: [`POLL_INTERVAL`], [`MAX_BACKOFF`],
    /// [`MAX_BLOCKS_PER_SECOND`].
    pub fn new(confirmations: u32) -> Self {
        Self {
            confirmations,
            poll_interval: POLL_INTERVAL,
            max_backoff: MAX_BACKOFF,
            max_blocks_per_second: MAX_BLOCKS_PER_SECOND,
        }
    }

    /// How long to wait after a step that took `elapsed`.
    fn pause_after(&self, step: &Step, elapsed: Duration) -> Duration {
        if !step.more {
            return self.poll_interval;
        }
        let rate = self.max_blocks_per_second.max(1);
        let least = Duration::from_secs(1).saturating_mul(step.blocks_read) / rate;
        least.saturating_sub(elapsed)
    }
}

/// Starts followers.
pub struct Follower;

impl Follower {
    /// Starts a thread that follows L1 until the last clone of the handle is
    /// dropped.
    ///
    /// Of `client` it makes single attempts, since it has its own back-off.
    ///
    /// # Errors
    /// The system's, when it starts no thread.
    pub fn spawn(
        client: L1Client,
        config: FollowerConfig,
        store: Arc<dyn LocalStore>,
        chain: Arc<dyn ChainView>,
    ) -> std::io::Result<FollowerHandle> {
        let client = client.single_attempt();
        let status = L1Status::new(&client, config.confirmations);
        let shared = Arc::new(Shared {
            status: RwLock::new(status),
            seen: RwLock::default(),
            store: store.clone(),
            skipped: Arc::default(),
            asked: Mutex::default(),
            wake: Condvar::new(),
        });
        let worker = Worker { client, config, store, chain, shared: shared.clone() };
        let thread = thread::Builder::new().name("l1-follower".into()).spawn(|| worker.run())?;
        let stop = StopOnDrop { shared: shared.clone(), thread: Mutex::new(Some(thread)) };
        Ok(FollowerHandle { shared, stop: Arc::new(stop) })
    }
}

/// What other parts of the node see of the follower; clones share it.
#[derive(Clone)]
pub struct FollowerHandle {
    shared: Arc<Shared>,
    stop: Arc<StopOnDrop>,
}

impl FollowerHandle {
    /// The follower's view of L1.
    pub fn status(&self) -> L1Status {
        self.shared.status.read().clone()
    }

    /// Where the status can be read without keeping the follower.
    pub fn watch(&self) -> StatusWatch {
        StatusWatch(Arc::downgrade(&self.shared))
    }

    /// Burn outputs of one L1 transaction that stand on L1's best chain and are
    /// not applied on L2 yet, by position.
    pub fn seen_burns(&self, txid: &L1Hash) -> Vec<SeenBurn> {
        self.shared.seen.read().of(txid)
    }

    /// All burn outputs on L1's best chain that are not applied on L2 yet, lowest
    /// L1 block first.
    pub fn recent_burns(&self) -> Vec<SeenBurn> {
        self.shared.seen.read().all()
    }

    /// Messages that were skipped because nobody can read them.
    pub fn skipped(&self) -> Arc<SkippedMessages> {
        self.shared.skipped.clone()
    }

    /// Looks at L1 now, however long the pause after an error would be, begins with the
    /// shortest one again, and has the off-chain worker send again what is not on chain
    /// yet.
    pub fn retry(&self) {
        self.shared.store.set(RETRY_KEY, &true.encode());
        self.shared.look_now();
    }

    /// Stops the follower and waits for it; it may be within one call to L1.
    pub fn stop(&self) {
        self.shared.stop();
        if let Some(thread) = self.stop.thread.lock().take() {
            // Nothing is left to do for one that panicked; its status says so.
            let _ = thread.join();
        }
    }
}

/// Reads the status of a follower as long as there is one; for metrics, which may outlive
/// the node's database.
#[derive(Clone)]
pub struct StatusWatch(Weak<Shared>);

impl StatusWatch {
    /// The follower's view of L1; `None` after its end.
    pub fn status(&self) -> Option<L1Status> {
        self.0.upgrade().map(|shared| shared.status.read().clone())
    }
}

struct Shared {
    status: RwLock<L1Status>,
    seen: RwLock<SeenIndex>,
    store: Arc<dyn LocalStore>,
    skipped: Arc<SkippedMessages>,
    asked: Mutex<Asked>,
    wake: Condvar,
}

/// What the thread is asked to do.
#[derive(Default)]
struct Asked {
    stop: bool,
    look: bool,
}

/// Why a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// It was over.
    Elapsed,
    /// Somebody wants a look at L1 now.
    Asked,
    /// It is time to stop.
    Stopped,
}

impl Shared {
    fn stop(&self) {
        self.asked.lock().stop = true;
        self.wake.notify_all();
    }

    /// Has the thread look now. One that is within a call to L1 looks again after it.
    fn look_now(&self) {
        self.asked.lock().look = true;
        self.wake.notify_all();
    }

    /// Waits until the pause is over or something is asked for.
    fn wait(&self, pause: Duration) -> Woken {
        let mut asked = self.asked.lock();
        self.wake.wait_while_for(&mut asked, |asked| !asked.stop && !asked.look, pause);
        let look = std::mem::take(&mut asked.look);
        match (asked.stop, look) {
            (true, _) => Woken::Stopped,
            (false, true) => Woken::Asked,
            (false, false) => Woken::Elapsed,
        }
    }
}

struct StopOnDrop {
    shared: Arc<Shared>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        // Without waiting: a call to L1 may take its whole time-out.
        self.shared.stop();
    }
}

struct Worker {
    client: L1Client,
    config: FollowerConfig,
    store: Arc<dyn LocalStore>,
    chain: Arc<dyn ChainView>,
    shared: Arc<Shared>,
}

/// However the thread ends, its status does not keep saying that all is well.
impl Drop for Worker {
    fn drop(&mut self) {
        let mut status = self.shared.status.write();
        status.connected = false;
        status.error.get_or_insert_with(|| "the follower has stopped".into());
    }
}

impl Worker {
    fn run(self) {
        let limits = Limits { confirmations: self.config.confirmations, ..Limits::default() };
        let mut engine = Engine::load(limits, &*self.store);
        engine.count_skipped_in(self.shared.skipped.clone());
        let mut backoff = self.config.poll_interval;
        let mut progress = Progress::new(Instant::now());
        let mut attested = LastAttested::new(Instant::now());
        let mut others_checked = false;
        loop {
            let started = Instant::now();
            let pause = match self.chain.relay_position() {
                None => self.config.poll_interval,
                Some(position) => {
                    let seen = engine.tip().map_or(0, |tip| tip.height);
                    let stands_still = attested.stands_still(&position, started);
                    let source = Endpoints::new(&self.client, position, seen, stands_still);
                    match engine.step(&source, &*self.store, &position) {
                        Ok(step) => {
                            backoff = self.config.poll_interval;
                            progress.note(&engine, &step, &position, Instant::now());
                            self.publish(&engine, &step, &position, &progress);
                            if !std::mem::replace(&mut others_checked, true) {
                                self.check_others(&source);
                            }
                            self.config.pause_after(&step, started.elapsed())
                        }
                        Err(error) => {
                            let pause = jittered(backoff);
                            self.publish_error(&error, pause);
                            backoff = doubled(backoff, self.config.max_backoff);
                            pause
                        }
                    }
                }
            };
            match self.shared.wait(pause) {
                Woken::Elapsed => {}
                // Who asks knows better than the last errors: L1 may be back.
                Woken::Asked => backoff = self.config.poll_interval,
                Woken::Stopped => return,
            }
        }
    }

    /// Asks the nodes that are only there for when another fails, once at the start: a
    /// wrong address, password or network is better known before it is needed.
    fn check_others(&self, source: &Endpoints<'_>) {
        let active = self.client.url();
        for index in 0..self.client.config().urls.len() {
            let url = self.client.url_of(index);
            if url == active {
                continue;
            }
            match source.objection(index) {
                None => {
                    log::info!(target: LOG, "L1 node at {url} is there too, if {active} fails")
                }
                Some(why) => {
                    log::warn!(target: LOG, "{why}; it cannot stand in for {active} now");
                }
            }
        }
    }

    fn publish(&self, engine: &Engine, step: &Step, position: &RelayPosition, progress: &Progress) {
        if step.changed {
            let index = engine.seen(position);
            *self.shared.seen.write() = index;
        }
        let mut status = self.shared.status.write();
        if let Some(error) = &status.error {
            log::info!(target: LOG, "L1 at {} answers again (was: {error})", self.client.url());
        }
        let (was_syncing, was_behind) = (status.syncing, status.blocks_behind);
        let before = std::mem::replace(&mut status.url, self.client.url());
        if status.tip_height.is_some() && before != status.url {
            log::warn!(target: LOG, "L1 is read from {} from now on, no longer from {before}", status.url);
        }
        status.update(engine, position);
        status.blocks_behind = step.behind;
        status.catch_up = progress.catch_up();
        self.report_syncing(was_syncing, &status);
        match (was_behind, step.behind) {
            (None, Some(blocks)) => log::warn!(
                target: LOG,
                "L1 node at {} is {blocks} blocks behind what another one showed; what was read stays",
                status.url,
            ),
            (Some(_), None) => log::info!(target: LOG, "L1 node at {} has caught up", status.url),
            _ => {}
        }
    }

    /// Says once that the L1 node is behind its network, and once that it is not.
    ///
    /// Reading goes on meanwhile: a block needs its confirmations on top of it
    /// also on a node that is behind, and blocks to come only make it deeper. A
    /// node that is behind makes our votes late, not wrong.
    fn report_syncing(&self, was_syncing: bool, status: &L1Status) {
        let (blocks, headers) =
            (status.tip_height.unwrap_or_default(), status.headers.unwrap_or_default());
        match (was_syncing, status.syncing) {
            (false, true) => {
                let error = L1Error::Syncing { blocks, headers };
                let url = &status.url;
                log::warn!(target: LOG, "{error}, at {url}; its blocks are read as they come");
            }
            (true, false) => {
                log::info!(target: LOG, "L1 node at {} is done syncing: block {blocks}", status.url);
            }
            _ => {}
        }
    }

    fn publish_error(&self, error: &L1Error, pause: Duration) {
        let mut status = self.shared.status.write();
        let text = error.to_string();
        if status.error.as_ref() != Some(&text) {
            log::warn!(target: LOG, "{text}; next look in {pause:?}");
        }
        status.connected = false;
        status.url = self.client.url();
        status.error_name = Some(error.name());
        status.error = Some(text);
    }
}
