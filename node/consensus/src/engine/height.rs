//! What the engine holds for the height it is deciding, and how it takes the
//! next one up.

use super::{Engine, Schedule};
use crate::{
    client::EngineClient,
    executor::ExecutedBlock,
    keys::LocalKeys,
    wal::{Record, Wal, WalError},
    wire::{SignedProposal, SignedVote, SigningContext},
};
use cascoin_bft::{
    BlockId, HeightConfig, Input, Round, SequencerIndex, TimeoutParams, Vote, VoteKind,
};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock},
    consensus::{Certificate, GrandpaRound},
};
use finality_grandpa::SignedPrecommit;
use sc_client_api::Backend;
use sc_consensus::BlockImport;
use sp_consensus::Environment;
use sp_consensus_grandpa::{AuthorityId, AuthoritySignature};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

/// Bodies kept for one height: one a round within the core's look-ahead, and
/// some for re-proposals.
pub(super) const MAX_BODIES: usize = 16;

/// Votes of one kind kept of one voter in one round.
const MAX_VOTES_OF_ONE: usize = 4;

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
    /// Fetches under way.
    pub(super) fetching: BTreeSet<BlockId>,
    /// Signed votes; of an equivocator there may be several for one round, and a
    /// certificate may need any of them.
    pub(super) votes: BTreeMap<Vote, SignedVote>,
    /// Signed proposals, by round.
    pub(super) proposals: BTreeMap<u16, SignedProposal>,
    /// Blocks that are in the log.
    pub(super) logged: BTreeSet<BlockId>,
    /// When to build, and for which round.
    pub(super) build_at: Option<(Instant, Round)>,
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
    ///
    /// What one voter can make this node keep is bounded: some votes a round, and
    /// those for blocks that are here.
    pub(super) fn keep_vote(&mut self, signed: SignedVote) {
        let vote = signed.vote();
        let of_a_body = vote.block.is_some_and(|block| self.bodies.contains_key(&block));
        if of_a_body || self.votes_like(&vote).count() < MAX_VOTES_OF_ONE {
            self.votes.entry(vote).or_insert(signed);
        }
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

    /// Keeps a body if there is room.
    pub(super) fn keep_body(&mut self, id: BlockId, block: OpaqueBlock) -> bool {
        let room = self.bodies.len() < MAX_BODIES || self.bodies.contains_key(&id);
        if room {
            self.bodies.insert(id, block);
        }
        room
    }

    /// The certificate of a decision, from the precommits' signatures.
    pub(super) fn certificate(
        &self,
        round: Round,
        block: BlockId,
        signers: &BTreeSet<SequencerIndex>,
    ) -> Certificate {
        let height = self.schedule.height.0;
        let target = crate::header::hash_of(block);
        let mut precommits: Vec<SignedPrecommit<_, _, AuthoritySignature, AuthorityId>> = signers
            .iter()
            .filter_map(|signer| {
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
            .collect();
        precommits.sort_by(|one, other| one.id.cmp(&other.id));
        let epoch = crate::wire::EPOCH;
        Certificate {
            round: GrandpaRound { epoch, height, round: round.0 }.into(),
            commit: sp_consensus_grandpa::Commit::<Header> {
                target_hash: target,
                target_number: height,
                precommits,
            },
            votes_ancestries: Vec::new(),
        }
    }
}

impl<C, B, I, E> Engine<C, B, I, E>
where
    C: EngineClient,
    B: Backend<OpaqueBlock> + 'static,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync + 'static,
    E: Environment<OpaqueBlock> + Clone + Send + 'static,
    E::Proposer: Send,
    E::CreateProposer: Send,
{
    /// Takes up the height above the finalized block.
    pub(super) async fn begin_next_height(&mut self) {
        loop {
            self.timers.clear();
            self.height = None;
            let schedule = match self.next_schedule() {
                Ok(schedule) => schedule,
                Err(error) => {
                    self.complain("cannot begin the next height", &*error);
                    self.retry_soon();
                    return;
                }
            };
            let keys = LocalKeys::find(&self.keystore, &schedule.set);
            let keys = self.with_open_log(keys);
            if self.fatal {
                return;
            }
            // A database that lost its end in a power cut gets it back from the log.
            let lost = self.memory.decided_above(schedule.parent.number);
            if lost.is_empty() {
                self.start(schedule, keys);
                return;
            }
            log::warn!(
                target: "l2::bft",
                "the database misses {} decided blocks, importing them from the log",
                lost.len(),
            );
            let Some(first) = lost.into_iter().next() else { return };
            if let Err(error) = self.adopt(schedule, first).await {
                self.complain("cannot import a decided block from the log", &error);
                self.retry_soon();
                return;
            }
        }
    }

    fn next_schedule(&self) -> Result<Schedule, Box<dyn std::error::Error + Send + Sync>> {
        let info = self.client.info();
        let parent = self
            .client
            .header(info.finalized_hash)?
            .ok_or_else(|| format!("finalized block {:?} has no header", info.finalized_hash))?;
        Ok(Schedule::after(&*self.client, self.genesis, parent)?)
    }

    /// Keys may only be used with their log open. A log that failed (a full
    /// disk) is opened again: what it then holds is what may have left.
    fn with_open_log(&mut self, keys: Option<LocalKeys>) -> Option<LocalKeys> {
        let keys = keys?;
        if self.wal.as_ref().is_some_and(|(key, wal)| *key == keys.grandpa && wal.is_sound()) {
            return Some(keys);
        }
        self.wal = None;
        match Wal::open(&self.wal_folder, self.genesis, keys.grandpa) {
            Ok((wal, memory)) => {
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
                self.fatal = self.core.height().0 == 0;
                self.complain("this node does not sequence", &error);
                None
            }
        }
    }

    fn start(&mut self, schedule: Schedule, keys: Option<LocalKeys>) {
        let height = schedule.height;
        let memory = std::mem::take(&mut self.memory);
        let context = SigningContext { genesis: self.genesis, set_id: schedule.set.set_id };
        let config = HeightConfig {
            height,
            me: keys.as_ref().map(|keys| SequencerIndex(keys.index)),
            sequencers: schedule.set.members.len() as u16,
            leaders: schedule.leaders.clone(),
            timeouts: TimeoutParams {
                propose_ms: schedule.parameters.propose_timeout_ms,
                prevote_ms: schedule.parameters.prevote_timeout_ms,
                precommit_ms: schedule.parameters.precommit_timeout_ms,
            },
        };
        let new_set = self.handle.status().set_id != schedule.set.set_id;
        let mut state = HeightState {
            schedule: Arc::new(schedule),
            context,
            keys,
            bodies: BTreeMap::new(),
            executed: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            executing: BTreeSet::new(),
            fetching: BTreeSet::new(),
            votes: BTreeMap::new(),
            proposals: BTreeMap::new(),
            logged: BTreeSet::new(),
            build_at: None,
            proposal_seen: None,
            decided: None,
        };
        for block in memory.blocks_at(height) {
            let id = crate::header::block_id(block);
            state.keep_body(id, block.clone());
            state.logged.insert(id);
        }
        memory.votes_at(height).for_each(|vote| state.keep_vote(vote.clone()));
        for proposal in memory.proposals_at(height) {
            state.proposals.insert(proposal.proposal().round.0, proposal.clone());
        }
        let recovery = memory.recovery(height);
        self.height = Some(state);
        self.last_progress = Instant::now();
        self.metrics.height.set(u64::from(height.0));
        if new_set {
            self.mesh.peers().to_vec().into_iter().for_each(|peer| self.greet(peer));
        }
        self.feed(Input::Start(config, recovery));
        self.replay_early();
        self.publish_status();
    }

    /// Appends records and makes them durable. `false`: nothing that depends on
    /// them may leave the node.
    pub(super) fn persist(&mut self, records: &[Record]) -> bool {
        if records.is_empty() {
            return true;
        }
        let Some((_, wal)) = &mut self.wal else { return false };
        let written: Result<(), WalError> =
            records.iter().try_for_each(|record| wal.append(record)).and_then(|()| wal.sync());
        match written {
            Ok(()) => true,
            Err(error) => {
                self.complain("this node does not vote", &error);
                false
            }
        }
    }
}
