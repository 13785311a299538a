//! Asks the L1 node for the scores of the addresses that L2 names, and leaves them for the
//! off-chain worker (R10.1, ADR 0029).
//!
//! A thread of its own, since an L1 node may take long to compute a score, and the follower
//! must not wait for that. Rules:
//! - Each round of L2 is answered once, as a whole: [`LocalScores`] of another round is not
//!   sent, and half of one is never written.
//! - An L1 node that does not know the method serves no scores: then nothing is written, and
//!   it is asked once a round, in case that it was replaced. The log says so once.
//! - Where L1 refuses an address or answers rubbish, there is no score of that address.
//! - L1 being down is the follower's to say; here the round goes on later, with what was
//!   answered so far. An address for which L1 takes longer than a call may does
//!   not hold up the others.

use crate::{
    client::{code, L1Client, L1Error},
    follower::{LocalStore, LOG},
};
use cascoin_l2_primitives::{
    l1::address::L1Address,
    reputation::{
        attestation::{L1Scores, LocalScores, ScoreRound, LOCAL_SCORES_KEY},
        Score,
    },
};
use codec::Encode;
use parking_lot::{Condvar, Mutex};
use sp_core::H160;
use std::{sync::Arc, thread, time::Duration};

/// Pause between two looks at which round it is.
const LOOK: Duration = Duration::from_secs(5);
/// Pause after L1 could not be asked.
const RETRY: Duration = Duration::from_secs(30);
/// After L1 could not be asked for an address so often, it has no score in this round. Each
/// time all others get their turn first, so that an L1 that is down for an hour loses none.
const MAX_FAULTS: u32 = 3;

/// What is asked for in the best block; `None` while that cannot be told.
pub type AskedFor = dyn Fn() -> Option<ScoreRound> + Send + Sync;

/// Where scores come from: the L1 node, or a model of one in tests.
trait ScoreSource {
    /// The score of the address with this key hash.
    fn score(&self, address: &H160) -> Result<Score, L1Error>;
}

impl ScoreSource for L1Client {
    fn score(&self, address: &H160) -> Result<Score, L1Error> {
        // L1 takes no other form, and wallets sign links for no other.
        self.secure_trust(&L1Address::PublicKeyHash(address.0).encode(self.params()))
    }
}

/// The thread; it ends after this is dropped.
pub struct ScoreReader(Arc<Stop>);

#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    wake: Condvar,
}

impl Stop {
    fn is_asked(&self) -> bool {
        *self.asked.lock()
    }

    /// Whether it is time to stop, after the pause or at once.
    fn wait(&self, pause: Duration) -> bool {
        let mut asked = self.asked.lock();
        self.wake.wait_while_for(&mut asked, |asked| !*asked, pause);
        *asked
    }
}

impl Drop for ScoreReader {
    fn drop(&mut self) {
        // Without waiting: a call to L1 may take its whole time-out.
        *self.0.asked.lock() = true;
        self.0.wake.notify_all();
    }
}

impl ScoreReader {
    /// Starts a thread that asks L1 for what `asked_for` names, and leaves the answers in
    /// `store`. Of `client` it makes single attempts.
    ///
    /// # Errors
    /// The system's, when it starts no thread.
    pub fn spawn(
        client: &L1Client,
        store: Arc<dyn LocalStore>,
        asked_for: Arc<AskedFor>,
    ) -> std::io::Result<Self> {
        let client = client.single_attempt();
        let stop = Arc::new(Stop::default());
        let stopped = stop.clone();
        thread::Builder::new().name("l1-scores".into()).spawn(move || {
            let mut reader = Reader::default();
            loop {
                let pause = match asked_for() {
                    Some(round) => reader.look(&client, &*store, round, &|| stopped.is_asked()),
                    None => LOOK,
                };
                if stopped.wait(pause) {
                    return;
                }
            }
        })?;
        Ok(Self(stop))
    }
}

/// What it knows from one look to the next.
#[derive(Default)]
struct Reader {
    /// The round that is done with.
    done: Option<ScoreRound>,
    /// One that is not.
    asked: Option<Asked>,
    /// Whether the log says that L1 serves no scores.
    has_said_so: bool,
}

/// What L1 said of a round.
enum Answers {
    /// The scores of its addresses.
    All(L1Scores),
    /// It does not know the method.
    NotServed,
    /// It could not be asked, or it is time to stop.
    Unfinished,
}

impl Reader {
    /// One look at which round it is; how long to wait for the next one.
    fn look(
        &mut self,
        source: &dyn ScoreSource,
        store: &dyn LocalStore,
        round: ScoreRound,
        is_stopped: &dyn Fn() -> bool,
    ) -> Duration {
        if round.addresses.is_empty() || self.done.as_ref() == Some(&round) {
            return LOOK;
        }
        let known = self.asked.take().filter(|asked| asked.round == round);
        let mut asked = known.unwrap_or_else(|| Asked::new(&round));
        match asked.ask(source, is_stopped) {
            Answers::Unfinished => {
                self.asked = Some(asked);
                return RETRY;
            }
            Answers::NotServed => {
                if !self.has_said_so {
                    self.has_said_so = true;
                    log::info!(
                        target: LOG,
                        "the L1 node has no getsecuretrust: this node attests no scores of L1",
                    );
                }
            }
            Answers::All(scores) => {
                self.has_said_so = false;
                if scores.iter().any(Option::is_some) {
                    let local = LocalScores { round: round.clone(), scores };
                    store.set(LOCAL_SCORES_KEY, &local.encode());
                }
            }
        }
        self.done = Some(round);
        LOOK
    }
}

/// A round that is being asked.
struct Asked {
    round: ScoreRound,
    places: Vec<Place>,
}

/// One of its addresses.
struct Place {
    address: H160,
    /// Its score, or that it has none; `None` while it is not answered.
    answer: Option<Option<Score>>,
    /// How often L1 could not be asked for it.
    faults: u32,
}

impl Asked {
    fn new(round: &ScoreRound) -> Self {
        let place = |address: &H160| Place { address: *address, answer: None, faults: 0 };
        Self { round: round.clone(), places: round.addresses.iter().map(place).collect() }
    }

    /// The next to ask for. Those that failed come last: it may be their fault.
    fn next(&mut self) -> Option<&mut Place> {
        let open = self.places.iter_mut().filter(|place| place.answer.is_none());
        open.min_by_key(|place| place.faults)
    }

    fn ask(&mut self, source: &dyn ScoreSource, is_stopped: &dyn Fn() -> bool) -> Answers {
        while let Some(place) = self.next() {
            if is_stopped() {
                return Answers::Unfinished;
            }
            let address = place.address;
            match source.score(&address) {
                Ok(score) => place.answer = Some(Some(score)),
                Err(L1Error::Rpc { code: code::METHOD_NOT_FOUND, .. }) => {
                    return Answers::NotServed;
                }
                Err(error @ (L1Error::Rpc { .. } | L1Error::BadReply { .. })) => {
                    log::debug!(target: LOG, "no score of {address:?}: {error}");
                    place.answer = Some(None);
                }
                Err(error) => {
                    log::debug!(target: LOG, "cannot ask for {address:?} now: {error}");
                    place.faults += 1;
                    if place.faults >= MAX_FAULTS {
                        place.answer = Some(None);
                    }
                    return Answers::Unfinished;
                }
            }
        }
        let scores = self.places.iter().map(|place| place.answer.flatten()).collect();
        // As many as the round has addresses.
        Answers::All(L1Scores::truncate_from(scores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryStore;
    use cascoin_l2_primitives::reputation::attestation::ScoredAddresses;
    use codec::Decode;
    use std::cell::{Cell, RefCell};

    fn address(n: u8) -> H160 {
        H160([n; 20])
    }

    fn round(number: u32, addresses: &[u8]) -> ScoreRound {
        let addresses = addresses.iter().copied().map(address).collect();
        ScoreRound { number, addresses: ScoredAddresses::truncate_from(addresses) }
    }

    fn refused(code: i32) -> L1Error {
        L1Error::Rpc { method: "getsecuretrust".into(), code, message: "no".into() }
    }

    fn unreachable() -> L1Error {
        L1Error::Unreachable { url: "u".into(), reason: "r".into() }
    }

    /// Answers with the first byte of the address, or as it is told for one of them.
    #[derive(Default)]
    struct Model {
        special: RefCell<Option<(H160, L1Error)>>,
        is_down: Cell<bool>,
        calls: Cell<u32>,
    }

    impl ScoreSource for Model {
        fn score(&self, address: &H160) -> Result<Score, L1Error> {
            self.calls.set(self.calls.get() + 1);
            if self.is_down.get() {
                return Err(unreachable());
            }
            match &*self.special.borrow() {
                Some((known, error)) if known == address => Err(error.clone()),
                _ => Ok(Score::saturating(address.0[0].into())),
            }
        }
    }

    fn look(
        reader: &mut Reader,
        model: &Model,
        store: &MemoryStore,
        round: ScoreRound,
    ) -> Duration {
        reader.look(model, store, round, &|| false)
    }

    fn stored(store: &MemoryStore) -> Option<(u32, Vec<Option<u8>>)> {
        let local = store.get(LOCAL_SCORES_KEY)?;
        let LocalScores { round, scores } =
            LocalScores::decode(&mut &local[..]).expect("it is whole");
        assert_eq!(scores.len(), round.addresses.len());
        Some((round.number, scores.iter().map(|score| score.map(Score::get)).collect()))
    }

    #[test]
    fn r10_1_each_round_is_answered_once_as_a_whole() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        assert_eq!(look(&mut reader, &model, &store, round(0, &[])), LOOK);
        assert_eq!((stored(&store), model.calls.get()), (None, 0));
        let first = round(1, &[7, 100, 3]);
        assert_eq!(look(&mut reader, &model, &store, first.clone()), LOOK);
        let answered = Some((1, vec![Some(7), Some(100), Some(3)]));
        assert_eq!(stored(&store), answered);
        look(&mut reader, &model, &store, first);
        assert_eq!(model.calls.get(), 3, "it is done");
        // One of the same number that asks for others: a chain that was started anew.
        look(&mut reader, &model, &store, round(1, &[9]));
        assert_eq!(stored(&store), Some((1, vec![Some(9)])));
    }

    #[test]
    fn an_l1_without_scores_is_asked_once_a_round_and_nothing_is_written() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        *model.special.borrow_mut() = Some((address(1), refused(code::METHOD_NOT_FOUND)));
        for _ in 0..3 {
            assert_eq!(look(&mut reader, &model, &store, round(1, &[1, 2])), LOOK);
        }
        assert_eq!((stored(&store), model.calls.get()), (None, 1));
        assert!(reader.has_said_so);
        look(&mut reader, &model, &store, round(2, &[1, 2]));
        assert_eq!((stored(&store), model.calls.get()), (None, 2));
        // It was replaced by one that serves them.
        *model.special.borrow_mut() = None;
        look(&mut reader, &model, &store, round(3, &[1, 2]));
        assert_eq!(stored(&store), Some((3, vec![Some(1), Some(2)])));
    }

    #[test]
    fn what_l1_refuses_has_no_score_and_what_it_cannot_answer_is_asked_again() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        let asked = round(1, &[1, 2]);
        *model.special.borrow_mut() = Some((address(2), unreachable()));
        assert_eq!(look(&mut reader, &model, &store, asked.clone()), RETRY);
        assert_eq!(stored(&store), None, "half of a round is never written");
        *model.special.borrow_mut() = Some((address(2), refused(code::INVALID_ADDRESS_OR_KEY)));
        assert_eq!(look(&mut reader, &model, &store, asked), LOOK);
        assert_eq!(stored(&store), Some((1, vec![Some(1), None])));
        // If it knows nothing of anybody, there is nothing to send.
        *model.special.borrow_mut() =
            Some((address(5), L1Error::bad_reply("getsecuretrust", "15.5")));
        look(&mut reader, &model, &store, round(2, &[5]));
        assert_eq!(stored(&store), Some((1, vec![Some(1), None])));
    }

    /// Attack: an address for which L1's nodes compute longer than a call may take.
    #[test]
    fn r10_1_an_address_that_is_slow_takes_no_score_from_the_others() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        *model.special.borrow_mut() = Some((address(2), unreachable()));
        let asked = round(1, &[2, 1, 3]);
        // The others are asked once, and it as often as it may fail.
        for calls in [1, 4, 5] {
            assert_eq!(look(&mut reader, &model, &store, asked.clone()), RETRY);
            assert_eq!((stored(&store), model.calls.get()), (None, calls));
        }
        assert_eq!(look(&mut reader, &model, &store, asked), LOOK);
        assert_eq!(stored(&store), Some((1, vec![None, Some(1), Some(3)])));
        assert_eq!(model.calls.get(), 5);
        // What was asked for a round that is over is not answered in another one.
        assert_eq!(look(&mut reader, &model, &store, round(2, &[2, 4])), RETRY);
        assert_eq!(look(&mut reader, &model, &store, round(3, &[5, 4])), LOOK);
        assert_eq!(stored(&store), Some((3, vec![Some(5), Some(4)])));
    }

    #[test]
    fn an_l1_that_is_down_for_an_hour_takes_no_scores() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        let all: Vec<u8> = (1..=64).collect();
        model.is_down.set(true);
        let mut down = Duration::ZERO;
        while down < Duration::from_secs(3_600) {
            down += look(&mut reader, &model, &store, round(1, &all));
        }
        assert_eq!(stored(&store), None);
        model.is_down.set(false);
        assert_eq!(look(&mut reader, &model, &store, round(1, &all)), LOOK);
        let expected: Vec<Option<u8>> = all.iter().copied().map(Some).collect();
        assert_eq!(stored(&store), Some((1, expected)));
    }

    #[test]
    fn it_stops_within_a_round_and_when_it_is_dropped() {
        let (mut reader, model, store) =
            (Reader::default(), Model::default(), MemoryStore::default());
        let is_stopped = || model.calls.get() == 1;
        assert_eq!(reader.look(&model, &store, round(1, &[1, 2]), &is_stopped), RETRY);
        assert_eq!((stored(&store), model.calls.get()), (None, 1));
        let stop = Arc::new(Stop::default());
        assert!(!stop.wait(Duration::ZERO));
        drop(ScoreReader(stop.clone()));
        assert!(stop.wait(Duration::from_secs(600)), "at once");
    }
}
