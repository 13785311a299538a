//! The sequencers' own network: a full mesh of notification streams for votes
//! and for proposals, and a request for blocks by hash.

use crate::{
    transport::{BlockReply, Transport, TransportEvent},
    wire::{
        BlockRequest, BlockResponse, ProposalsMessage, VotesMessage, MAX_PROPOSAL_MESSAGE,
        MAX_VOTE_MESSAGE,
    },
};
use cascoin_l2_primitives::chain::{BlockHash, OpaqueBlock, MAX_SEQUENCERS};
use codec::{DecodeAll, Encode};
use sc_network::{
    config::{
        FullNetworkConfiguration, IncomingRequest, MultiaddrWithPeerId, NonReservedPeerMode,
        SetConfig,
    },
    service::traits::{NetworkService, NotificationEvent, NotificationService, ValidationResult},
    NetworkBackend, NotificationMetrics, ProtocolName, ReputationChange,
};
use sc_network_types::PeerId;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

/// Messages a sequencer may send per second, and anybody else: each may cost a
/// signature check. More are dropped.
const MESSAGES_PER_SECOND: u32 = 4_000;
const MESSAGES_PER_SECOND_OF_STRANGERS: u32 = 64;
/// Bytes a sequencer may send per second, and anybody else; more are dropped
/// before they are decoded. The first is several full blocks.
const BYTES_PER_SECOND: usize = 32 * 1024 * 1024;
const BYTES_PER_SECOND_OF_STRANGERS: usize = 256 * 1024;
/// Blocks a sequencer may ask for per second, and anybody else.
const BLOCKS_PER_SECOND: u32 = 16;
const BLOCKS_PER_SECOND_OF_STRANGERS: u32 = 1;
/// Requests for blocks that wait for the engine.
const BLOCK_REQUEST_QUEUE: usize = 64;
/// How long a peer has to answer a request for a block.
const BLOCK_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The engine's protocols, registered with the network and not yet running.
pub struct MeshProtocols {
    votes: Box<dyn NotificationService>,
    proposals: Box<dyn NotificationService>,
    block_requests: async_channel::Receiver<IncomingRequest>,
    block_protocol: ProtocolName,
}

impl MeshProtocols {
    /// Adds the protocols to a network configuration. `reserved`: addresses of
    /// other sequencers that are dialled always.
    pub fn register<N: NetworkBackend<OpaqueBlock, BlockHash>>(
        genesis: BlockHash,
        reserved: Vec<MultiaddrWithPeerId>,
        metrics: NotificationMetrics,
        config: &mut FullNetworkConfiguration<OpaqueBlock, BlockHash, N>,
    ) -> Self {
        let name = |protocol| -> ProtocolName {
            format!("/{}/cascoin/{protocol}/1", hex::encode(genesis)).into()
        };
        let peers = SetConfig {
            in_peers: 2 * MAX_SEQUENCERS,
            out_peers: MAX_SEQUENCERS,
            reserved_nodes: reserved,
            non_reserved_mode: NonReservedPeerMode::Accept,
        };
        let mut notifications = |protocol, size| {
            let (protocol, service) = N::notification_config(
                name(protocol),
                Vec::new(),
                size,
                None,
                peers.clone(),
                metrics.clone(),
                config.peer_store_handle(),
            );
            config.add_notification_protocol(protocol);
            service
        };
        let votes = notifications("votes", MAX_VOTE_MESSAGE);
        let proposals = notifications("proposals", MAX_PROPOSAL_MESSAGE);
        let (sender, block_requests) = async_channel::bounded(BLOCK_REQUEST_QUEUE);
        let block_protocol = name("block");
        config.add_request_response_protocol(N::request_response_config(
            block_protocol.clone(),
            Vec::new(),
            64,
            MAX_PROPOSAL_MESSAGE,
            BLOCK_REQUEST_TIMEOUT,
            Some(sender),
        ));
        Self { votes, proposals, block_requests, block_protocol }
    }
}

/// The running mesh.
pub struct Mesh {
    protocols: MeshProtocols,
    network: Arc<dyn NetworkService>,
    budgets: BTreeMap<PeerId, Budget>,
    /// Peers known to be sequencers.
    admitted: BTreeSet<PeerId>,
    voting_peers: Vec<PeerId>,
    proposal_peers: Vec<PeerId>,
}

/// What a peer has used up in the second that began at `since`.
struct Budget {
    since: Instant,
    messages: u32,
    bytes: usize,
    blocks: u32,
}

impl Mesh {
    /// Runs the protocols over a started network.
    pub fn new(protocols: MeshProtocols, network: Arc<dyn NetworkService>) -> Self {
        Self {
            protocols,
            network,
            budgets: BTreeMap::new(),
            admitted: BTreeSet::new(),
            voting_peers: Vec::new(),
            proposal_peers: Vec::new(),
        }
    }

    fn on_votes(&mut self, event: NotificationEvent) -> Option<TransportEvent> {
        match event {
            NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
                let _ = result_tx.send(ValidationResult::Accept);
                None
            }
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                add(&mut self.voting_peers, peer);
                Some(TransportEvent::Connected(peer))
            }
            NotificationEvent::NotificationStreamClosed { peer } => {
                self.voting_peers.retain(|other| *other != peer);
                self.budgets.remove(&peer);
                self.admitted.remove(&peer);
                Some(TransportEvent::Disconnected(peer))
            }
            NotificationEvent::NotificationReceived { peer, notification } => {
                let bytes: &[u8] = notification.as_ref();
                self.within_budget(peer, bytes.len()).then_some(())?;
                Some(TransportEvent::Votes(peer, decode(peer, bytes)?))
            }
        }
    }

    fn on_proposals(&mut self, event: NotificationEvent) -> Option<TransportEvent> {
        match event {
            NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
                let _ = result_tx.send(ValidationResult::Accept);
                None
            }
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                add(&mut self.proposal_peers, peer);
                None
            }
            NotificationEvent::NotificationStreamClosed { peer } => {
                self.proposal_peers.retain(|other| *other != peer);
                None
            }
            NotificationEvent::NotificationReceived { peer, notification } => {
                let bytes: &[u8] = notification.as_ref();
                // Large, and dear to decode: sequencers only.
                let admitted = self.admitted.contains(&peer);
                (admitted && self.within_budget(peer, bytes.len())).then_some(())?;
                Some(TransportEvent::Proposals(peer, decode(peer, bytes)?))
            }
        }
    }

    fn budget(&mut self, peer: PeerId) -> &mut Budget {
        let now = Instant::now();
        let fresh = || Budget { since: now, messages: 0, bytes: 0, blocks: 0 };
        let budget = self.budgets.entry(peer).or_insert_with(fresh);
        if now.duration_since(budget.since) >= Duration::from_secs(1) {
            *budget = fresh();
        }
        budget
    }

    fn within_budget(&mut self, peer: PeerId, bytes: usize) -> bool {
        let (messages, allowed) = match self.admitted.contains(&peer) {
            true => (MESSAGES_PER_SECOND, BYTES_PER_SECOND),
            false => (MESSAGES_PER_SECOND_OF_STRANGERS, BYTES_PER_SECOND_OF_STRANGERS),
        };
        let budget = self.budget(peer);
        budget.messages = budget.messages.saturating_add(1);
        budget.bytes = budget.bytes.saturating_add(bytes);
        budget.messages <= messages && budget.bytes <= allowed
    }

    /// A request for a block, unless its peer asks for too many; then it is told
    /// nothing, and asks again later or somebody else.
    fn on_request(&mut self, request: IncomingRequest) -> Option<TransportEvent> {
        let wanted = BlockRequest::decode_all(&mut &request.payload[..]).ok()?;
        // Who has no stream of votes is none of us, and its budget would stay.
        self.voting_peers.contains(&request.peer).then_some(())?;
        let allowed = match self.admitted.contains(&request.peer) {
            true => BLOCKS_PER_SECOND,
            false => BLOCKS_PER_SECOND_OF_STRANGERS,
        };
        let budget = self.budget(request.peer);
        budget.blocks = budget.blocks.saturating_add(1);
        (budget.blocks <= allowed).then_some(())?;
        Some(TransportEvent::WantsBlock(wanted, BlockReply::new(request.pending_response)))
    }
}

impl Transport for Mesh {
    fn local_peer(&self) -> PeerId {
        self.network.local_peer_id()
    }

    fn peers(&self) -> &[PeerId] {
        &self.voting_peers
    }

    fn admit(&mut self, peer: PeerId) {
        self.admitted.insert(peer);
    }

    fn report(&self, peer: PeerId, why: &'static str) {
        self.network.report_peer(peer, ReputationChange::new_fatal(why));
    }

    async fn next(&mut self) -> Option<TransportEvent> {
        loop {
            let event = tokio::select! {
                event = self.protocols.votes.next_event() => self.on_votes(event?),
                event = self.protocols.proposals.next_event() => self.on_proposals(event?),
                request = self.protocols.block_requests.recv() => self.on_request(request.ok()?),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn send_vote(&mut self, to: &[PeerId], message: &VotesMessage) {
        let bytes = message.encode();
        for peer in to.iter().filter(|peer| self.voting_peers.contains(peer)) {
            self.protocols.votes.send_sync_notification(peer, bytes.clone());
        }
    }

    fn send_proposal(&mut self, to: &[PeerId], message: &ProposalsMessage) {
        let bytes = message.encode();
        for peer in to.iter().filter(|peer| self.proposal_peers.contains(peer)) {
            self.protocols.proposals.send_sync_notification(peer, bytes.clone());
        }
    }

    fn fetch(
        &self,
        peer: PeerId,
        request: BlockRequest,
    ) -> impl Future<Output = Option<OpaqueBlock>> + Send + 'static {
        let network = self.network.clone();
        let protocol = self.protocols.block_protocol.clone();
        async move {
            let reply = network
                .request(
                    peer,
                    protocol,
                    request.encode(),
                    None,
                    sc_network::IfDisconnected::ImmediateError,
                )
                .await;
            BlockResponse::decode_all(&mut &reply.ok()?.0[..]).ok()?
        }
    }
}

fn add(peers: &mut Vec<PeerId>, peer: PeerId) {
    if !peers.contains(&peer) {
        peers.push(peer);
    }
}

fn decode<M: codec::Decode>(peer: PeerId, bytes: &[u8]) -> Option<M> {
    M::decode_all(&mut &*bytes)
        .inspect_err(|error| {
            log::debug!(target: "l2::net", "unreadable message from {peer}: {error}");
        })
        .ok()
}
