//! Tells light clients how far the chain is final, on GRANDPA's own notification
//! protocol.
//!
//! To each peer: at once a neighbour packet and the newest commit; then, as
//! finality moves, commits and a packet, at most four times a second. Not every
//! block has its commit, but every one that changes the set: what is behind it
//! cannot be verified before it is final. About 2 KB a second and peer, and
//! nothing is signed.
//!
//! What peers send is not read. Who sends too much is banned.

use super::messages;
use crate::{
    budget::Budget,
    client::EngineClient,
    import::{certificate_of, SharedSets},
};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber, OpaqueBlock},
    consensus::Certificate,
};
use futures::StreamExt;
use sc_network::{
    config::{FullNetworkConfiguration, NonReservedPeerMode, SetConfig},
    service::traits::{NetworkService, NotificationEvent, NotificationService, ValidationResult},
    NetworkBackend, NotificationMetrics, ProtocolName, ReputationChange,
};
use sc_network_types::PeerId;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Peers that are told. Full nodes do not open this protocol, so all are light.
const MAX_PEERS: u32 = 128;
/// Largest message either way, as in the SDK's GRANDPA. A commit of 64 sequencers
/// has under 10 KB.
const MAX_MESSAGE_BYTES: u64 = 1024 * 1024;
/// Least distance of two updates.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Changes of the set told in one update. A peer that missed more warp syncs.
const MAX_CHANGES: usize = 4;
/// What a peer may send a second. A light client tells its own height as it moves.
const MESSAGES_PER_SECOND: u32 = 64;
const BYTES_PER_SECOND: usize = 64 * 1024;

/// The protocol, registered with the network and not yet running.
pub struct LightPeers(Box<dyn NotificationService>);

impl LightPeers {
    /// Adds the protocol to a network configuration.
    pub fn register<N: NetworkBackend<OpaqueBlock, BlockHash>>(
        genesis: BlockHash,
        metrics: NotificationMetrics,
        config: &mut FullNetworkConfiguration<OpaqueBlock, BlockHash, N>,
    ) -> Self {
        let name: ProtocolName = format!("/{}/grandpa/1", hex::encode(genesis)).into();
        let (protocol, service) = N::notification_config(
            name,
            Vec::new(),
            MAX_MESSAGE_BYTES,
            None,
            SetConfig {
                in_peers: MAX_PEERS,
                out_peers: 0,
                reserved_nodes: Vec::new(),
                non_reserved_mode: NonReservedPeerMode::Accept,
            },
            metrics,
            config.peer_store_handle(),
        );
        config.add_notification_protocol(protocol);
        Self(service)
    }

    /// Serves until the network stops.
    pub async fn serve<C: EngineClient>(
        self,
        client: Arc<C>,
        sets: SharedSets,
        network: Arc<dyn NetworkService>,
    ) {
        let told = client.info().finalized_number;
        let mut finality = client.finality_notification_stream();
        let mut responder = Responder {
            client,
            sets,
            network,
            service: self.0,
            peers: BTreeMap::new(),
            told,
            update_at: None,
            updated: Instant::now(),
        };
        loop {
            let update_at = responder.update_at;
            tokio::select! {
                event = responder.service.next_event() => match event {
                    Some(event) => responder.on_event(event),
                    None => return,
                },
                Some(_) = finality.next() => responder.schedule_update(),
                () = sleep_until(update_at) => responder.update(),
            }
        }
    }
}

struct Responder<C> {
    client: Arc<C>,
    sets: SharedSets,
    network: Arc<dyn NetworkService>,
    service: Box<dyn NotificationService>,
    peers: BTreeMap<PeerId, Budget>,
    /// The finalized block of the last update.
    told: BlockNumber,
    /// When the next update is due; none if nothing is new.
    update_at: Option<Instant>,
    updated: Instant,
}

impl<C: EngineClient> Responder<C> {
    fn on_event(&mut self, event: NotificationEvent) {
        match event {
            NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
                let _ = result_tx.send(ValidationResult::Accept);
            }
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                log::debug!(target: "l2::net", "{peer} follows finality");
                self.peers.insert(peer, Budget::new(Instant::now()));
                let head = self.client.info().finalized_number;
                for message in self.messages(head, head) {
                    self.service.send_sync_notification(&peer, message);
                }
            }
            NotificationEvent::NotificationStreamClosed { peer } => {
                self.peers.remove(&peer);
            }
            NotificationEvent::NotificationReceived { peer, notification } => {
                let now = Instant::now();
                let within = |budget: &mut Budget| {
                    let bytes = notification.len();
                    budget.allows(bytes, now, MESSAGES_PER_SECOND, BYTES_PER_SECOND)
                };
                if !self.peers.get_mut(&peer).is_none_or(within) {
                    log::debug!(target: "l2::net", "{peer} sends too much to a node that does not read it");
                    let why = ReputationChange::new_fatal("flood of finality messages");
                    self.network.report_peer(peer, why);
                }
            }
        }
    }

    fn schedule_update(&mut self) {
        self.update_at.get_or_insert(self.updated + UPDATE_INTERVAL);
    }

    /// Tells everybody what became final since the last time.
    fn update(&mut self) {
        (self.update_at, self.updated) = (None, Instant::now());
        let head = self.client.info().finalized_number;
        if head <= self.told {
            return;
        }
        for message in self.messages(self.told, head) {
            for peer in self.peers.keys() {
                self.service.send_sync_notification(peer, message.clone());
            }
        }
        self.told = head;
    }

    /// What a peer is told that knows the chain up to `told`: the neighbour packet
    /// first, then commits in the order of heights.
    fn messages(&self, told: BlockNumber, head: BlockNumber) -> Vec<Vec<u8>> {
        let sets = self.sets.read();
        let commits =
            heights_to_tell(sets.changes_between(told, head).map(|(height, _)| height), head);
        let set_id = |height| sets.at(height).set_id;
        // Genesis has no certificate.
        let round = self.certificate(head).map_or(1, |certificate| certificate.round);
        let packet = messages::neighbour(round, set_id(head), head);
        let commits = commits.into_iter().filter_map(|height| {
            Some(messages::commit(&self.certificate(height)?, set_id(height)))
        });
        std::iter::once(packet).chain(commits).collect()
    }

    fn certificate(&self, height: BlockNumber) -> Option<Certificate> {
        let hash = self.client.hash(height).ok()??;
        certificate_of(&self.client.justifications(hash).ok()??).ok()
    }
}

/// The heights whose commits are told: the last changes of the set, and the head.
fn heights_to_tell(
    changes: impl DoubleEndedIterator<Item = BlockNumber>,
    head: BlockNumber,
) -> Vec<BlockNumber> {
    let mut heights: Vec<_> = changes.rev().take(MAX_CHANGES).collect();
    heights.reverse();
    if heights.last() != Some(&head) {
        heights.push(head);
    }
    heights
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_the_set_is_told_and_always_the_head() {
        let tell = |changes: &[u32], head| heights_to_tell(changes.iter().copied(), head);
        assert_eq!(tell(&[], 9), [9]);
        assert_eq!(tell(&[5], 9), [5, 9]);
        assert_eq!(tell(&[5, 9], 9), [5, 9]);
        assert_eq!(tell(&[1, 2, 3, 4, 5, 6], 9), [3, 4, 5, 6, 9]);
    }
}
