//! What the engine holds for the height it is deciding, and how it takes the
//! next one up.

use super::{fetch::Fetching, intake::Early, Engine, Schedule, RETRY};
use crate::{
    client::EngineClient,
    evidence::witness::Witness,
    executor::ExecutedBlock,
    hand_over::are_same,
    header::slot,
    keys::LocalKeys,
    parent_commit::ParentCommit,
    transport::Transport,
    wal::{Record, Wal},
    wire::{Instance, SignedProposal, SignedVote, SigningContext},
};
use cascoin_bft::{
    BlockId, Core, HeightConfig, Input, Proposal, Recovery, Round, SequencerIndex, TimeoutParams,
    Vote, VoteKind,
};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock, SequencerSet},
    consensus::{Certificate, GrandpaRound},
};
use finality_grandpa::SignedPrecommit;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sp_consensus::Environment;
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};
use sp_core::ed25519;
use sp_runtime::traits::Header as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

/// Bodies of one height beyond which those of past rounds make room: one a round
/// within the core's look-ahead, and some for re-proposals.
const MANY_BODIES: usize = 16;

/// Everything of one height that ends with it.
pub(super) struct HeightState {
    pub(super) schedule: Arc<Schedule>,
    pub(super) context: SigningContext,
    pub(super) keys: Option<LocalKeys>,
    /// Bodies of proposed blocks.
    pub(super) bodies: BTreeMap<BlockId, OpaqueBlock>,
    /// Blocks that were built or executed here, ready to import.
    pub(super) executed: BTreeMap<BlockId, ExecutedBlock>,
    /// Questions of the core that wait for a body: the block, and whether it is
    /// judged as a first proposal.
    pub(super) unanswered: BTreeMap<BlockId, bool>,
    /// Executions under way.
    pub(super) executing: BTreeSet<BlockId>,
    /// Bodies that were asked for, and how.
    pub(super) fetching: BTreeMap<BlockId, Fetching>,
    /// Signed votes, just those that the core counts: of an equivocator there may
    /// be several for one round, and a certificate may need any of them.
    pub(super) votes: BTreeMap<Vote, SignedVote>,
    /// Signed proposals, by round.
    pub(super) proposals: BTreeMap<u16, SignedProposal>,
    /// All of these that were sent here, to see who contradicts itself.
    pub(super) witness: Witness,
    /// Who signed the block below.
    pub(super) parent_commit: ParentCommit,
    /// Blocks that are in the log.
    pub(super) logged: BTreeSet<BlockId>,
    /// When to build, and for which round.
    pub(super) build_at: Option<(Instant, Round)>,
    /// When the round was entered; `None` once the height is decided.
    pub(super) round_began: Option<Instant>,
    /// When the first proposal became known.
    pub(super) proposal_seen: Option<Instant>,
    /// Decided, and still to be imported.
    pub(super) decided: Option<(BlockId, Certificate)>,
}

impl HeightState {
    pub(super) fn take_due_build(&mut self, now: Instant) -> Option<Round> {
        let (at, round) = self.build_at?;
        (at <= now).then(|| self.build_at = None)?;
        Some(round)
    }

    /// Keeps a signed vote for certificates and for sending again.
    pub(super) fn keep_vote(&mut self, signed: SignedVote) {
        self.votes.entry(signed.vote()).or_insert(signed);
    }

    fn votes_like<'a>(&'a self, vote: &'a Vote) -> impl Iterator<Item = &'a SignedVote> {
        let same = |known: &Vote| {
            (known.kind, known.round, known.voter) == (vote.kind, vote.round, vote.voter)
        };
        self.votes.iter().filter(move |(known, _)| same(known)).map(|(_, signed)| signed)
    }

    /// The signed vote of one kind that this node cast in a round.
    pub(super) fn own_vote<'a>(&'a self, vote: &'a Vote) -> Option<&'a SignedVote> {
        self.votes_like(vote).next()
    }

    /// Whether the body of a proposal has a place here: one a round, and what the
    /// core asks for. A leader may sign as many proposals as it likes, and what it
    /// sends must not take the place of what others propose.
    pub(super) fn wants_body(&self, proposal: &Proposal) -> bool {
        let first = self.proposals.get(&proposal.round.0);
        !self.bodies.contains_key(&proposal.block)
            && (first.is_some_and(|first| first.proposal().block == proposal.block)
                || self.unanswered.contains_key(&proposal.block))
    }

    /// Keeps a body, which may cost bodies of past rounds theirs; `core` knows
    /// what is still needed. Whoever is dropped is fetched again should a late
    /// quorum want it after all.
    pub(super) fn keep_body(&mut self, id: BlockId, block: OpaqueBlock, core: &Core) {
        self.bodies.insert(id, block);
        if self.bodies.len() <= MANY_BODIES {
            return;
        }
        let mut needed: BTreeSet<BlockId> =
            self.proposals.range(core.round().0..).map(|(_, p)| p.proposal().block).collect();
        needed.extend(core.locked().into_iter().chain(core.valid()).map(|(_, block)| block));
        needed.extend(self.unanswered.keys());
        needed.extend(self.decided.iter().map(|(block, _)| block));
        needed.insert(id);
        self.bodies.retain(|block, _| needed.contains(block));
        self.executed.retain(|block, _| needed.contains(block));
    }

    /// The certificate of a decision, from the precommits' signatures; `None` if
    /// one of them is not here.
    pub(super) fn certificate(
        &self,
        round: Round,
        block: BlockId,
        signers: &BTreeSet<SequencerIndex>,
    ) -> Option<Certificate> {
        let height = self.schedule.height.0;
        let target = crate::header::hash_of(block);
        let mut precommits: Vec<SignedPrecommit<_, _, AuthoritySignature, AuthorityId>> = signers
            .iter()
            .map(|signer| {
                let precommit = Vote {
                    kind: VoteKind::Precommit,
                    height: self.schedule.height,
                    round,
                    block: Some(block),
                    voter: *signer,
                };
                let signed = self.votes.get(&precommit)?;
                let id = self.schedule.set.members.get(signer.0 as usize)?.grandpa;
                Some(SignedPrecommit {
                    precommit: sp_consensus_grandpa::Precommit::<Header> {
                        target_hash: target,
                        target_number: height,
                    },
                    signature: signed.signature.into(),
                    id: id.into(),
                })
            })
            .collect::<Option<_>>()?;
        precommits.sort_by(|one, other| one.id.cmp(&other.id));
        let epoch = crate::wire::EPOCH;
        Some(Certificate {
            round: GrandpaRound { epoch, height, round: round.0 }.into(),
            commit: sp_consensus_grandpa::Commit::<Header> {
                target_hash: target,
                target_number: height,
                precommits,
            },
            votes_ancestries: Vec::new(),
        })
    }

    /// What the core must know of this height to take part in it as `me`.
    fn config(&self, me: Option<SequencerIndex>) -> HeightConfig {
        let parameters = &self.schedule.parameters;
        HeightConfig {
            height: self.schedule.height,
            me,
            sequencers: self.schedule.set.members.len() as u16,
            leaders: self.schedule.leaders.clone(),
            timeouts: TimeoutParams {
                propose_ms: parameters.propose_timeout_ms,
                prevote_ms: parameters.prevote_timeout_ms,
                precommit_ms: parameters.precommit_timeout_ms,
            },
        }
    }
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
    /// Takes up the height above the finalized block.
    pub(super) async fn begin_next_height(&mut self) {
        let votes = self.known_votes();
        loop {
            self.timers.clear();
            self.keep_witness();
            // Also waits for a base that is just being imported, whose hand-over comes into force
            // right behind it.
            self.import.retry_take_over().await;
            let schedule = match self.next_schedule() {
                Ok(schedule) => schedule,
                Err(error) => {
                    self.complain("cannot begin the next height", &*error);
                    self.retry_soon();
                    return;
                }
            };
            if let Some(why) = self.why_rest(&schedule) {
                self.rest(&why);
                return;
            }
            let keys = self.find_keys(&schedule.set);
            let keys = self.with_open_log(&schedule, keys);
            if self.fatal {
                return;
            }
            let at = schedule.instance();
            // A database that lost its end in a power cut gets it back from the log.
            let Some(lost) = self.memory.decided_at(at) else {
                let keys = self.keys_for(&schedule, keys);
                self.start(schedule, keys, &votes);
                return;
            };
            log::info!(
                target: "l2::bft",
                "the database misses block {}: importing it from the log", schedule.height.0,
            );
            match self.adopt(schedule, lost).await {
                Ok(()) => {}
                Err(error) if error.is_of_another_set() => {
                    self.complain("a decided block in the log is another set's", &error);
                    self.memory.forget_decided(at);
                    if let Some(keys) = keys {
                        self.leave_to_others(&keys, at);
                    }
                }
                Err(error) => {
                    self.complain("cannot import a decided block from the log", &error);
                    self.retry_soon();
                    return;
                }
            }
        }
    }

    /// Why this node takes part in no height above a parent.
    fn why_rest(&self, schedule: &Schedule) -> Option<String> {
        let parent = &schedule.parent;
        self.import.why_not_above(*parent.number(), &parent.hash())
    }

    /// Leaves a height that nothing is taken at any more: it is above where this node was told
    /// to stop, or a hand-over waits behind its parent. A block that is decided here comes
    /// first: while there is one, nobody tells the node so.
    pub(super) fn stop_where_told(&mut self) {
        let Some(height) = self.height.as_ref().filter(|height| height.decided.is_none()) else {
            return;
        };
        if let Some(why) = self.why_rest(&height.schedule) {
            self.rest(&why);
        }
    }

    /// Takes part in no height, and looks again soon whether it may.
    fn rest(&mut self, why: &str) {
        self.complain("this node stands", &why);
        // It waits for its operator, and does not end while he acts.
        self.rested = true;
        // As after a restart: what binds this node is read from the log again.
        self.wal = None;
        self.log_retry_at = None;
        self.keep_witness();
        self.early.clear();
        self.core = Core::new();
        self.timers.clear();
        self.retry_soon();
        self.handle.update(|status| {
            status.sequencing = false;
            status.index = None;
        });
    }

    /// Takes up keys that came into the keystore after the height began, or whose
    /// log can be used again. Without it a network whose sequencers all got their
    /// keys late never decides its first block.
    ///
    /// The height begins anew, as after a restart: what this node may have signed
    /// at it stands in the log, which is read again.
    pub(super) async fn take_up_late_keys(&mut self) {
        let Some(height) = &self.height else { return };
        let at = height.schedule.instance();
        if height.keys.is_some() || height.decided.is_some() || !self.may_sign_at(at) {
            return;
        }
        let schedule = height.schedule.clone();
        let keys = self.find_keys(&schedule.set);
        if keys.as_ref().is_none_or(|keys| self.is_silent(keys, at)) {
            return;
        }
        // Read anew: what it holds of this height was not looked at, or this node
        // has signed since.
        self.wal = None;
        // The log first: if it cannot be used, what was gathered stays.
        if self.with_open_log(&schedule, keys).is_some() {
            self.keep_for_a_new_beginning();
            self.core = Core::new();
            self.begin_next_height().await;
        }
    }

    /// Whether nothing is signed at this height any more, in the set that it began with: another
    /// one has it, or nobody here.
    pub(super) fn is_over(&self) -> bool {
        self.is_handed_over()
            || self.height.as_ref().is_some_and(|height| self.why_rest(&height.schedule).is_some())
    }

    /// Whether a hand-over came into force behind the parent since the height began: then it is
    /// another set's.
    fn is_handed_over(&self) -> bool {
        let Some(height) = &self.height else { return false };
        let ours = height.schedule.hand_over.as_deref();
        let in_force = self.import.hand_overs().on(&height.schedule.parent.hash());
        !are_same(in_force.as_deref(), ours)
    }

    /// Begins the height anew with the set of a hand-over.
    ///
    /// As after a restart: the log is read again, for what binds this node in the new set, and
    /// nothing that was gathered of the old set is kept. A block that is decided here is not
    /// lost: while there is one, no hand-over comes into force ([`CertifiedImport::claim`]).
    ///
    /// [`CertifiedImport::claim`]: crate::import::CertifiedImport::claim
    pub(super) async fn take_up_hand_over(&mut self) {
        if !self.is_handed_over() {
            return;
        }
        let at = self.height.as_ref().map_or(0, |height| height.schedule.height.0);
        log::warn!(target: "l2::bft", "height {at} begins anew, with the set of a hand-over");
        self.wal = None;
        self.log_retry_at = None;
        // Of the height above, which the old set will not come to here.
        self.early.clear();
        self.core = Core::new();
        self.begin_next_height().await;
    }

    /// What peers said of this height is heard again when it begins anew.
    fn keep_for_a_new_beginning(&mut self) {
        let Some(height) = &mut self.height else { return };
        let from = self.mesh.local_peer();
        let proposals = std::mem::take(&mut height.proposals).into_values().map(|signed| {
            let body = height.bodies.get(&signed.proposal().block).cloned();
            (from, Early::Proposal(signed, body, Vec::new()))
        });
        self.early.extend(proposals);
        let votes = std::mem::take(&mut height.votes).into_values();
        self.early.extend(votes.map(|signed| (from, Early::Vote(signed))));
    }

    /// Goes on with this height as one who only follows, because something could
    /// not be signed or logged. The core counts its own votes when it casts them;
    /// those that did not leave must count nowhere, so it begins the height anew
    /// from what others said. `lost`: what was signed and is not safely logged.
    /// `why`: what to tell the operator.
    pub(super) fn follow_without_keys(&mut self, why: &str, lost: &[Record]) {
        self.wal = None;
        self.log_retry_at = Some(Instant::now() + RETRY);
        let keys = self.height.as_mut().and_then(|height| height.keys.take());
        let Some(keys) = keys else { return };
        self.complain("this node follows without signing until it can again", &why);
        let Some(height) = &mut self.height else { return };
        for record in lost {
            match record {
                Record::Vote(signed) if signed.vote().voter.0 == keys.index => {
                    height.votes.remove(&signed.vote());
                }
                Record::Proposal(signed) => {
                    height.proposals.remove(&signed.proposal().round.0);
                }
                _ => {}
            }
        }
        height.build_at = None;
        height.unanswered.clear();
        let config = height.config(None);
        let proposals: Vec<_> = height.proposals.values().map(SignedProposal::proposal).collect();
        let votes: Vec<_> = height.votes.keys().copied().collect();
        self.timers.clear();
        self.core = Core::new();
        self.feed(Input::Start(config, Recovery::default()));
        proposals.into_iter().for_each(|proposal| self.feed(Input::Proposal(proposal)));
        votes.into_iter().for_each(|vote| self.feed(Input::Vote(vote)));
        self.publish_status();
    }

    /// This node's keys in `set`. Who was told to sequence and cannot says so.
    fn find_keys(&mut self, set: &SequencerSet) -> Option<LocalKeys> {
        let keys = LocalKeys::find(&self.keys, set, self.found.as_ref());
        if keys.is_none() && (self.found.is_some() || !self.begun) {
            log::warn!(
                target: "l2::bft",
                "not sequencing: no sequencer of set {} has its aura and gran keys in this node's \
                 keystore; this node follows",
                set.set_id,
            );
        }
        self.found.clone_from(&keys);
        keys
    }

    fn next_schedule(&self) -> Result<Schedule, Box<dyn std::error::Error + Send + Sync>> {
        let info = self.client.info();
        let parent = self
            .client
            .header(info.finalized_hash)?
            .ok_or_else(|| format!("finalized block {:?} has no header", info.finalized_hash))?;
        let hand_over = self.import.hand_overs().on(&info.finalized_hash);
        Ok(Schedule::after(&*self.client, self.genesis, hand_over, parent)?)
    }

    /// Keys may only be used with their log open. A log that failed (a full
    /// disk) is opened again: what it then holds is what may have left.
    fn with_open_log(&mut self, schedule: &Schedule, keys: Option<LocalKeys>) -> Option<LocalKeys> {
        let keys = keys?;
        if self.wal.as_ref().is_some_and(|(key, wal)| *key == keys.grandpa && wal.is_sound()) {
            return Some(keys);
        }
        self.wal = None;
        // Opening reads all of it, so not all the time.
        if self.log_retry_at.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        let new_key = self.is_new(schedule, keys.grandpa);
        match Wal::open(&self.wal_folder, self.genesis, keys.grandpa, new_key) {
            Ok((wal, memory)) => {
                self.opened.insert(keys.grandpa);
                log::info!(
                    target: "l2::bft",
                    "sequencing as {} (index {})", hex::encode(keys.grandpa.0), keys.index,
                );
                self.wal = Some((keys.grandpa, wal));
                self.memory = memory;
                Some(keys)
            }
            Err(error) => {
                // At the start the operator is told at once; later a disk may be
                // freed, so the next height tries again.
                self.fatal = !(self.begun || self.rested);
                self.log_retry_at = Some(Instant::now() + RETRY);
                self.complain("this node does not sequence", &error);
                None
            }
        }
    }

    /// Whether a key without a log has never signed.
    ///
    /// One that comes into force while the node runs has been rotated in; at the start
    /// of a node a missing log may have been lost. So may it when the node catches up
    /// from an empty database and comes to a height of before its start at which the
    /// key was in force. A log that was open here is not missing because the key is new.
    fn is_new(&mut self, schedule: &Schedule, key: ed25519::Public) -> bool {
        if slot(&schedule.parent).is_some_and(|made_ms| made_ms < self.started_ms) {
            self.older.insert(key);
        }
        let rotated_in = self.begun && !self.older.contains(&key);
        !self.opened.contains(&key) && (self.may_make_log || rotated_in)
    }

    fn start(&mut self, schedule: Schedule, keys: Option<LocalKeys>, known: &[SignedVote]) {
        // Not before: as long as there was no height, no log was looked for.
        self.begun = true;
        let (height, at) = (schedule.height, schedule.instance());
        self.memory.forget_below(height);
        let me = keys.as_ref().map(|keys| SequencerIndex(keys.index));
        let context = SigningContext { genesis: self.genesis, set_id: schedule.set.set_id };
        let keys_of_set = schedule.set.members.iter().map(|member| member.grandpa).collect();
        let witness = Witness::new(height, context, keys_of_set, schedule.leaders.clone());
        let parent_commit = self.commit_of(&schedule.parent, known);
        let mut state = HeightState {
            schedule: Arc::new(schedule),
            context,
            keys,
            bodies: BTreeMap::new(),
            executed: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            executing: BTreeSet::new(),
            fetching: BTreeMap::new(),
            votes: BTreeMap::new(),
            proposals: BTreeMap::new(),
            witness,
            parent_commit,
            logged: BTreeSet::new(),
            build_at: None,
            round_began: None,
            proposal_seen: None,
            decided: None,
        };
        let memory = &self.memory;
        for block in memory.blocks_at(height) {
            let id = crate::header::block_id(block);
            state.bodies.insert(id, block.clone());
            state.logged.insert(id);
        }
        // Who only follows has a core without memory, and must not hold votes that
        // its core does not count.
        if me.is_some() {
            memory.votes_at(at).for_each(|vote| state.keep_vote(vote.clone()));
            for proposal in memory.proposals_at(at) {
                state.proposals.insert(proposal.proposal().round.0, proposal.clone());
            }
        }
        // Nor what it was locked on.
        let recovery = me.map(|_| memory.recovery(at)).unwrap_or_default();
        let config = state.config(me);
        self.height = Some(state);
        self.last_progress = Instant::now();
        self.metrics.height.set(u64::from(height.0));
        self.renew_greetings();
        self.feed(Input::Start(config, recovery));
        self.replay_early();
        self.publish_status();
    }

    /// Below the highest height in its log this node does not sign: it has signed
    /// there, and the log may no longer say what. Happens where a database is
    /// older than the log, as after `purge-chain`. The same holds of a height for whose
    /// later set it has signed.
    pub(super) fn may_sign_at(&self, at: Instance) -> bool {
        self.memory.highest().is_none_or(|highest| highest <= at)
    }

    /// Appends records and makes them durable. `false`: nothing that depends on
    /// them may leave the node.
    pub(super) fn persist(&mut self, records: &[Record]) -> bool {
        if records.is_empty() {
            return true;
        }
        let Some((_, wal)) = &mut self.wal else { return false };
        let written = wal.append(records).and_then(|()| wal.sync());
        if let Err(error) = &written {
            self.complain("this node does not vote", error);
        }
        written.is_ok()
    }

    /// Notes what the network has decided. Not synced: the next vote's sync makes
    /// it durable before that vote leaves, and until then the precommits that were
    /// logged stand for it. A log that fails is no reason to lose the block.
    pub(super) fn note_decided(&mut self, records: &[Record]) {
        let Some((_, wal)) = &mut self.wal else { return };
        if let Err(error) = wal.append(records) {
            self.complain("a decided block is not in the log", &error);
        }
    }
}
