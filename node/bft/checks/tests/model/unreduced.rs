//! Random walks through the model without its reductions.
//!
//! One message at a time reaches one node, in any order, again and again or never; verdicts come
//! late and may be "untimely"; only timers that the core started fire; a crash strikes between any
//! two durable effects. Walks check the same rules as the exploration, and if they are given the
//! states it found, that none of theirs is missing there. They also go where it cannot: to more
//! sequencers and more rounds.

use std::{collections::HashSet, sync::Arc};

use cascoin_bft::*;

use super::{
    node::{Broken, Effects, Node},
    random::Random,
    setting::{Setting, BAD, H, V, W},
    world::World,
};

/// What the walks came across.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    pub walks: u64,
    pub steps: u64,
    /// Nodes that decided, in all walks.
    pub decisions: u64,
    pub decided_by_all: u64,
    pub decided_after_a_restart: u64,
    pub locks_overruled: u64,
    pub highest_round: u16,
}

/// One random walk.
pub struct Walk<'a> {
    setting: &'a Setting,
    /// The projections of all states that an exploration found.
    known: Option<&'a HashSet<u64>>,
    random: Random,
    world: World,
    trace: Vec<String>,
}

impl<'a> Walk<'a> {
    pub fn new(setting: &'a Setting, known: Option<&'a HashSet<u64>>, seed: u64) -> Self {
        let (random, world) = (Random::new(seed), World::new(setting));
        Self { setting, known, random, world, trace: Vec::new() }
    }

    /// Takes steps and judges each state; says what is wrong, with the way there.
    pub fn run(mut self, steps: u64, tally: &mut Tally) -> Result<(), String> {
        tally.walks += 1;
        for _ in 0..steps {
            self.step();
            tally.steps += 1;
            self.judge()
                .map_err(|wrong| format!("{wrong} after\n  {}", self.trace.join("\n  ")))?;
            if self.world.all_decided() {
                tally.decided_by_all += 1;
                break;
            }
        }
        tally.decisions += self.world.decisions().count() as u64;
        let restarted = |node: &&Arc<Node>| node.restarts > 0 && node.disk.decision.is_some();
        tally.decided_after_a_restart += u64::from(self.world.nodes.iter().any(|n| restarted(&n)));
        tally.locks_overruled += u64::from(self.world.a_lock_was_overruled());
        let rounds = self.world.nodes.iter().map(|node| node.core.round().0);
        tally.highest_round = rounds.fold(tally.highest_round, u16::max);
        Ok(())
    }

    fn judge(&self) -> Result<(), String> {
        for rule in Broken::ALL {
            if !self.world.never(rule) {
                return Err(format!("{rule:?}"));
            }
        }
        if !self.world.agrees() {
            return Err("two decisions".into());
        }
        if !self.world.is_valid(self.setting) {
            return Err("a bad block is locked or decided".into());
        }
        let known = |states: &HashSet<u64>| states.contains(&self.world.projection(self.setting));
        if !self.known.is_none_or(known) {
            return Err("a state that the exploration missed".into());
        }
        Ok(())
    }

    fn step(&mut self) {
        let honest = u64::from(self.setting.honest) - 1;
        let node = self.random.range(0, honest) as usize;
        if self.world.nodes[node].disk.decision.is_some() {
            return;
        }
        let crash = self.setting.may_crash(SequencerIndex(node as u16)) && self.random.percent(2);
        let mut effects =
            if crash { Effects::only(self.random.range(0, 3) as u8) } else { Effects::all() };
        let Some(input) = self.input(node) else { return };
        let crashes = if crash { ", crashes" } else { "" };
        self.trace.push(format!("{node}: {}{crashes}", told(&input)));
        let next = Arc::make_mut(&mut self.world.nodes[node]);
        next.apply(self.setting, input, &mut effects);
        if next.disk.decision.is_some() {
            self.world = self.world.with(self.setting, Arc::clone(&self.world.nodes[node]));
        } else if crash {
            next.restart(self.setting);
        }
        if self.known.is_some() {
            Arc::make_mut(&mut self.world.nodes[node]).project();
        }
    }

    /// Something that can happen to the node now.
    fn input(&mut self, node: usize) -> Option<Input> {
        let this = Arc::clone(&self.world.nodes[node]);
        match self.random.range(0, 99) {
            0..=49 => {
                let peers = self.world.nodes.iter().filter(|peer| peer.me != this.me);
                let votes = peers.flat_map(|peer| {
                    peer.disk.votes.keys().filter_map(|(round, kind)| peer.vote(*round, *kind))
                });
                let mut votes = votes.collect::<Vec<_>>();
                if self.random.percent(80) {
                    // News, for the walk to get somewhere.
                    let heard = this.core.votes().collect::<Vec<_>>();
                    votes.retain(|vote| !heard.contains(vote));
                }
                self.random.pick(&votes).map(Input::Vote)
            }
            50..=59 => {
                let peers = self.world.nodes.iter().filter(|peer| peer.me != this.me);
                let made = peers.flat_map(|peer| peer.disk.proposals.values().copied());
                let made = made.collect::<Vec<_>>();
                self.random.pick(&made).map(Input::Proposal)
            }
            60..=64 => self.random.pick(&self.setting.lies()).map(Input::Proposal),
            65..=77 => {
                let round = self.random.range(0, u64::from(self.setting.rounds) - 1) as u16;
                let kinds = [VoteKind::Prevote, VoteKind::Precommit];
                let (kind, round) = (self.random.pick(&kinds)?, Round(round));
                let block = self.random.pick(&Setting::choices())?;
                let liars = self.setting.liars().collect::<Vec<_>>();
                let voter = self.random.pick(&liars)?;
                Some(Input::Vote(Vote { kind, height: H, round, block, voter }))
            }
            78..=79 => {
                let timers = this.timers.iter().copied().collect::<Vec<_>>();
                let beyond = |timer: &Timeout| {
                    timer.kind == TimeoutKind::Precommit && self.setting.is_last(timer.round)
                };
                self.random.pick(&timers).filter(|timer| !beyond(timer)).map(Input::Timeout)
            }
            80..=95 => {
                let questions = this.questions.iter().copied().collect::<Vec<_>>();
                let question = self.random.pick(&questions)?;
                let verdict = match question {
                    _ if question.block == BAD => Verdict::Invalid,
                    _ if question.first_proposal && self.random.percent(10) => Verdict::Untimely,
                    _ => Verdict::Valid,
                };
                Some(Input::Verdict { height: H, block: question.block, verdict })
            }
            _ => {
                // A block just built is new to its builder.
                let heard = this.core.votes().filter_map(|vote| vote.block);
                let heard = heard.chain(this.core.proposals().map(|proposal| proposal.block));
                let heard = heard.collect::<Vec<_>>();
                let new = [V, W].into_iter().filter(|block| !heard.contains(block));
                let block = self.random.pick(&new.collect::<Vec<_>>())?;
                this.building.map(|round| Input::Built { height: H, round, block })
            }
        }
    }
}

/// An input in few words.
fn told(input: &Input) -> String {
    let name = |block: BlockId| match block {
        V => "V".into(),
        W => "W".into(),
        BAD => "bad".into(),
        other => format!("{other:?}"),
    };
    match input {
        Input::Proposal(p) => {
            let proof = p.valid_round.map(|round| format!(" by round {}", round.0));
            let proof = proof.unwrap_or_default();
            format!("proposal {}: {}{proof}", p.round.0, name(p.block))
        }
        Input::Vote(v) => {
            let block = v.block.map_or("nil".into(), name);
            format!("{:?} {}: {block} of {}", v.kind, v.round.0, v.voter.0)
        }
        Input::Verdict { block, verdict, .. } => format!("{} is {verdict:?}", name(*block)),
        Input::Built { round, block, .. } => format!("built {}: {}", round.0, name(*block)),
        Input::Timeout(timer) => format!("timer {:?} {}", timer.kind, timer.round.0),
        Input::Start(..) => "start".into(),
    }
}
