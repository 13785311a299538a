//! Sequencers that the test itself speaks for: it holds their keys, builds their
//! blocks and sends what it likes, so that one engine can be led through the
//! first height message by message.

use super::{
    chain::{Author, Reports},
    cluster::Cluster,
    net::{Message, Net},
};
use cascoin_bft::{BlockId, Height, Proposal, Round, SequencerIndex, Vote, VoteKind};
use cascoin_consensus::{
    executor::{self, Assignment},
    header::{block_id, next_slot, seal_item},
    schedule::Schedule,
    transport::{Transport, TransportEvent},
    wire::{ProposalsMessage, SignedProposal, SignedVote, SigningContext, VotesMessage},
    KeySource, LocalKeys,
};
use cascoin_l2_primitives::{
    chain::OpaqueBlock,
    sequencers::{ParticipationData, SequencerBits},
};
use parking_lot::Mutex;
use sp_core::{ed25519, Pair, H256};
use sp_runtime::traits::{Block as _, Header as _};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use cascoin_bft::VoteKind::{Precommit, Prevote};

/// All sequencers of a network of four but one engine.
pub struct Puppets {
    /// The engine under test. It leads round 3, puppets lead the rounds before.
    pub engine: usize,
    schedule: Schedule,
    context: SigningContext,
    keys: Vec<ed25519::Pair>,
    net: Net,
    ear: Arc<Mutex<Ear>>,
}

/// What the puppets hear and answer.
#[derive(Default)]
struct Ear {
    votes: Vec<VotesMessage>,
    /// Blocks they have for who asks, by hash. Several: one after another.
    blocks: BTreeMap<H256, Vec<OpaqueBlock>>,
}

impl Puppets {
    /// Takes the places of all but the last in the first height's order of
    /// leaders. The engine is not started.
    pub fn join(cluster: &Cluster) -> Self {
        let schedule = cluster.schedule(0);
        let engine = schedule.leaders.leader(Round(3)).0 as usize;
        let context = SigningContext { genesis: cluster.genesis_hash, set_id: 0 };
        let ear: Arc<Mutex<Ear>> = Arc::default();
        for index in (0..cluster.len()).filter(|index| *index != engine) {
            let mut socket = cluster.net.join(index);
            let ear = ear.clone();
            tokio::spawn(async move {
                while let Some(event) = socket.next().await {
                    ear.lock().hear(event);
                }
            });
        }
        Self {
            engine,
            schedule,
            context,
            keys: cluster.keys.clone(),
            net: cluster.net.clone(),
            ear,
        }
    }

    /// Who leads a round.
    pub fn leader(&self, round: u16) -> usize {
        self.schedule.leaders.leader(Round(round)).0 as usize
    }

    /// The puppets, the leader of round 0 first.
    pub fn all(&self) -> [usize; 3] {
        [0, 1, 2].map(|round| self.leader(round))
    }

    /// A good block by the leader of a round. Another `salt`, another block.
    pub async fn block(&self, cluster: &Cluster, round: u16, salt: u64) -> OpaqueBlock {
        let leader = self.leader(round);
        let keystore = KeySource::signing_only(cluster.keystore(leader));
        let keys = LocalKeys::find(&keystore, &self.schedule.set, None).expect("the puppet's keys");
        let sequencers = self.keys.len() as u16;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
        let slot = next_slot(now as u64, 0, keys.index, sequencers) + salt * u64::from(sequencers);
        let mut author = Author(cluster.client(self.engine), Reports::default());
        let assignment = Assignment {
            round,
            slot,
            participation: ParticipationData {
                // Nobody signs genesis.
                commits: vec![],
                heard: SequencerBits::NOBODY,
                failed_leaders: self.schedule.failed_leaders(Round(round)),
            },
            recovery_step: None,
            max_duration: Duration::from_secs(30),
            block_size_limit: 1024 * 1024,
        };
        executor::build(&mut author, &self.schedule, &keys, assignment)
            .await
            .expect("a block builds")
            .block
    }

    /// The same block with another header, sealed anew by its leader.
    pub fn reseal(
        &self,
        round: u16,
        block: &OpaqueBlock,
        change: impl FnOnce(&mut OpaqueBlock),
    ) -> OpaqueBlock {
        let mut block = block.clone();
        block.header.digest_mut().pop();
        change(&mut block);
        let hash = block.header.hash();
        let seal = self.keys[self.leader(round)].sign(hash.as_bytes());
        block.header.digest_mut().push(seal_item(seal));
        block
    }

    /// A proposal of the leader of a round.
    pub fn proposal(&self, round: u16, block: &OpaqueBlock) -> SignedProposal {
        let proposer = self.leader(round);
        let proposal = Proposal {
            height: Height(1),
            round: Round(round),
            block: block_id(block),
            valid_round: None,
            proposer: SequencerIndex(proposer as u16),
        };
        let signature =
            self.keys[proposer].sign(&SignedProposal::payload(&proposal, &self.context));
        SignedProposal::new(&proposal, &self.context, signature)
    }

    /// A vote by a puppet.
    pub fn vote(
        &self,
        voter: usize,
        kind: VoteKind,
        round: u16,
        block: Option<BlockId>,
    ) -> SignedVote {
        self.vote_at(1, voter, kind, round, block)
    }

    /// A vote of any height.
    pub fn vote_at(
        &self,
        height: u32,
        voter: usize,
        kind: VoteKind,
        round: u16,
        block: Option<BlockId>,
    ) -> SignedVote {
        let (height, round) = (Height(height), Round(round));
        let vote = Vote { kind, height, round, block, voter: SequencerIndex(voter as u16) };
        let signature = self.keys[voter].sign(&SignedVote::payload(&vote, &self.context));
        SignedVote::new(&vote, &self.context, signature)
    }

    /// Has a puppet send the engine a vote of its own.
    pub fn cast(&self, voter: usize, kind: VoteKind, round: u16, block: Option<BlockId>) {
        self.say(voter, VotesMessage::Vote(self.vote(voter, kind, round, block)));
    }

    pub fn say(&self, from: usize, message: VotesMessage) {
        self.net.inject(from, self.engine, Message::Votes(message));
    }

    /// Has the leader of a round propose a block to the engine.
    pub fn propose(&self, round: u16, block: &OpaqueBlock, body: Option<&OpaqueBlock>) {
        let proposal = self.proposal(round, block);
        let message = ProposalsMessage::Proposal(proposal, body.cloned(), vec![]);
        self.net.inject(self.leader(round), self.engine, Message::Proposals(message));
    }

    /// What puppets answer who asks for a block; of several, each once but the
    /// last.
    pub fn have(&self, wanted: &OpaqueBlock, answers: Vec<OpaqueBlock>) {
        self.ear.lock().blocks.insert(wanted.hash(), answers);
    }

    /// The engine's own votes that any puppet heard.
    pub fn engine_votes(&self) -> Vec<Vote> {
        let ear = self.ear.lock();
        let votes = ear.votes.iter().filter_map(|message| match message {
            VotesMessage::Vote(signed) => Some(signed.vote()),
            _ => None,
        });
        votes.filter(|vote| vote.voter.0 as usize == self.engine).collect()
    }

    /// How often the engine said that it makes no progress.
    pub fn complaints(&self) -> usize {
        let ear = self.ear.lock();
        let status = |message: &&VotesMessage| matches!(message, VotesMessage::Status { .. });
        ear.votes.iter().filter(status).count()
    }

    /// Whether the engine voted for a block (or nil).
    pub fn voted(&self, kind: VoteKind, round: u16, block: Option<BlockId>) -> bool {
        self.engine_votes()
            .iter()
            .any(|vote| (vote.kind, vote.round, vote.block) == (kind, Round(round), block))
    }
}

impl Ear {
    fn hear(&mut self, event: TransportEvent) {
        match event {
            TransportEvent::Votes(_, message) => self.votes.push(message),
            TransportEvent::WantsBlock(request, reply) => {
                let cascoin_consensus::wire::BlockRequest::ByHash(hash) = request;
                let answer = self.blocks.get_mut(&hash).and_then(|answers| match answers.len() {
                    0 => None,
                    1 => answers.first().cloned(),
                    _ => Some(answers.remove(0)),
                });
                reply.send(answer);
            }
            _ => {}
        }
    }
}
