//! Answers the polls in which this sequencer is asked about a candidate (R2.4).
//!
//! It vouches for whose node it has found itself: one that has announced itself lately,
//! so it follows the chain, and that, dialled where it says it is, signs what nobody could
//! have signed before. Score and stake the chain knows itself. Whom it does not find it
//! says nothing about: the candidate may be there later, and a poll to which too few answer
//! is held again.

use super::{gossip::ProbeRequest, Announcements};
use crate::submit::TransactionSink;
use cascoin_l2_primitives::{
    apis::{OpenPoll, RegistryApi, SequencerApi},
    chain::{key_types, AccountId, BlockHash, OpaqueBlock},
    sequencers::{probe_message, NodeAttestation},
};
use codec::{DecodeAll, Encode};
use sc_network::{service::traits::NetworkService, IfDisconnected, Multiaddr, ProtocolName};
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

/// Looks for nodes.
pub trait Finder: Send + Sync + 'static {
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
    let mut looked_for = BTreeMap::new();
    loop {
        match asked(&*client, &keystore) {
            Ok(Some(asked)) => {
                look_for(&asked, &finder, &mut looked_for).await;
                answer(&*client, &keystore, &asked, &sink, &looked_for).await;
            }
            Ok(None) => looked_for.clear(),
            Err(error) => log::debug!(target: "l2::net", "polls cannot be read: {error}"),
        }
        tokio::time::sleep(every).await;
    }
}

/// What this sequencer is asked.
struct Asked {
    at: BlockHash,
    set_id: u64,
    voter: u16,
    relay: ed25519::Public,
    /// The polls, and the keys of the candidates.
    polls: Vec<(OpenPoll, ed25519::Public)>,
}

/// `None` if this node sequences for nobody of the set in force, or is not asked.
fn asked<C>(client: &C, keystore: &KeystorePtr) -> Result<Option<Asked>, sp_api::ApiError>
where
    C: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock>,
    C::Api: RegistryApi<OpaqueBlock> + SequencerApi<OpaqueBlock>,
{
    let (at, api) = (client.info().finalized_hash, client.runtime_api());
    let polls = api.open_polls(at)?;
    if polls.is_empty() {
        return Ok(None);
    }
    let set = api.sequencer_set(at)?;
    let holds = |key: &ed25519::Public| keystore.has_keys(&[(key.to_vec(), key_types::RELAY)]);
    let own = set.members.iter().zip(0_u16..).find(|(member, _)| holds(&member.relay));
    let Some((own, voter)) = own else { return Ok(None) };
    let waiting = polls.into_iter().filter(|poll| poll.waiting_for.contains(&own.account));
    let waiting: Vec<OpenPoll> = waiting.collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let keys: BTreeMap<AccountId, ed25519::Public> =
        api.announcers(at)?.into_iter().map(|one| (one.account, one.relay)).collect();
    let polls = waiting.into_iter().filter_map(|poll| {
        let key = *keys.get(&poll.candidate)?;
        Some((poll, key))
    });
    let polls = polls.collect();
    Ok(Some(Asked { at, set_id: set.set_id, voter, relay: own.relay, polls }))
}

/// When a candidate's node was looked for last, and whether it was there.
struct LookedFor {
    at: Instant,
    found: bool,
}

/// Looks for the nodes that have to be looked for now, some at a time.
async fn look_for<F: Finder>(
    asked: &Asked,
    finder: &F,
    looked_for: &mut BTreeMap<AccountId, LookedFor>,
) {
    let now = Instant::now();
    let candidates: BTreeSet<_> = asked.polls.iter().map(|(poll, _)| &poll.candidate).collect();
    looked_for.retain(|account, _| candidates.contains(account));
    let due = |account: &AccountId| {
        looked_for.get(account).is_none_or(|last| {
            let pause = if last.found { FOUND_FOR } else { TRY_AGAIN };
            now.duration_since(last.at) >= pause
        })
    };
    let due = asked.polls.iter().filter(|(poll, _)| due(&poll.candidate)).take(AT_A_TIME);
    let found = due.map(|(poll, key)| async {
        let found = finder.find(poll.candidate.clone(), *key).await;
        if let Err(why) = found {
            log::debug!(target: "l2::net", "not vouched for {} yet: {why}", poll.candidate);
        }
        (poll.candidate.clone(), found.is_ok())
    });
    for (account, found) in futures::future::join_all(found).await {
        looked_for.insert(account, LookedFor { at: Instant::now(), found });
    }
}

/// Vouches for all that were found; again and again, until the chain knows it.
async fn answer<C, S>(
    client: &C,
    keystore: &KeystorePtr,
    asked: &Asked,
    sink: &S,
    looked_for: &BTreeMap<AccountId, LookedFor>,
) where
    C: ProvideRuntimeApi<OpaqueBlock> + HeaderBackend<OpaqueBlock>,
    C::Api: RegistryApi<OpaqueBlock>,
    S: TransactionSink,
{
    let genesis = client.info().genesis_hash;
    let is_found = |account| looked_for.get(account).is_some_and(|last| last.found);
    for (poll, _) in asked.polls.iter().filter(|(poll, _)| is_found(&poll.candidate)) {
        let attestation = NodeAttestation {
            set_id: asked.set_id,
            voter: asked.voter,
            candidate: poll.candidate.clone(),
            opened: poll.opened,
            approves: true,
        };
        let message = attestation.message(&genesis);
        let signed = keystore.ed25519_sign(key_types::RELAY, &asked.relay, &message);
        let Some(signature) = signed.ok().flatten() else {
            log::warn!(target: "l2::net", "cannot vouch for {}: no signature", poll.candidate);
            continue;
        };
        let made = client.runtime_api().attest_extrinsic(asked.at, attestation, signature);
        let sent = match made {
            Ok(transaction) => sink.submit(asked.at, transaction).await,
            Err(error) => Err(error.to_string()),
        };
        match sent {
            Ok(()) => log::debug!(target: "l2::net", "vouched for {}", poll.candidate),
            Err(error) => {
                log::debug!(target: "l2::net", "cannot vouch for {}: {error}", poll.candidate);
            }
        }
    }
}
