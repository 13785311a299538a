//! The engine: one task that drives the pure core.
//!
//! Everything that happens (messages, timers, finished builds and executions,
//! blocks that sync brought) becomes an input of the core; what the core answers
//! is carried out in a fixed order: first all of it goes to the write-ahead log
//! and the log is synced once, then it leaves the node. Building and executing
//! happen elsewhere, so that votes are handled meanwhile.
//!
//! Liveness does not rest on any single message: who makes no progress says so
//! ([`VotesMessage::Status`]) and sends again what it knows; who is ahead answers
//! with certified blocks.

mod act;
mod catch_up;
mod complaints;
mod fetch;
mod height;
mod intake;
mod presence;
mod recall;
mod timers;
mod witnessing;

use crate::{
    client::EngineClient,
    evidence::witness::Witness,
    executor::{BuildError, ExecutedBlock, Outcome},
    import::CertifiedImport,
    keys::{KeySource, LocalKeys},
    metrics::Metrics,
    schedule::Schedule,
    status::EngineHandle,
    transport::{Transport, TransportEvent},
    wal::{Memory, Wal},
    wire::Instance,
};
use cascoin_bft::{BlockId, Core, Input, Round};
use cascoin_l2_primitives::chain::{BlockHash, OpaqueBlock};
use complaints::Complaints;
use futures::StreamExt;
use height::HeightState;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sc_network_types::PeerId;
use sp_consensus::Environment;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use timers::Timers;
use tokio::sync::mpsc;

/// How often the engine looks whether it makes progress.
const STALL_TICK: Duration = Duration::from_millis(250);
/// How soon a height that could not begin is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Largest body a leader builds, bytes; what inherents bring for a recovery may be beyond.
const BLOCK_SIZE_LIMIT: usize = 5 * 1024 * 1024;

/// What an engine needs.
pub struct EngineParams<C, B, I, E, T> {
    /// The client.
    pub client: Arc<C>,
    /// Its database.
    pub backend: Arc<B>,
    /// The door to the database.
    pub import: CertifiedImport<C, I>,
    /// Makes proposers.
    pub environment: E,
    /// Holds the hot keys.
    pub keys: KeySource,
    /// The sequencers' network.
    pub mesh: T,
    /// Folder of the write-ahead logs.
    pub wal_folder: PathBuf,
    /// Whether keys that are here at the start and have no log have never signed, so
    /// that one is made for them. An empty database is no reason to think so.
    pub may_make_log: bool,
    /// Where the engine says what it does.
    pub handle: EngineHandle,
    /// Its metrics.
    pub metrics: Metrics,
}

/// Work that came back from another thread, and what it was for.
enum Done {
    Built { at: Instance, round: Round, result: Result<Box<ExecutedBlock>, BuildError> },
    Executed { at: Instance, block: BlockId, first_proposal: bool, outcome: Outcome },
    Fetched { at: Instance, block: BlockId, from: PeerId, body: Option<OpaqueBlock> },
}

/// A peer of the mesh.
#[derive(Default)]
struct Peer {
    /// Its grandpa key, once its greeting was checked.
    key: Option<sp_core::ed25519::Public>,
    /// Its last greeting, which may be of a set that this node comes to later.
    hello: Option<intake::Hello>,
    /// The set of this node's last greeting to it.
    greeted: Option<u64>,
    greeted_at: Option<Instant>,
    /// When it was last heard.
    heard: Option<Instant>,
    /// How it was last helped on.
    helped: Option<catch_up::Helped>,
    /// Its votes of the next height that are kept.
    early_votes: usize,
}

impl Peer {
    /// Whether it said anything within this time.
    fn was_heard(&self, within: Duration) -> bool {
        self.heard.is_some_and(|at| at.elapsed() < within)
    }
}

/// The engine of one node.
pub struct Engine<C, B, I, E, T> {
    client: Arc<C>,
    backend: Arc<B>,
    import: CertifiedImport<C, I>,
    environment: E,
    keys: KeySource,
    /// The keys found last.
    found: Option<LocalKeys>,
    mesh: T,
    wal_folder: PathBuf,
    may_make_log: bool,
    /// Keys whose log was open in this process. It is never made a second time.
    opened: BTreeSet<sp_core::ed25519::Public>,
    /// When this process began, milliseconds since 1970.
    started_ms: u64,
    /// Keys that were in force before.
    older: BTreeSet<sp_core::ed25519::Public>,
    handle: EngineHandle,
    metrics: Metrics,
    genesis: BlockHash,
    core: Core,
    /// What the core is still to be fed, and whether it is being fed.
    inputs: VecDeque<Input>,
    feeding: bool,
    height: Option<HeightState>,
    /// The messages of the height before.
    last_height: Option<Witness>,
    /// The open log and the key it belongs to.
    wal: Option<(sp_core::ed25519::Public, Wal)>,
    /// What the log said when it was opened, of this height and later ones: a
    /// database that lost its end comes through all of them again.
    memory: Memory,
    peers: BTreeMap<PeerId, Peer>,
    /// Messages of the next height, which a faster peer sent already.
    early: Vec<(PeerId, intake::Early)>,
    timers: Timers,
    done: (mpsc::UnboundedSender<Done>, mpsc::UnboundedReceiver<Done>),
    last_progress: Instant,
    last_commit: Option<Instant>,
    retry_at: Option<Instant>,
    /// Not before then a log that failed is opened again.
    log_retry_at: Option<Instant>,
    /// A key whose signer remembers more than this node knows.
    silence: Option<recall::Silence>,
    /// Faults that were said already, so that a lasting one fills no log.
    complaints: Complaints,
    /// The node was told to sequence and must not: it stops.
    fatal: bool,
    /// The first height was taken up; from now on trouble is waited out.
    begun: bool,
    /// It stood and waited for its operator, who is there.
    rested: bool,
    /// When all peers were last greeted again.
    greeted_all: Option<Instant>,
    /// Who was last asked for certified blocks because it is ahead.
    asked: Option<catch_up::Asked>,
    /// Fewer than half of the set can be reached.
    cut_off: bool,
    /// Members of the set that can be reached, this node included.
    reachable: usize,
    /// Where sending again goes on, among the votes of old rounds.
    resend_from: usize,
}

impl<C, B, I, E, T> Engine<C, B, I, E, T>
where
    C: EngineClient,
    B: Backend<OpaqueBlock> + 'static,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync + 'static,
    E: Environment<OpaqueBlock> + Clone + Send + 'static,
    E::Proposer: Send,
    E::CreateProposer: Send,
    T: Transport,
{
    /// An engine that has not begun.
    pub fn new(params: EngineParams<C, B, I, E, T>) -> Self {
        let genesis = params.client.info().genesis_hash;
        Self {
            client: params.client,
            backend: params.backend,
            import: params.import,
            environment: params.environment,
            keys: params.keys,
            found: None,
            mesh: params.mesh,
            wal_folder: params.wal_folder,
            may_make_log: params.may_make_log,
            opened: BTreeSet::new(),
            started_ms: now_ms(),
            older: BTreeSet::new(),
            handle: params.handle,
            metrics: params.metrics,
            genesis,
            core: Core::new(),
            inputs: VecDeque::new(),
            feeding: false,
            height: None,
            last_height: None,
            wal: None,
            memory: Memory::default(),
            peers: BTreeMap::new(),
            early: Vec::new(),
            timers: Timers::default(),
            done: mpsc::unbounded_channel(),
            last_progress: Instant::now(),
            last_commit: None,
            retry_at: None,
            log_retry_at: None,
            silence: None,
            complaints: Complaints::default(),
            fatal: false,
            begun: false,
            rested: false,
            greeted_all: None,
            asked: None,
            cut_off: false,
            reachable: 0,
            resend_from: 0,
        }
    }

    /// Runs until the node stops, or returns before its first height if this node
    /// has a sequencer's keys and cannot use its write-ahead log.
    pub async fn run(mut self) {
        let mut imports = self.client.import_notification_stream();
        let mut stall = tokio::time::interval(STALL_TICK);
        stall.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.begin_next_height().await;
        while !self.fatal {
            let timer = self.next_wake();
            tokio::select! {
                event = self.mesh.next() => match event {
                    Some(event) => self.on_mesh(event).await,
                    None => return,
                },
                Some(done) = self.done.1.recv() => self.on_done(done),
                Some(notification) = imports.next() => {
                    self.on_imported(notification.header.number).await;
                }
                () = sleep_until(timer) => self.on_timer().await,
                _ = stall.tick() => self.on_stall_tick().await,
            }
            self.finish_decision().await;
        }
    }

    async fn on_mesh(&mut self, event: TransportEvent) {
        if let TransportEvent::Votes(peer, _) | TransportEvent::Proposals(peer, _) = &event {
            if let Some(known) = self.peers.get_mut(peer) {
                known.heard = Some(Instant::now());
            }
        }
        match event {
            TransportEvent::Connected(peer) => {
                self.peers.entry(peer).or_default();
                self.greet(peer);
            }
            TransportEvent::Disconnected(peer) => {
                self.peers.remove(&peer);
                self.publish_status();
            }
            TransportEvent::Votes(peer, message) => self.on_votes_message(peer, message),
            TransportEvent::Proposals(peer, message) => {
                self.on_proposals_message(peer, message).await
            }
            TransportEvent::WantsBlock(request, reply) => reply.send(self.answer(&request)),
        }
    }

    /// A block came in by sync, or by ourselves: take up the height above it.
    async fn on_imported(&mut self, number: u32) {
        // A block that is not final moves nothing: the height must not begin anew
        // then, it would forget the signatures that the core counts on.
        let number = number.min(self.client.info().finalized_number);
        if self.height.as_ref().is_some_and(|height| number >= height.schedule.height.0) {
            self.begin_next_height().await;
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let build = self.height.as_ref().and_then(|height| height.build_at.map(|(at, _)| at));
        [self.timers.next(), build, self.retry_at].into_iter().flatten().min()
    }

    async fn on_timer(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            match self.height {
                Some(_) => self.retry_lost_work(),
                None => self.begin_next_height().await,
            }
        }
        if let Some(round) = self.height.as_mut().and_then(|height| height.take_due_build(now)) {
            self.start_build(round);
        }
        for timeout in self.timers.take_due(now) {
            if timeout.kind == cascoin_bft::TimeoutKind::Precommit {
                self.metrics.failed_rounds.inc();
            }
            log::debug!(
                target: "l2::bft",
                "height {} round {}: {:?} timed out (SEQ_TIMEOUT)",
                timeout.height.0, timeout.round.0, timeout.kind,
            );
            let before = (self.core.round(), self.core.step());
            self.feed(Input::Timeout(timeout));
            // One that came too late, for a step that is over, is no time-out.
            if before != (self.core.round(), self.core.step()) {
                self.metrics.timeouts(timeout.kind).inc();
            }
        }
    }

    fn complain(&mut self, what: &str, error: &dyn std::fmt::Display) {
        let text = format!("{what}: {error}");
        if self.complaints.is_due(&text, Instant::now()) {
            log::error!(target: "l2::bft", "{text}");
        }
    }

    fn retry_soon(&mut self) {
        let at = Instant::now() + RETRY;
        self.retry_at = Some(self.retry_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Feeds the core and carries out what it answers.
    ///
    /// What follows from that in turn waits until the answer is logged and sent: a
    /// vote that is not in the log yet must count nowhere, also not in a decision.
    fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        if self.feeding {
            return;
        }
        self.feeding = true;
        while let Some(input) = self.inputs.pop_front() {
            let before = (self.core.height(), self.core.round(), self.core.step());
            let outputs = self.core.apply(input);
            if before != (self.core.height(), self.core.round(), self.core.step()) {
                self.last_progress = Instant::now();
            }
            self.act(outputs);
        }
        self.feeding = false;
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Milliseconds since 1970. The one place where the engine reads the wall clock;
/// only a leader's timestamp and the timeliness of a proposal depend on it.
fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
