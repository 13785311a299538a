//! Telling peers of new blocks, with their certificates.

use crate::{client::EngineClient, evidence::CertificateWatch, import::certificate_of};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber, Header, OpaqueBlock},
    consensus::{verify_certificate, Certificate, CertificateError},
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
/// new best block. A certificate that is wrong whoever the sequencers are, or wrong
/// for a height whose sequencers are known, costs the connection. Any other that does
/// not verify may be a good one of sequencers that this node has yet to learn of, and
/// costs nothing. A good certificate beside a final block is evidence, and nothing to
/// follow.
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
        // Before the sets are read: they are then at least as new as what is final.
        let place = self.place_of(number, hash);
        let sets = self.watch.sets().read();
        let set = sets.at(number);
        let verified =
            verify_certificate(&certificate, hash, number, set.set_id, set.members.iter());
        let known = match place {
            Place::Final => true,
            Place::Rival => false,
            Place::Open => !sets.is_newest(set),
        };
        match verified {
            Ok(_) => Validation::Success { is_new_best: true },
            Err(error) if known || is_wrong_for_all_sets(error) => {
                log::debug!(target: "l2::net", "announced certificate is wrong: {error}");
                Validation::Failure { disconnect: true }
            }
            // Sync will bring what is between.
            Err(error) => {
                log::trace!(target: "l2::net", "announced certificate not judged: {error}");
                Validation::Success { is_new_best: false }
            }
        }
    }

    fn place_of(&self, number: BlockNumber, hash: BlockHash) -> Place {
        if self.watch.is_rival(number, hash) {
            return Place::Rival;
        }
        // No block has this hash, so it is a rival wherever there is a final block.
        match self.watch.is_rival(number, BlockHash::zero()) {
            true => Place::Final,
            false => Place::Open,
        }
    }
}

/// Where a block is, seen from the final chain.
#[derive(Clone, Copy)]
enum Place {
    /// It is a block of it, so it is known who certified it.
    Final,
    /// Beside it. Should the chain have split before a change of the set, nobody here
    /// knows who certifies the other branch.
    Rival,
    /// Above it, or where this node has no blocks.
    Open,
}

/// Whether no set of sequencers makes this good.
fn is_wrong_for_all_sets(error: CertificateError) -> bool {
    use CertificateError::{
        Ancestry, BadSignature, NoQuorum, NotAMember, NotSorted, WrongPrecommit, WrongRound,
        WrongTarget,
    };
    match error {
        WrongTarget | WrongRound | WrongPrecommit | Ancestry | NotSorted => true,
        // The set's id is signed too.
        NotAMember | BadSignature | NoQuorum => false,
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
