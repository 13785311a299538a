//! What a token can do, whatever stands behind it.

use crate::token::TokenError;
use cascoin_l2_primitives::chain::key_types;
use sp_core::crypto::KeyTypeId;

/// A session key's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Seals headers.
    Aura,
    /// Signs votes.
    Gran,
    /// Signs relay votes.
    Rlay,
    /// Signs vault transactions.
    Valt,
}

impl KeyKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aura, Self::Gran, Self::Rlay, Self::Valt];

    /// The keystore's name of it.
    pub fn key_type(self) -> KeyTypeId {
        match self {
            Self::Aura => key_types::AURA,
            Self::Gran => key_types::GRANDPA,
            Self::Rlay => key_types::RELAY,
            Self::Valt => key_types::VAULT,
        }
    }

    /// The kind of a keystore's key type.
    pub fn of(key_type: KeyTypeId) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key_type() == key_type)
    }

    /// Label of its objects on a token.
    pub fn label(self) -> String {
        format!("cascoin-l2/{}", self.name())
    }

    /// Four letters, as operators know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aura => "aura",
            Self::Gran => "gran",
            Self::Rlay => "rlay",
            Self::Valt => "valt",
        }
    }

    /// Whether its curve is edwards25519; otherwise it is secp256k1.
    pub fn is_ed25519(self) -> bool {
        self != Self::Valt
    }
}

/// A key on a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenKey {
    /// What it is for.
    pub kind: KeyKind,
    /// The public key: 32 bytes, or 33 (compressed) for secp256k1.
    pub public: Vec<u8>,
}

/// A token. All of it may block; see [`crate::deadline`].
pub trait Device: Send {
    /// Its keys.
    ///
    /// # Errors
    /// [`TokenError`].
    fn keys(&mut self) -> Result<Vec<TokenKey>, TokenError>;

    /// Signs `message` with an ed25519 key, or a hash of 32 bytes with a secp256k1 key; the
    /// 64 bytes of the signature.
    ///
    /// # Errors
    /// [`TokenError`].
    fn sign(&mut self, key: &TokenKey, message: &[u8]) -> Result<[u8; 64], TokenError>;

    /// Makes a key that never leaves the token; its public part.
    ///
    /// # Errors
    /// [`TokenError`].
    fn generate(&mut self, kind: KeyKind) -> Result<TokenKey, TokenError>;
}
