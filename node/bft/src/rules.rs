//! The "upon" rules of the paper, evaluated until none applies.
//!
//! Each rule looks at the state, does at most one thing and tells whether it did. After each input
//! all are tried again from the first one on until none does anything, so no rule can shadow
//! another, and the outcome does not depend on which message completed a condition. That ends:
//! rounds only rise (as far as the peers' messages go), steps only advance within a round, and
//! everything else happens once a round or once a block.

use crate::{
    io::Output,
    state::{HeightState, Step},
    types::{BlockId, Proposal, Round, TimeoutKind, VoteKind},
};

/// The precommit wait of a round that has nothing to wait for.
const LEAVE_AT_ONCE_MS: u64 = 1;

impl HeightState {
    /// Applies the rules to a fixpoint.
    pub(crate) fn evaluate(&mut self, out: &mut Vec<Output>) {
        while self.step != Step::Decided && self.apply_one_rule(out) {}
    }

    fn apply_one_rule(&mut self, out: &mut Vec<Output>) -> bool {
        self.decide(out)
            || self.skip_round(out)
            || self.lead(out)
            || self.prevote_on_proposal(out)
            || self.lock_on_polka(out)
            || self.precommit_nil_on_polka(out)
            || self.start_prevote_timer(out)
            || self.start_precommit_timer(out)
    }

    /// Lines 49–54: a quorum of precommits for a block, at any round, and the block is valid.
    fn decide(&mut self, out: &mut Vec<Output>) -> bool {
        let commits = self.votes.commits(self.quorum());
        let commits = commits.map(|(round, block, signers)| (round, block, signers.clone()));
        for (round, block, signers) in commits.collect::<Vec<_>>() {
            if self.verdicts.sound(block) == Some(true) {
                self.step = Step::Decided;
                self.decision = Some((round, block));
                let height = self.config.height;
                out.push(Output::Decide { height, round, block, signers });
                return true;
            }
            if self.ask(block, false, out) {
                return true;
            }
        }
        false
    }

    /// Lines 55–56: f + 1 voters are in higher rounds; follow to the highest that all of them
    /// reached.
    fn skip_round(&mut self, out: &mut Vec<Output>) -> bool {
        match self.seen.reached_by(self.one_honest()) {
            Some(round) if round > self.round => {
                self.start_round(round, out);
                true
            }
            _ => false,
        }
    }

    /// Lines 14–19: the leader proposes its valid value, else has a block built.
    fn lead(&mut self, out: &mut Vec<Output>) -> bool {
        let leading = self.step == Step::Propose
            && self.config.me == Some(self.leader())
            && self.proposals.get(self.round).is_none();
        if !leading {
            return false;
        }
        match self.valid {
            // Line 16. After a restart the block must be fetched and executed anew first.
            Some((valid_round, block)) => match self.verdicts.sound(block) {
                Some(true) => {
                    self.propose(block, Some(valid_round), out);
                    true
                }
                _ => self.ask(block, false, out),
            },
            // Line 18
            None if !self.once.build_asked => {
                self.once.build_asked = true;
                out.push(Output::Build { height: self.config.height, round: self.round });
                true
            }
            None => false,
        }
    }

    /// Lines 22–33: prevote on the proposal of the round.
    fn prevote_on_proposal(&mut self, out: &mut Vec<Output>) -> bool {
        if self.step != Step::Propose {
            return false;
        }
        let Some(proposal) = self.proposals.get(self.round) else {
            return false;
        };
        let acceptable = match proposal.valid_round {
            // Lines 22–26
            None => self.accepts_first_proposal(&proposal),
            // Lines 28–32
            Some(_) => self.accepts_reproposal(&proposal),
        };
        match acceptable {
            Some(yes) => {
                self.prevote(yes.then_some(proposal.block), out);
                true
            }
            None => self.ask(proposal.block, proposal.valid_round.is_none(), out),
        }
    }

    /// Line 23; `None` while the verdict is awaited.
    fn accepts_first_proposal(&self, proposal: &Proposal) -> Option<bool> {
        match self.locked {
            Some((_, locked)) if locked != proposal.block => Some(false),
            _ => self.verdicts.good_first_proposal(proposal.block),
        }
    }

    /// Lines 28 and 29; `None` while the proof of lock or the verdict is awaited.
    fn accepts_reproposal(&self, proposal: &Proposal) -> Option<bool> {
        let valid_round = proposal.valid_round?;
        if !self.has_polka(valid_round, Some(proposal.block)) {
            return None;
        }
        match self.locked {
            Some((round, locked)) if round > valid_round && locked != proposal.block => Some(false),
            _ => self.verdicts.sound(proposal.block),
        }
    }

    /// Lines 36–43: a quorum of prevotes for a valid block in this round.
    fn lock_on_polka(&mut self, out: &mut Vec<Output>) -> bool {
        let Some(block) = self.votes.quorum_block(self.round, VoteKind::Prevote, self.quorum())
        else {
            return false;
        };
        if self.verdicts.sound(block) != Some(true) {
            return self.ask(block, false, out);
        }
        let noted = self.valid == Some((self.round, block));
        if self.step == Step::Propose || self.step == Step::Precommit && noted {
            return false;
        }
        // Lines 42–43
        self.valid = Some((self.round, block));
        if self.step == Step::Prevote {
            // Lines 38–41
            self.locked = self.valid;
            if self.config.me.is_some() {
                let (height, round) = (self.config.height, self.round);
                out.push(Output::Lock { height, round, block });
            }
            self.precommit(Some(block), out);
        }
        true
    }

    /// Lines 44–46: a quorum of nil prevotes.
    fn precommit_nil_on_polka(&mut self, out: &mut Vec<Output>) -> bool {
        let applies = self.step == Step::Prevote && self.has_polka(self.round, None);
        if applies {
            self.precommit(None, out);
        }
        applies
    }

    /// Lines 34–35: a quorum of prevotes that may not agree.
    fn start_prevote_timer(&mut self, out: &mut Vec<Output>) -> bool {
        let applies = self.step == Step::Prevote
            && !self.once.prevote_timer
            && self.votes.voters(self.round, VoteKind::Prevote) >= self.quorum();
        if applies {
            self.once.prevote_timer = true;
            self.start_timer(TimeoutKind::Prevote, TimeoutKind::Prevote, out);
        }
        applies
    }

    /// Lines 47–48: a quorum of precommits that may not agree.
    fn start_precommit_timer(&mut self, out: &mut Vec<Output>) -> bool {
        let applies = !self.once.precommit_timer
            && self.votes.voters(self.round, VoteKind::Precommit) >= self.quorum();
        if applies {
            self.once.precommit_timer = true;
            if self.has_nothing_to_wait_for() {
                self.start_timer_of(TimeoutKind::Precommit, LEAVE_AT_ONCE_MS, out);
            } else {
                self.start_timer(TimeoutKind::Precommit, TimeoutKind::Precommit, out);
            }
        }
        applies
    }

    /// Nil has a quorum of the round's precommits, so no block gets one, and of its prevotes, so no
    /// polka comes that a later leader would have to know. The paper waits all the same. Once every
    /// sequencer has led, so do we: where all proposals fail at once (a bad runtime, say), rounds
    /// would else be used up at the pace of the network.
    fn has_nothing_to_wait_for(&self) -> bool {
        self.round.0 < self.config.sequencers
            && self.has_polka(self.round, None)
            && self.votes.count(self.round, VoteKind::Precommit, None) >= self.quorum()
    }

    /// A quorum of prevotes for the block (or nil) in a round.
    fn has_polka(&self, round: Round, block: Option<BlockId>) -> bool {
        self.votes.count(round, VoteKind::Prevote, block) >= self.quorum()
    }
}
