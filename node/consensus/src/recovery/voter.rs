//! Votes that a recovery begins, with the relay keys that this node holds (R19.2).
//!
//! A vote says that the node could bring all of the recovery: it has the state that is gone
//! back to, and the blocks since. So none begins that the voters could not finish. Whether
//! it should begin is not asked of anybody: the deficit is above what the chain's parameters
//! say, and it is the same for all.

use super::{
    holdings::{Held, Holdings, Store},
    keeper::Keeper,
    page::{make_page, time_for, PageOrder},
};
use crate::{client::EngineClient, relay_keys::RelayKeys, submit::TransactionSink};
use cascoin_l2_primitives::{
    apis::{RecoveryApi, SequencerApi},
    chain::{BlockHash, BlockNumber, OpaqueBlock, SequencerSet},
    recovery::{
        recovery_message, RecoveryPoint, RecoverySubject, RecoveryVote, MAX_KEYS_PER_STEP,
        MAX_PAGE_BYTES,
    },
};
use sc_client_api::{Backend, TrieCacheContext};
use sp_blockchain::HeaderBackend;
use sp_core::ed25519;
use sp_keystore::KeystorePtr;
use sp_runtime::OpaqueExtrinsic;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is looked whether there is something to vote on.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long this node's database is searched at each look for what a recovery needs. The
/// engine needs the disk, too.
const SEARCH_FOR: Duration = Duration::from_millis(500);

/// The chain and this node's database, as of one final block.
trait View: Store {
    /// What is to be voted on.
    fn subject(&self) -> Result<Option<RecoverySubject>, String>;
    /// Who votes.
    fn set(&self) -> Result<SequencerSet, String>;
    /// Whether somebody's vote on it is on record.
    fn has_voted(&self, voter: u16) -> Result<bool, String>;
}

/// [`View`] of a node.
struct NodeView<C, B> {
    client: Arc<C>,
    backend: Arc<B>,
    at: BlockHash,
    head: BlockNumber,
}

impl<C: EngineClient, B: Backend<OpaqueBlock>> NodeView<C, B> {
    fn vote(&self, vote: RecoveryVote) -> Result<OpaqueExtrinsic, String> {
        let made = self.client.runtime_api().recovery_vote_extrinsic(self.at, vote);
        made.map_err(|error| error.to_string())
    }
}

impl<C: EngineClient, B: Backend<OpaqueBlock>> Store for NodeView<C, B> {
    fn head(&self) -> BlockNumber {
        self.head
    }

    fn has_state(&self, point: &RecoveryPoint) -> bool {
        self.backend.have_state_at(point.hash, point.number)
    }

    fn parts(&self) -> Result<Vec<Vec<u8>>, String> {
        let parts = self.client.runtime_api().recovery_parts(self.at);
        parts.map_err(|error| error.to_string())
    }

    fn make_page(&self, point: &RecoveryPoint, prefix: &[u8]) -> Result<(), String> {
        let state = self.backend.state_at(point.hash, TrieCacheContext::Untrusted);
        let state = state.map_err(|error| error.to_string())?;
        let order = PageOrder {
            prefix,
            after: None,
            max_keys: MAX_KEYS_PER_STEP,
            max_bytes: MAX_PAGE_BYTES,
            until: Instant::now() + time_for(MAX_KEYS_PER_STEP),
        };
        make_page(&state, &order).map(drop).map_err(|error| error.to_string())
    }

    fn has_body(&self, number: BlockNumber) -> Result<bool, String> {
        let hash = HeaderBackend::hash(&*self.client, number);
        let Some(hash) = hash.map_err(|error| error.to_string())? else { return Ok(false) };
        let body = self.client.block_body(hash);
        Ok(body.map_err(|error| error.to_string())?.is_some())
    }
}

impl<C: EngineClient, B: Backend<OpaqueBlock>> View for NodeView<C, B> {
    fn subject(&self) -> Result<Option<RecoverySubject>, String> {
        let subject = self.client.runtime_api().recovery_subject(self.at);
        subject.map_err(|error| error.to_string())
    }

    fn set(&self) -> Result<SequencerSet, String> {
        let set = self.client.runtime_api().sequencer_set(self.at);
        set.map_err(|error| error.to_string())
    }

    fn has_voted(&self, voter: u16) -> Result<bool, String> {
        let has_voted = self.client.runtime_api().has_voted_recovery(self.at, voter);
        has_voted.map_err(|error| error.to_string())
    }
}

/// Votes on what is to be voted on, until the node stops, and has `keeper` hold the state
/// that is gone back to.
///
/// Blocking at times: searches the database.
pub async fn run<C, B, S>(
    client: Arc<C>,
    backend: Arc<B>,
    mut keeper: Keeper<B>,
    keystore: KeystorePtr,
    sink: S,
    every: Duration,
) where
    C: EngineClient,
    B: Backend<OpaqueBlock> + 'static,
    S: TransactionSink,
{
    let mut voter = Voter::new(client.info().genesis_hash, keystore);
    loop {
        let info = client.info();
        // First, so that nothing is pruned between the look and the vote.
        if let Err(error) = keeper.look(&*client) {
            log::debug!(target: "l2", "cannot look which state a recovery needs: {error}");
        }
        let view = NodeView {
            client: client.clone(),
            backend: backend.clone(),
            at: info.finalized_hash,
            head: info.finalized_number,
        };
        // Again with each look, until the chain has them: pools forget.
        match voter.look(&view, Instant::now() + SEARCH_FOR) {
            Ok(votes) => {
                for vote in votes {
                    let sent = match view.vote(vote) {
                        Ok(transaction) => sink.submit(view.at, transaction).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = sent {
                        log::debug!(target: "l2", "a vote for a recovery is not sent: {error}");
                    }
                }
            }
            Err(error) => log::debug!(
                target: "l2",
                "cannot look whether a recovery is to be voted on: {error}",
            ),
        }
        tokio::time::sleep(every).await;
    }
}

struct Voter {
    genesis: BlockHash,
    keys: RelayKeys,
    /// What was signed of the subject, by set and voter, so that a token signs it once.
    signed: BTreeMap<(u64, u16), RecoveryVote>,
    /// What this node has of the recovery.
    holdings: Holdings,
    /// Why it does not vote, as the log has it.
    said: Option<String>,
}

impl Voter {
    fn new(genesis: BlockHash, keystore: KeystorePtr) -> Self {
        let (keys, holdings) = (RelayKeys(keystore), Holdings::default());
        Self { genesis, keys, signed: BTreeMap::new(), holdings, said: None }
    }

    /// The votes that the chain does not have yet. What this node has is searched until then.
    fn look(&mut self, view: &impl View, until: Instant) -> Result<Vec<RecoveryVote>, String> {
        let Some(subject) = view.subject()? else {
            self.signed.clear();
            self.said = None;
            return Ok(Vec::new());
        };
        let set = view.set()?;
        let mut due = Vec::new();
        for (member, voter) in set.members.iter().zip(0_u16..) {
            // What is barred would vote in vain.
            let is_own = !member.barred && self.keys.holds(&member.relay);
            if is_own && !view.has_voted(voter)? {
                due.push((voter, member.relay));
            }
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        match self.holdings.look(view, &subject.since, until)? {
            Held::All => {}
            Held::Unknown => return Ok(Vec::new()),
            Held::Lacks(lack) => {
                self.say(format!(
                    "this node does not vote for recovery {}, to block {}: {lack}",
                    subject.number, subject.since.number,
                ));
                return Ok(Vec::new());
            }
        }
        // What was signed holds, whatever the deficit is by now.
        self.signed
            .retain(|(set_id, _), vote| *set_id == set.set_id && vote.subject.is_same(&subject));
        let due = due.into_iter();
        Ok(due.filter_map(|(voter, key)| self.vote(set.set_id, voter, &key, subject)).collect())
    }

    fn vote(
        &mut self,
        set_id: u64,
        voter: u16,
        key: &ed25519::Public,
        subject: RecoverySubject,
    ) -> Option<RecoveryVote> {
        if let Some(vote) = self.signed.get(&(set_id, voter)) {
            return Some(vote.clone());
        }
        let message = recovery_message(&self.genesis, set_id, &subject);
        let Some(signature) = self.keys.sign(key, &message) else {
            let number = subject.number;
            self.say(format!("cannot vote for recovery {number}: no signature"));
            return None;
        };
        log::warn!(
            target: "l2",
            "voting for recovery {}: the state of users' money is to go back to block {}, after a \
             fork of L1 that left a deficit of {} base units (l2_getrecovery)",
            subject.number, subject.since.number, subject.deficit,
        );
        let vote = RecoveryVote { set_id, voter, subject, signature };
        self.signed.insert((set_id, voter), vote.clone());
        Some(vote)
    }

    /// Tells the operator, once.
    fn say(&mut self, text: String) {
        if self.said.as_ref() != Some(&text) {
            log::warn!(target: "l2", "{text}");
            self.said = Some(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::{key_types, SequencerInfo};
    use sc_keystore::LocalKeystore;
    use sp_core::{ecdsa, Pair};
    use sp_keystore::Keystore;
    use std::collections::BTreeSet;

    const GENESIS: BlockHash = BlockHash::repeat_byte(9);

    /// A chain of four sequencers that votes on a recovery, as a node sees it.
    struct Model {
        subject: Option<RecoverySubject>,
        set_id: u64,
        barred: BTreeSet<u16>,
        voted: BTreeSet<u16>,
        has_state: bool,
    }

    fn pair(voter: u16) -> ed25519::Pair {
        ed25519::Pair::from_string(&format!("//{voter}"), None).expect("a path")
    }

    impl Store for Model {
        fn head(&self) -> BlockNumber {
            72
        }

        fn has_state(&self, since: &RecoveryPoint) -> bool {
            assert_eq!(Some(*since), self.subject.map(|subject| subject.since));
            self.has_state
        }

        fn parts(&self) -> Result<Vec<Vec<u8>>, String> {
            Ok(vec![vec![1]])
        }

        fn make_page(&self, _: &RecoveryPoint, _: &[u8]) -> Result<(), String> {
            Ok(())
        }

        fn has_body(&self, number: BlockNumber) -> Result<bool, String> {
            assert!((71..=72).contains(&number), "{number}");
            Ok(true)
        }
    }

    impl View for Model {
        fn subject(&self) -> Result<Option<RecoverySubject>, String> {
            Ok(self.subject)
        }

        fn set(&self) -> Result<SequencerSet, String> {
            let member = |voter: u16| SequencerInfo {
                account: [voter as u8; 32].into(),
                aura: pair(voter).public(),
                grandpa: pair(voter).public(),
                relay: pair(voter).public(),
                vault: ecdsa::Public::from_raw([2; 33]),
                weight: 1,
                barred: self.barred.contains(&voter),
            };
            Ok(SequencerSet { set_id: self.set_id, members: (0..4).map(member).collect() })
        }

        fn has_voted(&self, voter: u16) -> Result<bool, String> {
            Ok(self.voted.contains(&voter))
        }
    }

    fn model() -> Model {
        let since = RecoveryPoint { l1_height: 5, number: 70, hash: BlockHash::repeat_byte(1) };
        let subject = RecoverySubject { number: 1, since, deficit: 10, ..Default::default() };
        Model {
            subject: Some(subject),
            set_id: 3,
            barred: BTreeSet::new(),
            voted: BTreeSet::new(),
            has_state: true,
        }
    }

    /// Holds the relay keys of these.
    fn voter(voters: &[u16]) -> Voter {
        let keystore = LocalKeystore::in_memory();
        for voter in voters {
            let path = format!("//{voter}");
            keystore.ed25519_generate_new(key_types::RELAY, Some(&path)).expect("it is made");
        }
        Voter::new(GENESIS, Arc::new(keystore))
    }

    fn look(voter: &mut Voter, model: &Model) -> Vec<u16> {
        let until = Instant::now() + Duration::from_secs(60);
        let votes = voter.look(model, until).expect("the model answers");
        for vote in &votes {
            let message = recovery_message(&GENESIS, model.set_id, &vote.subject);
            assert!(ed25519::Pair::verify(&vote.signature, message, &pair(vote.voter).public()));
            assert_eq!(vote.set_id, model.set_id);
            assert!(model.subject.is_some_and(|subject| subject.is_same(&vote.subject)));
        }
        votes.into_iter().map(|vote| vote.voter).collect()
    }

    #[test]
    fn r19_2_it_votes_for_its_sequencers_until_the_chain_has_it() {
        let (mut voter, mut model) = (voter(&[1, 3]), model());
        assert_eq!(look(&mut voter, &model), [1, 3]);
        assert_eq!(look(&mut voter, &model), [1, 3], "a pool may have forgotten them");
        model.voted.insert(1);
        assert_eq!(look(&mut voter, &model), [3]);
        model.voted.insert(3);
        assert!(look(&mut voter, &model).is_empty());
        model.subject = None;
        assert!(look(&mut voter, &model).is_empty());
        assert!(voter.signed.is_empty());
    }

    #[test]
    fn who_sequences_nothing_or_is_barred_does_not_vote() {
        assert!(look(&mut voter(&[7]), &model()).is_empty());
        let model = Model { barred: [1].into(), ..model() };
        assert_eq!(look(&mut voter(&[1, 2]), &model), [2]);
    }

    #[test]
    fn r19_2_a_node_that_could_not_bring_it_does_not_vote_and_says_why_once() {
        let (mut voter, mut model) = (voter(&[1]), model());
        model.has_state = false;
        assert!(look(&mut voter, &model).is_empty());
        let said = voter.said.clone().expect("the operator is told");
        assert!(said.contains("recovery 1, to block 70: the state of block 70 is not kept here"));
        assert!(look(&mut voter, &model).is_empty());
        assert_eq!(voter.said, Some(said));
        model.has_state = true;
        assert_eq!(look(&mut voter, &model), [1]);
    }

    #[test]
    fn r19_2_it_does_not_vote_before_it_has_looked_at_all_of_it() {
        let (mut voter, model) = (voter(&[1]), model());
        // A part and two blocks.
        for _ in 0..3 {
            assert_eq!(voter.look(&model, Instant::now()), Ok(Vec::new()));
            assert_eq!(voter.said, None);
        }
        let votes = voter.look(&model, Instant::now()).expect("the model answers");
        assert_eq!(votes.len(), 1);
    }

    #[test]
    fn another_subject_or_set_is_voted_on_anew() {
        let (mut voter, mut model) = (voter(&[0]), model());
        assert_eq!(look(&mut voter, &model), [0]);
        let first = model.subject.expect("there is one");
        model.subject = Some(RecoverySubject { number: 2, ..first });
        assert_eq!(look(&mut voter, &model), [0]);
        model.set_id = 4;
        assert_eq!(look(&mut voter, &model), [0]);
        assert_eq!(voter.signed.len(), 1);
    }

    /// Attack: units of the deficit are covered one by one, so that tokens sign all the time.
    #[test]
    fn r19_2_a_deficit_that_changes_is_not_signed_again() {
        let (mut voter, mut model) = (voter(&[0]), model());
        assert_eq!(look(&mut voter, &model), [0]);
        let first = model.subject.expect("there is one");
        let signed = voter.signed.clone();
        model.subject = Some(RecoverySubject { deficit: 9, ..first });
        assert_eq!(look(&mut voter, &model), [0]);
        assert_eq!(voter.signed, signed);
    }
}
