//! What L2 tells L1 of reputations (R10.4): the scores of linked L1 addresses, in batches
//! that more than two thirds of the sequencers sign.
//!
//! A batch holds what has changed. Whoever applies all batches in the order of their
//! sequence numbers has, for each address, the score that was exported last; an address
//! that no batch names has none. [`SignedExport::verify`] needs nothing but the keys of
//! the set that signed; signatures are Ed25519 by the strict rules
//! ([`ExportSignature::is_by`]). Batches that L2 superseded may be left out, others not: see
//! [`export_order`](super::export_order).

use super::{rule::Suspicion, Score};
use crate::chain::{quorum, BlockNumber, MAX_SEQUENCERS};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sp_core::{bounded::BoundedVec, ed25519, ConstU32, H160, H256};
use sp_runtime::Weight;

/// Domain of the signed message.
pub const EXPORT_DOMAIN: &[u8; 9] = b"CASL2REX1";
/// Most entries of a batch: 12 KiB.
pub const MAX_EXPORT_ENTRIES: u32 = 512;

/// What L2 says of an L1 address. The default is what it says of one that is not linked.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ExportedScore {
    /// The aggregated score of its account.
    pub score: Score,
    /// Why the account is under suspicion, if it is.
    pub suspicion: Option<Suspicion>,
}

impl ExportedScore {
    /// Whether `now` is worth telling to whom `self` was told: the score has moved by
    /// `threshold` points or more, or suspicion came, went or changed.
    pub fn differs(&self, now: &Self, threshold: u8) -> bool {
        self.suspicion != now.suspicion || self.score.get().abs_diff(now.score.get()) >= threshold
    }
}

/// One address of a batch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ExportEntry {
    /// HASH160 of its key.
    pub address: H160,
    /// What L2 says of it; zero if it is linked no more.
    pub exported: ExportedScore,
}

/// The entries of a batch; no address is named twice.
pub type ExportEntries = BoundedVec<ExportEntry, ConstU32<MAX_EXPORT_ENTRIES>>;

/// A batch of changes.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ReputationExport {
    /// 1 for the first one; rises by one.
    pub sequence: u32,
    /// Sequence number of the oldest batch that waited for L1 when this one was made, at
    /// most its own: those before were settled or superseded. It never falls.
    pub oldest: u32,
    /// [`hash`](Self::hash) of the one before; zero for the first one.
    pub previous: H256,
    /// The L2 block that made it.
    pub height: BlockNumber,
    /// What has changed.
    pub entries: ExportEntries,
}

impl ReputationExport {
    /// SHA-256 of the SCALE-encoded batch.
    pub fn hash(&self) -> H256 {
        H256(Sha256::digest(self.encode()).into())
    }
}

/// What a sequencer signs: `"CASL2REX1" ‖ genesis ‖ set_id u64 ‖ hash of the batch`.
pub fn export_message(genesis: &H256, set_id: u64, batch: &H256) -> Vec<u8> {
    let mut message = Vec::with_capacity(81);
    message.extend_from_slice(EXPORT_DOMAIN);
    message.extend_from_slice(genesis.as_bytes());
    message.extend_from_slice(&set_id.to_le_bytes());
    message.extend_from_slice(batch.as_bytes());
    message
}

/// A sequencer's signature on its way to the chain.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ExportVote {
    /// The set the signer belongs to.
    pub set_id: u64,
    /// Which batch.
    pub sequence: u32,
    /// Who, and the signature.
    pub signature: ExportSignature,
}

/// A sequencer's signature.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ExportSignature {
    /// The signer's index in the set.
    pub signer: u16,
    /// Over [`export_message`], by its relay key.
    pub signature: ed25519::Signature,
}

impl ExportSignature {
    /// Whether it is the signature of a message by a key, by the strictest rules in use:
    /// canonical encodings, neither key nor R of small order, and `[s]B = R + [k]A` without
    /// the cofactor. The host's verification follows ZIP-215, which takes more than that;
    /// a sequencer could give a signature that counts on L2 and that a strict verifier
    /// refuses, and a certificate may have no signature to spare.
    pub fn is_by(&self, key: &ed25519::Public, message: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        ed25519_dalek::VerifyingKey::from_bytes(&key.0)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// Signatures of one batch, strictly ascending by signer.
pub type ExportSignatures = BoundedVec<ExportSignature, ConstU32<MAX_SEQUENCERS>>;

/// Signatures of more than two thirds of a set.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ExportCertificate {
    /// The set.
    pub set_id: u64,
    /// Its members' signatures.
    pub signatures: ExportSignatures,
}

/// A batch that is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SignedExport {
    /// The batch.
    pub export: ReputationExport,
    /// Who signed it.
    pub certificate: ExportCertificate,
}

/// Why a batch proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// It is signed by another set.
    WrongSet,
    /// Signers are not strictly ascending (this also refuses doubles).
    NotSorted,
    /// A signer is not in the set.
    NotAMember,
    /// A signature is wrong.
    BadSignature,
    /// Fewer than ⌊2n/3⌋ + 1 signatures.
    NoQuorum,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongSet => "the export is signed by another set",
            Self::NotSorted => "the export's signers are not in strictly ascending order",
            Self::NotAMember => "the export has a signer who is not in the set",
            Self::BadSignature => "the export has a wrong signature",
            Self::NoQuorum => "the export has fewer signatures than a quorum",
        })
    }
}

#[cfg(feature = "std")]
impl std::error::Error for ExportError {}

impl SignedExport {
    /// Checks that more than two thirds of the set `set_id` signed the batch on the chain
    /// with this genesis. `relay_keys` are the set's, by index. Signatures are checked
    /// [strictly](ExportSignature::is_by); the chain takes no others.
    ///
    /// # Errors
    /// [`ExportError`], the first rule that is broken.
    pub fn verify(
        &self,
        genesis: &H256,
        set_id: u64,
        relay_keys: &[ed25519::Public],
    ) -> Result<(), ExportError> {
        let Self { export, certificate } = self;
        if certificate.set_id != set_id {
            return Err(ExportError::WrongSet);
        }
        let signatures = &certificate.signatures;
        if signatures.len() < quorum(relay_keys.len()) {
            return Err(ExportError::NoQuorum);
        }
        if !signatures.windows(2).all(|pair| pair[0].signer < pair[1].signer) {
            return Err(ExportError::NotSorted);
        }
        let message = export_message(genesis, set_id, &export.hash());
        for signed in signatures {
            let key = relay_keys.get(usize::from(signed.signer)).ok_or(ExportError::NotAMember)?;
            if !signed.is_by(key, &message) {
                return Err(ExportError::BadSignature);
            }
        }
        Ok(())
    }
}

/// What L2 says of L1 addresses now.
pub trait LinkedScores {
    /// Of one address; `None` if it is linked to no account.
    fn of_address(address: &H160) -> Option<ExportedScore>;
}

/// Why what L2 says of an L1 address may have changed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreCause {
    /// Its account was linked or unlinked.
    Link,
    /// Trust in it was computed anew.
    Trust,
    /// L1's score of its account was imported.
    L1Score,
    /// Its account was punished for an offence.
    Offence,
}

impl ScoreCause {
    /// Whether it has room in the draft that is kept for it: no user brings it about, so
    /// nobody can fill that room to keep others out.
    pub const fn has_reserve(self) -> bool {
        matches!(self, Self::L1Score | Self::Offence)
    }
}

/// Told when what L2 says of an L1 address may have changed at once. What changes with each
/// transaction or with time is not told. `()` does not listen.
pub trait OnLinkedScore {
    /// It may have changed.
    fn on_linked_score(address: &H160, cause: ScoreCause);

    /// Upper bound of the weight of that.
    fn weight() -> Weight;
}

impl OnLinkedScore for () {
    fn on_linked_score(_: &H160, _: ScoreCause) {}

    fn weight() -> Weight {
        Weight::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sp_core::Pair;

    const GENESIS: H256 = H256([7; 32]);
    const SET_ID: u64 = 3;

    fn pairs(count: u8) -> Vec<ed25519::Pair> {
        (1..=count).map(|seed| ed25519::Pair::from_seed(&[seed; 32])).collect()
    }

    fn keys(count: u8) -> Vec<ed25519::Public> {
        pairs(count).iter().map(Pair::public).collect()
    }

    fn exported(score: u64) -> ExportedScore {
        ExportedScore { score: Score::saturating(score), suspicion: None }
    }

    fn export() -> ReputationExport {
        let entry = |n: u8| ExportEntry { address: H160([n; 20]), exported: exported(n.into()) };
        let entries = (1..=3).map(entry).collect::<Vec<_>>().try_into().expect("few");
        ReputationExport { sequence: 9, oldest: 6, previous: H256([4; 32]), height: 77, entries }
    }

    fn signed(count: u8, signers: &[u16]) -> SignedExport {
        let export = export();
        let message = export_message(&GENESIS, SET_ID, &export.hash());
        let pairs = pairs(count);
        let sign = |signer: &u16| ExportSignature {
            signer: *signer,
            signature: pairs[usize::from(*signer)].sign(&message),
        };
        let signatures = signers.iter().map(sign).collect::<Vec<_>>().try_into().expect("few");
        SignedExport { export, certificate: ExportCertificate { set_id: SET_ID, signatures } }
    }

    fn verify(signed: &SignedExport, count: u8) -> Result<(), ExportError> {
        signed.verify(&GENESIS, SET_ID, &keys(count))
    }

    #[test]
    fn r10_4_a_quorum_of_one_to_seven_proves_an_export() {
        for count in 1..=7u8 {
            for signers in 0..=u16::from(count) {
                let all: Vec<u16> = (0..signers).collect();
                let enough = usize::from(signers) >= quorum(count.into());
                let expected = if enough { Ok(()) } else { Err(ExportError::NoQuorum) };
                assert_eq!(verify(&signed(count, &all), count), expected, "{signers} of {count}");
            }
        }
    }

    #[test]
    fn r10_4_what_is_not_signed_so_proves_nothing() {
        let good = signed(4, &[0, 2, 3]);
        assert_eq!(verify(&good, 4), Ok(()));
        assert_eq!(good.verify(&GENESIS, SET_ID + 1, &keys(4)), Err(ExportError::WrongSet));
        assert_eq!(good.verify(&H256([8; 32]), SET_ID, &keys(4)), Err(ExportError::BadSignature));
        assert_eq!(verify(&signed(4, &[0, 2, 2]), 4), Err(ExportError::NotSorted));
        assert_eq!(verify(&signed(4, &[2, 0, 3]), 4), Err(ExportError::NotSorted));
        assert_eq!(verify(&signed(5, &[0, 2, 4]), 4), Err(ExportError::NotAMember));
        assert_eq!(good.verify(&GENESIS, SET_ID, &[]), Err(ExportError::NotAMember));
        let mut relabelled = good.clone();
        relabelled.certificate.set_id += 1;
        let of_next = relabelled.verify(&GENESIS, SET_ID + 1, &keys(4));
        assert_eq!(of_next, Err(ExportError::BadSignature));
        let mut swapped = good.clone();
        swapped.certificate.signatures[0].signer = 1;
        assert_eq!(verify(&swapped, 4), Err(ExportError::BadSignature));
    }

    /// A signature by a key that ZIP-215 takes and strict verifiers refuse: R has a part of
    /// small order.
    fn lax(seed: u8, message: &[u8]) -> ed25519::Signature {
        use curve25519_dalek::{
            constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
            scalar::{clamp_integer, Scalar},
        };
        use sha2::Sha512;
        let mut secret = [0; 32];
        secret.copy_from_slice(&Sha512::digest([seed; 32])[..32]);
        let secret = Scalar::from_bytes_mod_order(clamp_integer(secret));
        let public = ED25519_BASEPOINT_POINT * secret;
        let nonce = Scalar::from(7u64);
        let point = ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[1];
        let point = point.compress().to_bytes();
        let challenge = Sha512::new()
            .chain_update(point)
            .chain_update(public.compress().to_bytes())
            .chain_update(message)
            .finalize();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&challenge.into()) * secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        signature[32..].copy_from_slice(&s.to_bytes());
        ed25519::Signature::from_raw(signature)
    }

    #[test]
    fn r10_4_what_only_some_verifiers_take_proves_nothing() {
        let mut export = signed(4, &[0, 2, 3]);
        let message = export_message(&GENESIS, SET_ID, &export.export.hash());
        let signature = lax(4, &message);
        let key = keys(4)[3];
        assert!(ed25519::Pair::verify(&signature, &message, &key), "ZIP-215 takes it");
        assert!(!ExportSignature { signer: 3, signature }.is_by(&key, &message));
        export.certificate.signatures[2].signature = signature;
        assert_eq!(verify(&export, 4), Err(ExportError::BadSignature));

        // With a key and an R that are the neutral element every message is signed.
        let mut neutral = [0; 64];
        neutral[0] = 1;
        let signature = ed25519::Signature::from_raw(neutral);
        let mut weak = [0; 32];
        weak[0] = 1;
        let weak = ed25519::Public::from_raw(weak);
        assert!(ed25519::Pair::verify(&signature, &message, &weak), "ZIP-215 takes it");
        assert!(!ExportSignature { signer: 0, signature }.is_by(&weak, &message));
    }

    #[test]
    fn a_change_counts_from_the_threshold_on_and_suspicion_always() {
        let suspicious = ExportedScore { suspicion: Some(Suspicion::WashActivity), ..exported(50) };
        assert!(!exported(50).differs(&exported(54), 5));
        assert!(exported(50).differs(&exported(55), 5));
        assert!(exported(50).differs(&exported(45), 5));
        assert!(exported(50).differs(&suspicious, 5) && suspicious.differs(&exported(50), 5));
        assert!(!suspicious.differs(&suspicious, 5));
    }

    #[test]
    fn the_signed_message_has_the_documented_layout() {
        let message = export_message(&GENESIS, 0x0102, &H256([9; 32]));
        assert_eq!(message.len(), 9 + 32 + 8 + 32);
        assert_eq!(&message[..9], b"CASL2REX1");
        assert_eq!(&message[9..41], GENESIS.as_bytes());
        assert_eq!(&message[41..49], &[2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&message[49..], &[9; 32]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        /// R10.4: whatever is changed in a batch, its signatures prove it no more.
        #[test]
        fn r10_4_every_part_of_an_export_is_signed(part in 0..7usize, bit in 0..8u32) {
            let mut changed = signed(4, &[0, 1, 3]);
            let export = &mut changed.export;
            match part {
                0 => export.sequence ^= 1 << bit,
                1 => export.previous.0[0] ^= 1 << bit,
                2 => export.height ^= 1 << bit,
                3 => export.entries[1].address.0[19] ^= 1 << bit,
                4 => export.oldest ^= 1 << bit,
                5 => export.entries[2].exported.score = Score::saturating(50 + u64::from(bit)),
                _ => drop(export.entries.pop()),
            }
            prop_assert_eq!(verify(&changed, 4), Err(ExportError::BadSignature));
        }
    }
}
