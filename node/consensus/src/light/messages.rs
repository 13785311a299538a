//! GRANDPA's gossip messages: those two that a light client follows finality by.
//!
//! Both are read off a certificate, which is a GRANDPA commit in another order.

use cascoin_l2_primitives::{
    chain::{BlockNumber, Header},
    consensus::Certificate,
};
use codec::Encode;
use sp_consensus_grandpa::CompactCommit;

/// Index of a commit among GRANDPA's messages.
const COMMIT: u8 = 1;
/// Index of a neighbour packet, and its version.
const NEIGHBOUR: u8 = 2;
const NEIGHBOUR_VERSION: u8 = 1;

/// The neighbour packet: how far this node is. `round` is that of the certificate
/// of the block `finalized`, `set_id` the set that certified it.
pub fn neighbour(round: u64, set_id: u64, finalized: BlockNumber) -> Vec<u8> {
    (NEIGHBOUR, NEIGHBOUR_VERSION, round, set_id, finalized).encode()
}

/// The commit: a certificate made by the set `set_id`.
pub fn commit(certificate: &Certificate, set_id: u64) -> Vec<u8> {
    let compact = CompactCommit::<Header>::from(certificate.commit.clone());
    (COMMIT, certificate.round, set_id, compact).encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::light::proof::testing::{certificate, pairs};
    use codec::{Decode, DecodeAll};
    use sp_consensus_grandpa::{AuthorityId, AuthoritySignature, Precommit};
    use sp_core::H256;
    use sp_runtime::traits::Header as _;

    fn header() -> Header {
        Header::new(9, H256::zero(), H256::zero(), H256::zero(), Default::default())
    }

    #[test]
    fn a_neighbour_packet_has_the_bytes_of_grandpa() {
        let bytes = neighbour(0x0102, 3, 0x0405_0607);
        let expected =
            [2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0x07, 0x06, 0x05, 0x04];
        assert_eq!(bytes, expected);
    }

    /// Field by field, as smoldot decodes it (`decode_grandpa_notification`).
    #[test]
    fn a_commit_says_what_the_certificate_says() {
        type Fields = (
            u8,
            u64,
            u64,
            H256,
            u32,
            Vec<Precommit<Header>>,
            Vec<(AuthoritySignature, AuthorityId)>,
        );
        let keys = pairs(4, 1);
        let certificate = certificate(&header(), 7, &keys[..3]);
        let bytes = commit(&certificate, 7);
        let (index, round, set_id, hash, number, precommits, signatures) =
            Fields::decode_all(&mut &bytes[..]).unwrap();
        assert_eq!((index, round, set_id), (1, certificate.round, 7));
        assert_eq!((hash, number), (header().hash(), 9));
        assert_eq!((precommits.len(), signatures.len()), (3, 3));
        for (signed, (precommit, (signature, id))) in
            certificate.commit.precommits.iter().zip(precommits.iter().zip(&signatures))
        {
            assert_eq!(&signed.precommit, precommit);
            assert_eq!((&signed.signature, &signed.id), (signature, id));
        }
        assert!(u8::decode(&mut &bytes[..]).is_ok());
    }
}
