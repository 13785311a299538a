//! Telling peers of new blocks, with their certificates.

use crate::{client::EngineClient, evidence::CertificateWatch, import::certificate_of};
use cascoin_l2_primitives::{
    chain::{Header, OpaqueBlock},
    consensus::{verify_certificate, Certificate},
};
use codec::{DecodeAll, Encode};
use futures::StreamExt;
use sc_network::NetworkBlock;
use sc_network_sync::SyncingService;
use sp_consensus::block_validation::{BlockAnnounceValidator, Validation};
use sp_runtime::traits::Header as _;
use std::{error::Error, future::Future, pin::Pin, sync::Arc};

/// Announces each imported block together with its certificate. The node's own
/// announcing must be off.
pub async fn announce_certified<C: EngineClient>(
    client: Arc<C>,
    sync: Arc<SyncingService<OpaqueBlock>>,
) {
    let mut imports = client.import_notification_stream();
    while let Some(notification) = imports.next().await {
        let justifications = client.justifications(notification.hash).ok().flatten();
        let certificate = justifications.and_then(|all| certificate_of(&all).ok());
        sync.announce_block(notification.hash, certificate.map(|found| found.encode()));
    }
}

/// Judges announcements: who announces a certified block is believed to have a
/// new best block; a wrong certificate costs the connection. A good certificate
/// beside a final block is evidence, and nothing to follow.
pub struct CertifiedAnnounceValidator<C> {
    watch: CertificateWatch<C>,
}

impl<C: EngineClient> CertifiedAnnounceValidator<C> {
    /// A validator over the authority sets of the import.
    pub fn new(watch: CertificateWatch<C>) -> Self {
        Self { watch }
    }

    fn judge(&self, header: &Header, data: &[u8]) -> Validation {
        if data.is_empty() {
            return Validation::Success { is_new_best: false };
        }
        let Ok(certificate) = Certificate::decode_all(&mut &data[..]) else {
            return Validation::Failure { disconnect: true };
        };
        let (hash, number) = (header.hash(), *header.number());
        if self.watch.look(number, hash, &certificate) {
            return Validation::Success { is_new_best: false };
        }
        let sets = self.watch.sets().read();
        let set = sets.at(number);
        let verified =
            verify_certificate(&certificate, hash, number, set.set_id, set.members.iter());
        match verified {
            Ok(_) => Validation::Success { is_new_best: true },
            // The newest set known here may be older than the block's: then the
            // certificate cannot be judged, and sync will bring what is between.
            Err(error) if sets.is_newest(set) => {
                log::trace!(target: "l2::net", "announced certificate not judged: {error}");
                Validation::Success { is_new_best: false }
            }
            Err(_) => Validation::Failure { disconnect: true },
        }
    }
}

impl<C: EngineClient> BlockAnnounceValidator<OpaqueBlock> for CertifiedAnnounceValidator<C> {
    fn validate(
        &mut self,
        header: &Header,
        data: &[u8],
    ) -> Pin<Box<dyn Future<Output = Result<Validation, Box<dyn Error + Send>>> + Send>> {
        let judged = self.judge(header, data);
        Box::pin(async move { Ok(judged) })
    }
}
