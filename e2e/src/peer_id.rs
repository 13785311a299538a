//! A node's libp2p peer id, worked out before the node runs.

use sp_core::{ed25519, Pair};

/// The peer id of the node whose `--node-key` is `seed`: base58 of the identity
/// multihash of the protobuf-encoded ed25519 key (libp2p peer-id specification).
pub fn peer_id(seed: &[u8; 32]) -> String {
    // identity multihash, 36 bytes; protobuf: key type 1 (ed25519), 32 bytes
    let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    bytes.extend_from_slice(ed25519::Pair::from_seed(seed).public().as_ref());
    bs58::encode(bytes).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The pair that Substrate's documentation of `--node-key` and zombienet use.
    #[test]
    fn node_key_one_gives_the_well_known_peer_id() {
        let mut seed = [0; 32];
        seed[31] = 1;
        assert_eq!(peer_id(&seed), "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
    }
}
