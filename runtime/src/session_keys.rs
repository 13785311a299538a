//! A sequencer's session keys.

use crate::{Aura, Grandpa, Runtime};
use alloc::vec::Vec;
use pallet_sequencer_registry::{Relay, Vault};
use sp_runtime::impl_opaque_keys;

impl_opaque_keys! {
    /// The keys of one sequencer, each for one purpose and for one chain.
    pub struct SessionKeys {
        /// Seals headers (ed25519, key type `aura`).
        pub aura: Aura,
        /// Signs votes and certificates (ed25519, key type `gran`).
        pub grandpa: Grandpa,
        /// Signs relay votes (ed25519, key type `rlay`).
        pub relay: Relay<Runtime>,
        /// Signs vault transactions (ecdsa, key type `valt`).
        pub vault: Vault<Runtime>,
    }
}
