//! The sequencer's hot keys: signing goes through the keystore, never around it,
//! so that a remote signer or HSM can stand behind it.

use cascoin_l2_primitives::chain::{key_types, SequencerSet};
use sp_core::ed25519;
use sp_keystore::KeystorePtr;

/// Why nothing was signed. The node misses its vote; nobody is blamed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The keystore answered with an error.
    #[error("keystore failed: {0}")]
    Keystore(#[from] sp_keystore::Error),
    /// The keystore no longer has the key.
    #[error("key {0} is not in the keystore")]
    Missing(String),
}

/// This node's keys in one set of sequencers.
#[derive(Clone)]
pub struct LocalKeys {
    keystore: KeystorePtr,
    /// Index in the set.
    pub index: u16,
    /// Seals headers.
    pub aura: ed25519::Public,
    /// Signs votes.
    pub grandpa: ed25519::Public,
}

impl LocalKeys {
    /// Finds the member of `set` both of whose hot keys are in the keystore.
    pub fn find(keystore: &KeystorePtr, set: &SequencerSet) -> Option<Self> {
        let position = set.members.iter().position(|member| {
            keystore.has_keys(&[
                (member.grandpa.0.to_vec(), key_types::GRANDPA),
                (member.aura.0.to_vec(), key_types::AURA),
            ])
        })?;
        Some(Self {
            keystore: keystore.clone(),
            index: u16::try_from(position).ok()?,
            aura: set.members[position].aura,
            grandpa: set.members[position].grandpa,
        })
    }

    /// Signs a vote, a proposal or a greeting.
    ///
    /// # Errors
    /// [`SignError`] when the keystore cannot.
    pub fn sign(&self, message: &[u8]) -> Result<ed25519::Signature, SignError> {
        self.keystore
            .ed25519_sign(key_types::GRANDPA, &self.grandpa, message)?
            .ok_or_else(|| SignError::Missing(hex::encode(self.grandpa.0)))
    }

    /// Seals a header: signs its hash.
    ///
    /// # Errors
    /// [`SignError`] when the keystore cannot.
    pub fn seal(&self, hash: &[u8]) -> Result<ed25519::Signature, SignError> {
        self.keystore
            .ed25519_sign(key_types::AURA, &self.aura, hash)?
            .ok_or_else(|| SignError::Missing(hex::encode(self.aura.0)))
    }
}
