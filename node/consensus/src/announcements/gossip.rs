//! Hears announcements, passes them on, makes those of this node, and answers probes.
//!
//! The protocol is one of notifications among all nodes. Each message is one signed
//! announcement; a new peer is told all that is known. What is news goes to all peers but
//! the one that brought it, once: whoever has it does not take it again.

use super::{
    book::{Book, Verdict, View},
    Announcements, Heard,
};
use crate::{budget::Budget, client::EngineClient, relay_keys::RelayKeys};
use cascoin_l2_primitives::{
    apis::{RegistryApi, SequencerApi},
    chain::{AccountId, BlockHash, BlockNumber, Moment, OpaqueBlock},
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
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::{Duration, Instant},
};

/// Bytes of a message: an announcement with all its addresses fits.
const MAX_MESSAGE_BYTES: u64 = 2 * 1024;
/// Peers that dial this node for the protocol, and that it dials.
const IN_PEERS: u32 = 32;
const OUT_PEERS: u32 = 8;
/// What one peer may send a second: all that it knows when it connects, later what is
/// new. More is dropped; who was not heard is heard the next time.
const MESSAGES_PER_SECOND: u32 = 64;
const MESSAGES_AT_FIRST: u32 = 512;
const BYTES_PER_SECOND: usize = 512 * 1024;
/// How long "when it connects" lasts, and how soon one that reconnects is told all again.
const FIRST: Duration = Duration::from_secs(10);
/// Probes that one node, and all of them, may send a second: each costs a signature.
const PROBES_PER_SECOND: u32 = 2;
const ALL_PROBES_PER_SECOND: u32 = 16;
const PROBE_BYTES_PER_SECOND: usize = 4 * 1024;
/// What an announcement that is signed with another key costs its bringer: a hundred in
/// a row the connection.
const UNPROVEN: ReputationChange =
    ReputationChange::new(-(1 << 24), "announcement signed with another key");
/// How long a sequencer's network identity is taken for the same: what was heard of
/// others is not dialled.
const SAME_PEER: Duration = Duration::from_secs(600);
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
        keys: keystore.map(RelayKeys),
        block_time_ms,
        announcements,
        genesis,
        announcers: BTreeMap::new(),
        own: Vec::new(),
        in_force: BTreeSet::new(),
        dialled: BTreeMap::new(),
        peers: BTreeMap::new(),
        told: BTreeMap::new(),
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
    keys: Option<RelayKeys>,
    block_time_ms: Moment,
    announcements: Announcements,
    genesis: BlockHash,
    announcers: BTreeMap<AccountId, ed25519::Public>,
    /// Those of them whose relay keys this node holds.
    own: Vec<(AccountId, ed25519::Public)>,
    /// Accounts of the sequencers in force.
    in_force: BTreeSet<AccountId>,
    /// Where they are dialled.
    dialled: BTreeMap<AccountId, (PeerId, Instant)>,
    peers: BTreeMap<PeerId, Budget>,
    /// When a peer was told all that is known.
    told: BTreeMap<PeerId, Instant>,
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
                let now = Instant::now();
                self.peers.insert(peer, Budget::new(now));
                if self.told.contains_key(&peer) {
                    return;
                }
                self.told.insert(peer, now);
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
        let now = Instant::now();
        let Some(budget) = self.peers.get_mut(&peer) else { return };
        let messages = match self.told.contains_key(&peer) {
            true => MESSAGES_AT_FIRST,
            false => MESSAGES_PER_SECOND,
        };
        // Nobody is blamed: where this node stood still, it reads much at once.
        if !budget.allows(bytes.len(), now, messages, BYTES_PER_SECOND) {
            return;
        }
        let Ok(signed) = SignedAnnouncement::decode_all(&mut &*bytes) else {
            return self.blame(peer, ReputationChange::new_fatal("unreadable announcement"));
        };
        match self.take(signed.clone()) {
            Verdict::News => {
                self.keep_addresses(&signed.announcement, now);
                self.tell(&signed, Some(peer));
            }
            Verdict::Nothing => {}
            Verdict::Unproven => self.blame(peer, UNPROVEN),
            Verdict::Wrong => {
                let why = "announcement that names a block of another chain";
                self.blame(peer, ReputationChange::new_fatal(why));
            }
        }
    }

    fn blame(&self, peer: PeerId, why: ReputationChange) {
        log::debug!(target: "l2::net", "{peer}: {}", why.reason);
        self.network.report_peer(peer, why);
    }

    fn take(&self, signed: SignedAnnouncement) -> Verdict {
        self.with_view(|book, view| book.take(signed, view, Instant::now()))
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

    /// Sequencers find each other by what they announce (R2.2). Others need not, and
    /// candidates are dialled by whom they are asked about: the network never forgets a
    /// peer that it was told of, so nobody is to name many.
    fn keep_addresses(&mut self, said: &Announcement, now: Instant) {
        if self.keys.is_none() || !self.in_force.contains(&said.account) {
            return;
        }
        let Some(heard) = Heard::of(said) else { return };
        let known = self.dialled.get(&said.account);
        let other = |(peer, since): &(PeerId, Instant)| {
            *peer != heard.peer && now.duration_since(*since) < SAME_PEER
        };
        if known.is_some_and(other) {
            return;
        }
        self.dialled.insert(said.account.clone(), (heard.peer, now));
        for address in heard.addresses.iter().filter_map(|text| text.parse::<Multiaddr>().ok()) {
            self.network.add_known_address(heard.peer, address);
        }
    }

    /// Looks who may announce itself now, and whether this node may.
    fn look(&mut self) {
        let (at, api) = (self.client.info().finalized_hash, self.client.runtime_api());
        match (api.announcers(at), api.sequencer_set(at)) {
            (Ok(all), Ok(set)) => {
                self.announcers = all.into_iter().map(|one| (one.account, one.relay)).collect();
                self.in_force = set.members.into_iter().map(|member| member.account).collect();
            }
            (Err(error), _) | (_, Err(error)) => {
                log::debug!(target: "l2::net", "who may announce itself: {error}");
            }
        }
        self.with_view(Book::forget);
        let now = Instant::now();
        self.probed.retain(|_, budget| !budget.is_over(now));
        self.told.retain(|_, at| now.duration_since(*at) < FIRST);
        self.dialled.retain(|account, _| self.in_force.contains(account));
        self.own = self.find_own();
        if self.announced.is_none_or(|at| now.duration_since(at) >= ANNOUNCE_EVERY) {
            for (account, key) in self.own.clone() {
                self.announce(account, key, now);
            }
        }
    }

    /// The accounts whose relay keys this node holds, and the keys.
    fn find_own(&self) -> Vec<(AccountId, ed25519::Public)> {
        let Some(keys) = &self.keys else { return Vec::new() };
        let own = self.announcers.iter().filter(|(_, key)| keys.holds(key));
        own.map(|(account, key)| (account.clone(), *key)).collect()
    }

    fn sign(&self, key: &ed25519::Public, message: &[u8]) -> Option<ed25519::Signature> {
        self.keys.as_ref()?.sign(key, message)
    }

    fn announce(&mut self, account: AccountId, key: ed25519::Public, now: Instant) {
        let block = self.with_view(|_, view| view.block_to_name());
        let Some((height, hash)) = block else { return };
        let announcement = Announcement {
            account,
            peer: BoundedVec::truncate_from(self.network.local_peer_id().to_bytes()),
            addresses: addresses(&*self.network),
            height,
            hash,
        };
        let Some(signature) = self.sign(&key, &announcement.message(&self.genesis)) else {
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

    /// Answers nodes that have announced themselves: those of sequencers do, and whoever
    /// else could ask would only use up signatures.
    fn on_probe(&mut self, request: IncomingRequest) {
        let signature = self.answer_probe(&request);
        let response = OutgoingResponse {
            result: signature.map(|signature| signature.encode()).ok_or(()),
            reputation_changes: Vec::new(),
            sent_feedback: None,
        };
        // Who asked may be gone.
        let _ = request.pending_response.send(response);
    }

    fn answer_probe(&mut self, request: &IncomingRequest) -> Option<ed25519::Signature> {
        let probe = ProbeRequest::decode_all(&mut &request.payload[..]).ok()?;
        let (_, key) = self.own.iter().find(|(account, _)| *account == probe.account)?;
        let key = *key;
        self.announcements.0.lock().names(&request.peer.to_bytes()).then_some(())?;
        let (now, bytes) = (Instant::now(), request.payload.len());
        let budget = self.probed.entry(request.peer).or_insert_with(|| Budget::new(now));
        let allowed = budget.allows(bytes, now, PROBES_PER_SECOND, PROBE_BYTES_PER_SECOND)
            && self.probed_by_all.allows(0, now, ALL_PROBES_PER_SECOND, usize::MAX);
        allowed.then_some(())?;
        self.sign(&key, &probe_message(&self.genesis, &probe.account, &probe.nonce))
    }
}

type Address = BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>;

/// Where this node says that it is reached: as the operator or others say, or else where
/// it listens. What the world can reach comes first, this machine's own addresses only
/// where there are no others.
fn addresses(network: &dyn NetworkService) -> BoundedVec<Address, ConstU32<MAX_ADDRESSES>> {
    let external = network.external_addresses();
    let known = if external.is_empty() { network.listen_addresses() } else { external };
    let text = known.into_iter().filter_map(|address| {
        let text = address.to_string();
        // The identity stands beside the addresses.
        let place = text.split("/p2p/").next().unwrap_or_default().to_string();
        (place.len() <= MAX_ADDRESS_BYTES as usize).then_some(place)
    });
    let chosen = by_reach(text.collect()).into_iter();
    BoundedVec::truncate_from(
        chosen.map(|text| Address::truncate_from(text.into_bytes())).collect(),
    )
}

fn by_reach(mut addresses: Vec<String>) -> Vec<String> {
    addresses.sort_by_key(|address| (reach(address), address.clone()));
    addresses.dedup();
    if addresses.first().is_some_and(|best| reach(best) < OWN_MACHINE) {
        addresses.retain(|address| reach(address) < OWN_MACHINE);
    }
    addresses
}

const OWN_MACHINE: u8 = 2;

/// 0 for names and addresses of the world, 1 for those of a local network, 2 for those of
/// this machine.
fn reach(address: &str) -> u8 {
    let mut words = address.split('/').skip(1);
    let (kind, host) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match kind {
        "ip4" => match host.parse::<Ipv4Addr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => OWN_MACHINE,
            Ok(ip) if ip.is_private() || ip.is_link_local() => 1,
            _ => 0,
        },
        "ip6" => match host.parse::<Ipv6Addr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => OWN_MACHINE,
            // fe80::/10 and fc00::/7.
            Ok(ip)
                if ip.segments()[0] & 0xffc0 == 0xfe80 || ip.segments()[0] & 0xfe00 == 0xfc00 =>
            {
                1
            }
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::by_reach;

    fn sorted(addresses: &[&str]) -> Vec<String> {
        by_reach(addresses.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_node_says_first_where_the_world_reaches_it() {
        let own = ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"];
        assert_eq!(sorted(&own), own);
        let all = [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/172.17.0.1/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip4/203.0.113.7/tcp/1",
            "/dns/a.example/tcp/1",
        ];
        let expected = [
            "/dns/a.example/tcp/1",
            "/ip4/203.0.113.7/tcp/1",
            "/ip4/172.17.0.1/tcp/1",
            "/ip6/fe80::1/tcp/1",
        ];
        assert_eq!(sorted(&all), expected);
    }
}
