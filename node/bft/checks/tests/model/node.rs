//! An honest node of the model: the very core, its write-ahead log, and what it still owes the core.
//!
//! The node does what the core tells it, in order, and can crash between any two durable effects.
//! Persisting and sending are one effect: a node that crashed in between sends what its log holds
//! when it comes back, and the network may lose or hold back anything anyway. While it does so, it
//! judges its core: what must never happen is noted in [`Node::broken`].

use std::{
    collections::{hash_map::DefaultHasher, BTreeMap, BTreeSet},
    hash::{Hash, Hasher},
};

use cascoin_bft::*;

use super::setting::{Setting, H, V, W};

/// A rule that the core broke.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Broken {
    /// A second vote of a round and kind, or a second proposal of a round, by an honest node.
    SelfEquivocation,
    /// A decision without a quorum, or one that counts a vote its honest signer never cast.
    Certificate,
    /// A precommit for a block without a durable lock on it.
    PrecommitWithoutLock,
    /// Evidence against an honest node.
    FalseAccusation,
}

impl Broken {
    pub const ALL: [Self; 4] = [
        Self::SelfEquivocation,
        Self::Certificate,
        Self::PrecommitWithoutLock,
        Self::FalseAccusation,
    ];
}

/// A question about a block that waits for its verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Question {
    pub block: BlockId,
    pub first_proposal: bool,
    /// Asked when the node came back from a crash.
    pub on_restart: bool,
}

/// What survives a crash.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Disk {
    pub votes: BTreeMap<(Round, VoteKind), Option<BlockId>>,
    pub proposals: BTreeMap<Round, Proposal>,
    pub lock: Option<(Round, BlockId)>,
    /// The prevotes behind the lock.
    pub polka: Vec<Vote>,
    pub decision: Option<(Round, BlockId)>,
}

/// Where a crash strikes, in durable effects.
#[derive(Clone, Copy, Debug)]
pub struct Effects {
    /// No effect after this many.
    pub crash_after: Option<u8>,
    pub done: u8,
}

impl Effects {
    pub fn all() -> Self {
        Self { crash_after: None, done: 0 }
    }

    pub fn only(effects: u8) -> Self {
        Self { crash_after: Some(effects), done: 0 }
    }

    fn next(&mut self) -> bool {
        let lives = self.crash_after.is_none_or(|most| self.done < most);
        self.done += u8::from(lives);
        lives
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Node {
    pub me: SequencerIndex,
    pub core: Core,
    pub disk: Disk,
    pub questions: BTreeSet<Question>,
    /// The block asked for, if one is being built.
    pub building: Option<Round>,
    pub timers: BTreeSet<Timeout>,
    pub restarts: u8,
    /// Whose precommits made the decision.
    pub signers: BTreeSet<SequencerIndex>,
    pub broken: BTreeSet<Broken>,
    /// What of the node matters for what can happen, by [`projection`], for both namings of the
    /// good blocks. Kept because all steps but one in `n` leave a node as it was.
    pub projections: [u64; 2],
}

impl Node {
    /// A node that starts the height.
    pub fn new(setting: &Setting, me: SequencerIndex) -> Self {
        let mut node = Self {
            me,
            core: Core::new(),
            disk: Disk::default(),
            questions: BTreeSet::new(),
            building: None,
            timers: BTreeSet::new(),
            restarts: 0,
            signers: BTreeSet::new(),
            broken: BTreeSet::new(),
            projections: [0; 2],
        };
        node.start(setting);
        node
    }

    /// With its projections brought up to date.
    pub fn projected(mut self) -> Self {
        self.project();
        self
    }

    pub fn project(&mut self) {
        self.projections = [[V, W], [W, V]].map(|names| projection(self, names));
    }

    /// Comes back with nothing but its disk.
    pub fn restart(&mut self, setting: &Setting) {
        self.core = Core::new();
        self.questions.clear();
        self.timers.clear();
        self.building = None;
        self.restarts = self.restarts.saturating_add(1);
        self.start(setting);
    }

    fn start(&mut self, setting: &Setting) {
        let own = self.disk.votes.keys().map(|(round, kind)| self.vote(*round, *kind).unwrap());
        let recovery = Recovery {
            votes: own.chain(self.disk.polka.iter().copied()).collect(),
            proposals: self.disk.proposals.values().copied().collect(),
            lock: self.disk.lock,
            valid: None,
        };
        let start = Input::Start(setting.config(self.me), recovery);
        self.apply(setting, start, &mut Effects::all());
        let asked = std::mem::take(&mut self.questions);
        self.questions = asked.into_iter().map(|q| Question { on_restart: true, ..q }).collect();
    }

    /// This node's vote on disk.
    pub fn vote(&self, round: Round, kind: VoteKind) -> Option<Vote> {
        let block = *self.disk.votes.get(&(round, kind))?;
        Some(Vote { kind, height: H, round, block, voter: self.me })
    }

    /// Gives the core an input and does what it says, until done or crashed (false).
    pub fn apply(&mut self, setting: &Setting, input: Input, effects: &mut Effects) -> bool {
        match &input {
            Input::Timeout(timeout) => {
                self.timers.remove(timeout);
            }
            Input::Built { .. } => self.building = None,
            Input::Verdict { block, .. } => {
                self.questions.retain(|question| question.block != *block)
            }
            Input::Start(..) | Input::Proposal(_) | Input::Vote(_) => {}
        }
        let out = self.core.apply(input);
        out.into_iter().all(|output| self.perform(setting, output, effects))
    }

    /// Answers every question by what the blocks are; those of a restart only if wanted.
    pub fn answer(&mut self, setting: &Setting, effects: &mut Effects, on_restart: bool) -> bool {
        let open = |question: &&Question| on_restart || !question.on_restart;
        while let Some(question) = self.questions.iter().find(open).copied() {
            let block = question.block;
            let verdict = if Setting::is_valid(block) { Verdict::Valid } else { Verdict::Invalid };
            let answer = Input::Verdict { height: H, block, verdict };
            if !self.apply(setting, answer, effects) {
                return false;
            }
        }
        true
    }

    fn perform(&mut self, setting: &Setting, output: Output, effects: &mut Effects) -> bool {
        match output {
            Output::EnterRound { .. } => {}
            Output::StartTimer { timeout, .. } => {
                self.timers.insert(timeout);
            }
            Output::Build { round, .. } => self.building = Some(round),
            Output::Validate { block, first_proposal, .. } => {
                self.questions.insert(Question { block, first_proposal, on_restart: false });
            }
            Output::Propose(proposal) => {
                if !effects.next() {
                    return false;
                }
                if self.disk.proposals.insert(proposal.round, proposal).is_some() {
                    self.broken.insert(Broken::SelfEquivocation);
                }
            }
            Output::Lock { round, block, .. } => {
                if !effects.next() {
                    return false;
                }
                let supports = |vote: &Vote| {
                    (vote.kind, vote.round, vote.block) == (VoteKind::Prevote, round, Some(block))
                };
                self.disk.lock = Some((round, block));
                self.disk.polka =
                    self.core.votes().filter(supports).filter(|v| v.voter != self.me).collect();
            }
            Output::Vote(vote) => {
                if !effects.next() {
                    return false;
                }
                let locked = self.disk.lock == vote.block.map(|block| (vote.round, block));
                if vote.kind == VoteKind::Precommit && vote.block.is_some() && !locked {
                    self.broken.insert(Broken::PrecommitWithoutLock);
                }
                if self.disk.votes.insert((vote.round, vote.kind), vote.block).is_some() {
                    self.broken.insert(Broken::SelfEquivocation);
                }
            }
            Output::Decide { round, block, signers, .. } => {
                if !effects.next() {
                    return false;
                }
                if signers.len() < setting.quorum() {
                    self.broken.insert(Broken::Certificate);
                }
                self.signers = signers;
                self.disk.decision = Some((round, block));
            }
            Output::Equivocation { first: Vote { voter, .. }, .. }
            | Output::ProposalEquivocation { first: Proposal { proposer: voter, .. }, .. } => {
                if setting.is_honest(voter) {
                    self.broken.insert(Broken::FalseAccusation);
                }
            }
        }
        true
    }
}

/// What of a node matters, with the blocks renamed.
fn projection(node: &Node, names: [BlockId; 2]) -> u64 {
    let name = |block: BlockId| match block {
        V => names[0],
        W => names[1],
        other => other,
    };
    let at = |lock: Option<(Round, BlockId)>| lock.map(|(round, block)| (round, name(block)));
    let (core, disk) = (&node.core, &node.disk);
    let mut hasher = DefaultHasher::new();
    (core.round(), core.step()).hash(&mut hasher);
    (at(core.locked()), at(core.valid()), at(core.decision())).hash(&mut hasher);
    (at(disk.lock), at(disk.decision)).hash(&mut hasher);
    let votes = disk.votes.iter().map(|(key, block)| (key, block.map(name)));
    votes.collect::<Vec<_>>().hash(&mut hasher);
    let proposals = disk.proposals.iter().map(|(round, p)| (round, name(p.block), p.valid_round));
    proposals.collect::<Vec<_>>().hash(&mut hasher);
    // The others can be asked again: a late verdict on a message is the message late.
    let questions = node.questions.iter().filter(|question| question.on_restart);
    let questions = questions.map(|q| (name(q.block), q.first_proposal));
    let mut questions = questions.collect::<Vec<_>>();
    questions.sort_unstable();
    questions.hash(&mut hasher);
    node.broken.hash(&mut hasher);
    hasher.finish()
}
