//! Hears announcements, passes them on, makes those of this node, and answers probes.
//!
//! The protocol is one of notifications among all nodes. Each message is one signed
//! announcement; a new peer is told all that is known. What is news goes to all peers but
//! the one that brought it, once: whoever has it does not take it again.

use super::{
    book::{Book, Verdict, View},
    Announcements, Heard,
};
use crate::{budget::Budget, client::EngineClient};
use cascoin_l2_primitives::{
    apis::RegistryApi,
    chain::{key_types, AccountId, BlockHash, BlockNumber, Moment, OpaqueBlock},
    sequencers::{
        probe_message, Announcement, SignedAnnouncement, MAX_ADDRESSES, MAX_ADDRESS_BYTES,
    },
};
use codec::{Decode, DecodeAll, Encode};
use sc_network::{
    config::{
        FullNetworkConfiguration, IncomingRequest, NonReservedPeerMode, OutgoingResponse, SetConfig,
    },
    service::traits::{NetworkService, NotificationEvent, NotificationService, ValidationResult},
    Multiaddr, NetworkBackend, NotificationMetrics, ProtocolName, ReputationChange,
};
use sc_network_types::PeerId;
use sp_core::{bounded::BoundedVec, ed25519, ConstU32};
use sp_keystore::KeystorePtr;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Bytes of a message: an announcement with all its addresses fits.
const MAX_MESSAGE_BYTES: u64 = 2 * 1024;
/// Peers that dial this node for the protocol, and that it dials.
const IN_PEERS: u32 = 32;
const OUT_PEERS: u32 = 8;
/// What one peer may send a second. It tells all it knows when it connects.
const MESSAGES_PER_SECOND: u32 = 512;
const BYTES_PER_SECOND: usize = 512 * 1024;
/// Probes that one peer, and all of them, may send a second: each costs a signature.
const PROBES_PER_SECOND: u32 = 2;
const ALL_PROBES_PER_SECOND: u32 = 16;
const PROBE_BYTES_PER_SECOND: usize = 4 * 1024;
/// How long a probed node has to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a node announces itself.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(20);
/// How often it looks at the chain for who may announce itself.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A question whether a node is there that signs for an account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProbeRequest {
    /// Of whom.
    pub account: AccountId,
    /// What nobody could have signed before.
    pub nonce: [u8; 32],
}

/// The protocols, registered with the network and not yet running.
pub struct AnnouncementProtocols {
    notifications: Box<dyn NotificationService>,
    probes: async_channel::Receiver<IncomingRequest>,
    probe_protocol: ProtocolName,
}

impl AnnouncementProtocols {
    /// Adds them to a network configuration.
    pub fn register<N: NetworkBackend<OpaqueBlock, BlockHash>>(
        genesis: BlockHash,
        metrics: NotificationMetrics,
        config: &mut FullNetworkConfiguration<OpaqueBlock, BlockHash, N>,
    ) -> Self {
        let name = |protocol| -> ProtocolName {
            format!("/{}/cascoin/{protocol}/1", hex::encode(genesis)).into()
        };
        let (protocol, notifications) = N::notification_config(
            name("seqannounce"),
            Vec::new(),
            MAX_MESSAGE_BYTES,
            None,
            SetConfig {
                in_peers: IN_PEERS,
                out_peers: OUT_PEERS,
                reserved_nodes: Vec::new(),
                non_reserved_mode: NonReservedPeerMode::Accept,
            },
            metrics,
            config.peer_store_handle(),
        );
        config.add_notification_protocol(protocol);
        let (sender, probes) = async_channel::bounded(16);
        let probe_protocol = name("seqprobe");
        config.add_request_response_protocol(N::request_response_config(
            probe_protocol.clone(),
            Vec::new(),
            256,
            256,
            PROBE_TIMEOUT,
            Some(sender),
        ));
        Self { notifications, probes, probe_protocol }
    }

    /// The protocol of probes.
    pub fn probe_protocol(&self) -> ProtocolName {
        self.probe_protocol.clone()
    }
}

/// What the task needs.
pub struct GossipParams<C> {
    /// The chain.
    pub client: Arc<C>,
    /// The started network.
    pub network: Arc<dyn NetworkService>,
    /// Its protocols.
    pub protocols: AnnouncementProtocols,
    /// Relay keys; `None` where this node does not sequence, and says nothing of itself.
    pub keystore: Option<KeystorePtr>,
    /// Aimed distance of blocks, milliseconds.
    pub block_time_ms: Moment,
    /// Where what is heard is written.
    pub announcements: Announcements,
}

/// Runs until the network stops.
pub async fn run<C>(params: GossipParams<C>)
where
    C: EngineClient,
    C::Api: RegistryApi<OpaqueBlock>,
{
    let GossipParams { client, network, protocols, keystore, block_time_ms, announcements } =
        params;
    let genesis = client.info().genesis_hash;
    *announcements.0.lock() = Book::new(genesis);
    let mut gossip = Gossip {
        client,
        network,
        notifications: protocols.notifications,
        keystore,
        block_time_ms,
        announcements,
        genesis,
        announcers: BTreeMap::new(),
        peers: BTreeMap::new(),
        probed: BTreeMap::new(),
        probed_by_all: Budget::new(Instant::now()),
        announced: None,
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = gossip.notifications.next_event() => match event {
                Some(event) => gossip.on_event(event),
                None => return,
            },
            probe = protocols.probes.recv() => match probe {
                Ok(probe) => gossip.on_probe(probe),
                Err(_) => return,
            },
            _ = look.tick() => gossip.look(),
        }
    }
}

struct Gossip<C> {
    client: Arc<C>,
    network: Arc<dyn NetworkService>,
    notifications: Box<dyn NotificationService>,
    keystore: Option<KeystorePtr>,
    block_time_ms: Moment,
    announcements: Announcements,
    genesis: BlockHash,
    announcers: BTreeMap<AccountId, ed25519::Public>,
    peers: BTreeMap<PeerId, Budget>,
    probed: BTreeMap<PeerId, Budget>,
    probed_by_all: Budget,
    /// When this node announced itself last.
    announced: Option<Instant>,
}

impl<C> Gossip<C>
where
    C: EngineClient,
    C::Api: RegistryApi<OpaqueBlock>,
{
    fn on_event(&mut self, event: NotificationEvent) {
        match event {
            NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
                let _ = result_tx.send(ValidationResult::Accept);
            }
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                self.peers.insert(peer, Budget::new(Instant::now()));
                let known: Vec<Vec<u8>> =
                    self.announcements.0.lock().all().map(Encode::encode).collect();
                for message in known {
                    self.notifications.send_sync_notification(&peer, message);
                }
            }
            NotificationEvent::NotificationStreamClosed { peer } => {
                self.peers.remove(&peer);
            }
            NotificationEvent::NotificationReceived { peer, notification } => {
                self.on_message(peer, notification.as_ref());
            }
        }
    }

    fn on_message(&mut self, peer: PeerId, bytes: &[u8]) {
        let Some(budget) = self.peers.get_mut(&peer) else { return };
        if !budget.allows(bytes.len(), Instant::now(), MESSAGES_PER_SECOND, BYTES_PER_SECOND) {
            return self.blame(peer, "flood of announcements");
        }
        let Ok(signed) = SignedAnnouncement::decode_all(&mut &*bytes) else {
            return self.blame(peer, "unreadable announcement");
        };
        match self.take(signed.clone()) {
            Verdict::News => {
                self.keep_addresses(&signed.announcement);
                self.tell(&signed, Some(peer));
            }
            Verdict::Nothing => {}
            Verdict::Wrong => self.blame(peer, "announcement that names a block of another chain"),
        }
    }

    fn blame(&self, peer: PeerId, why: &'static str) {
        log::debug!(target: "l2::net", "{peer}: {why}");
        self.network.report_peer(peer, ReputationChange::new_fatal(why));
    }

    fn take(&self, signed: SignedAnnouncement) -> Verdict {
        self.with_view(|book, view| book.take(signed, view))
    }

    fn with_view<R>(&self, act: impl FnOnce(&mut Book, &View) -> R) -> R {
        let hash_at = |height: BlockNumber| self.client.hash(height).ok().flatten();
        let view = View {
            announcers: &self.announcers,
            finalized: self.client.info().finalized_number,
            block_time_ms: self.block_time_ms,
            hash_at: &hash_at,
        };
        act(&mut self.announcements.0.lock(), &view)
    }

    fn tell(&mut self, signed: &SignedAnnouncement, but: Option<PeerId>) {
        let message = signed.encode();
        for peer in self.peers.keys().filter(|peer| Some(**peer) != but) {
            self.notifications.send_sync_notification(peer, message.clone());
        }
    }

    /// Sequencers find each other by what they announce (R2.2). Others need not: they
    /// would dial for nothing.
    fn keep_addresses(&self, said: &Announcement) {
        let Some(heard) = self.keystore.as_ref().and_then(|_| Heard::of(said)) else { return };
        for address in heard.addresses.iter().filter_map(|text| text.parse::<Multiaddr>().ok()) {
            self.network.add_known_address(heard.peer, address);
        }
    }

    /// Looks who may announce itself now, and whether this node may.
    fn look(&mut self) {
        let at = self.client.info().finalized_hash;
        match self.client.runtime_api().announcers(at) {
            Ok(all) => {
                self.announcers = all.into_iter().map(|one| (one.account, one.relay)).collect();
            }
            Err(error) => log::debug!(target: "l2::net", "who may announce itself: {error}"),
        }
        self.with_view(Book::forget);
        let now = Instant::now();
        self.probed.retain(|_, budget| !budget.is_over(now));
        if self.announced.is_none_or(|at| now.duration_since(at) >= ANNOUNCE_EVERY) {
            self.announce(now);
        }
    }

    /// The account whose relay key this node holds, and the key.
    fn own(&self) -> Option<(AccountId, ed25519::Public, KeystorePtr)> {
        let keystore = self.keystore.clone()?;
        let holds = |key: &ed25519::Public| keystore.has_keys(&[(key.to_vec(), key_types::RELAY)]);
        let (account, key) = self.announcers.iter().find(|(_, key)| holds(key))?;
        Some((account.clone(), *key, keystore))
    }

    fn announce(&mut self, now: Instant) {
        let Some((account, key, keystore)) = self.own() else { return };
        let block = self.with_view(|_, view| view.block_to_name());
        let Some((height, hash)) = block else { return };
        let announcement = Announcement {
            account,
            peer: BoundedVec::truncate_from(self.network.local_peer_id().to_bytes()),
            addresses: addresses(&*self.network),
            height,
            hash,
        };
        let message = announcement.message(&self.genesis);
        // A token that is slow holds up this task only.
        let signature = keystore.ed25519_sign(key_types::RELAY, &key, &message).ok().flatten();
        let Some(signature) = signature else {
            log::debug!(target: "l2::net", "this node cannot announce itself: no signature");
            return;
        };
        self.announced = Some(now);
        let signed = SignedAnnouncement { announcement, signature };
        if self.take(signed.clone()) == Verdict::News {
            log::debug!(target: "l2::net", "announced at {height} to {} peers", self.peers.len());
            self.tell(&signed, None);
        }
    }

    fn on_probe(&mut self, request: IncomingRequest) {
        let Ok(probe) = ProbeRequest::decode_all(&mut &request.payload[..]) else { return };
        let now = Instant::now();
        let bytes = request.payload.len();
        let budget = self.probed.entry(request.peer).or_insert_with(|| Budget::new(now));
        let allowed = budget.allows(bytes, now, PROBES_PER_SECOND, PROBE_BYTES_PER_SECOND)
            && self.probed_by_all.allows(0, now, ALL_PROBES_PER_SECOND, usize::MAX);
        let own = self.own().filter(|(account, _, _)| allowed && *account == probe.account);
        let signature = own.and_then(|(account, key, keystore)| {
            let message = probe_message(&self.genesis, &account, &probe.nonce);
            keystore.ed25519_sign(key_types::RELAY, &key, &message).ok().flatten()
        });
        let response = OutgoingResponse {
            result: signature.map(|signature| signature.encode()).ok_or(()),
            reputation_changes: Vec::new(),
            sent_feedback: None,
        };
        // Who asked may be gone.
        let _ = request.pending_response.send(response);
    }
}

type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>;

/// Where this node says that it is reached: as the operator or others say, or else where
/// it listens.
fn addresses(network: &dyn NetworkService) -> BoundedVec<Address, ConstU32<MAX_ADDRESSES>> {
    let external = network.external_addresses();
    let known = if external.is_empty() { network.listen_addresses() } else { external };
    let text = known.into_iter().filter_map(|address| {
        let text = address.to_string();
        // The identity stands beside the addresses.
        let place = text.split("/p2p/").next().unwrap_or_default();
        Address::try_from(place.as_bytes().to_vec()).ok()
    });
    BoundedVec::truncate_from(text.collect())
}
