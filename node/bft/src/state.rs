//! The state of the core and the handling of each input. The rules that follow from the state are
//! in `rules`, the restart in `recovery`.

pub use crate::{
    io::{HeightConfig, Input, Output, Recovery},
    verdicts::Verdict,
};
use crate::{
    proposals::ProposalKeeper,
    rounds_seen::RoundsSeen,
    types::{
        max_faulty, quorum, BlockId, Height, Proposal, Round, SequencerIndex, Timeout, TimeoutKind,
        Vote, VoteKind,
    },
    verdicts::Verdicts,
    votes::{Insertion, VoteKeeper},
};

/// Messages of rounds further ahead than this are not kept.
pub const LOOK_AHEAD_ROUNDS: u16 = 10;

/// Where in its round a node stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// No height was started yet.
    Idle,
    /// Waiting for a proposal to prevote on.
    Propose,
    /// Prevoted; waiting for a quorum of prevotes.
    Prevote,
    /// Precommitted; waiting for a quorum of precommits.
    Precommit,
    /// The height is decided; waiting for the next one to be started.
    Decided,
}

/// The Tendermint core: one height at a time, driven by [`Core::apply`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Core {
    current: Option<HeightState>,
}

impl Core {
    /// A core that waits for its first [`Input::Start`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one input and returns everything that follows from it, in the order to be done.
    pub fn apply(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Start(config, recovery) => {
                if config.height > self.height() {
                    self.current = Some(HeightState::start(config, recovery, &mut out));
                }
            }
            other => {
                if let Some(current) = &mut self.current {
                    current.apply(other, &mut out);
                }
            }
        }
        out
    }

    /// The current height; 0 before the first start.
    pub fn height(&self) -> Height {
        self.current.as_ref().map_or(Height(0), |current| current.config.height)
    }

    /// The current round.
    pub fn round(&self) -> Round {
        self.current.as_ref().map_or(Round::ZERO, |current| current.round)
    }

    /// The current step.
    pub fn step(&self) -> Step {
        self.current.as_ref().map_or(Step::Idle, |current| current.step)
    }

    /// The decision of the current height, with the round of its quorum.
    pub fn decision(&self) -> Option<(Round, BlockId)> {
        self.current.as_ref()?.decision
    }

    /// The block this node is locked on, with the round of the lock.
    pub fn locked(&self) -> Option<(Round, BlockId)> {
        self.current.as_ref()?.locked
    }

    /// The latest block seen with a quorum of prevotes: what this node re-proposes.
    pub fn valid(&self) -> Option<(Round, BlockId)> {
        self.current.as_ref()?.valid
    }

    /// The leader of the current round.
    pub fn leader(&self) -> Option<SequencerIndex> {
        self.current.as_ref().map(HeightState::leader)
    }

    /// Every vote known of the current height (contradicting ones too), for rebroadcast.
    pub fn votes(&self) -> impl Iterator<Item = Vote> + '_ {
        self.current.iter().flat_map(|current| current.votes.iter())
    }

    /// The first proposal known of each round of the current height, for rebroadcast.
    pub fn proposals(&self) -> impl Iterator<Item = Proposal> + '_ {
        self.current.iter().flat_map(|current| current.proposals.iter())
    }
}

/// Everything about one height.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct HeightState {
    /// `me` is below `sequencers` here.
    pub(crate) config: HeightConfig,
    pub(crate) round: Round,
    pub(crate) step: Step,
    pub(crate) locked: Option<(Round, BlockId)>,
    pub(crate) valid: Option<(Round, BlockId)>,
    pub(crate) decision: Option<(Round, BlockId)>,
    pub(crate) votes: VoteKeeper,
    pub(crate) proposals: ProposalKeeper,
    pub(crate) verdicts: Verdicts,
    pub(crate) seen: RoundsSeen,
    pub(crate) once: OncePerRound,
}

/// What happens at most once in a round; cleared when a round is entered.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct OncePerRound {
    pub(crate) build_asked: bool,
    pub(crate) prevote_timer: bool,
    pub(crate) precommit_timer: bool,
}

impl HeightState {
    /// Handles an input other than a start, then evaluates the rules to a fixpoint.
    fn apply(&mut self, input: Input, out: &mut Vec<Output>) {
        if self.step == Step::Decided {
            return;
        }
        match input {
            Input::Start(..) => return,
            Input::Built { height, round, block } => self.on_built(height, round, block, out),
            Input::Proposal(proposal) => self.on_proposal(proposal, out),
            Input::Verdict { height, block, verdict } => {
                if height == self.config.height {
                    self.verdicts.answer(block, verdict);
                }
            }
            Input::Vote(vote) => self.on_vote(vote, out),
            Input::Timeout(timeout) => self.on_timeout(timeout, out),
        }
        self.evaluate(out);
    }

    fn on_built(&mut self, height: Height, round: Round, block: BlockId, out: &mut Vec<Output>) {
        let awaited = height == self.config.height
            && round == self.round
            && self.step == Step::Propose
            && self.once.build_asked;
        if awaited && self.proposals.get(round).is_none() {
            self.verdicts.built(block);
            self.propose(block, None, out);
        }
    }

    fn on_proposal(&mut self, proposal: Proposal, out: &mut Vec<Output>) {
        let well_formed = proposal.height == self.config.height
            && self.is_member(proposal.proposer)
            && proposal.proposer == self.config.leaders.leader(proposal.round)
            && proposal.valid_round.is_none_or(|valid_round| valid_round < proposal.round);
        if !well_formed {
            return;
        }
        self.seen.note(proposal.proposer, proposal.round);
        if !self.is_near(proposal.round) {
            return;
        }
        if let Some(first) = self.proposals.insert(proposal) {
            if self.config.me != Some(proposal.proposer) {
                out.push(Output::ProposalEquivocation { first, second: proposal });
            }
        }
    }

    fn on_vote(&mut self, vote: Vote, out: &mut Vec<Output>) {
        if vote.height != self.config.height || !self.is_member(vote.voter) {
            return;
        }
        self.seen.note(vote.voter, vote.round);
        if !self.is_near(vote.round) {
            return;
        }
        if let Insertion::Contradicts { first } = self.votes.insert(vote) {
            if self.config.me != Some(vote.voter) {
                out.push(Output::Equivocation { first, second: vote });
            }
        }
    }

    fn on_timeout(&mut self, timeout: Timeout, out: &mut Vec<Output>) {
        if timeout.height != self.config.height || timeout.round != self.round {
            return;
        }
        match (timeout.kind, self.step) {
            // Lines 57–60
            (TimeoutKind::Propose, Step::Propose) => self.prevote(None, out),
            // Lines 61–64
            (TimeoutKind::Prevote, Step::Prevote) => self.precommit(None, out),
            // Lines 65–67
            (TimeoutKind::Precommit, _) => {
                if let Some(next) = self.round.next() {
                    self.start_round(next, out);
                }
            }
            _ => {}
        }
    }

    /// Lines 11–21 but for the leader's proposal, which is a rule because it may have to wait.
    pub(crate) fn start_round(&mut self, round: Round, out: &mut Vec<Output>) {
        self.round = round;
        self.step = Step::Propose;
        self.once = OncePerRound::default();
        self.announce_round(out);
        self.start_timer(TimeoutKind::Propose, TimeoutKind::Propose, out);
    }

    pub(crate) fn announce_round(&self, out: &mut Vec<Output>) {
        let (height, round, leader) = (self.config.height, self.round, self.leader());
        out.push(Output::EnterRound { height, round, leader });
    }

    /// Starts the timer of `kind`, for as long as `length` lasts in this round.
    pub(crate) fn start_timer(
        &self,
        kind: TimeoutKind,
        length: TimeoutKind,
        out: &mut Vec<Output>,
    ) {
        self.start_timer_of(kind, self.config.timeouts.duration_ms(length, self.round), out);
    }

    /// Starts the timer of `kind` in this round.
    pub(crate) fn start_timer_of(
        &self,
        kind: TimeoutKind,
        duration_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let timeout = Timeout { height: self.config.height, round: self.round, kind };
        out.push(Output::StartTimer { timeout, duration_ms });
    }

    /// Sends the proposal of this round, which this node leads.
    pub(crate) fn propose(
        &mut self,
        block: BlockId,
        valid_round: Option<Round>,
        out: &mut Vec<Output>,
    ) {
        let Some(proposer) = self.config.me else {
            return;
        };
        let (height, round) = (self.config.height, self.round);
        let proposal = Proposal { height, round, block, valid_round, proposer };
        self.proposals.insert(proposal);
        self.seen.note(proposer, round);
        out.push(Output::Propose(proposal));
    }

    /// Moves to step prevote with this vote.
    pub(crate) fn prevote(&mut self, block: Option<BlockId>, out: &mut Vec<Output>) {
        self.step = Step::Prevote;
        self.cast(VoteKind::Prevote, block, out);
    }

    /// Moves to step precommit with this vote.
    pub(crate) fn precommit(&mut self, block: Option<BlockId>, out: &mut Vec<Output>) {
        self.step = Step::Precommit;
        self.cast(VoteKind::Precommit, block, out);
    }

    /// Votes in this round, unless this node is known to have done so.
    fn cast(&mut self, kind: VoteKind, block: Option<BlockId>, out: &mut Vec<Output>) {
        let Some(voter) = self.config.me else { return };
        let (height, round) = (self.config.height, self.round);
        if self.votes.has_voted(round, kind, voter) {
            return;
        }
        let vote = Vote { kind, height, round, block, voter };
        self.votes.insert(vote);
        self.seen.note(voter, round);
        out.push(Output::Vote(vote));
    }

    /// Asks for a verdict, if that question is open and none about the block is out.
    pub(crate) fn ask(
        &mut self,
        block: BlockId,
        first_proposal: bool,
        out: &mut Vec<Output>,
    ) -> bool {
        let asked = self.verdicts.ask(block, first_proposal);
        if asked {
            out.push(Output::Validate { height: self.config.height, block, first_proposal });
        }
        asked
    }

    pub(crate) fn leader(&self) -> SequencerIndex {
        self.config.leaders.leader(self.round)
    }

    pub(crate) fn quorum(&self) -> usize {
        quorum(usize::from(self.config.sequencers))
    }

    /// Votes that contain an honest one.
    pub(crate) fn one_honest(&self) -> usize {
        max_faulty(usize::from(self.config.sequencers)).saturating_add(1)
    }

    fn is_member(&self, index: SequencerIndex) -> bool {
        index.0 < self.config.sequencers
    }

    fn is_near(&self, round: Round) -> bool {
        round <= self.round.saturating_add(LOOK_AHEAD_ROUNDS)
    }
}
