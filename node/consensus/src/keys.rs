//! The sequencer's hot keys: signing goes through the keystore, never around it,
//! so that a remote signer or HSM can stand behind it.

use cascoin_l2_primitives::chain::{key_types, SequencerSet};
use sc_keystore::LocalKeystore;
use sp_core::{ed25519, Pair};
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// Why nothing was signed. The node misses its vote; nobody is blamed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The keystore answered with an error.
    #[error("keystore failed: {0}")]
    Keystore(#[from] sp_keystore::Error),
    /// The keystore no longer has the key.
    #[error("key {0} is not in the keystore")]
    Missing(String),
    /// The signer does not know what it signed.
    #[error("{0}")]
    Memory(String),
}

/// Asks a signer that remembers what it signed last with a gran key and what before that, newest
/// first: the messages, none if it never signed. An error says why nobody knows.
pub type SignerMemory = Arc<dyn Fn(&ed25519::Public) -> Result<Vec<Vec<u8>>, String> + Send + Sync>;

/// Where this node's hot keys are.
#[derive(Clone)]
pub struct KeySource {
    /// Signs; a remote signer or HSM can stand behind it.
    pub keystore: KeystorePtr,
    /// The same, if it is a folder of this machine. It derives a key from its
    /// secret for each signature, which takes it two milliseconds; a key that was
    /// read once signs in microseconds.
    pub local: Option<Arc<LocalKeystore>>,
    /// What the signer itself remembers, if it does: it refuses to contradict that, so this node's
    /// log must hold it.
    pub memory: Option<SignerMemory>,
}

impl KeySource {
    /// A source that can only be asked to sign.
    pub fn signing_only(keystore: KeystorePtr) -> Self {
        Self { keystore, local: None, memory: None }
    }

    /// The same of a signer that remembers.
    pub fn remembering(keystore: KeystorePtr, memory: SignerMemory) -> Self {
        Self { keystore, local: None, memory: Some(memory) }
    }
}

/// This node's keys in one set of sequencers.
#[derive(Clone)]
pub struct LocalKeys {
    keystore: KeystorePtr,
    /// The aura and the grandpa key themselves, if they could be read.
    pairs: Option<Arc<(ed25519::Pair, ed25519::Pair)>>,
    memory: Option<SignerMemory>,
    /// Index in the set.
    pub index: u16,
    /// Seals headers.
    pub aura: ed25519::Public,
    /// Signs votes.
    pub grandpa: ed25519::Public,
}

impl LocalKeys {
    /// Finds the member of `set` both of whose hot keys are in the keystore.
    /// `known`: what was found last, whose keys need not be read again.
    pub fn find(source: &KeySource, set: &SequencerSet, known: Option<&Self>) -> Option<Self> {
        let keystore = &source.keystore;
        let position = set.members.iter().position(|member| {
            keystore.has_keys(&[
                (member.grandpa.0.to_vec(), key_types::GRANDPA),
                (member.aura.0.to_vec(), key_types::AURA),
            ])
        })?;
        let index = u16::try_from(position).ok()?;
        let (aura, grandpa) = (set.members[position].aura, set.members[position].grandpa);
        let same = known.filter(|known| (known.aura, known.grandpa) == (aura, grandpa));
        let pairs = match same.and_then(|known| known.pairs.clone()) {
            Some(pairs) => Some(pairs),
            None => source.local.as_deref().and_then(|local| read(local, &aura, &grandpa)),
        };
        let memory = source.memory.clone();
        Some(Self { keystore: keystore.clone(), pairs, memory, index, aura, grandpa })
    }

    /// Whether their signer remembers what it signed.
    pub fn remember(&self) -> bool {
        self.memory.is_some()
    }

    /// What their signer remembers, newest first ([`SignerMemory`]); nothing if it does not.
    ///
    /// # Errors
    /// [`SignError::Memory`].
    pub fn last_signed(&self) -> Result<Vec<Vec<u8>>, SignError> {
        match &self.memory {
            Some(memory) => memory(&self.grandpa).map_err(SignError::Memory),
            None => Ok(Vec::new()),
        }
    }

    /// Signs a vote, a proposal or a greeting.
    ///
    /// # Errors
    /// [`SignError`] when the keystore cannot.
    pub fn sign(&self, message: &[u8]) -> Result<ed25519::Signature, SignError> {
        match &self.pairs {
            Some(pairs) => Ok(pairs.1.sign(message)),
            None => self
                .keystore
                .ed25519_sign(key_types::GRANDPA, &self.grandpa, message)?
                .ok_or_else(|| SignError::Missing(hex::encode(self.grandpa.0))),
        }
    }

    /// Seals a header: signs its hash.
    ///
    /// # Errors
    /// [`SignError`] when the keystore cannot.
    pub fn seal(&self, hash: &[u8]) -> Result<ed25519::Signature, SignError> {
        match &self.pairs {
            Some(pairs) => Ok(pairs.0.sign(hash)),
            None => self
                .keystore
                .ed25519_sign(key_types::AURA, &self.aura, hash)?
                .ok_or_else(|| SignError::Missing(hex::encode(self.aura.0))),
        }
    }
}

/// Reads both keys.
fn read(
    local: &LocalKeystore,
    aura: &ed25519::Public,
    grandpa: &ed25519::Public,
) -> Option<Arc<(ed25519::Pair, ed25519::Pair)>> {
    use sp_consensus_aura::ed25519::AuthorityPair as Aura;
    use sp_consensus_grandpa::AuthorityPair as Grandpa;
    let aura = local.key_pair::<Aura>(&(*aura).into()).ok()??;
    let grandpa = local.key_pair::<Grandpa>(&(*grandpa).into()).ok()??;
    Some(Arc::new((aura.into_inner(), grandpa.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::chain::SequencerInfo;
    use sp_core::ecdsa;
    use sp_keystore::Keystore;

    #[test]
    fn keys_that_were_read_sign_as_the_keystore_does_and_go_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let local = Arc::new(LocalKeystore::open(folder.path(), None).unwrap());
        let public = ed25519::Pair::from_string("//Hot", None).unwrap().public();
        for key_type in [key_types::AURA, key_types::GRANDPA] {
            local.insert(key_type, "//Hot", &public.0).unwrap();
        }
        let member = SequencerInfo {
            account: [1; 32].into(),
            aura: public,
            grandpa: public,
            relay: public,
            vault: ecdsa::Public::from_raw([2; 33]),
            weight: 1,
            barred: false,
        };
        let set = SequencerSet { set_id: 0, members: vec![member] };
        let asking = KeySource::signing_only(local.clone());
        let reading = KeySource { keystore: local.clone(), local: Some(local), memory: None };

        let asked = LocalKeys::find(&asking, &set, None).unwrap();
        let read = LocalKeys::find(&reading, &set, None).unwrap();
        assert!(asked.pairs.is_none() && read.pairs.is_some());
        // Ed25519 signatures are deterministic.
        assert_eq!(asked.sign(b"vote").unwrap(), read.sign(b"vote").unwrap());
        assert_eq!(asked.seal(b"hash").unwrap(), read.seal(b"hash").unwrap());

        let again = LocalKeys::find(&reading, &set, Some(&read)).unwrap();
        assert!(Arc::ptr_eq(again.pairs.as_ref().unwrap(), read.pairs.as_ref().unwrap()));
        std::fs::remove_dir_all(folder.path()).unwrap();
        std::fs::create_dir(folder.path()).unwrap();
        assert!(LocalKeys::find(&asking, &set, None).is_none(), "the files are gone");
    }
}
