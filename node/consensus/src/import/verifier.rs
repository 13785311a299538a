//! Lets only certified blocks pass.

use super::block_import::SharedSets;
use crate::header::SealedHeader;
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

/// Checks certificates of blocks against the set of their height.
pub struct CertificateVerifier {
    sets: SharedSets,
}

impl CertificateVerifier {
    /// A verifier that shares `sets` with the import behind it.
    pub fn new(sets: SharedSets) -> Self {
        Self { sets }
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
