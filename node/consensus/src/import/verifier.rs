//! Lets only certified blocks pass.

use super::block_import::SharedSets;
use crate::{
    hand_over::HandOvers,
    header::{check_hand_over, SealedHeader},
};
use cascoin_l2_primitives::{
    chain::{BlockHash, Header, OpaqueBlock},
    consensus::{
        verify_certificate, Certificate, CertificateError, GrandpaRound, CERTIFICATE_ENGINE_ID,
    },
};
use codec::DecodeAll;
use sc_consensus::{BlockImportParams, ForkChoiceStrategy, Verifier};
use sp_runtime::{traits::Header as _, Justifications};

/// Why a block of the network is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It came without a certificate, or with other justifications.
    #[error("block carries no single certificate")]
    NoCertificate,
    /// The certificate cannot be read.
    #[error("certificate cannot be read: {0}")]
    Unreadable(#[from] codec::Error),
    /// The certificate does not make the block final.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The header is none of ours.
    #[error(transparent)]
    Header(#[from] crate::header::HeaderError),
}

/// The certificate among a block's justifications: there must be exactly one,
/// and nothing else.
///
/// # Errors
/// [`VerifyError::NoCertificate`] or [`VerifyError::Unreadable`].
pub fn certificate_of(justifications: &Justifications) -> Result<Certificate, VerifyError> {
    let mut all = justifications.iter();
    let (Some((CERTIFICATE_ENGINE_ID, encoded)), None) = (all.next(), all.next()) else {
        return Err(VerifyError::NoCertificate);
    };
    Ok(Certificate::decode_all(&mut &encoded[..])?)
}

/// Checks certificates of blocks against the set of their height, and that each block carries
/// the hand-over that is in force behind its parent, or none.
pub struct CertificateVerifier {
    sets: SharedSets,
    hand_overs: HandOvers,
}

impl CertificateVerifier {
    /// A verifier that shares both with the import behind it.
    pub fn new(sets: SharedSets, hand_overs: HandOvers) -> Self {
        Self { sets, hand_overs }
    }

    fn check(
        &self,
        header: &Header,
        hash: BlockHash,
        justifications: Option<&Justifications>,
    ) -> Result<(SealedHeader, GrandpaRound), VerifyError> {
        let certificate = certificate_of(justifications.ok_or(VerifyError::NoCertificate)?)?;
        let sets = self.sets.read();
        let set = sets.at(*header.number());
        let round = verify_certificate(
            &certificate,
            hash,
            *header.number(),
            set.set_id,
            set.members.iter(),
        )?;
        let accepted = self.hand_overs.on(header.parent_hash());
        check_hand_over(header, accepted.as_deref())?;
        Ok((SealedHeader::parse(header)?, round))
    }
}

#[async_trait::async_trait]
impl Verifier<OpaqueBlock> for CertificateVerifier {
    async fn verify(
        &self,
        mut block: BlockImportParams<OpaqueBlock>,
    ) -> Result<BlockImportParams<OpaqueBlock>, String> {
        let hash = block.header.hash();
        let (sealed, _) = self
            .check(&block.header, hash, block.justifications.as_ref())
            .map_err(|error| error.to_string())?;
        // Whether it is final, now, is decided behind the door: here the head may be just
        // about to move.
        block.fork_choice = Some(ForkChoiceStrategy::Custom(false));
        block.header = sealed.unsealed;
        block.post_digests.push(sealed.seal);
        block.post_hash = Some(hash);
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authority_sets::AuthoritySets,
        hand_over::testing::hand_over,
        header::{pre_digest, seal_item, HeaderError},
        light::proof::testing::{certificate, ids, pairs},
    };
    use cascoin_l2_primitives::{
        chain::{SequencerInfo, SequencerSet},
        consensus::LeaderDigest,
        hand_over::HandOver,
    };
    use codec::Encode;
    use parking_lot::RwLock;
    use sp_core::{ecdsa, ed25519, Pair, H256};
    use std::sync::Arc;

    /// A sealed block 8 on a base, which nobody but this check looks into.
    fn block(base: H256, hand_over: Option<&HandOver>) -> Header {
        let leader = LeaderDigest { term: 0, round: 0, leader: 0 };
        let digest = pre_digest(1_000, leader, hand_over);
        let mut header = Header::new(8, H256::zero(), H256::zero(), base, digest);
        header.digest_mut().push(seal_item(ed25519::Signature::from_raw([1; 64])));
        header
    }

    fn set_of(pairs: &[ed25519::Pair], set_id: u64) -> SequencerSet {
        let member = |pair: &ed25519::Pair| SequencerInfo {
            account: pair.public().0.into(),
            aura: pair.public(),
            grandpa: pair.public(),
            relay: pair.public(),
            vault: ecdsa::Public::from_raw([2; 33]),
            weight: 1,
            barred: false,
        };
        SequencerSet { set_id, members: pairs.iter().map(member).collect() }
    }

    /// R17.6: behind the base of a hand-over that is in force only blocks of its set pass, with
    /// the hand-over; without one only blocks of the old set, without any.
    #[test]
    fn r17_6_behind_a_base_the_set_that_was_accepted_certifies() {
        let (old, new) = (pairs(4, 0), pairs(4, 1));
        let (accepted, other) = (hand_over(7, 9, 5, 1), hand_over(7, 9, 5, 4));
        let base = accepted.base.hash;
        let sets = Arc::new(RwLock::new(AuthoritySets::genesis(ids(&old))));
        let hand_overs = HandOvers::default();
        let verifier = CertificateVerifier::new(sets.clone(), hand_overs.clone());
        let judge = |header: &Header, set_id: u64, signers: &[ed25519::Pair]| {
            let certificate = certificate(header, set_id, &signers[..3]).encode();
            let justifications = Justifications::from((CERTIFICATE_ENGINE_ID, certificate));
            verifier.check(header, header.hash(), Some(&justifications)).map(|_| ())
        };
        let refused = |result: Result<(), VerifyError>, expected| match result {
            Err(VerifyError::Header(error)) => assert_eq!(error, expected),
            other => panic!("{other:?}"),
        };
        let is_of_others = |result: Result<(), VerifyError>| {
            assert!(matches!(result, Err(VerifyError::Certificate(_))), "{result:?}");
        };
        let (plain, handed) = (block(base, None), block(base, Some(&accepted)));
        let foreign = block(base, Some(&other));

        judge(&plain, 0, &old).unwrap();
        refused(judge(&handed, 0, &old), HeaderError::NotAccepted);
        is_of_others(judge(&handed, 5, &new));
        // Accepted, and its base is not final here yet: nothing has changed.
        hand_overs.put(accepted.clone());
        judge(&plain, 0, &old).unwrap();
        refused(judge(&handed, 0, &old), HeaderError::NotAccepted);

        let set = sets.read().handed_over(&accepted, &set_of(&new, 5)).unwrap();
        sets.write().add(set);
        hand_overs.has_taken_over(&accepted.id());
        judge(&handed, 5, &new).unwrap();
        refused(judge(&plain, 5, &new), HeaderError::WrongHandOver);
        refused(judge(&foreign, 5, &new), HeaderError::WrongHandOver);
        is_of_others(judge(&plain, 0, &old));
        is_of_others(judge(&handed, 0, &new));
        // Behind any other block it is out of place.
        refused(
            judge(&block(H256::repeat_byte(7), Some(&accepted)), 5, &new),
            HeaderError::NotAccepted,
        );
    }
}
