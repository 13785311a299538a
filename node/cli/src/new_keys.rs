//! Whether a key that has neither a log nor a high-water mark here may be new.

use sc_service::ChainType;

/// Whether such keys may be taken for ones that have never signed.
///
/// On a public network an empty database proves nothing: the disk may have died, and
/// the keys have survived in an HSM or a backup. There only the operator knows
/// (`accepted`: `--accept-missing-log`), also when the network is launched. Networks
/// on one machine are begun anew all the time.
pub fn may_be_new(accepted: bool, chain: &ChainType, finalized: u32) -> bool {
    accepted || (finalized == 0 && *chain != ChainType::Live)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sc_service::ChainSpec as _;

    #[test]
    fn an_empty_database_proves_nothing_on_a_public_network() {
        let local = [ChainType::Development, ChainType::Local, ChainType::Custom("lab".into())];
        for chain in &local {
            assert!(may_be_new(false, chain, 0));
            assert!(!may_be_new(false, chain, 1));
        }
        assert!(!may_be_new(false, &ChainType::Live, 0));
        assert!(!may_be_new(false, &ChainType::Live, 1));
        assert!(may_be_new(true, &ChainType::Live, 0));
    }

    #[test]
    fn the_public_presets_are_live() {
        for (preset, live) in [
            ("mainnet", true),
            ("testnet", true),
            ("regtest", false),
            ("local", false),
            ("dev", false),
        ] {
            let spec = crate::chain_spec::load(preset).unwrap();
            assert_eq!(spec.chain_type() == ChainType::Live, live, "{preset}");
        }
    }
}
