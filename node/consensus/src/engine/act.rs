//! Carrying out what the core says.

use super::{now_ms, Done, Engine, Schedule};
use crate::{
    client::EngineClient,
    executor::{self, Assignment, BuildError},
    header::{next_slot, slot},
    import::ImportError,
    keys::SignError,
    recovery,
    transport::Transport,
    wal::Record,
    wire::{CertifiedBlock, Instance, ProposalsMessage, SignedProposal, SignedVote, VotesMessage},
};
use cascoin_bft::{BlockId, Input, Output, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_l2_primitives::chain::OpaqueBlock;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sp_consensus::Environment;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What leaves the node once the log is synced.
enum Sending {
    Proposal(SignedProposal, Option<OpaqueBlock>, Vec<SignedVote>),
    Vote(SignedVote),
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
    /// Carries out the core's outputs: logs, syncs the log once, then sends.
    pub(super) fn act(&mut self, outputs: Vec<Output>) {
        let mut records = Vec::new();
        let mut sending = Vec::new();
        let mut decision = None;
        let mut unsigned = false;
        for output in outputs {
            match output {
                Output::EnterRound { height, round, leader } => {
                    self.metrics.round.set(u64::from(round.0));
                    self.note_round_over(true);
                    if round.0 > 0 {
                        log::info!(
                            target: "l2::bft",
                            "height {} round {}: {} leads", height.0, round.0, leader.0,
                        );
                    }
                    self.publish_status();
                }
                Output::StartTimer { timeout, duration_ms } => {
                    self.timers.start(timeout, duration_ms);
                }
                Output::Build { round, .. } => self.schedule_build(round),
                Output::Validate { block, first_proposal, .. } => {
                    self.validate(block, first_proposal);
                }
                Output::Propose(proposal) => {
                    unsigned =
                        unsigned || !self.sign_proposal(&proposal, &mut records, &mut sending);
                }
                Output::Lock { height, round, block } => {
                    self.log_body(block, &mut records);
                    self.log_proof_of_lock(round, block, &mut records);
                    let block = crate::header::hash_of(block);
                    let (height, round) = (height.0, round.0);
                    // None is taken without a height.
                    let set_id = self.height.as_ref().map_or(0, |height| height.context.set_id);
                    records.push(Record::Lock { height, set_id, round, block });
                }
                Output::Vote(vote) => {
                    // What follows on something that was not signed is not said either.
                    unsigned = unsigned || !self.sign_vote(&vote, &mut records, &mut sending);
                }
                Output::Decide { round, block, signers, .. } => {
                    decision = Some((round, block, signers));
                }
                Output::Equivocation { first, second } => {
                    self.metrics.equivocations.inc();
                    log::error!(
                        target: "l2::bft",
                        "SEQ_DOUBLE_SIGN: sequencer {} voted twice: {first:?} and {second:?}",
                        first.voter.0,
                    );
                }
                Output::ProposalEquivocation { first, second } => {
                    self.metrics.equivocations.inc();
                    log::error!(
                        target: "l2::bft",
                        "SEQ_DOUBLE_SIGN: sequencer {} proposed twice: {first:?} and {second:?}",
                        first.proposer.0,
                    );
                }
            }
        }
        // All or nothing, a decision included: it may count a vote of this batch.
        if unsigned {
            return self.follow_without_keys("a message was not signed", &records);
        }
        if !self.persist(&records) {
            return self.follow_without_keys("what it signed is not in its log", &records);
        }
        sending.into_iter().for_each(|message| self.send(message));
        if let Some((round, block, signers)) = decision {
            self.note_round_over(false);
            self.decide(round, block, &signers);
        }
    }

    /// Measures the round that ends here; `next`: another begins.
    fn note_round_over(&mut self, next: bool) {
        let Some(height) = &mut self.height else { return };
        let now = Instant::now();
        if let Some(began) = height.round_began.take() {
            let seconds = now.duration_since(began).as_secs_f64();
            self.metrics.round_duration_seconds.observe(seconds);
        }
        height.round_began = next.then_some(now);
    }

    /// Keeps a decision until it is imported. From then on no hand-over comes in its way; if
    /// one came before, or waits, it is none.
    fn decide(&mut self, round: Round, block: BlockId, signers: &BTreeSet<SequencerIndex>) {
        let Some(height) = &mut self.height else { return };
        let Some(certificate) = height.certificate(round, block, signers) else {
            // It cannot be: the core counts what is kept. Peers have the block too.
            return self.complain("cannot certify a decision", &"a signature is missing");
        };
        let Schedule { parent, hand_over, height: at, .. } = &*height.schedule;
        let hash = crate::header::hash_of(block);
        if !self.import.claim(at.0, parent.hash(), hand_over.as_deref(), hash) {
            let what = "a hand-over was accepted before, or this node was told to stop";
            return self.complain("a decision counts for nothing", &what);
        }
        height.decided = Some((block, certificate));
        self.handle.update(|status| {
            status.last_commit_round = round.0;
            status.last_signers = signers.iter().map(|signer| signer.0).collect();
        });
        // A block of a past round may have had to make room.
        self.validate(block, false);
    }

    fn send(&mut self, message: Sending) {
        match message {
            Sending::Proposal(proposal, body, proof) => {
                self.metrics.proposals.inc();
                let message = ProposalsMessage::Proposal(proposal, body, proof);
                self.mesh.send_proposal(&self.audience(), &message);
            }
            Sending::Vote(vote) => {
                self.metrics.votes.inc();
                self.metrics.votes_seen(vote.vote().kind).inc();
                let everybody = self.mesh.peers().to_vec();
                self.mesh.send_vote(&everybody, &VotesMessage::Vote(vote));
            }
        }
    }

    /// `false`: it could not be signed.
    fn sign_proposal(
        &mut self,
        proposal: &Proposal,
        records: &mut Vec<Record>,
        sending: &mut Vec<Sending>,
    ) -> bool {
        let Some(keys) = self.height.as_ref().and_then(|height| height.keys.clone()) else {
            return false;
        };
        if self.is_over() {
            return false;
        }
        self.log_body(proposal.block, records);
        if !self.settle(&keys, records) {
            return false;
        }
        let Some(height) = &mut self.height else { return false };
        let payload = SignedProposal::payload(proposal, &height.context);
        let signed = match keys.sign(&payload) {
            Ok(signature) => SignedProposal::new(proposal, &height.context, signature),
            Err(error) => return self.cannot_sign(&error),
        };
        let body = height.bodies.get(&proposal.block).cloned();
        let proof = height.proof_for(proposal);
        height.proposals.insert(proposal.round.0, signed.clone());
        height.proposal_seen.get_or_insert_with(Instant::now);
        records.push(Record::Proposal(signed.clone()));
        sending.push(Sending::Proposal(signed, body, proof));
        true
    }

    /// `false`: it could not be signed.
    fn sign_vote(
        &mut self,
        vote: &Vote,
        records: &mut Vec<Record>,
        sending: &mut Vec<Sending>,
    ) -> bool {
        let Some(height) = &self.height else { return false };
        let Some(keys) = height.keys.clone() else { return false };
        // The core never says it twice; should it ever, the log's word holds.
        if let Some(known) = height.own_vote(vote) {
            if known.vote() != *vote {
                log::error!(target: "l2::bft", "refused to sign {vote:?} after {:?}", known.vote());
                return false;
            }
            return true;
        }
        if self.is_over() {
            return false;
        }
        if let Some(block) = vote.block {
            self.log_body(block, records);
        }
        if !self.settle(&keys, records) {
            return false;
        }
        let Some(height) = &mut self.height else { return false };
        let payload = SignedVote::payload(vote, &height.context);
        let signed = match keys.sign(&payload) {
            Ok(signature) => SignedVote::new(vote, &height.context, signature),
            Err(error) => return self.cannot_sign(&error),
        };
        height.keep_vote(signed.clone());
        records.push(Record::Vote(signed.clone()));
        sending.push(Sending::Vote(signed));
        true
    }

    fn cannot_sign(&mut self, error: &SignError) -> bool {
        self.complain("this node misses its votes", error);
        false
    }

    /// Whoever votes for a block must still have it after a power cut.
    fn log_body(&mut self, block: BlockId, records: &mut Vec<Record>) {
        let Some(height) = &mut self.height else { return };
        if let Some(body) = height.bodies.get(&block) {
            if height.logged.insert(block) {
                records.push(Record::Block(body.clone()));
            }
        }
    }

    /// The prevotes behind a lock, so that the proof of lock survives too.
    fn log_proof_of_lock(&self, round: Round, block: BlockId, records: &mut Vec<Record>) {
        let Some(height) = &self.height else { return };
        let prevotes = height.votes.iter().filter(|(vote, _)| {
            (vote.kind, vote.round, vote.block) == (VoteKind::Prevote, round, Some(block))
        });
        records.extend(prevotes.map(|(_, signed)| Record::Vote(signed.clone())));
    }

    fn schedule_build(&mut self, round: Round) {
        let Some(height) = &mut self.height else { return };
        // The first round keeps the block time; a later one is late already.
        let wait_ms = match (round, slot(&height.schedule.parent)) {
            (Round(0), Some(parent)) => parent
                .saturating_add(height.schedule.parameters.block_time_ms)
                .saturating_sub(now_ms())
                // A parent from a clock far ahead must not stop the chain.
                .min(height.schedule.parameters.block_time_ms),
            _ => 0,
        };
        height.build_at = Some((Instant::now() + Duration::from_millis(wait_ms), round));
    }

    pub(super) fn start_build(&mut self, round: Round) {
        let Some(height) = &self.height else { return };
        let Some(keys) = height.keys.clone() else { return };
        let schedule = height.schedule.clone();
        let sequencers = schedule.set.members.len() as u16;
        let parent = slot(&schedule.parent).unwrap_or(0);
        let now = now_ms();
        // Room for the rounding to the leader's own slots.
        let time = schedule.time_bounds.nearest(now, u64::from(sequencers));
        if now > time {
            let minutes = (now - time).div_ceil(60_000);
            log::error!(
                target: "l2::bft",
                "this node's clock is {minutes} min later than L1 and the last block allow: \
                 proposing an earlier time. Normal for a few blocks after the network stood still; \
                 else set the clock",
            );
        }
        let assignment = Assignment {
            round: round.0,
            slot: next_slot(time, parent, keys.index, sequencers),
            participation: height.participation(round),
            recovery_step: None,
            // Half of the block time goes into executing transactions; the rest is
            // for the others to execute them too, and for two rounds of votes.
            max_duration: Duration::from_millis(schedule.parameters.block_time_ms / 2),
            block_size_limit: super::BLOCK_SIZE_LIMIT,
        };
        let mut environment = self.environment.clone();
        let done = self.done.0.clone();
        let (client, backend) = (self.client.clone(), self.backend.clone());
        tokio::spawn(async move {
            let parent = schedule.parent.hash();
            // A step that is not to be had costs no block.
            let step = move || recovery::next_step(&*client, &*backend, parent, round);
            let recovery_step = tokio::task::spawn_blocking(step).await.ok().flatten();
            let brought = recovery_step.clone();
            let with_step = Assignment { recovery_step, ..assignment.clone() };
            let mut built = executor::build(&mut environment, &schedule, &keys, with_step).await;
            let refused = match (&built, &brought) {
                (Err(BuildError::Proposer(error)), Some(_)) => Some(error.clone()),
                (Ok(built), Some(step)) if !recovery::is_in(&built.block, step) => {
                    log::error!(
                        target: "l2::bft",
                        "a block was built without the step of the recovery that it was to have: \
                         the runtime traps on it or has no room for it (the line of the proposer \
                         above says which). As long as that is so, the recovery stands still",
                    );
                    None
                }
                _ => None,
            };
            // All leaders bring the same step: were it a wrong one, there would be no block
            // any more.
            if let Some(error) = refused {
                log::error!(
                    target: "l2::bft",
                    "a block with a step of the recovery cannot be built: {error}; building one \
                     without",
                );
                built = executor::build(&mut environment, &schedule, &keys, assignment).await;
            }
            let result = built.map(Box::new);
            let _ = done.send(Done::Built { at: schedule.instance(), round, result });
        });
    }

    /// Has a block executed, fetching its body first if it is not here.
    pub(super) fn validate(&mut self, block: BlockId, first_proposal: bool) {
        let Some(height) = &mut self.height else { return };
        if height.executed.contains_key(&block) && !first_proposal {
            let input = Input::Verdict {
                height: height.schedule.height,
                block,
                verdict: cascoin_bft::Verdict::Valid,
            };
            return self.feed(input);
        }
        let Some(body) = height.bodies.get(&block).cloned() else {
            height.unanswered.insert(block, first_proposal);
            return self.fetch(block);
        };
        if !height.executing.insert(block) {
            height.unanswered.insert(block, first_proposal);
            return;
        }
        height.unanswered.remove(&block);
        let (client, backend) = (self.client.clone(), self.backend.clone());
        let (schedule, done) = (height.schedule.clone(), self.done.0.clone());
        let seen = first_proposal.then(|| height.first_sight(block));
        tokio::task::spawn_blocking(move || {
            let outcome = executor::execute(&client, &backend, &schedule, body, seen.as_ref());
            let at = schedule.instance();
            let _ = done.send(Done::Executed { at, block, first_proposal, outcome });
        });
    }

    /// Takes up work that another thread finished.
    pub(super) fn on_done(&mut self, done: Done) {
        let Some(height) = &mut self.height else { return };
        let here = height.schedule.instance();
        match done {
            Done::Built { at, round, result } if at == here => {
                let built = match result {
                    Ok(built) => built,
                    Err(error) => return self.complain("cannot build a block", &error),
                };
                let block = built.id();
                height.keep_body(block, built.block.clone(), &self.core);
                height.executed.insert(block, *built);
                self.feed(Input::Built { height: at.height, round, block });
            }
            Done::Executed { at, block, first_proposal, outcome } if at == here => {
                height.executing.remove(&block);
                self.on_executed(block, first_proposal, outcome);
            }
            Done::Fetched { at, block, from, body } if at == here => {
                self.on_fetched(block, from, body);
            }
            // Of a height that is over, or has gone over to another set.
            _ => {}
        }
    }

    fn on_executed(&mut self, block: BlockId, first_proposal: bool, outcome: executor::Outcome) {
        let Some(height) = &mut self.height else { return };
        let at = height.schedule.height;
        match &outcome {
            executor::Outcome::Invalid(reason) => {
                self.metrics.invalid_blocks.inc();
                log::warn!(
                    target: "l2::bft",
                    "SEQ_INVALID_BLOCK: height {}: {reason}", at.0,
                );
            }
            executor::Outcome::Internal(error) => {
                // A nil vote blames nobody; should a quorum find the block good,
                // the core asks again.
                let error = error.clone();
                self.complain("cannot judge a proposal, not voting for it", &error);
                if !first_proposal {
                    if let Some(height) = &mut self.height {
                        height.unanswered.insert(block, false);
                    }
                    return self.retry_soon();
                }
                let verdict = cascoin_bft::Verdict::Untimely;
                return self.feed(Input::Verdict { height: at, block, verdict });
            }
            executor::Outcome::Unproven => log::warn!(
                target: "l2::bft",
                "height {}: not voting for a block that names a signer of the last one whose \
                 signature its leader did not show, or another round than its own", at.0,
            ),
            executor::Outcome::Valid(_) | executor::Outcome::Untimely => {}
        }
        let Some(verdict) = outcome.verdict() else { return };
        if let executor::Outcome::Valid(executed) = outcome {
            height.executed.insert(block, *executed);
        }
        self.feed(Input::Verdict { height: at, block, verdict });
    }

    /// Answers what the core asked about a block whose body has come.
    pub(super) fn answer_for(&mut self, block: BlockId) {
        let question = self.height.as_ref().and_then(|h| h.unanswered.get(&block).copied());
        if let Some(first_proposal) = question {
            self.validate(block, first_proposal);
        }
    }

    /// Imports what was decided. On failure the block is kept and tried again:
    /// without it the next height cannot begin.
    pub(super) async fn finish_decision(&mut self) {
        let Some(height) = &mut self.height else { return };
        // After a failed import the block waits here until it is executed again.
        let ready = |(block, _): &mut (BlockId, _)| height.executed.contains_key(block);
        let Some((block, certificate)) = height.decided.take_if(ready) else { return };
        let Some(executed) = height.executed.remove(&block) else { return };
        let Instance { height: number, set_id } = height.schedule.instance();
        let number = number.0;
        let seen = height.proposal_seen;
        let body = executed.block.clone();
        let hash = crate::header::hash_of(block);
        let mut records = Vec::new();
        self.log_body(block, &mut records);
        let certificate_record = certificate.clone();
        records.push(Record::Decided {
            height: number,
            set_id,
            block: hash,
            certificate: certificate_record,
        });
        self.note_decided(&records);
        match self.import.import_decided(executed, &certificate).await {
            Ok(()) => {
                let now = Instant::now();
                if let Some(seen) = seen {
                    self.metrics.commit_seconds.observe(seen.elapsed().as_secs_f64());
                }
                if let Some(last) = self.last_commit.replace(now) {
                    let interval = now.duration_since(last).as_secs_f64();
                    self.metrics.block_interval_seconds.observe(interval);
                }
                log::debug!(target: "l2::bft", "committed {number} ({hash:?})");
                self.begin_next_height().await;
            }
            // It is not to be imported ever. The height begins anew.
            Err(error @ ImportError::OtherSet) => {
                self.complain("a decided block is dropped", &error);
            }
            Err(error) => {
                self.complain("cannot import a decided block", &error);
                self.undecided(CertifiedBlock { block: body, certificate });
            }
        }
    }
}
