//! Our core and Malachite's driver side by side: the same inputs to both, and what both say.
//!
//! Around each is the little that its caller owes it: our core gets its verdicts at once; the
//! driver gets its own messages back, and the leader of a round that it enters.

use arc_malachitebft_core_driver::{Driver, Input as In, Output as Out};
use arc_malachitebft_core_types as malachite;
use cascoin_bft::*;
use malachite::{Context as _, NilOrVal, SignedMessage, Validator as _, Validity, VoteType};

use super::context::{self, Context, Validators};

pub const H: Height = Height(1);
/// The block that breaks a rule; all others are good.
pub const BAD: BlockId = BlockId([0xbd; 32]);

/// What the outside hears of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Propose(Proposal),
    Vote(Vote),
    Decide(Round, BlockId),
}

pub struct Pair {
    pub core: Core,
    driver: Driver<Context>,
    context: Context,
    validators: Validators,
}

impl Pair {
    /// Both at the start of the height, and what they say to that.
    pub fn new(sequencers: u16, me: u16) -> (Self, [Vec<Said>; 2]) {
        let me = SequencerIndex(me);
        let leaders = LeaderOrder::new((0..sequencers).map(SequencerIndex).collect()).unwrap();
        let context = Context { leaders: leaders.clone() };
        let validators = Validators::new(sequencers);
        let (set, address) = (validators.clone(), context::Address(me));
        let height = context::Height(1);
        let driver = Driver::new(context.clone(), height, set, address, Default::default());
        let mut pair = Self { core: Core::new(), driver, context, validators };
        let timeouts = TimeoutParams { propose_ms: 3, prevote_ms: 2, precommit_ms: 2 };
        let config = HeightConfig { height: H, me: Some(me), sequencers, leaders, timeouts };
        let said = [
            pair.core_says(Input::Start(config, Recovery::default())),
            pair.driver_says(pair.new_round(malachite::Round::ZERO)),
        ];
        (pair, said)
    }

    /// Gives both the input; what our core says to it, and what the driver says.
    pub fn apply(&mut self, input: Input) -> [Vec<Said>; 2] {
        let theirs = match &input {
            Input::Start(..) | Input::Verdict { .. } => panic!("the pair does that itself"),
            Input::Built { round, block, .. } => {
                // The driver takes a value whether it asked for one or not.
                let asked = self.core.step() == Step::Propose
                    && self.core.valid().is_none()
                    && self.core.proposals().all(|proposal| proposal.round != *round);
                asked.then_some(In::ProposeValue(to_round(*round), context::Value(*block)))
            }
            Input::Proposal(p) => {
                let proposal = context::Proposal {
                    round: to_round(p.round),
                    value: context::Value(p.block),
                    pol_round: p.valid_round.map_or(malachite::Round::Nil, to_round),
                    proposer: context::Address(p.proposer),
                };
                let validity = Validity::from_bool(p.block != BAD);
                Some(In::Proposal(SignedMessage::new(proposal, ()), validity))
            }
            Input::Vote(vote) => Some(In::Vote(SignedMessage::new(to_vote(vote), ()))),
            Input::Timeout(timer) => {
                let kind = match timer.kind {
                    TimeoutKind::Propose => malachite::TimeoutKind::Propose,
                    TimeoutKind::Prevote => malachite::TimeoutKind::Prevote,
                    TimeoutKind::Precommit => malachite::TimeoutKind::Precommit,
                };
                let timeout = malachite::Timeout::new(to_round(timer.round), kind);
                Some(In::TimeoutElapsed(timeout))
            }
        };
        let theirs = theirs.map_or_else(Vec::new, |input| self.driver_says(input));
        [self.core_says(input), theirs]
    }

    fn core_says(&mut self, input: Input) -> Vec<Said> {
        let mut said = Vec::new();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.core.apply(input) {
                match output {
                    Output::Propose(proposal) => said.push(Said::Propose(proposal)),
                    Output::Vote(vote) => said.push(Said::Vote(vote)),
                    Output::Decide { round, block, .. } => said.push(Said::Decide(round, block)),
                    Output::Validate { block, .. } => {
                        let verdict = if block == BAD { Verdict::Invalid } else { Verdict::Valid };
                        inputs.push(Input::Verdict { height: H, block, verdict });
                    }
                    _ => {}
                }
            }
        }
        said
    }

    fn driver_says(&mut self, input: In<Context>) -> Vec<Said> {
        let mut said = Vec::new();
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let input = inputs.remove(0);
            for output in self.driver.process(input).expect("the driver takes the input") {
                match output {
                    Out::NewRound(_, round) => inputs.push(self.new_round(round)),
                    Out::Propose(proposal) => {
                        said.push(Said::Propose(from_proposal(&proposal)));
                        let signed = SignedMessage::new(proposal, ());
                        inputs.push(In::Proposal(signed, Validity::Valid));
                    }
                    Out::Vote(vote) => {
                        said.push(Said::Vote(from_vote(&vote)));
                        inputs.push(In::Vote(SignedMessage::new(vote, ())));
                    }
                    Out::Decide(_, proposal) => {
                        let Proposal { round, block, .. } = from_proposal(&proposal);
                        said.push(Said::Decide(round, block));
                    }
                    Out::ScheduleTimeout(_) | Out::GetValue(..) => {}
                }
            }
        }
        said
    }

    fn new_round(&self, round: malachite::Round) -> In<Context> {
        let height = context::Height(1);
        let leader = self.context.select_proposer(&self.validators, height, round);
        In::NewRound(height, round, *leader.address())
    }
}

fn to_round(round: Round) -> malachite::Round {
    malachite::Round::new(round.0.into())
}

fn from_round(round: malachite::Round) -> Option<Round> {
    round.as_u32().map(|round| Round(round as u16))
}

fn to_vote(vote: &Vote) -> context::Vote {
    context::Vote {
        kind: match vote.kind {
            VoteKind::Prevote => VoteType::Prevote,
            VoteKind::Precommit => VoteType::Precommit,
        },
        round: to_round(vote.round),
        value: vote.block.map_or(NilOrVal::Nil, |block| NilOrVal::Val(context::ValueId(block))),
        voter: context::Address(vote.voter),
    }
}

fn from_vote(vote: &context::Vote) -> Vote {
    Vote {
        kind: match vote.kind {
            VoteType::Prevote => VoteKind::Prevote,
            VoteType::Precommit => VoteKind::Precommit,
        },
        height: H,
        round: from_round(vote.round).expect("a vote has a round"),
        block: match vote.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(value) => Some(value.0),
        },
        voter: vote.voter.0,
    }
}

fn from_proposal(proposal: &context::Proposal) -> Proposal {
    Proposal {
        height: H,
        round: from_round(proposal.round).expect("a proposal has a round"),
        block: proposal.value.0,
        valid_round: from_round(proposal.pol_round),
        proposer: proposal.proposer.0,
    }
}
