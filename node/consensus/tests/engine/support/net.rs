//! The simulated network: loses, delays, doubles and reorders messages by a
//! seed, and cuts links. It remembers every message that left an engine.

use super::random::Random;
use cascoin_consensus::{
    transport::{BlockReply, Transport, TransportEvent},
    wire::{BlockRequest, BlockResponse, ProposalsMessage, VotesMessage},
};
use cascoin_l2_primitives::chain::OpaqueBlock;
use codec::DecodeAll;
use futures::channel::oneshot;
use parking_lot::Mutex;
use sc_network_types::PeerId;
use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// How long a request for a block may take.
const FETCH_PATIENCE: Duration = Duration::from_secs(2);

/// A message on its way.
#[derive(Clone, Debug)]
pub enum Message {
    Votes(VotesMessage),
    Proposals(ProposalsMessage),
}

/// What may happen to each message.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub drop_percent: u64,
    pub duplicate_percent: u64,
    /// Each message takes up to this long, so later ones overtake it.
    pub max_delay_ms: u64,
}

/// What becomes of a message from one node to another: it may be replaced by
/// none or by several.
type Rewrite = Box<dyn FnMut(usize, Message) -> Vec<Message> + Send>;

/// The network. Clones are the same one.
#[derive(Clone)]
pub struct Net(Arc<Mutex<State>>);

struct State {
    random: Random,
    faults: Faults,
    places: Vec<Place>,
    /// Links that carry nothing, either way; lower index first.
    broken: BTreeSet<(usize, usize)>,
    /// Who has an open connection to whom; lower index first.
    connected: BTreeSet<(usize, usize)>,
}

struct Place {
    peer: PeerId,
    inbox: Option<UnboundedSender<TransportEvent>>,
    /// Changes what it sends.
    rewrite: Option<Rewrite>,
    /// All it ever sent.
    sent: Vec<Message>,
    fetches: usize,
}

impl Net {
    pub fn new(places: usize, seed: u64) -> Self {
        let place = |_| Place {
            peer: PeerId::random(),
            inbox: None,
            rewrite: None,
            sent: Vec::new(),
            fetches: 0,
        };
        Self(Arc::new(Mutex::new(State {
            random: Random(seed),
            faults: Faults::default(),
            places: (0..places).map(place).collect(),
            broken: BTreeSet::new(),
            connected: BTreeSet::new(),
        })))
    }

    /// Takes a place in the network: an engine's, or one that the test itself
    /// speaks for.
    pub fn join(&self, index: usize) -> Socket {
        let mut state = self.0.lock();
        let (sender, inbox) = mpsc::unbounded_channel();
        state.places[index].inbox = Some(sender);
        for other in (0..state.places.len()).filter(|other| *other != index) {
            state.connect(index, other);
        }
        Socket {
            index,
            peer: state.places[index].peer,
            net: self.clone(),
            inbox,
            peers: Vec::new(),
        }
    }

    /// A node is gone: its peers notice.
    pub fn leave(&self, index: usize) {
        let mut state = self.0.lock();
        for other in 0..state.places.len() {
            state.disconnect(index, other);
        }
        state.places[index].inbox = None;
    }

    pub fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// From now on messages between these are lost and nobody is told, as with
    /// a cable pulled out.
    pub fn silence(&self, links: impl IntoIterator<Item = (usize, usize)>) {
        self.0.lock().broken.extend(links.into_iter().map(|(a, b)| pair(a, b)));
    }

    /// Closes the connection between two: both notice.
    pub fn cut(&self, a: usize, b: usize) {
        let mut state = self.0.lock();
        state.broken.insert(pair(a, b));
        state.disconnect(a, b);
    }

    /// All links carry again.
    pub fn heal(&self) {
        let mut state = self.0.lock();
        for (a, b) in std::mem::take(&mut state.broken) {
            state.connect(a, b);
        }
    }

    /// Has `rewrite` decide what each message of `index` becomes, by receiver.
    pub fn rewrite(
        &self,
        index: usize,
        rewrite: impl FnMut(usize, Message) -> Vec<Message> + Send + 'static,
    ) {
        self.0.lock().places[index].rewrite = Some(Box::new(rewrite));
    }

    /// All that a node handed to the network so far, one entry a receiver.
    pub fn sent(&self, index: usize) -> Vec<Message> {
        self.0.lock().places[index].sent.clone()
    }

    /// Delivers what no engine sent, at once and surely.
    pub fn inject(&self, from: usize, to: usize, message: Message) {
        self.0.lock().deliver(from, to, message);
    }

    /// How many blocks a node asked peers for.
    pub fn fetches(&self, index: usize) -> usize {
        self.0.lock().places[index].fetches
    }

    fn send(&self, from: usize, to: PeerId, message: Message) {
        let mut state = self.0.lock();
        let Some(to) = state.places.iter().position(|place| place.peer == to) else { return };
        state.places[from].sent.push(message.clone());
        let messages = match &mut state.places[from].rewrite {
            Some(rewrite) => rewrite(to, message),
            None => vec![message],
        };
        if state.is_broken(from, to) {
            return;
        }
        let faults = state.faults;
        for message in messages {
            let copies = 1 + usize::from(state.random.percent(faults.duplicate_percent));
            for _ in 0..copies {
                if state.random.percent(faults.drop_percent) {
                    continue;
                }
                let delay = state.random.up_to(faults.max_delay_ms);
                if delay == 0 {
                    state.deliver(from, to, message.clone());
                    continue;
                }
                let (net, message) = (self.clone(), message.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    net.0.lock().deliver(from, to, message);
                });
            }
        }
    }
}

impl State {
    fn is_broken(&self, a: usize, b: usize) -> bool {
        self.broken.contains(&pair(a, b))
    }

    /// Connects two that are there, if the link carries and they are not yet.
    fn connect(&mut self, a: usize, b: usize) {
        let there = self.places[a].inbox.is_some() && self.places[b].inbox.is_some();
        if there && !self.is_broken(a, b) && self.connected.insert(pair(a, b)) {
            for (one, other) in [(a, b), (b, a)] {
                let event = TransportEvent::Connected(self.places[other].peer);
                self.push(one, event);
            }
        }
    }

    fn disconnect(&mut self, a: usize, b: usize) {
        if self.connected.remove(&pair(a, b)) {
            for (one, other) in [(a, b), (b, a)] {
                let event = TransportEvent::Disconnected(self.places[other].peer);
                self.push(one, event);
            }
        }
    }

    fn deliver(&mut self, from: usize, to: usize, message: Message) {
        let peer = self.places[from].peer;
        let event = match message {
            Message::Votes(message) => TransportEvent::Votes(peer, message),
            Message::Proposals(message) => TransportEvent::Proposals(peer, message),
        };
        self.push(to, event);
    }

    fn push(&mut self, to: usize, event: TransportEvent) {
        if let Some(inbox) = &self.places[to].inbox {
            // Nobody listens any more: the node is about to leave.
            let _ = inbox.send(event);
        }
    }
}

/// One place of the network.
pub struct Socket {
    index: usize,
    peer: PeerId,
    net: Net,
    inbox: UnboundedReceiver<TransportEvent>,
    peers: Vec<PeerId>,
}

impl Transport for Socket {
    fn local_peer(&self) -> PeerId {
        self.peer
    }

    fn peers(&self) -> &[PeerId] {
        &self.peers
    }

    async fn next(&mut self) -> Option<TransportEvent> {
        let event = self.inbox.recv().await?;
        match event {
            TransportEvent::Connected(peer) => self.peers.push(peer),
            TransportEvent::Disconnected(peer) => self.peers.retain(|other| *other != peer),
            _ => {}
        }
        Some(event)
    }

    fn send_vote(&mut self, to: &[PeerId], message: &VotesMessage) {
        for peer in to.iter().filter(|peer| self.peers.contains(peer)) {
            self.net.send(self.index, *peer, Message::Votes(message.clone()));
        }
    }

    fn send_proposal(&mut self, to: &[PeerId], message: &ProposalsMessage) {
        for peer in to.iter().filter(|peer| self.peers.contains(peer)) {
            self.net.send(self.index, *peer, Message::Proposals(message.clone()));
        }
    }

    fn fetch(
        &self,
        peer: PeerId,
        request: BlockRequest,
    ) -> impl Future<Output = Option<OpaqueBlock>> + Send + 'static {
        let mut state = self.net.0.lock();
        state.places[self.index].fetches += 1;
        let (pending, answer) = oneshot::channel();
        let to = state.places.iter().position(|place| place.peer == peer);
        if let Some(to) = to.filter(|to| !state.is_broken(self.index, *to)) {
            let lost = state.faults.drop_percent;
            if !state.random.percent(lost) {
                state.push(to, TransportEvent::WantsBlock(request, BlockReply::new(pending)));
            }
        }
        async move {
            let answer = tokio::time::timeout(FETCH_PATIENCE, answer).await.ok()?.ok()?;
            BlockResponse::decode_all(&mut &answer.result.ok()?[..]).ok()?
        }
    }
}

/// A link, in the one order that it is known by.
fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// All links between two groups.
pub fn between(one: &[usize], other: &[usize]) -> Vec<(usize, usize)> {
    one.iter().flat_map(|a| other.iter().map(|b| (*a, *b))).collect()
}

/// How often each message occurs among those sent.
pub fn copies(sent: &[Message], wanted: impl Fn(&Message) -> bool) -> usize {
    sent.iter().filter(|message| wanted(message)).count()
}
