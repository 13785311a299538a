//! A token behind a PKCS#11 module: finding it, logging in, using its keys.
//!
//! Guarantees:
//! - A PIN that the token refuses is not tried again while the process runs, and none is tried
//!   when the token says that one more wrong one would lock it.
//! - A PIN file that everybody on the machine can read is not used.
//! - A session that the token dropped is opened again, once for each call.
//! - Private keys that are made here cannot be read or exported, by the token's word.
//!
//! On the token a key is a pair of objects with the label of [`KeyKind::label`] and a common
//! `CKA_ID`, which tells pairs of one label apart.

use crate::{
    device::{Device, KeyKind, TokenKey},
    ec,
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Pkcs11Error, RvError},
    mechanism::{
        eddsa::{EddsaParams, EddsaSignatureScheme},
        Mechanism,
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use std::{
    collections::BTreeMap, fs, io, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration,
};

/// What everybody may do with a file. A group may share one: that is how secrets are mounted.
const OTHERS: u32 = 0o007;

/// Which token, and how to open it.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// The maker's PKCS#11 library.
    pub module: PathBuf,
    /// The token's label or serial number.
    pub token: String,
    /// A file whose first line is the user's PIN.
    pub pin_file: PathBuf,
}

/// Why a token is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The library cannot be loaded.
    #[error("PKCS#11 module {path} cannot be used: {reason}")]
    Module {
        /// The library.
        path: PathBuf,
        /// What the system or the library said.
        reason: String,
    },
    /// No such token, or several.
    #[error("{count} tokens are labelled or numbered `{token}`; there are: {found}")]
    NotOne {
        /// What was asked for.
        token: String,
        /// How many fit.
        count: usize,
        /// The labels that there are.
        found: String,
    },
    /// The PIN cannot be read.
    #[error("PIN file {path}: {source}")]
    PinFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The token refused the PIN.
    #[error(
        "token `{token}` does not accept the PIN: {reason}. It is not tried again, for that could \
         lock the token: correct the PIN file and start again"
    )]
    Pin {
        /// The token.
        token: String,
        /// What it said.
        reason: String,
    },
    /// It does not hold the key any more.
    #[error("token `{token}` has no private key {key}")]
    NoKey {
        /// The token.
        token: String,
        /// Kind and public key.
        key: String,
    },
    /// A call failed, in a session that could be opened.
    #[error("token `{token}`: {reason}")]
    Failed {
        /// The token.
        token: String,
        /// What it said.
        reason: String,
    },
    /// It gave something else than what was asked for.
    #[error("token `{token}` answered with {what}")]
    Nonsense {
        /// The token.
        token: String,
        /// What it was.
        what: &'static str,
    },
    /// It does not answer.
    #[error("the token did not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    /// It is of no use, or was found to be so before.
    #[error("{0}")]
    Unavailable(String),
}

impl TokenError {
    /// Whether no key of the token can be used, as opposed to the one that was asked for.
    pub fn is_of_the_token(&self) -> bool {
        match self {
            Self::Module { .. }
            | Self::NotOne { .. }
            | Self::PinFile { .. }
            | Self::Pin { .. }
            | Self::Slow(_)
            | Self::Unavailable(_) => true,
            Self::NoKey { .. } | Self::Failed { .. } | Self::Nonsense { .. } => false,
        }
    }
}

/// A token of a module.
pub struct Token {
    config: TokenConfig,
    /// Loaded once: some libraries do not survive being unloaded.
    module: Option<Pkcs11>,
    open: Option<Open>,
    /// It refused the PIN, with what it said.
    refused: Option<String>,
}

/// A session in which the user is logged in.
struct Open {
    session: Session,
    /// The private keys.
    handles: BTreeMap<TokenKey, ObjectHandle>,
}

impl Token {
    /// A token that is opened when it is needed.
    pub fn new(config: TokenConfig) -> Self {
        Self { config, module: None, open: None, refused: None }
    }

    fn failed(&self, error: &Pkcs11Error) -> TokenError {
        TokenError::Failed { token: self.config.token.clone(), reason: error.to_string() }
    }

    fn opened(&mut self) -> Result<&mut Open, TokenError> {
        if self.open.is_none() {
            match self.connect() {
                Ok(open) => self.open = Some(open),
                Err(error) => {
                    self.close();
                    // Without a session there is nothing that any key could do.
                    return Err(match error {
                        TokenError::Failed { .. } => TokenError::Unavailable(error.to_string()),
                        error => error,
                    });
                }
            }
        }
        let gone = || TokenError::Unavailable("the token is not open".into());
        self.open.as_mut().ok_or_else(gone)
    }

    fn connect(&mut self) -> Result<Open, TokenError> {
        if let Some(reason) = &self.refused {
            return Err(self.pin_error(reason.clone()));
        }
        let module = self.module()?;
        let slot = self.slot(&module)?;
        let session = module.open_rw_session(slot).map_err(|error| self.failed(&error))?;
        self.login(&module, slot, &session)?;
        let mut open = Open { session, handles: BTreeMap::new() };
        open.refresh().map_err(|error| self.failed(&error))?;
        Ok(open)
    }

    /// The library, loaded and initialized.
    fn module(&mut self) -> Result<Pkcs11, TokenError> {
        let path = self.config.module.clone();
        let wrong = |reason: String| TokenError::Module { path: path.clone(), reason };
        let module = match &self.module {
            Some(module) => module.clone(),
            None => {
                // The loader would look for a bare name in the system's folders.
                if !path.is_file() {
                    return Err(wrong("there is no such file".into()));
                }
                let path = fs::canonicalize(&path).map_err(|error| wrong(error.to_string()))?;
                let module = Pkcs11::new(path).map_err(|error| wrong(error.to_string()))?;
                self.module.insert(module).clone()
            }
        };
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(module),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    fn slot(&self, module: &Pkcs11) -> Result<Slot, TokenError> {
        let slots = module.get_slots_with_token().map_err(|error| self.failed(&error))?;
        let (mut fitting, mut found) = (Vec::new(), Vec::new());
        for slot in slots {
            let Ok(info) = module.get_token_info(slot) else { continue };
            if !info.token_initialized() {
                continue;
            }
            if [info.label(), info.serial_number()].contains(&self.config.token.as_str()) {
                fitting.push(slot);
            }
            found.push(format!("`{}` ({})", info.label(), info.serial_number()));
        }
        match fitting[..] {
            [slot] => Ok(slot),
            _ => Err(TokenError::NotOne {
                token: self.config.token.clone(),
                count: fitting.len(),
                found: if found.is_empty() { "none".into() } else { found.join(", ") },
            }),
        }
    }

    fn login(&mut self, module: &Pkcs11, slot: Slot, session: &Session) -> Result<(), TokenError> {
        let info = module.get_token_info(slot).map_err(|error| self.failed(&error))?;
        if info.user_pin_locked() {
            return Err(self.pin_error("it is locked".into()));
        }
        if info.user_pin_final_try() {
            let reason = "one more wrong PIN would lock it; log in once with another program";
            return Err(self.pin_error(reason.into()));
        }
        let pin = self.pin()?;
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) if is_about_pin(&error) => {
                self.refused = Some(error.to_string());
                Err(self.pin_error(error.to_string()))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn pin(&self) -> Result<AuthPin, TokenError> {
        let path = &self.config.pin_file;
        let unread = |source| TokenError::PinFile { path: path.clone(), source };
        let mode = fs::metadata(path).map_err(unread)?.permissions().mode();
        if mode & OTHERS != 0 {
            let reason = "others than its owner and group can use it; make it private: chmod 600";
            return Err(unread(io::Error::other(reason)));
        }
        let text = AuthPin::from(fs::read_to_string(path).map_err(unread)?);
        let line = secrecy::ExposeSecret::expose_secret(&text).lines().next().unwrap_or_default();
        match line {
            "" => Err(unread(io::Error::other("its first line is empty"))),
            line => Ok(AuthPin::from(line.to_owned())),
        }
    }

    fn pin_error(&self, reason: String) -> TokenError {
        TokenError::Pin { token: self.config.token.clone(), reason }
    }

    /// So that the next call begins anew.
    fn close(&mut self) {
        self.open = None;
        if let Some(module) = self.module.clone() {
            // It may be in any state.
            let _ = module.finalize();
        }
    }

    /// Does something in a session. Should a session that stood already have been dropped by the
    /// token, a new one is tried.
    fn within<R>(
        &mut self,
        act: impl Fn(&mut Open) -> Result<R, Pkcs11Error>,
    ) -> Result<R, TokenError> {
        let stood = self.open.is_some();
        let error = match act(self.opened()?) {
            Ok(done) => return Ok(done),
            // The session is well, and others go on using it.
            Err(error) if is_about_key(&error) => return Err(self.failed(&error)),
            Err(error) => self.failed(&error),
        };
        self.close();
        if !stood {
            return Err(error);
        }
        match act(self.opened()?) {
            Ok(done) => Ok(done),
            Err(error) => {
                self.close();
                Err(self.failed(&error))
            }
        }
    }
}

impl Device for Token {
    fn keys(&mut self) -> Result<Vec<TokenKey>, TokenError> {
        self.within(|open| {
            open.refresh()?;
            Ok(open.handles.keys().cloned().collect())
        })
    }

    fn sign(&mut self, key: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let signature = self.within(|open| {
            if !open.handles.contains_key(key) {
                open.refresh()?;
            }
            let Some(handle) = open.handles.get(key) else { return Ok(None) };
            let mechanism = match key.kind.is_ed25519() {
                true => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
                false => Mechanism::Ecdsa,
            };
            open.session.sign(&mechanism, *handle, message).map(Some)
        })?;
        let token = self.config.token.clone();
        let signature = signature.ok_or_else(|| TokenError::NoKey {
            token: token.clone(),
            key: format!("{} {}", key.kind.name(), hex::encode(&key.public)),
        })?;
        let what = "a signature of another length";
        signature.try_into().map_err(|_| TokenError::Nonsense { token, what })
    }

    fn generate(&mut self, kind: KeyKind) -> Result<TokenKey, TokenError> {
        let made = self.opened()?.generate(kind);
        let made = made.map_err(|error| {
            self.close();
            self.failed(&error)
        })?;
        let token = self.config.token.clone();
        made.ok_or(TokenError::Nonsense { token, what: "a public key that is none" })
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.close();
    }
}

impl Open {
    /// Reads which keys there are.
    fn refresh(&mut self) -> Result<(), Pkcs11Error> {
        self.handles.clear();
        for kind in KeyKind::ALL {
            let class = Attribute::Class(ObjectClass::PUBLIC_KEY);
            for public in self.session.find_objects(&template(kind, class))? {
                let Some(key) = self.read_public(kind, public)? else { continue };
                let id = self.id(public)?;
                let mut wanted = template(kind, Attribute::Class(ObjectClass::PRIVATE_KEY));
                wanted.extend(id.map(Attribute::Id));
                // Without an id a pair cannot be told from another of its label.
                if let [private] = self.session.find_objects(&wanted)?[..] {
                    self.handles.insert(key, private);
                }
            }
        }
        Ok(())
    }

    fn read_public(
        &self,
        kind: KeyKind,
        object: ObjectHandle,
    ) -> Result<Option<TokenKey>, Pkcs11Error> {
        let read = self.session.get_attributes(object, &[AttributeType::EcPoint])?;
        let point = read.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        });
        let public = point.and_then(|point| match kind.is_ed25519() {
            true => ec::ed25519_point(&point),
            false => ec::secp256k1_point(&point),
        });
        Ok(public.map(|public| TokenKey { kind, public }))
    }

    fn id(&self, object: ObjectHandle) -> Result<Option<Vec<u8>>, Pkcs11Error> {
        let read = self.session.get_attributes(object, &[AttributeType::Id])?;
        Ok(read.into_iter().find_map(|attribute| match attribute {
            Attribute::Id(id) if !id.is_empty() => Some(id),
            _ => None,
        }))
    }

    fn generate(&mut self, kind: KeyKind) -> Result<Option<TokenKey>, Pkcs11Error> {
        let mut id = vec![0; 16];
        self.session.generate_random_slice(&mut id)?;
        let (mechanism, curves): (_, &[&[u8]]) = match kind.is_ed25519() {
            true => (Mechanism::EccEdwardsKeyPairGen, &[ec::EDWARDS_OID, ec::EDWARDS_NAME]),
            false => (Mechanism::EccKeyPairGen, &[ec::SECP256K1_OID]),
        };
        let label = Attribute::Label(kind.label().into_bytes());
        let common = [Attribute::Token(true), label, Attribute::Id(id)];
        let private = [
            &common[..],
            &[
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ],
        ]
        .concat();
        let mut failed = None;
        for curve in curves {
            let public = [
                &common[..],
                &[
                    Attribute::Private(false),
                    Attribute::Verify(true),
                    Attribute::EcParams(curve.to_vec()),
                ],
            ]
            .concat();
            match self.session.generate_key_pair(&mechanism, &public, &private) {
                Ok((public, private)) => {
                    let key = self.read_public(kind, public)?;
                    if let Some(key) = &key {
                        self.handles.insert(key.clone(), private);
                    }
                    return Ok(key);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

fn template(kind: KeyKind, class: Attribute) -> Vec<Attribute> {
    let curve = if kind.is_ed25519() { KeyType::EC_EDWARDS } else { KeyType::EC };
    vec![
        Attribute::Token(true),
        class,
        Attribute::KeyType(curve),
        Attribute::Label(kind.label().into_bytes()),
    ]
}

/// Whether the token refuses what was asked of a key: a new session would not help.
fn is_about_key(error: &Pkcs11Error) -> bool {
    use RvError::{KeyFunctionNotPermitted, KeyTypeInconsistent, MechanismInvalid};
    matches!(
        error,
        Pkcs11Error::Pkcs11(KeyFunctionNotPermitted | KeyTypeInconsistent | MechanismInvalid, _)
    )
}

/// Whether trying again could lock the token.
fn is_about_pin(error: &Pkcs11Error) -> bool {
    use RvError::{
        PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked, UserPinNotInitialized,
    };
    matches!(
        error,
        Pkcs11Error::Pkcs11(
            PinIncorrect
                | PinInvalid
                | PinLenRange
                | PinExpired
                | PinLocked
                | UserPinNotInitialized,
            _,
        )
    )
}
