//! The commit certificate: a GRANDPA justification, read more strictly.

use super::GrandpaRound;
use crate::chain::{quorum, BlockHash, BlockNumber, Header};
use alloc::collections::BTreeMap;
use core::fmt;
use sp_consensus_grandpa::{AuthorityId, GrandpaJustification, GRANDPA_ENGINE_ID};
use sp_runtime::{ConsensusEngineId, RuntimeAppPublic};

/// Engine id of the justification that carries a certificate.
pub const CERTIFICATE_ENGINE_ID: ConsensusEngineId = GRANDPA_ENGINE_ID;

/// A quorum of precommits for one block. Any GRANDPA verifier accepts it.
pub type Certificate = GrandpaJustification<Header>;

/// Why a certificate does not make a block final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// It is for another block.
    WrongTarget,
    /// The round number is malformed or names another height.
    WrongRound,
    /// A precommit is for another block than the certificate.
    WrongPrecommit,
    /// It carries ancestry headers; ours never do.
    Ancestry,
    /// A signer is not in the set.
    NotAMember,
    /// Signers are not strictly ascending by key (this also refuses doubles).
    NotSorted,
    /// A signature is wrong.
    BadSignature,
    /// Fewer than ⌊2n/3⌋ + 1 signatures.
    NoQuorum,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongTarget => "certificate is for another block",
            Self::WrongRound => "certificate's round number does not fit the height",
            Self::WrongPrecommit => "certificate has a precommit for another block",
            Self::Ancestry => "certificate carries ancestry headers",
            Self::NotAMember => "certificate has a signer who is no sequencer of this height",
            Self::NotSorted => "certificate's signers are not in strictly ascending order",
            Self::BadSignature => "certificate has a wrong signature",
            Self::NoQuorum => "certificate has fewer signatures than a quorum",
        })
    }
}

#[cfg(feature = "std")]
impl std::error::Error for CertificateError {}

/// Checks that `certificate` makes the block `(hash, number)` final under the
/// sequencers `set` with id `set_id`, and returns its round.
///
/// Stricter than GRANDPA's own rules: all precommits name the target itself, no
/// ancestries, members only, strictly ascending by key, the round's height is
/// the target's number, and more than two thirds by heads.
///
/// # Errors
/// [`CertificateError`], the first rule that is broken.
pub fn verify_certificate<'a>(
    certificate: &Certificate,
    hash: BlockHash,
    number: BlockNumber,
    set_id: u64,
    set: impl ExactSizeIterator<Item = &'a AuthorityId>,
) -> Result<GrandpaRound, CertificateError> {
    let commit = &certificate.commit;
    if (commit.target_hash, commit.target_number) != (hash, number) {
        return Err(CertificateError::WrongTarget);
    }
    let round = GrandpaRound::try_from(certificate.round)
        .ok()
        .filter(|round| round.height == number)
        .ok_or(CertificateError::WrongRound)?;
    if !certificate.votes_ancestries.is_empty() {
        return Err(CertificateError::Ancestry);
    }
    let needed = quorum(set.len());
    let members: BTreeMap<_, _> = set.map(|id| (id, ())).collect();
    if commit.precommits.len() < needed {
        return Err(CertificateError::NoQuorum);
    }
    if !commit.precommits.windows(2).all(|pair| pair[0].id < pair[1].id) {
        return Err(CertificateError::NotSorted);
    }
    let payload = super::precommit_payload(hash, number, round, set_id);
    for signed in &commit.precommits {
        if (signed.precommit.target_hash, signed.precommit.target_number) != (hash, number) {
            return Err(CertificateError::WrongPrecommit);
        }
        if !members.contains_key(&signed.id) {
            return Err(CertificateError::NotAMember);
        }
        if !signed.id.verify(&payload, &signed.signature) {
            return Err(CertificateError::BadSignature);
        }
    }
    Ok(round)
}
