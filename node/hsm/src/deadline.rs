//! A token on a thread of its own, so that one that hangs holds nobody up.
//!
//! There is exactly one thread and one token. Whoever calls waits for [`DEADLINE`] and not
//! longer. From the first call that waits in vain or finds no token the token counts as down: calls
//! fail at once, and the thread itself looks every second whether the token is back. A token that
//! looks well and fails again when it is to sign is left alone for twice as long each time, up to a
//! minute: else it would hold its callers up for most of the time.
//!
//! What fails with one key is that key's trouble: the others sign on. Whether the token is well, the
//! next look at it tells.

use crate::{
    device::{Device, TokenKey},
    token::TokenError,
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
        Arc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a signature may take.
pub const DEADLINE: Duration = Duration::from_secs(1);
/// How long connecting at the start and making a key may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often a token that is well is asked for its keys.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a token that is down is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often the pause before that doubles at most.
const MAX_DOUBLINGS: u32 = 6;
/// Calls that may wait.
const QUEUE: usize = 32;
/// How long the end of the thread is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

type Work = Box<dyn FnOnce(&mut dyn Device) + Send>;

struct Job {
    /// Nobody waits for it any more then.
    expires: Instant,
    work: Work,
}

#[derive(Default)]
struct State {
    keys: BTreeSet<TokenKey>,
    /// Why it is down.
    down: Option<String>,
    /// The last trouble that was logged, so that a lasting one fills no log.
    said: Option<String>,
    /// The same of single keys, until they sign.
    said_of: BTreeMap<TokenKey, String>,
    /// Calls that found the token down since one was done, and when the last of them did.
    failures: u32,
    failed_at: Option<Instant>,
}

impl State {
    /// A call ended.
    fn note(&mut self, error: Option<&TokenError>) {
        match error {
            None => self.failures = 0,
            Some(error) if !error.is_of_the_token() => {}
            Some(error) => {
                self.failures = self.failures.saturating_add(1);
                self.failed_at = Some(Instant::now());
                self.fail(error.to_string());
            }
        }
    }

    /// A key was to sign.
    fn note_key(&mut self, key: &TokenKey, error: Option<&TokenError>) {
        let Some(error) = error else {
            self.said_of.remove(key);
            return;
        };
        let reason = error.to_string();
        if error.is_of_the_token() || self.said_of.get(key) == Some(&reason) {
            return;
        }
        log::error!(
            target: "l2",
            "HSM: key {} {} does not sign: {reason}", key.kind.name(), hex::encode(&key.public),
        );
        self.said_of.insert(key.clone(), reason);
    }

    /// When the token is to be looked at, if it was looked at then.
    fn next_look(&self, looked: Instant) -> Instant {
        if self.down.is_none() {
            return looked + HEARTBEAT;
        }
        let doublings = self.failures.saturating_sub(1).min(MAX_DOUBLINGS);
        let after_failure = self.failed_at.map(|at| at + RETRY * 2u32.pow(doublings));
        after_failure.map_or(looked + RETRY, |at| at.max(looked + RETRY))
    }

    fn fail(&mut self, reason: String) {
        if self.said.as_ref() != Some(&reason) {
            log::error!(
                target: "l2",
                "HSM: {reason}; this node signs nothing with its keys until it is back",
            );
            self.said = Some(reason.clone());
        }
        self.down = Some(reason);
    }

    fn recover(&mut self, keys: Vec<TokenKey>) {
        if self.down.take().is_some() {
            log::info!(target: "l2", "HSM: the token is back, with {} keys", keys.len());
            // The next trouble is news, also if it is the same.
            self.said = None;
        }
        self.keys = keys.into_iter().collect();
        self.said_of.retain(|key, _| self.keys.contains(key));
    }
}

/// The thread and what is known of its token.
pub struct Worker {
    sender: Option<SyncSender<Job>>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread and reads the token's keys.
    ///
    /// # Errors
    /// [`TokenError`]: the token is of no use, or does not answer.
    pub fn start(device: Box<dyn Device>) -> Result<Self, TokenError> {
        let (sender, receiver) = sync_channel(QUEUE);
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let thread = std::thread::Builder::new()
            .name("hsm".into())
            .spawn(move || serve(device, &receiver, &shared))
            .map_err(|error| TokenError::Unavailable(error.to_string()))?;
        let worker = Self { sender: Some(sender), state, thread: Some(thread) };
        let keys = worker.call(PATIENCE, |device| device.keys())?;
        worker.state.lock().recover(keys);
        Ok(worker)
    }

    /// The keys, as they were last seen, also while the token is down.
    pub fn keys(&self) -> Vec<TokenKey> {
        self.state.lock().keys.iter().cloned().collect()
    }

    /// Whether the token holds a key.
    pub fn holds(&self, key: &TokenKey) -> bool {
        self.state.lock().keys.contains(key)
    }

    /// Whether the token holds a key and can be used.
    pub fn offers(&self, key: &TokenKey) -> bool {
        let state = self.state.lock();
        state.down.is_none() && state.keys.contains(key)
    }

    /// Notes a key that was just made.
    pub fn learn(&self, key: TokenKey) {
        self.state.lock().keys.insert(key);
    }

    /// Has a key sign, and logs if it cannot.
    ///
    /// # Errors
    /// [`TokenError`]; at once if the token is down.
    pub fn sign(&self, key: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let (with, bytes) = (key.clone(), message.to_vec());
        let signed = self.call(DEADLINE, move |device| device.sign(&with, &bytes));
        self.state.lock().note_key(key, signed.as_ref().err());
        signed
    }

    /// Has the token do something.
    ///
    /// # Errors
    /// [`TokenError`]; at once if the token is down.
    pub fn call<R: Send + 'static>(
        &self,
        deadline: Duration,
        act: impl FnOnce(&mut dyn Device) -> Result<R, TokenError> + Send + 'static,
    ) -> Result<R, TokenError> {
        if let Some(reason) = &self.state.lock().down {
            return Err(TokenError::Unavailable(reason.clone()));
        }
        let (reply, answer) = sync_channel(1);
        let work: Work = Box::new(move |device| {
            // Whoever asked may have given up.
            let _ = reply.send(act(device));
        });
        let job = Job { expires: Instant::now() + deadline, work };
        let sent = self.sender.as_ref().is_some_and(|sender| sender.try_send(job).is_ok());
        let result = match sent {
            false => Err(TokenError::Unavailable("too many calls wait for it".into())),
            true => match answer.recv_timeout(deadline) {
                Ok(result) => result,
                Err(RecvTimeoutError::Timeout) => Err(TokenError::Slow(deadline)),
                Err(RecvTimeoutError::Disconnected) => {
                    Err(TokenError::Unavailable("its thread did not do the work".into()))
                }
            },
        };
        self.state.lock().note(result.as_ref().err());
        if result.is_err() {
            self.wake();
        }
        result
    }

    /// Makes the thread see that the token is down now, which decides when it looks.
    fn wake(&self) {
        let nothing = Job { expires: Instant::now(), work: Box::new(|_| ()) };
        // With a full queue it has something to wake up for.
        let _ = self.sender.as_ref().map(|sender| sender.try_send(nothing));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.sender = None;
        let Some(thread) = self.thread.take() else { return };
        let until = Instant::now() + FAREWELL;
        // One that hangs is left behind: it ends with the process.
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn serve(mut device: Box<dyn Device>, jobs: &Receiver<Job>, state: &Mutex<State>) {
    let mut looked = Instant::now();
    loop {
        let next = state.lock().next_look(looked);
        match jobs.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(job) if Instant::now() < job.expires => (job.work)(&mut *device),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {
                let seen = device.keys();
                looked = Instant::now();
                let mut state = state.lock();
                match seen {
                    Ok(keys) => state.recover(keys),
                    Err(error) => state.fail(error.to_string()),
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::KeyKind;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// A token that hangs for as long as it is told to, or only when it signs.
    #[derive(Clone, Default)]
    struct Fake(Arc<(AtomicBool, AtomicUsize, AtomicBool)>);

    impl Fake {
        fn hang(&self, hangs: bool) {
            self.0 .0.store(hangs, Ordering::SeqCst);
        }

        fn key() -> TokenKey {
            TokenKey { kind: KeyKind::Gran, public: vec![1; 32] }
        }
    }

    impl Device for Fake {
        fn keys(&mut self) -> Result<Vec<TokenKey>, TokenError> {
            self.sign(&Self::key(), &[]).map(|_| vec![Self::key(), broken()])
        }

        fn sign(&mut self, key: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
            if *key == broken() {
                let (token, reason) = ("fake".into(), "not permitted".into());
                return Err(TokenError::Failed { token, reason });
            }
            self.0 .1.fetch_add(1, Ordering::SeqCst);
            if !message.is_empty() && self.0 .2.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(300));
            }
            while self.0 .0.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok([0; 64])
        }

        fn generate(&mut self, _: KeyKind) -> Result<TokenKey, TokenError> {
            Err(TokenError::Unavailable("full".into()))
        }
    }

    /// A key that its token does not let sign.
    fn broken() -> TokenKey {
        TokenKey { kind: KeyKind::Rlay, public: vec![2; 32] }
    }

    fn sign(worker: &Worker) -> Result<[u8; 64], TokenError> {
        worker.call(Duration::from_millis(200), |device| device.sign(&Fake::key(), b"vote"))
    }

    #[test]
    fn a_token_that_hangs_costs_one_deadline_and_comes_back_by_itself() {
        let fake = Fake::default();
        let worker = Worker::start(Box::new(fake.clone())).unwrap();
        assert!(worker.offers(&Fake::key()));
        sign(&worker).unwrap();

        fake.hang(true);
        let began = Instant::now();
        assert!(matches!(sign(&worker), Err(TokenError::Slow(_))));
        assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
        assert!(!worker.offers(&Fake::key()) && worker.holds(&Fake::key()));

        // From here on nobody waits, and nothing piles up behind the call that hangs.
        let (began, calls) = (Instant::now(), fake.0 .1.load(Ordering::SeqCst));
        for _ in 0..1_000 {
            assert!(matches!(sign(&worker), Err(TokenError::Unavailable(_))));
        }
        assert!(began.elapsed() < Duration::from_millis(150), "{:?}", began.elapsed());
        assert_eq!(fake.0 .1.load(Ordering::SeqCst), calls);

        fake.hang(false);
        let until = Instant::now() + Duration::from_secs(10);
        while !worker.offers(&Fake::key()) {
            assert!(Instant::now() < until, "it never came back");
            std::thread::sleep(Duration::from_millis(20));
        }
        sign(&worker).unwrap();
    }

    #[test]
    fn a_token_that_is_of_no_use_says_why_and_is_down() {
        let worker = Worker::start(Box::new(Fake::default())).unwrap();
        let failed = worker.call(PATIENCE, |device| device.generate(KeyKind::Aura));
        assert!(failed.unwrap_err().to_string().contains("full"));
        assert!(sign(&worker).unwrap_err().to_string().contains("full"));
    }

    #[test]
    fn one_key_that_fails_silences_no_other() {
        let worker = Worker::start(Box::new(Fake::default())).unwrap();
        for _ in 0..2 {
            let said = worker.sign(&broken(), b"vote").unwrap_err().to_string();
            assert!(said.contains("not permitted"), "{said}");
            assert!(worker.offers(&Fake::key()));
            worker.sign(&Fake::key(), b"vote").unwrap();
        }
        assert_eq!(worker.state.lock().said, None);
        assert!(worker.state.lock().said_of.keys().eq([&broken()]));
        // Nor does one that is gone, or a signature that is none.
        let token = || String::from("fake");
        for error in [
            TokenError::NoKey { token: token(), key: "rlay".into() },
            TokenError::Nonsense { token: token(), what: "something" },
        ] {
            worker.call(PATIENCE, |_| Err::<(), _>(error)).unwrap_err();
            assert!(worker.offers(&Fake::key()));
        }
        worker.call(PATIENCE, |_| Err::<(), _>(TokenError::Slow(DEADLINE))).unwrap_err();
        assert!(!worker.offers(&Fake::key()));
    }

    /// How long the token stays down from now on.
    fn time_down(worker: &Worker) -> Duration {
        let began = Instant::now();
        while !worker.offers(&Fake::key()) {
            assert!(began.elapsed() < Duration::from_secs(20), "it never came back");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }

    /// The thread may have begun to wait for the next heartbeat before the call is known to have
    /// failed.
    #[test]
    fn a_token_that_failed_is_looked_at_after_a_second() {
        let worker = Worker::start(Box::new(Fake::default())).unwrap();
        worker.call(PATIENCE, |device| device.generate(KeyKind::Aura)).unwrap_err();
        let down = time_down(&worker);
        assert!(down > RETRY / 2 && down < HEARTBEAT / 2, "{down:?}");
    }

    #[test]
    fn the_same_trouble_is_said_again_after_the_token_was_back() {
        let worker = Worker::start(Box::new(Fake::default())).unwrap();
        worker.call(PATIENCE, |device| device.generate(KeyKind::Aura)).unwrap_err();
        assert!(worker.state.lock().said.is_some());
        time_down(&worker);
        assert_eq!(worker.state.lock().said, None);
    }

    #[test]
    fn a_token_that_is_slow_at_signing_only_holds_its_callers_up_less_and_less() {
        let fake = Fake::default();
        let worker = Worker::start(Box::new(fake.clone())).unwrap();
        fake.0 .2.store(true, Ordering::SeqCst);
        let mut pauses = Vec::new();
        for _ in 0..3 {
            assert!(matches!(sign(&worker), Err(TokenError::Slow(_))));
            pauses.push(time_down(&worker));
        }
        assert!(pauses[1] > RETRY * 3 / 2 && pauses[2] > RETRY * 3, "{pauses:?}");
        // One signature in time, and it is as any other.
        fake.0 .2.store(false, Ordering::SeqCst);
        sign(&worker).unwrap();
        fake.0 .2.store(true, Ordering::SeqCst);
        assert!(matches!(sign(&worker), Err(TokenError::Slow(_))));
        assert!(time_down(&worker) < pauses[2]);
    }
}
