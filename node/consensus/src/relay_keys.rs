//! The relay keys that this node holds: with them it speaks for its sequencers and
//! candidates, whose accounts' own keys stay cold (R30.6).

use cascoin_l2_primitives::chain::key_types;
use sp_core::ed25519;
use sp_keystore::KeystorePtr;

/// Where they are. A signer behind it may lose them at any time.
pub(crate) struct RelayKeys(pub(crate) KeystorePtr);

impl RelayKeys {
    /// Whether this node holds a key.
    pub(crate) fn holds(&self, key: &ed25519::Public) -> bool {
        self.0.has_keys(&[(key.to_vec(), key_types::RELAY)])
    }

    /// Signs with a key; `None` if it is not there or the signer fails.
    pub(crate) fn sign(&self, key: &ed25519::Public, message: &[u8]) -> Option<ed25519::Signature> {
        self.0.ed25519_sign(key_types::RELAY, key, message).ok().flatten()
    }
}
