//! Seeded discrete-event simulator: cores, disks, a bad network and Byzantine sequencers.
//!
//! Time is virtual (milliseconds). Until [`Simulation::heal_at`] the network delays, drops,
//! reorders, duplicates and partitions, and nodes crash, also in the middle of what the core told
//! them to do: after a write and before the send, for instance. A restarted node has nothing but
//! its [`Disk`]. After healing, messages take at most 50 ms and nobody crashes, while the Byzantine
//! sequencers go on.
//!
//! Everything follows from a [`Scenario`], whose text form replays it:
//! `CASCOIN_BFT_SEED=<text> scripts/test cascoin-bft::simulation::replay` runs it again and tells
//! every event.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Write,
    str::FromStr,
};

use cascoin_bft::*;

use super::{
    byzantine::{self, Behaviour},
    random::Random,
    trace,
};

/// Blocks to decide in a run.
pub const TARGET: Height = Height(3);
/// Virtual time after healing by which everybody must have decided.
const PATIENCE_MS: u64 = 600_000;
const REBROADCAST_MS: u64 = 700;
const BLOCKS_PER_LEADER: u32 = 2;
const TIMEOUTS: TimeoutParams = TimeoutParams { propose_ms: 300, prevote_ms: 80, precommit_ms: 80 };

/// What a run is made of; small numbers, so that a failure shrinks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub sequencers: u16,
    /// At most `max_faulty`.
    pub byzantine: u16,
    pub crashes: u16,
    pub partitions: u16,
    pub drop_percent: u16,
    pub duplicate_percent: u16,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, sequencers, byzantine, crashes, partitions, .. } = self;
        let (drop, duplicate) = (self.drop_percent, self.duplicate_percent);
        write!(f, "{seed}:{sequencers}:{byzantine}:{crashes}:{partitions}:{drop}:{duplicate}")
    }
}

impl FromStr for Scenario {
    type Err = String;

    /// The seven numbers of the text form, or a seed alone, which then draws the others.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split(':').map(str::parse::<u64>).collect::<Result<Vec<_>, _>>();
        match numbers.map_err(|error| error.to_string())?[..] {
            [seed] => Ok(Self::from_seed(seed)),
            [seed, sequencers, byzantine, crashes, partitions, drop, duplicate] => Ok(Self {
                seed,
                sequencers: sequencers as u16,
                byzantine: byzantine as u16,
                crashes: crashes as u16,
                partitions: partitions as u16,
                drop_percent: drop as u16,
                duplicate_percent: duplicate as u16,
            }),
            _ => Err(format!("want 1 or 7 numbers: {text}")),
        }
    }
}

impl Scenario {
    /// The command that runs this scenario alone and tells what happens in it.
    pub fn replay(&self) -> String {
        format!("replay: CASCOIN_BFT_SEED={self} scripts/test cascoin-bft::simulation::replay")
    }

    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(!seed);
        let sequencers = if random.percent(50) { 4 } else { 7 };
        Self {
            seed,
            sequencers,
            byzantine: random.range(0, max_faulty(sequencers.into()) as u64) as u16,
            crashes: random.range(0, 8) as u16,
            partitions: random.range(0, 6) as u16,
            drop_percent: random.range(0, 40) as u16,
            duplicate_percent: random.range(0, 30) as u16,
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Broken safety rules; must be empty.
    pub violations: Vec<String>,
    /// Honest sequencers that did not reach [`TARGET`]; must be empty.
    pub stuck: Vec<String>,
    pub decided: BTreeMap<Height, BlockId>,
    pub highest_round: Round,
    pub lies: u64,
    pub faults: Faults,
    pub events: u64,
    pub finished_ms: u64,
    pub healed_ms: u64,
}

/// What went wrong in a run, by kind.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub dropped: u64,
    pub cut_off: u64,
    pub duplicated: u64,
    pub late: u64,
    /// Messages that arrived after one sent later on the same link.
    pub reordered: u64,
    pub crashes: u64,
    pub restarts: u64,
    pub untimely: u64,
    pub builds_failed: u64,
}

impl Report {
    pub fn assert_good(&self, scenario: &Scenario) {
        let replay = scenario.replay();
        assert!(self.violations.is_empty(), "{replay}\n{:#?}", self.violations);
        assert!(self.stuck.is_empty(), "{replay}\n{:#?}", self.stuck);
    }
}

/// What travels; a proposal carries the body of its block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    Proposal(Proposal),
    Vote(Vote),
}

impl Message {
    pub fn height(&self) -> Height {
        match self {
            Self::Proposal(proposal) => proposal.height,
            Self::Vote(vote) => vote.height,
        }
    }

    pub fn round(&self) -> Round {
        match self {
            Self::Proposal(proposal) => proposal.round,
            Self::Vote(vote) => vote.round,
        }
    }

    pub fn block(&self) -> Option<BlockId> {
        match self {
            Self::Proposal(proposal) => Some(proposal.block),
            Self::Vote(vote) => vote.block,
        }
    }
}

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub votes: Vec<Vote>,
    pub proposals: Vec<Proposal>,
    pub locks: BTreeMap<Height, (Round, BlockId)>,
    /// The prevotes behind the latest lock.
    pub polka: Vec<Vote>,
    /// Decided blocks with the precommits that prove it.
    pub decided: BTreeMap<Height, (BlockId, Vec<Vote>)>,
}

impl Disk {
    pub fn next_height(&self) -> Height {
        self.decided.last_key_value().map_or(Height(1), |(height, _)| height.next())
    }

    fn recovery(&self, height: Height) -> Recovery {
        let at_height = |vote: &&Vote| vote.height == height;
        Recovery {
            votes: self.votes.iter().chain(&self.polka).filter(at_height).copied().collect(),
            proposals: self.proposals.iter().filter(|p| p.height == height).copied().collect(),
            lock: self.locks.get(&height).copied(),
            valid: None,
        }
    }
}

/// A machine with a key. Twins are two machines with the same key.
#[derive(Clone, Debug)]
pub struct Actor {
    pub index: SequencerIndex,
    pub behaviour: Behaviour,
    pub core: Core,
    pub alive: bool,
    pub incarnation: u32,
    pub disk: Disk,
    /// Blocks whose body is here.
    pub bodies: BTreeSet<BlockId>,
    /// Effects until it crashes.
    crash_in: Option<u64>,
    /// How often a Byzantine actor acted in a round.
    pub acted: BTreeMap<(Height, Round), u32>,
}

impl Actor {
    pub fn runs_core(&self) -> bool {
        self.behaviour.runs_core()
    }
}

#[derive(Clone, Debug)]
pub struct Block {
    pub height: Height,
    pub author: SequencerIndex,
    pub valid: bool,
}

#[derive(Clone, Debug)]
pub enum Event {
    Deliver {
        from: usize,
        to: usize,
        message: Message,
    },
    /// Dropped if the actor has restarted since.
    Input {
        actor: usize,
        incarnation: u32,
        input: Input,
    },
    Fetch {
        actor: usize,
        incarnation: u32,
        height: Height,
        block: BlockId,
        first: bool,
    },
    Rebroadcast {
        actor: usize,
    },
    Crash {
        actor: usize,
    },
    Restart {
        actor: usize,
    },
    NextHeight {
        actor: usize,
        incarnation: u32,
    },
    Byzantine {
        actor: usize,
    },
}

/// A time span in which actors hear only their own side.
#[derive(Clone, Debug)]
struct Partition {
    from: u64,
    until: u64,
    sides: u64,
}

/// The world.
pub struct Simulation {
    pub scenario: Scenario,
    pub now: u64,
    pub heal_at: u64,
    pub random: Random,
    pub actors: Vec<Actor>,
    pub blocks: BTreeMap<BlockId, Block>,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    partitions: Vec<Partition>,
    decided: BTreeMap<Height, BlockId>,
    violations: Vec<String>,
    highest_round: Round,
    /// How often Byzantine sequencers did what an honest one would not.
    pub lies: u64,
    faults: Faults,
    /// When the last message of a link so far arrives.
    latest: BTreeMap<(usize, usize), u64>,
    /// Tells every event on the error stream.
    told: bool,
    rankings: Vec<Vec<SequencerIndex>>,
}

/// Runs a scenario to its end.
pub fn run(scenario: Scenario) -> Report {
    Simulation::new(scenario, None).run()
}

impl Simulation {
    /// A world whose Byzantine sequencers are all like `liar`, or drawn from the seed.
    pub fn new(scenario: Scenario, liar: Option<&[Behaviour]>) -> Self {
        let mut random = Random::new(scenario.seed);
        let n = scenario.sequencers;
        let mut actors = Vec::new();
        let first_byzantine = n - scenario.byzantine.min(max_faulty(n.into()) as u16);
        for index in 0..n {
            let behaviours = if index < first_byzantine {
                vec![Behaviour::Honest]
            } else {
                liar.map_or_else(|| Behaviour::draw(&mut random), <[Behaviour]>::to_vec)
            };
            for behaviour in behaviours {
                actors.push(Actor {
                    index: SequencerIndex(index),
                    behaviour,
                    core: Core::new(),
                    alive: true,
                    incarnation: 0,
                    disk: Disk::default(),
                    bodies: BTreeSet::new(),
                    crash_in: None,
                    acted: BTreeMap::new(),
                });
            }
        }
        let heal_at = random.range(1_000, 15_000);
        let partitions = (0..scenario.partitions).map(|_| {
            let from = random.range(0, heal_at);
            Partition { from, until: from + random.range(100, 4_000), sides: random.next() }
        });
        let partitions = partitions.collect();
        let weights = (0..n).map(|_| random.range(0, 1000)).collect::<Vec<_>>();
        let seeds = (0..=TARGET.0).map(|term| ranking_seed(&[7; 32], term, &[9; 32]));
        let rankings = seeds.map(|seed| ranking(&seed, &weights)).collect();
        let mut simulation = Self {
            scenario,
            now: 0,
            heal_at,
            random,
            actors,
            blocks: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            partitions,
            decided: BTreeMap::new(),
            violations: Vec::new(),
            highest_round: Round::ZERO,
            lies: 0,
            faults: Faults::default(),
            latest: BTreeMap::new(),
            told: false,
            rankings,
        };
        simulation.schedule_start();
        simulation
    }

    fn schedule_start(&mut self) {
        for actor in 0..self.actors.len() {
            if self.actors[actor].runs_core() {
                let start = self.random.range(0, 50);
                self.at(start, Event::NextHeight { actor, incarnation: 0 });
                let rebroadcast = self.random.range(1, REBROADCAST_MS);
                self.at(rebroadcast, Event::Rebroadcast { actor });
            } else {
                self.at(10, Event::Byzantine { actor });
            }
        }
        for _ in 0..self.scenario.crashes {
            // Most crashes while the first heights are being decided.
            let at = self.random.range(0, self.heal_at);
            let at = if self.random.percent(70) { at % 1_500 } else { at };
            let actor = self.random.range(0, self.actors.len() as u64 - 1) as usize;
            self.at(at, Event::Crash { actor });
        }
    }

    pub fn run(mut self) -> Report {
        let mut events = 0;
        while let Some(((time, _), event)) = self.queue.pop_first() {
            if time > self.heal_at + PATIENCE_MS || !self.violations.is_empty() {
                break;
            }
            self.now = time;
            events += 1;
            self.tell(|this| trace::event(&this.actors, &event));
            self.handle(event);
            if self.everybody_done() {
                break;
            }
        }
        let stuck = self.actors.iter().filter(|actor| is_behind(actor)).map(|actor| {
            let (core, at) = (&actor.core, (actor.core.height(), actor.core.round()));
            format!("{:?} at {at:?} {:?} locked {:?}", actor.index, core.step(), core.locked())
        });
        Report {
            stuck: stuck.collect(),
            violations: self.violations,
            decided: self.decided,
            highest_round: self.highest_round,
            lies: self.lies,
            faults: self.faults,
            events,
            finished_ms: self.now,
            healed_ms: self.heal_at,
        }
    }

    /// Makes the simulation tell every event.
    pub fn told(mut self) -> Self {
        self.told = true;
        self
    }

    /// Past the capture of the test harness, so that a good run is told as well.
    fn tell(&self, line: impl Fn(&Self) -> Option<String>) {
        if let Some(line) = self.told.then(|| line(self)).flatten() {
            let _ = writeln!(std::io::stderr(), "{:>7} ms  {line}", self.now);
        }
    }

    fn everybody_done(&self) -> bool {
        !self.actors.iter().any(is_behind)
    }

    fn at(&mut self, time: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((time, self.queued), event);
    }

    fn healed(&self) -> bool {
        self.now >= self.heal_at
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, message } => self.deliver(from, to, message),
            Event::Input { actor, incarnation, input } => {
                if self.lives(actor, incarnation) {
                    self.apply(actor, input);
                }
            }
            Event::Fetch { actor, incarnation, height, block, first } => {
                if self.lives(actor, incarnation) {
                    self.validate(actor, height, block, first);
                }
            }
            Event::Rebroadcast { actor } => {
                self.rebroadcast(actor);
                let next = self.now + self.random.range(REBROADCAST_MS / 2, REBROADCAST_MS);
                self.at(next, Event::Rebroadcast { actor });
            }
            Event::Crash { actor } => {
                if self.actors[actor].alive && self.actors[actor].runs_core() {
                    let effects = self.random.range(0, 6);
                    self.actors[actor].crash_in = Some(effects);
                }
            }
            Event::Restart { actor } => self.restart(actor),
            Event::NextHeight { actor, incarnation } => {
                if self.lives(actor, incarnation) {
                    self.start_height(actor);
                }
            }
            Event::Byzantine { actor } => {
                byzantine::tick(self, actor);
                let next = self.now + 100;
                self.at(next, Event::Byzantine { actor });
            }
        }
    }

    fn lives(&self, actor: usize, incarnation: u32) -> bool {
        self.actors[actor].alive && self.actors[actor].incarnation == incarnation
    }

    // ---- the network ------------------------------------------------------------------------

    /// Sends to all other actors that this one talks to.
    pub fn broadcast(&mut self, from: usize, message: Message) {
        for to in 0..self.actors.len() {
            if to != from {
                self.send(from, to, message);
            }
        }
    }

    pub fn send(&mut self, from: usize, to: usize, message: Message) {
        let Some(held_back) = byzantine::holds_back(self, from, to, &message) else { return };
        let healed = self.healed();
        if !healed {
            if self.random.percent(self.scenario.drop_percent.into()) {
                self.faults.dropped += 1;
                return;
            }
            if !self.connected(from, to) {
                self.faults.cut_off += 1;
                return;
            }
        }
        let twice = !healed && self.random.percent(self.scenario.duplicate_percent.into());
        self.faults.duplicated += u64::from(twice);
        for _ in 0..=usize::from(twice) {
            let slow = !healed && self.random.percent(10);
            self.faults.late += u64::from(slow);
            let delay = self.random.range(1, if slow { 1_500 } else { 50 });
            let at = self.now + held_back + delay;
            let latest = self.latest.entry((from, to)).or_default();
            self.faults.reordered += u64::from(at < *latest);
            *latest = at.max(*latest);
            self.at(at, Event::Deliver { from, to, message });
        }
    }

    fn connected(&self, a: usize, b: usize) -> bool {
        self.healed()
            || !self.partitions.iter().any(|partition| {
                (partition.from..partition.until).contains(&self.now)
                    && (partition.sides >> a) & 1 != (partition.sides >> b) & 1
            })
    }

    fn deliver(&mut self, from: usize, to: usize, message: Message) {
        if !self.actors[to].alive {
            return;
        }
        if let Message::Proposal(proposal) = message {
            self.actors[to].bodies.insert(proposal.block);
        }
        match self.actors[to].runs_core() {
            true => {
                let proof = self.actors[to].disk.decided.get(&message.height());
                if let Some((_, certificate)) = proof {
                    // Votes of a decided height: the sender is behind; show it the precommits.
                    let sender = &self.actors[from];
                    if sender.runs_core() && sender.disk.next_height() <= message.height() {
                        for vote in certificate.clone() {
                            self.send(to, from, Message::Vote(vote));
                        }
                    }
                    return;
                }
                self.apply(
                    to,
                    match message {
                        Message::Proposal(proposal) => Input::Proposal(proposal),
                        Message::Vote(vote) => Input::Vote(vote),
                    },
                );
            }
            false => byzantine::hear(self, from, to, message),
        }
    }

    fn rebroadcast(&mut self, actor: usize) {
        if !self.actors[actor].alive || self.actors[actor].core.step() == Step::Decided {
            return;
        }
        let core = self.actors[actor].core.clone();
        core.proposals().for_each(|p| self.broadcast(actor, Message::Proposal(p)));
        core.votes().for_each(|v| self.broadcast(actor, Message::Vote(v)));
    }

    // ---- a node around its core -------------------------------------------------------------

    /// The leaders of a height whose parent the actor knows.
    pub fn leaders(&self, height: Height, parent: Option<BlockId>) -> LeaderOrder {
        let this = term(height, BLOCKS_PER_LEADER);
        let same = height.0 > 1 && term(Height(height.0 - 1), BLOCKS_PER_LEADER) == this;
        let author = parent.filter(|_| same).map(|parent| self.blocks[&parent].author);
        leader_order(&self.rankings[this as usize], author, &BTreeSet::new()).unwrap()
    }

    fn start_height(&mut self, actor: usize) {
        let disk = &self.actors[actor].disk;
        let height = disk.next_height();
        if height > TARGET {
            return;
        }
        let parent = disk.decided.last_key_value().map(|(_, (block, _))| *block);
        let config = HeightConfig {
            height,
            me: Some(self.actors[actor].index),
            sequencers: self.scenario.sequencers,
            leaders: self.leaders(height, parent),
            timeouts: TIMEOUTS,
        };
        let recovery = disk.recovery(height);
        let stored = recovery.clone();
        self.apply(actor, Input::Start(config, recovery));
        stored.proposals.iter().for_each(|p| self.broadcast(actor, Message::Proposal(*p)));
        stored.votes.iter().for_each(|v| self.broadcast(actor, Message::Vote(*v)));
    }

    fn apply(&mut self, actor: usize, input: Input) {
        let out = self.actors[actor].core.apply(input);
        for output in out {
            if !self.actors[actor].alive {
                return;
            }
            self.perform(actor, output);
        }
    }

    /// Counts down to a crash before each effect that the outside or the disk sees. False: crashed.
    fn survives(&mut self, actor: usize) -> bool {
        let healed = self.healed();
        match &mut self.actors[actor].crash_in {
            None => return true,
            Some(_) if healed => return true,
            Some(0) => {}
            Some(left) => {
                *left -= 1;
                return true;
            }
        }
        let this = &mut self.actors[actor];
        self.faults.crashes += 1;
        this.alive = false;
        this.incarnation += 1;
        this.crash_in = None;
        this.core = Core::new();
        let kept = this.disk.proposals.iter().map(|proposal| proposal.block);
        this.bodies = kept.chain(this.disk.decided.values().map(|(block, _)| *block)).collect();
        let at = self.now + self.random.range(5, 1_500);
        self.at(at, Event::Restart { actor });
        false
    }

    fn restart(&mut self, actor: usize) {
        self.faults.restarts += 1;
        self.actors[actor].alive = true;
        self.start_height(actor);
    }

    fn later(&mut self, actor: usize, delay: u64, input: Input) {
        let incarnation = self.actors[actor].incarnation;
        let at = self.now + delay;
        self.at(at, Event::Input { actor, incarnation, input });
    }

    fn perform(&mut self, actor: usize, output: Output) {
        self.tell(|this| trace::output(&this.actors, actor, &output));
        self.check(actor, &output);
        match output {
            Output::EnterRound { round, .. } => self.highest_round = self.highest_round.max(round),
            Output::StartTimer { timeout, duration_ms } => {
                // Clocks drift.
                let drift = duration_ms * (actor as u64 % 5) / 100;
                self.later(actor, duration_ms + drift, Input::Timeout(timeout));
            }
            Output::Build { height, round } => {
                if !self.healed() && self.random.percent(5) {
                    self.faults.builds_failed += 1;
                } else {
                    let valid = byzantine::builds_valid(self, actor);
                    let block = self.new_block(actor, height, valid);
                    let delay = self.random.range(1, 40);
                    self.later(actor, delay, Input::Built { height, round, block });
                }
            }
            Output::Propose(proposal) => {
                if self.survives(actor) {
                    self.actors[actor].disk.proposals.push(proposal);
                    self.actors[actor].bodies.insert(proposal.block);
                    if self.survives(actor) {
                        self.broadcast(actor, Message::Proposal(proposal));
                    }
                }
            }
            Output::Validate { height, block, first_proposal } => {
                self.validate(actor, height, block, first_proposal);
            }
            Output::Lock { height, round, block } => {
                if self.survives(actor) {
                    let this = &mut self.actors[actor];
                    let supports = |vote: &Vote| {
                        (vote.kind, vote.round, vote.block)
                            == (VoteKind::Prevote, round, Some(block))
                    };
                    this.disk.locks.insert(height, (round, block));
                    this.disk.polka = this.core.votes().filter(supports).collect();
                }
            }
            Output::Vote(vote) => {
                if self.survives(actor) {
                    self.actors[actor].disk.votes.push(vote);
                    if self.survives(actor) {
                        self.broadcast(actor, Message::Vote(vote));
                    }
                }
            }
            Output::Decide { height, round, block, signers } => {
                if self.survives(actor) {
                    let kind = VoteKind::Precommit;
                    let votes = signers.into_iter().map(|voter| Vote {
                        kind,
                        height,
                        round,
                        block: Some(block),
                        voter,
                    });
                    self.actors[actor].disk.decided.insert(height, (block, votes.collect()));
                    let incarnation = self.actors[actor].incarnation;
                    let at = self.now + self.random.range(0, 20);
                    self.at(at, Event::NextHeight { actor, incarnation });
                }
            }
            Output::Equivocation { .. } | Output::ProposalEquivocation { .. } => {}
        }
    }

    pub fn new_block(&mut self, actor: usize, height: Height, valid: bool) -> BlockId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let author = self.actors[actor].index;
        self.blocks.insert(BlockId(id), Block { height, author, valid });
        BlockId(id)
    }

    /// Executes the block, or fetches its body from whoever has it and tries again.
    fn validate(&mut self, actor: usize, height: Height, block: BlockId, first: bool) {
        if self.actors[actor].bodies.contains(&block) {
            let delay = self.random.range(1, 30);
            let untimely = first && !self.healed() && self.random.percent(5);
            self.faults.untimely += u64::from(untimely);
            let verdict = match self.blocks.get(&block) {
                Some(known) if known.valid && known.height == height && untimely => {
                    Verdict::Untimely
                }
                Some(known) if known.valid && known.height == height => Verdict::Valid,
                _ => Verdict::Invalid,
            };
            self.later(actor, delay, Input::Verdict { height, block, verdict });
            return;
        }
        let here = (0..self.actors.len()).any(|peer| {
            let other = &self.actors[peer];
            other.alive && other.bodies.contains(&block) && self.connected(actor, peer)
        });
        if here {
            self.actors[actor].bodies.insert(block);
        }
        let incarnation = self.actors[actor].incarnation;
        let at = self.now + self.random.range(5, 60);
        self.at(at, Event::Fetch { actor, incarnation, height, block, first });
    }

    // ---- what must hold ---------------------------------------------------------------------

    fn violation(&mut self, text: String) {
        self.tell(|_| Some(format!("BROKEN: {text}")));
        self.violations.push(format!("{} ms: {text}", self.now));
    }

    fn is_honest(&self, index: SequencerIndex) -> bool {
        let mut same = self.actors.iter().filter(|actor| actor.index == index);
        same.all(|actor| actor.behaviour == Behaviour::Honest)
    }

    /// Judges what an honest core puts out.
    fn check(&mut self, actor: usize, output: &Output) {
        let this = &self.actors[actor];
        if this.behaviour != Behaviour::Honest {
            return;
        }
        let (index, disk) = (this.index, &this.disk);
        let mut broken = Vec::new();
        match output {
            Output::Vote(vote) => {
                let same =
                    |v: &&Vote| (v.height, v.round, v.kind) == (vote.height, vote.round, vote.kind);
                if let Some(earlier) = disk.votes.iter().find(same) {
                    broken.push(format!("{index:?} votes twice: {earlier:?} {vote:?}"));
                }
                if vote.kind == VoteKind::Precommit {
                    let lock = disk.locks.get(&vote.height);
                    let wants = vote.block.map(|block| (vote.round, block));
                    if wants.is_some() && lock != wants.as_ref() {
                        broken.push(format!("{index:?} precommits without a lock: {vote:?}"));
                    }
                }
            }
            Output::Propose(proposal) => {
                let same = |p: &&Proposal| (p.height, p.round) == (proposal.height, proposal.round);
                if let Some(earlier) = disk.proposals.iter().find(same) {
                    broken.push(format!("{index:?} proposes twice: {earlier:?} {proposal:?}"));
                }
            }
            Output::Decide { height, round, block, signers } => {
                let agreed = *self.decided.entry(*height).or_insert(*block);
                if agreed != *block {
                    broken.push(format!("{index:?} decides {block:?}, others {agreed:?}"));
                }
                if !self.blocks.get(block).is_some_and(|known| known.valid) {
                    broken.push(format!("{index:?} decides the invalid {block:?}"));
                }
                if signers.len() < quorum(self.scenario.sequencers.into()) {
                    broken.push(format!("{index:?} decides without a quorum"));
                }
                for signer in signers.iter().filter(|signer| self.is_honest(**signer)) {
                    let signed = |v: &Vote| {
                        v.kind == VoteKind::Precommit
                            && (v.height, v.round, v.block) == (*height, *round, Some(*block))
                    };
                    let mut actors = self.actors.iter().filter(|a| a.index == *signer);
                    if !actors.any(|a| a.disk.votes.iter().any(signed)) {
                        broken.push(format!("{index:?} counts an unsigned vote of {signer:?}"));
                    }
                }
            }
            Output::Equivocation { first, .. } if self.is_honest(first.voter) => {
                broken.push(format!("{index:?} accuses the honest {:?}", first.voter));
            }
            Output::ProposalEquivocation { first, .. } if self.is_honest(first.proposer) => {
                broken.push(format!("{index:?} accuses the honest {:?}", first.proposer));
            }
            _ => {}
        }
        broken.into_iter().for_each(|text| self.violation(text));
    }
}

fn is_behind(actor: &Actor) -> bool {
    actor.behaviour == Behaviour::Honest && actor.disk.next_height() <= TARGET
}
