//! Answers the polls in which this sequencer is asked about a candidate (R2.4).
//!
//! It vouches for whose node it has found itself: one that has announced itself lately,
//! so it follows the chain, and that, dialled where it says it is, signs what nobody could
//! have signed before. Score and stake the chain knows itself. Whom it does not find it
//! says nothing about: the candidate may be there later, and a poll to which too few answer
//! is held again.

use super::{gossip::ProbeRequest, Announcements};
use crate::{relay_keys::RelayKeys, submit::TransactionSink};
use cascoin_l2_primitives::{
    apis::{RegistryApi, SequencerApi},
    chain::{AccountId, BlockHash, OpaqueBlock},
    sequencers::{probe_message, NodeAttestation},
};
use codec::{DecodeAll, Encode};
use sc_network::{service::traits::NetworkService, IfDisconnected, Multiaddr, ProtocolName};
use sc_network_types::PeerId;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{ed25519, Pair, H256};
use sp_keystore::KeystorePtr;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often polls are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a node that was found counts as there.
const FOUND_FOR: Duration = Duration::from_secs(60);
/// How long one that was not found is left alone.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// Candidates whose nodes are looked for at a time.
const AT_A_TIME: usize = 8;
/// How long a node is looked for: dialling takes its time, and the network says nothing
/// of some requests that came to nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks for nodes.
pub trait Finder: Send + Sync + 'static {
    /// The network identity of the node of `account`, if it has announced one lately.
    fn heard_of(&self, account: &AccountId) -> Option<PeerId>;

    /// Whether the node of `account` is there and holds the relay key that it registered.
    fn find(
        &self,
        account: AccountId,
        relay: ed25519::Public,
    ) -> impl Future<Output = Result<(), &'static str>> + Send;
}

/// Looks for them on the network, where they announced that they are.
pub struct NetworkFinder {
    /// The started network.
    pub network: Arc<dyn NetworkService>,
    /// Its protocol of probes.
    pub protocol: ProtocolName,
    /// What was heard.
    pub announcements: Announcements,
    /// The chain.
    pub genesis: BlockHash,
}

impl Finder for NetworkFinder {
    fn heard_of(&self, account: &AccountId) -> Option<PeerId> {
        self.announcements.heard_of(account).map(|heard| heard.peer)
    }

    async fn find(&self, account: AccountId, relay: ed25519::Public) -> Result<(), &'static str> {
        let heard = self.announcements.heard_of(&account).ok_or("it has not announced itself")?;
        for address in heard.addresses.iter().filter_map(|text| text.parse::<Multiaddr>().ok()) {
            self.network.add_known_address(heard.peer, address);
        }
        let nonce = H256::random().0;
        let message = probe_message(&self.genesis, &account, &nonce);
        let request = ProbeRequest { account, nonce }.encode();
        let connect = IfDisconnected::TryConnect;
        let protocol = self.protocol.clone();
        let answer = self.network.request(heard.peer, protocol, request, None, connect).await;
        let (answer, _) = answer.map_err(|_| "it does not answer")?;
        let signature = ed25519::Signature::decode_all(&mut &answer[..]);
        let signature = signature.map_err(|_| "its answer is no signature")?;
        match ed25519::Pair::verify(&signature, message, &relay) {
            true => Ok(()),
            false => Err("its answer is signed with another key"),
        }
    }
}

/// Answers polls until the node stops.
pub async fn run<C, F, S>(
    client: Arc<C>,
    keystore: KeystorePtr,
    finder: F,
    sink: S,
    every: Duration,
) where
    C: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock> + Send + Sync + 'static,
    C::Api: RegistryApi<OpaqueBlock> + SequencerApi<OpaqueBlock>,
    F: Finder,
    S: TransactionSink,
{
    let mut attester = Attester {
        genesis: client.info().genesis_hash,
        keys: RelayKeys(keystore),
        finder,
        looked_for: BTreeMap::new(),
        answers: BTreeMap::new(),
        answered_at: None,
    };
    loop {
        match asked(&*client, &attester.keys) {
            Ok(polls) => {
                // What is known already does not wait for those who are not there.
                attester.answer(&*client, &sink, &polls).await;
                attester.look_for(&polls).await;
                attester.answer(&*client, &sink, &polls).await;
            }
            Err(error) => log::debug!(target: "l2::net", "polls cannot be read: {error}"),
        }
        tokio::time::sleep(every).await;
    }
}

/// What sequencers whose relay keys this node holds are asked.
struct Asked {
    at: BlockHash,
    set_id: u64,
    questions: Vec<Question>,
}

/// One sequencer is asked about one candidate.
struct Question {
    voter: u16,
    relay: ed25519::Public,
    candidate: AccountId,
    candidates_key: ed25519::Public,
    opened: u32,
}

fn asked<C>(client: &C, keys: &RelayKeys) -> Result<Asked, sp_api::ApiError>
where
    C: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock>,
    C::Api: RegistryApi<OpaqueBlock> + SequencerApi<OpaqueBlock>,
{
    let (at, api) = (client.info().finalized_hash, client.runtime_api());
    let polls = api.open_polls(at)?;
    let mut asked = Asked { at, set_id: 0, questions: Vec::new() };
    if polls.is_empty() {
        return Ok(asked);
    }
    let set = api.sequencer_set(at)?;
    asked.set_id = set.set_id;
    let known: BTreeMap<AccountId, ed25519::Public> =
        api.announcers(at)?.into_iter().map(|one| (one.account, one.relay)).collect();
    for (member, voter) in set.members.iter().zip(0_u16..) {
        // What is barred would answer in vain.
        if member.barred || !keys.holds(&member.relay) {
            continue;
        }
        for poll in polls.iter().filter(|poll| poll.waiting_for.contains(&member.account)) {
            let Some(candidates_key) = known.get(&poll.candidate) else { continue };
            asked.questions.push(Question {
                voter,
                relay: member.relay,
                candidate: poll.candidate.clone(),
                candidates_key: *candidates_key,
                opened: poll.opened,
            });
        }
    }
    Ok(asked)
}

/// When a candidate's node was looked for last, and whether it was there.
struct LookedFor {
    at: Instant,
    found: bool,
}

struct Attester<F> {
    genesis: BlockHash,
    keys: RelayKeys,
    finder: F,
    looked_for: BTreeMap<AccountId, LookedFor>,
    /// What was signed, so that a token signs it once.
    answers: BTreeMap<(u64, u16, AccountId, u32), (NodeAttestation, ed25519::Signature)>,
    /// The final block by which they were sent last.
    answered_at: Option<(BlockHash, usize)>,
}

impl<F: Finder> Attester<F> {
    /// Looks for the nodes that have to be looked for now, some at a time: first those
    /// that were never looked for, then those whose turn is longest ago. Two that name one
    /// node come one after the other, for the network does not ask a node twice while it
    /// dials it.
    async fn look_for(&mut self, asked: &Asked) {
        let now = Instant::now();
        let candidates: BTreeMap<_, _> =
            asked.questions.iter().map(|one| (&one.candidate, one.candidates_key)).collect();
        self.looked_for.retain(|account, _| candidates.contains_key(account));
        let mut due: Vec<_> = candidates
            .into_iter()
            .filter_map(|(account, key)| {
                let last = self.looked_for.get(account);
                let waits = last.is_some_and(|last| {
                    let pause = if last.found { FOUND_FOR } else { TRY_AGAIN };
                    now.duration_since(last.at) < pause
                });
                let peer = self.finder.heard_of(account).filter(|_| !waits)?;
                Some((last.map(|last| last.at), peer, account.clone(), key))
            })
            .collect();
        due.sort_by_key(|(last, ..)| *last);
        let mut peers = BTreeSet::new();
        due.retain(|(_, peer, ..)| peers.insert(*peer));
        due.truncate(AT_A_TIME);
        let finder = &self.finder;
        let found = due.into_iter().map(|(_, _, account, key)| async move {
            let find = finder.find(account.clone(), key);
            let found = tokio::time::timeout(PATIENCE, find).await;
            let found = found.unwrap_or(Err("it does not answer in time"));
            if let Err(why) = found {
                log::debug!(target: "l2::net", "not vouched for {account} yet: {why}");
            }
            (account, found.is_ok())
        });
        for (account, found) in futures::future::join_all(found).await {
            self.looked_for.insert(account, LookedFor { at: Instant::now(), found });
        }
    }

    /// Vouches for all that were found: again with each final block, until the chain
    /// knows it.
    async fn answer<C, S>(&mut self, client: &C, sink: &S, asked: &Asked)
    where
        C: ProvideRuntimeApi<OpaqueBlock>,
        C::Api: RegistryApi<OpaqueBlock>,
        S: TransactionSink,
    {
        let mut wanted = BTreeSet::new();
        for one in &asked.questions {
            if !self.looked_for.get(&one.candidate).is_some_and(|last| last.found) {
                continue;
            }
            let id = (asked.set_id, one.voter, one.candidate.clone(), one.opened);
            if !self.answers.contains_key(&id) {
                let Some(answer) = self.sign(asked.set_id, one) else { continue };
                self.answers.insert(id.clone(), answer);
            }
            wanted.insert(id);
        }
        self.answers.retain(|id, _| wanted.contains(id));
        let state = (asked.at, self.answers.len());
        if self.answered_at.replace(state) == Some(state) {
            return;
        }
        for (attestation, signature) in self.answers.values() {
            let candidate = &attestation.candidate;
            let made =
                client.runtime_api().attest_extrinsic(asked.at, attestation.clone(), *signature);
            let sent = match made {
                Ok(transaction) => sink.submit(asked.at, transaction).await,
                Err(error) => Err(error.to_string()),
            };
            match sent {
                Ok(()) => log::debug!(target: "l2::net", "vouched for {candidate}"),
                Err(error) => {
                    log::debug!(target: "l2::net", "cannot vouch for {candidate}: {error}");
                }
            }
        }
    }

    fn sign(&self, set_id: u64, one: &Question) -> Option<(NodeAttestation, ed25519::Signature)> {
        let attestation = NodeAttestation {
            set_id,
            voter: one.voter,
            candidate: one.candidate.clone(),
            opened: one.opened,
            approves: true,
        };
        let message = attestation.message(&self.genesis);
        let Some(signature) = self.keys.sign(&one.relay, &message) else {
            log::warn!(target: "l2::net", "cannot vouch for {}: no signature", one.candidate);
            return None;
        };
        Some((attestation, signature))
    }
}
