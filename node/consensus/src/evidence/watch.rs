//! Sees a certificate that contradicts the final chain.
//!
//! Two certificates of one height share more than a third of the sequencers, so
//! they prove, whatever the rounds, that more are faulty than the protocol bears.
//! The node keeps to what it finalized first; which block holds, people must decide.

use super::{
    book::Conflict,
    proof::{of_certificates, signers_of_both},
    store::EvidenceStore,
};
use crate::{
    client::EngineClient,
    import::{certificate_of, SharedSets},
};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    consensus::{verify_certificate, Certificate},
};
use std::sync::Arc;

/// Compares certificates with the final chain. Cheap to clone.
pub struct CertificateWatch<C> {
    client: Arc<C>,
    sets: SharedSets,
    store: EvidenceStore,
}

impl<C> Clone for CertificateWatch<C> {
    fn clone(&self) -> Self {
        let Self { client, sets, store } = self;
        Self { client: client.clone(), sets: sets.clone(), store: store.clone() }
    }
}

impl<C: EngineClient> CertificateWatch<C> {
    /// A watch over `client`'s final chain.
    pub fn new(client: Arc<C>, sets: SharedSets, store: EvidenceStore) -> Self {
        Self { client, sets, store }
    }

    /// The authority sets that it checks certificates against.
    pub fn sets(&self) -> &SharedSets {
        &self.sets
    }

    /// Whether another block than this one is final at its height. Cheap.
    pub fn is_rival(&self, number: BlockNumber, hash: BlockHash) -> bool {
        self.rival_of(number, hash).is_some()
    }

    /// Looks at a block and what is said to be its certificate, neither of which
    /// anybody has checked. `true`: it is a good one, and another block is final at
    /// its height.
    pub fn look(&self, number: BlockNumber, hash: BlockHash, certificate: &Certificate) -> bool {
        let Some(ours) = self.rival_of(number, hash) else { return false };
        let own = self.client.justifications(ours).ok().flatten();
        let own = own.and_then(|all| certificate_of(&all).ok());
        self.compare(number, (ours, own.as_ref()), (hash, certificate))
    }

    /// Compares the certificate of a block that this node decided on with that of
    /// another block of the height, which nobody has checked. `true`: the other is
    /// a good one.
    pub fn compare(
        &self,
        number: BlockNumber,
        (ours, own): (BlockHash, Option<&Certificate>),
        (hash, other): (BlockHash, &Certificate),
    ) -> bool {
        let set_id = {
            let sets = self.sets.read();
            let set = sets.at(number);
            if ours == hash
                || verify_certificate(other, hash, number, set.set_id, set.members.iter()).is_err()
            {
                return false;
            }
            set.set_id
        };
        let conflict = Conflict {
            height: number,
            set_id,
            final_block: ours,
            final_certificate: own.cloned(),
            other_block: hash,
            other_certificate: other.clone(),
        };
        if self.store.add_conflict(conflict) {
            let both = own.map_or(0, |own| signers_of_both(own, other).len());
            log::error!(
                target: "l2::bft",
                "CONSENSUS_CONFLICTING: two certificates at height {number}: {ours:?} is final \
                 here, {hash:?} elsewhere; {both} sequencers signed both. More than a third of \
                 the sequencers are faulty. Both certificates are kept (l2_getevidence): compare \
                 with the other operators before anything else",
            );
        } else if !self.store.has_conflict(number) {
            log::error!(
                target: "l2::bft",
                "CONSENSUS_CONFLICTING: two certificates at height {number}: {ours:?} is final \
                 here, {hash:?} elsewhere; not kept, for there are many already",
            );
        }
        let double_signs = own.map(|own| of_certificates(set_id, own, other)).unwrap_or_default();
        for evidence in double_signs {
            self.store.add_double_sign(evidence);
        }
        true
    }

    /// The block that is final where this one is not.
    fn rival_of(&self, number: BlockNumber, hash: BlockHash) -> Option<BlockHash> {
        if number > self.client.info().finalized_number {
            return None;
        }
        let ours = self.client.hash(number).ok().flatten()?;
        (ours != hash).then_some(ours)
    }
}
