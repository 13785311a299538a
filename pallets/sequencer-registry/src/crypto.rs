//! Key types that only this chain has: `rlay` and `valt`. The sealing and voting
//! keys are Aura's and GRANDPA's own.

/// Signs relay votes (ed25519, key type `rlay`).
pub mod relay {
    mod app {
        use cascoin_l2_primitives::chain::key_types::RELAY;
        use sp_application_crypto::{app_crypto, ed25519};
        app_crypto!(ed25519, RELAY);
    }

    /// The public key.
    pub type AuthorityId = app::Public;
}

/// Signs vault transactions (ecdsa, key type `valt`).
pub mod vault {
    mod app {
        use cascoin_l2_primitives::chain::key_types::VAULT;
        use sp_application_crypto::{app_crypto, ecdsa};
        app_crypto!(ecdsa, VAULT);
    }

    /// The public key.
    pub type AuthorityId = app::Public;
}
