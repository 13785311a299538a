//! What the engine asks of a network. [`Mesh`](crate::mesh::Mesh) is the real
//! one; the tests of the engine put a simulated one in its place.
//!
//! Nothing is promised about delivery: messages may be lost, doubled, late or
//! out of order, and peers may send anything that decodes.

use crate::wire::{BlockRequest, BlockResponse, ProposalsMessage, VotesMessage};
use cascoin_l2_primitives::chain::OpaqueBlock;
use codec::Encode;
use futures::channel::oneshot;
use sc_network::config::OutgoingResponse;
use sc_network_types::PeerId;
use std::future::Future;

/// A network of sequencers, seen from one of them.
pub trait Transport: Send + 'static {
    /// This node's id on the network.
    fn local_peer(&self) -> PeerId;

    /// Peers that hear this node's votes now.
    fn peers(&self) -> &[PeerId];

    /// A peer has shown that it is a sequencer: only now its proposals are read.
    fn admit(&mut self, _peer: PeerId) {}

    /// A peer has sent what no honest one sends: the connection is not worth
    /// keeping.
    fn report(&self, _peer: PeerId, _why: &'static str) {}

    /// The next event. `None` when the network has stopped. Dropping the future
    /// loses no event.
    fn next(&mut self) -> impl Future<Output = Option<TransportEvent>> + Send;

    /// Sends to each of these peers.
    fn send_vote(&mut self, to: &[PeerId], message: &VotesMessage);

    /// Sends a proposal or certified blocks to each of these peers.
    fn send_proposal(&mut self, to: &[PeerId], message: &ProposalsMessage);

    /// Asks `peer` for a block. The future gives `None` when it has it not, does
    /// not answer, or answers nonsense; the caller checks the block.
    fn fetch(
        &self,
        peer: PeerId,
        request: BlockRequest,
    ) -> impl Future<Output = Option<OpaqueBlock>> + Send + 'static;
}

/// What the network tells the engine.
pub enum TransportEvent {
    /// A peer opened its votes stream: greet it.
    Connected(PeerId),
    /// A peer's votes stream closed.
    Disconnected(PeerId),
    /// A message on the votes protocol.
    Votes(PeerId, VotesMessage),
    /// A message on the proposals protocol.
    Proposals(PeerId, ProposalsMessage),
    /// A peer wants a block.
    WantsBlock(BlockRequest, BlockReply),
}

/// Answers one request for a block.
pub struct BlockReply(oneshot::Sender<OutgoingResponse>);

impl BlockReply {
    /// Answers into `pending`.
    pub fn new(pending: oneshot::Sender<OutgoingResponse>) -> Self {
        Self(pending)
    }

    /// Sends the answer.
    pub fn send(self, response: BlockResponse) {
        let response = OutgoingResponse {
            result: Ok(response.encode()),
            reputation_changes: Vec::new(),
            sent_feedback: None,
        };
        // The peer may be gone; then nobody waits.
        let _ = self.0.send(response);
    }
}
