//! The keystore that signs on a token, and leaves to the node's own what the token lacks.

use crate::{
    deadline::{Worker, PATIENCE},
    device::{Device, KeyKind, TokenKey},
    ec,
    high_water::{HighWater, HighWaterError},
    token::TokenError,
    vote::{classify, Message},
};
use parking_lot::Mutex;
use sp_core::{crypto::KeyTypeId, ecdsa, ed25519, sr25519, Blake2Hasher, ByteArray, Hasher, Pair};
use sp_keystore::{Error, Keystore, KeystorePtr};
use std::collections::{BTreeMap, BTreeSet};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
    #[error("the HSM's signature is wrong")]
    WrongSignature,
    #[error("refused to sign {0}")]
    Never(&'static str),
    #[error("the node's keystore failed: {0}")]
    Local(Error),
    #[error("the key is neither on the token nor in the node's keystore")]
    NoKey,
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Token(_) | SignError::WrongSignature => Self::Other(error.to_string()),
            _ => Self::ValidationError(error.to_string()),
        }
    }
}

/// A keystore of which some keys are on a token.
pub struct HsmKeystore {
    token: Worker,
    marks: HighWater,
    /// Voting keys that were there at the start, have no mark, and have never signed, as the
    /// caller says. One gets its mark when it is to sign its first vote, and only once: a mark that
    /// is lost later stays lost.
    new: Mutex<BTreeSet<[u8; 32]>>,
    /// The node's own.
    local: KeystorePtr,
    /// Trouble with marks that was logged, by key, so that a lasting one fills no log.
    said: Mutex<BTreeMap<[u8; 32], String>>,
}

/// Why there is no such keystore.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A key on it has a high-water mark that cannot be used.
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
}

impl HsmKeystore {
    /// Opens the token and looks at the marks of its keys that vote. `new_keys`: whether a key
    /// without a mark has never signed; then it gets one when it is used. Otherwise it signs no
    /// vote: it may be one that is not used any more, or is for another chain, so it is no reason
    /// to refuse the others.
    ///
    /// # Errors
    /// [`OpenError`], for the operator.
    pub fn open(
        token: Box<dyn Device>,
        marks: HighWater,
        new_keys: bool,
        local: KeystorePtr,
    ) -> Result<Self, OpenError> {
        let token = Worker::start(token)?;
        let (new, said) = (Mutex::default(), Mutex::default());
        let keystore = Self { token, marks, new, local, said };
        for key in keystore.keys_of(KeyKind::Gran) {
            let Ok(key) = <[u8; 32]>::try_from(key.as_slice()) else { continue };
            match keystore.marks.check(key) {
                Ok(()) => {}
                Err(HighWaterError::Missing { .. }) if new_keys => {
                    keystore.new.lock().insert(key);
                }
                // An error when it is to be used: perhaps it never is.
                Err(error @ HighWaterError::Missing { .. }) => log::warn!(
                    target: "l2",
                    "HSM: {error}. It signs no vote until then. A key that is not used on this \
                     chain needs nothing",
                ),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(keystore)
    }

    /// The keys on the token, as they were last seen.
    pub fn token_keys(&self) -> Vec<TokenKey> {
        self.token.keys()
    }

    /// Makes a key on the token. One that votes gets its mark.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn generate(&self, kind: KeyKind) -> Result<TokenKey, OpenError> {
        let key = self.token.call(PATIENCE, move |token| token.generate(kind))?;
        if let (KeyKind::Gran, Ok(public)) = (kind, <[u8; 32]>::try_from(key.public.as_slice())) {
            self.marks.begin(public)?;
        }
        self.token.learn(key.clone());
        Ok(key)
    }

    /// What a `gran` key signed last and what it signed before that, newest first: whole messages.
    /// None of a key that this keystore keeps no mark of.
    ///
    /// # Errors
    /// [`HighWaterError`]: nobody knows what it signed.
    pub fn last_signed(&self, key: &ed25519::Public) -> Result<Vec<Vec<u8>>, HighWaterError> {
        if self.new.lock().contains(&key.0) {
            return Ok(Vec::new());
        }
        let on_token = self.on_token(KeyKind::Gran.key_type(), &key.0).is_some();
        match on_token || self.marks.exists(&key.0) {
            true => self.marks.last_signed(key.0),
            false => Ok(Vec::new()),
        }
    }

    /// Makes the mark of a key that has never signed, before it does.
    fn begin_if_new(&self, key: [u8; 32]) -> Result<(), HighWaterError> {
        let mut new = self.new.lock();
        if new.contains(&key) {
            self.marks.begin(key)?;
            new.remove(&key);
            log::info!(
                target: "l2",
                "HSM: sequencer key {} has signed nothing yet; its high-water mark begins",
                hex::encode(key),
            );
        }
        Ok(())
    }

    /// Whether votes of a key are held to a mark, be the key on the token or not.
    fn is_marked(&self, key: &[u8; 32]) -> bool {
        self.marks.exists(key) || self.new.lock().contains(key)
    }

    /// Whether a key on the token may be used: one that votes needs its mark, or to be new. Says
    /// why not.
    fn is_usable(&self, key: &TokenKey) -> bool {
        let (KeyKind::Gran, Ok(public)) = (key.kind, <[u8; 32]>::try_from(key.public.as_slice()))
        else {
            return true;
        };
        if self.new.lock().contains(&public) {
            return true;
        }
        match self.marks.check(public) {
            Ok(()) => {
                self.said.lock().remove(&public);
                true
            }
            Err(error) => {
                let trouble = error.to_string();
                let said = self.said.lock().insert(public, trouble.clone());
                if said.as_ref() != Some(&trouble) {
                    log::error!(target: "l2", "HSM: {trouble}. This node signs no vote with it");
                }
                false
            }
        }
    }

    fn keys_of(&self, kind: KeyKind) -> Vec<Vec<u8>> {
        let keys = self.token.keys().into_iter().filter(|key| key.kind == kind);
        keys.map(|key| key.public).collect()
    }

    /// The token's key of that type, if it has it, be it down or not.
    fn on_token(&self, key_type: KeyTypeId, public: &[u8]) -> Option<TokenKey> {
        let key = TokenKey { kind: KeyKind::of(key_type)?, public: public.to_vec() };
        self.token.holds(&key).then_some(key)
    }

    /// Public keys of a type, those on the token first.
    fn public_keys<P: ByteArray + PartialEq>(&self, key_type: KeyTypeId, local: Vec<P>) -> Vec<P> {
        let kind = KeyKind::of(key_type);
        let on_token = kind.map(|kind| self.keys_of(kind)).unwrap_or_default();
        let mut keys: Vec<P> = on_token.iter().filter_map(|key| P::from_slice(key).ok()).collect();
        let further: Vec<P> = local.into_iter().filter(|key| !keys.contains(key)).collect();
        keys.extend(further);
        keys
    }

    fn sign_ed25519(
        &self,
        key: &TokenKey,
        public: &ed25519::Public,
        message: &[u8],
    ) -> Result<ed25519::Signature, SignError> {
        let sign = || -> Result<_, SignError> {
            let raw = self.token.sign(key, message)?;
            let signature = ed25519::Signature::from_raw(raw);
            match ed25519::Pair::verify(&signature, message, public) {
                true => Ok(signature),
                false => Err(SignError::WrongSignature),
            }
        };
        self.guarded(key.kind, public, message, sign)
    }

    /// A key that was on the token signs nothing behind its mark's back, also when it is in the
    /// node's folder.
    fn sign_locally(
        &self,
        public: &ed25519::Public,
        message: &[u8],
    ) -> Result<ed25519::Signature, SignError> {
        let key_type = KeyKind::Gran.key_type();
        let sign = || {
            let signed = self.local.ed25519_sign(key_type, public, message);
            signed.map_err(SignError::Local)?.ok_or(SignError::NoKey)
        };
        self.guarded(KeyKind::Gran, public, message, sign)
    }

    fn guarded(
        &self,
        kind: KeyKind,
        public: &ed25519::Public,
        message: &[u8],
        sign: impl FnOnce() -> Result<ed25519::Signature, SignError>,
    ) -> Result<ed25519::Signature, SignError> {
        match classify(message) {
            Message::Other => sign(),
            Message::Never(what) => Err(SignError::Never(what)),
            Message::Vote { position, genesis } if kind == KeyKind::Gran => {
                self.begin_if_new(public.0)?;
                self.marks.sign(public.0, position, genesis, message, sign)
            }
            Message::Vote { .. } => Err(SignError::Never("a vote with a key that does not vote")),
        }
    }

    fn sign_hash(
        &self,
        key: &TokenKey,
        public: &ecdsa::Public,
        hash: &[u8; 32],
    ) -> Result<ecdsa::Signature, SignError> {
        let raw = self.token.sign(key, hash)?;
        ec::recoverable(&raw, public, hash).ok_or(SignError::WrongSignature)
    }
}

impl Keystore for HsmKeystore {
    fn sr25519_public_keys(&self, key_type: KeyTypeId) -> Vec<sr25519::Public> {
        self.local.sr25519_public_keys(key_type)
    }

    fn sr25519_generate_new(
        &self,
        key_type: KeyTypeId,
        seed: Option<&str>,
    ) -> Result<sr25519::Public, Error> {
        self.local.sr25519_generate_new(key_type, seed)
    }

    fn sr25519_sign(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        message: &[u8],
    ) -> Result<Option<sr25519::Signature>, Error> {
        self.local.sr25519_sign(key_type, public, message)
    }

    fn sr25519_vrf_sign(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        data: &sr25519::vrf::VrfSignData,
    ) -> Result<Option<sr25519::vrf::VrfSignature>, Error> {
        self.local.sr25519_vrf_sign(key_type, public, data)
    }

    fn sr25519_vrf_pre_output(
        &self,
        key_type: KeyTypeId,
        public: &sr25519::Public,
        input: &sr25519::vrf::VrfInput,
    ) -> Result<Option<sr25519::vrf::VrfPreOutput>, Error> {
        self.local.sr25519_vrf_pre_output(key_type, public, input)
    }

    fn ed25519_public_keys(&self, key_type: KeyTypeId) -> Vec<ed25519::Public> {
        self.public_keys(key_type, self.local.ed25519_public_keys(key_type))
    }

    /// A key from a seed is a development key, and goes where those go.
    fn ed25519_generate_new(
        &self,
        key_type: KeyTypeId,
        seed: Option<&str>,
    ) -> Result<ed25519::Public, Error> {
        match (KeyKind::of(key_type).filter(|kind| kind.is_ed25519()), seed) {
            (Some(kind), None) => {
                let key = self.generate(kind).map_err(|error| Error::Other(error.to_string()))?;
                ed25519::Public::from_slice(&key.public)
                    .map_err(|()| Error::Other("the HSM made no ed25519 key".into()))
            }
            _ => self.local.ed25519_generate_new(key_type, seed),
        }
    }

    fn ed25519_sign(
        &self,
        key_type: KeyTypeId,
        public: &ed25519::Public,
        message: &[u8],
    ) -> Result<Option<ed25519::Signature>, Error> {
        match self.on_token(key_type, &public.0) {
            Some(key) => Ok(Some(self.sign_ed25519(&key, public, message)?)),
            None if KeyKind::of(key_type) == Some(KeyKind::Gran) && self.is_marked(&public.0) => {
                Ok(Some(self.sign_locally(public, message)?))
            }
            None => self.local.ed25519_sign(key_type, public, message),
        }
    }

    fn ecdsa_public_keys(&self, key_type: KeyTypeId) -> Vec<ecdsa::Public> {
        self.public_keys(key_type, self.local.ecdsa_public_keys(key_type))
    }

    fn ecdsa_generate_new(
        &self,
        key_type: KeyTypeId,
        seed: Option<&str>,
    ) -> Result<ecdsa::Public, Error> {
        match (KeyKind::of(key_type).filter(|kind| !kind.is_ed25519()), seed) {
            (Some(kind), None) => {
                let key = self.generate(kind).map_err(|error| Error::Other(error.to_string()))?;
                ecdsa::Public::from_slice(&key.public)
                    .map_err(|()| Error::Other("the HSM made no secp256k1 key".into()))
            }
            _ => self.local.ecdsa_generate_new(key_type, seed),
        }
    }

    fn ecdsa_sign(
        &self,
        key_type: KeyTypeId,
        public: &ecdsa::Public,
        message: &[u8],
    ) -> Result<Option<ecdsa::Signature>, Error> {
        match self.on_token(key_type, &public.0) {
            Some(_) => self.ecdsa_sign_prehashed(key_type, public, &Blake2Hasher::hash(message).0),
            None => self.local.ecdsa_sign(key_type, public, message),
        }
    }

    fn ecdsa_sign_prehashed(
        &self,
        key_type: KeyTypeId,
        public: &ecdsa::Public,
        hash: &[u8; 32],
    ) -> Result<Option<ecdsa::Signature>, Error> {
        match self.on_token(key_type, &public.0) {
            Some(key) => Ok(Some(self.sign_hash(&key, public, hash)?)),
            None => self.local.ecdsa_sign_prehashed(key_type, public, hash),
        }
    }

    /// Into the node's own keystore: what was outside of a token once does not become safe by
    /// being put into one.
    fn insert(&self, key_type: KeyTypeId, suri: &str, public: &[u8]) -> Result<(), ()> {
        self.local.insert(key_type, suri, public)
    }

    fn keys(&self, key_type: KeyTypeId) -> Result<Vec<Vec<u8>>, Error> {
        let kind = KeyKind::of(key_type);
        let mut keys = kind.map(|kind| self.keys_of(kind)).unwrap_or_default();
        let local = self.local.keys(key_type)?;
        let further: Vec<_> = local.into_iter().filter(|key| !keys.contains(key)).collect();
        keys.extend(further);
        Ok(keys)
    }

    /// A key on a token that is down, or without its mark, is not there: the engine then follows,
    /// and takes the key up again when the token is back.
    fn has_keys(&self, public_keys: &[(Vec<u8>, KeyTypeId)]) -> bool {
        public_keys.iter().all(|(public, key_type)| match self.on_token(*key_type, public) {
            Some(key) => self.token.offers(&key) && self.is_usable(&key),
            None => self.local.has_keys(&[(public.clone(), *key_type)]),
        })
    }
}

#[cfg(test)]
mod tests;
