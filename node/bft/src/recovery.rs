//! Taking up a height, with what the write-ahead log says was done there before a restart.
//!
//! The node resumes in the highest round the log mentions, at the step its own messages there
//! imply. Its recorded votes and proposals go into the keepers, and the keepers are what a vote or
//! proposal is checked against before it is sent: nothing recorded can be contradicted or sent
//! twice. What peers had said is lost, but for the quorum of prevotes behind the lock, and comes
//! again by their rebroadcast.
//!
//! Messages are lost in a crash, so a resumed step starts its timer at once instead of on a quorum,
//! which may never be seen again: of the propose wait's length, so that the network is back before
//! it fires. Giving up a step early costs a round, never safety.

use crate::{
    io::{HeightConfig, Output, Recovery},
    proposals::ProposalKeeper,
    rounds_seen::RoundsSeen,
    state::{HeightState, OncePerRound, Step},
    types::{max_faulty, BlockId, Round, TimeoutKind, VoteKind},
    verdicts::Verdicts,
    votes::VoteKeeper,
};

impl HeightState {
    /// Starts a height.
    pub(crate) fn start(
        mut config: HeightConfig,
        recovery: Recovery,
        out: &mut Vec<Output>,
    ) -> Self {
        config.me = config.me.filter(|me| me.0 < config.sequencers);
        let one_honest = max_faulty(usize::from(config.sequencers)).saturating_add(1);
        let mut state = Self {
            round: Round::ZERO,
            step: Step::Propose,
            locked: recovery.lock,
            valid: latest(recovery.lock, recovery.valid),
            decision: None,
            votes: VoteKeeper::new(config.height, one_honest),
            proposals: ProposalKeeper::default(),
            verdicts: Verdicts::default(),
            seen: RoundsSeen::default(),
            once: OncePerRound::default(),
            config,
        };
        let resumed = state.restore(&recovery);
        state.resume(resumed.unwrap_or(Round::ZERO), out);
        state.evaluate(out);
        state
    }

    /// Puts the recorded messages into the keepers; returns the highest round of the own ones.
    fn restore(&mut self, recovery: &Recovery) -> Option<Round> {
        let height = self.config.height;
        let me = self.config.me?;
        let mut highest = self.valid.map(|(round, _)| round);
        for vote in recovery.votes.iter().filter(|vote| vote.height == height) {
            if vote.voter == me {
                highest = highest.max(Some(vote.round));
            } else if vote.voter.0 >= self.config.sequencers {
                continue;
            }
            self.votes.insert(*vote);
            self.seen.note(vote.voter, vote.round);
        }
        for proposal in recovery.proposals.iter().filter(|p| p.height == height && p.proposer == me)
        {
            self.proposals.insert(*proposal);
            if proposal.valid_round.is_none() {
                self.verdicts.built_earlier(proposal.block);
            }
            highest = highest.max(Some(proposal.round));
        }
        if let Some(round) = highest {
            self.seen.note(me, round);
        }
        highest
    }

    /// Enters the round at the step that the own votes in it imply.
    fn resume(&mut self, round: Round, out: &mut Vec<Output>) {
        let voted = |kind| self.config.me.is_some_and(|me| self.votes.has_voted(round, kind, me));
        let (step, timer) = if voted(VoteKind::Precommit) {
            (Step::Precommit, TimeoutKind::Precommit)
        } else if voted(VoteKind::Prevote) {
            (Step::Prevote, TimeoutKind::Prevote)
        } else {
            (Step::Propose, TimeoutKind::Propose)
        };
        (self.round, self.step) = (round, step);
        self.announce_round(out);
        self.start_timer(timer, TimeoutKind::Propose, out);
        // Executions are lost in a crash, and these blocks are the likely ones.
        let proposed = self.proposals.get(round).map(|proposal| proposal.block);
        for block in proposed.into_iter().chain(self.valid.map(|(_, block)| block)) {
            self.ask(block, false, out);
        }
    }
}

/// The later of two locks.
fn latest(a: Option<(Round, BlockId)>, b: Option<(Round, BlockId)>) -> Option<(Round, BlockId)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 > a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}
