//! A token in memory under the HSM's keystore, with real high-water marks.

use cascoin_consensus::KeySource;
use cascoin_hsm::{device::Device, HighWater, HsmKeystore, KeyKind, TokenError, TokenKey};
use parking_lot::Mutex;
use sp_core::{ed25519, Pair};
use sp_keystore::testing::MemoryKeystore;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a token refuses to sign.
pub type Refuses = fn(&[u8]) -> bool;

/// A token with one sequencer's key. Clones are the same token.
#[derive(Clone)]
pub struct SoftToken {
    pair: ed25519::Pair,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    gone: bool,
    refuses: Option<Refuses>,
    refused: usize,
}

impl SoftToken {
    pub fn new(pair: &ed25519::Pair) -> Self {
        Self { pair: *pair, state: Arc::default() }
    }

    /// Takes the token away, or brings it back.
    pub fn set_gone(&self, gone: bool) {
        self.state.lock().gone = gone;
    }

    /// It is gone as soon as it is to sign such a message.
    pub fn refuse(&self, refuses: Option<Refuses>) {
        self.state.lock().refuses = refuses;
    }

    /// How often it did.
    pub fn refused(&self) -> usize {
        self.state.lock().refused
    }

    /// A node's keys on it, with the marks in a folder.
    pub fn keys(&self, marks: PathBuf) -> KeySource {
        let open = || {
            let (token, local) = (Box::new(self.clone()), Arc::new(MemoryKeystore::new()));
            HsmKeystore::open(token, HighWater::new(marks.clone()), true, local)
        };
        let begin = Instant::now();
        let keystore = loop {
            match open() {
                Ok(keystore) => break Arc::new(keystore),
                // A build that was under way when the node stopped still holds the marks.
                Err(error) => assert!(begin.elapsed() < Duration::from_secs(30), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let marked = keystore.clone();
        let memory =
            move |key: &ed25519::Public| marked.last_signed(key).map_err(|error| error.to_string());
        KeySource::remembering(keystore, Arc::new(memory))
    }
}

impl Device for SoftToken {
    fn keys(&mut self) -> Result<Vec<TokenKey>, TokenError> {
        if self.state.lock().gone {
            return Err(TokenError::Unavailable("the token is gone".into()));
        }
        let key = |kind| TokenKey { kind, public: self.pair.public().0.to_vec() };
        Ok(vec![key(KeyKind::Aura), key(KeyKind::Gran)])
    }

    fn sign(&mut self, _: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let mut state = self.state.lock();
        if state.gone {
            return Err(TokenError::Unavailable("the token is gone".into()));
        }
        if state.refuses.is_some_and(|refuses| refuses(message)) {
            state.refused += 1;
            state.gone = true;
            return Err(TokenError::Unavailable("the token broke".into()));
        }
        Ok(self.pair.sign(message).0)
    }

    fn generate(&mut self, _: KeyKind) -> Result<TokenKey, TokenError> {
        Err(TokenError::Unavailable("the token is full".into()))
    }
}
