//! Warp proofs for the SDK's warp sync: made for others, and checked.

use super::{
    fragment::{Fragment, FragmentError},
    proof::{Proof, Trust, MAX_PROOF_BYTES},
};
use crate::{
    authority_sets::scheduled_change,
    client::EngineClient,
    import::{certificate_of, SharedSets, VerifyError},
};
use cascoin_l2_primitives::{
    chain::{BlockHash, Header, OpaqueBlock},
    consensus::CERTIFICATE_ENGINE_ID,
};
use codec::{DecodeAll, Encode};
use sc_network_sync::strategy::warp::{
    EncodedProof, VerificationResult, Verifier, WarpSyncProvider,
};
use sp_runtime::{traits::Header as _, Justifications};
use std::{error::Error, sync::Arc};

/// Why a request for a proof gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// The block to begin with is not a final block known here.
    #[error("not a final block of this chain: {0:?}")]
    UnknownStart(BlockHash),
    /// The finalized head is genesis, or has no certificate.
    #[error("the finalized head has no certificate: {0}")]
    NoHead(#[from] VerifyError),
    /// A change of the set cannot be shown.
    #[error(transparent)]
    Change(#[from] FragmentError),
}

/// Makes and checks warp proofs.
pub struct WarpProvider<C> {
    client: Arc<C>,
    sets: SharedSets,
}

impl<C: EngineClient> WarpProvider<C> {
    /// A provider over the authority sets of the import.
    pub fn new(client: Arc<C>, sets: SharedSets) -> Self {
        Self { client, sets }
    }

    fn prove(&self, start: BlockHash) -> Result<Proof, NoProof> {
        let info = self.client.info();
        let begin = self
            .client
            .number(start)?
            .filter(|number| *number <= info.finalized_number)
            .ok_or(NoProof::UnknownStart(start))?;
        if self.client.hash(begin)? != Some(start) {
            return Err(NoProof::UnknownStart(start));
        }
        let head = Fragment {
            header: self
                .client
                .header(info.finalized_hash)?
                .ok_or(NoProof::UnknownStart(info.finalized_hash))?,
            certificate: certificate_of(
                &self
                    .client
                    .justifications(info.finalized_hash)?
                    .ok_or(VerifyError::NoCertificate)?,
            )?,
        };
        let ended: Vec<u64> = {
            let sets = self.sets.read();
            let changes = sets.changes_between(begin, info.finalized_number);
            changes.map(|(_, set)| set.set_id.saturating_sub(1)).collect()
        };
        let changes = ended.into_iter().map(|set_id| Fragment::load(&*self.client, set_id));
        Ok(Proof::assemble(changes, head, MAX_PROOF_BYTES)?)
    }
}

impl<C: EngineClient> WarpSyncProvider<OpaqueBlock> for WarpProvider<C> {
    fn generate(&self, start: BlockHash) -> Result<EncodedProof, Box<dyn Error + Send + Sync>> {
        Ok(EncodedProof(self.prove(start)?.encode()))
    }

    fn create_verifier(&self) -> Box<dyn Verifier<OpaqueBlock>> {
        let genesis = self.client.info().genesis_hash;
        // From the beginning, also if an earlier attempt has learnt later sets.
        let first = self.sets.read().at(1).clone();
        let trust =
            Trust { set_id: first.set_id, members: first.members, number: 0, hash: genesis };
        Box::new(ProofVerifier { client: self.client.clone(), trust, sets: 0 })
    }
}

/// Checks the proofs of one warp sync, and keeps their fragments, so that this node
/// can prove the same to others.
struct ProofVerifier<C> {
    client: Arc<C>,
    trust: Trust,
    sets: u64,
}

impl<C: EngineClient> ProofVerifier<C> {
    fn check(
        &mut self,
        encoded: &[u8],
    ) -> Result<VerificationResult<OpaqueBlock>, Box<dyn Error + Send + Sync>> {
        let mut proof = Proof::decode_all(&mut &*encoded)?;
        set_aside_awkward_head(&mut proof, self.trust.hash);
        if proof.fragments.is_empty() && proof.finished {
            // The head may be another one when it is asked for again.
            return Ok(VerificationResult::Partial(Vec::new()));
        }
        let mut set_id = self.trust.set_id;
        self.trust.extend(&proof)?;
        let mut entries = Vec::new();
        for fragment in &proof.fragments {
            if scheduled_change(&fragment.header).is_some() {
                entries.push(fragment.entry(set_id));
                set_id += 1;
            }
        }
        self.sets = set_id;
        let entries: Vec<_> = entries.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        self.client.insert_aux(entries.iter(), &[])?;
        let last = proof.fragments.last().map(|fragment| fragment.header.clone());
        let blocks: Vec<(Header, Justifications)> = proof
            .fragments
            .into_iter()
            .map(|Fragment { header, certificate }| {
                (header, (CERTIFICATE_ENGINE_ID, certificate.encode()).into())
            })
            .collect();
        Ok(match last {
            Some(head) if proof.finished => VerificationResult::Complete(head, blocks),
            _ => VerificationResult::Partial(blocks),
        })
    }
}

/// A head right behind a block that changed the set cannot be the first block that
/// a node imports with its state: the client takes a parent that it has for one
/// with all its ancestors. The change itself is taken as the head then. `known`: the
/// last block of the proofs before.
fn set_aside_awkward_head(proof: &mut Proof, known: BlockHash) {
    let before = proof.fragments.len().checked_sub(2).and_then(|at| proof.fragments.get(at));
    let before = before.map_or(known, |fragment| fragment.header.hash());
    let behind = |head: &Fragment| {
        *head.header.parent_hash() == before && *head.header.number() > 1
            || head.header.hash() == before
    };
    if proof.finished && proof.fragments.last().is_some_and(behind) {
        proof.fragments.pop();
    }
}

impl<C: EngineClient> Verifier<OpaqueBlock> for ProofVerifier<C> {
    fn verify(
        &mut self,
        proof: &EncodedProof,
    ) -> Result<VerificationResult<OpaqueBlock>, Box<dyn Error + Send + Sync>> {
        self.check(&proof.0)
    }

    fn next_proof_context(&self) -> BlockHash {
        self.trust.hash
    }

    fn status(&self) -> Option<String> {
        Some(format!("{} changes of the sequencers checked", self.sets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::light::proof::testing::{chain, fragment, header, pairs};

    #[test]
    fn a_head_right_behind_a_change_gives_way_to_the_change() {
        let (changes, head) = chain(1);
        let change = changes[0].header.hash();
        let child = fragment(header(11, change, None), 1, &pairs(4, 1)[..3]);
        let both = Proof { fragments: vec![changes[0].clone(), child.clone()], finished: true };
        let mut shortened = both.clone();
        set_aside_awkward_head(&mut shortened, BlockHash::zero());
        assert_eq!((shortened.fragments.len(), shortened.finished), (1, true));

        // The change came with the proof before.
        let mut alone = Proof { fragments: vec![child], finished: true };
        set_aside_awkward_head(&mut alone, change);
        assert!(alone.fragments.is_empty());

        let mut unfinished = Proof { finished: false, ..both };
        set_aside_awkward_head(&mut unfinished, BlockHash::zero());
        assert_eq!(unfinished.fragments.len(), 2);
        let far = Proof { fragments: vec![changes[0].clone(), head], finished: true };
        let mut untouched = far.clone();
        set_aside_awkward_head(&mut untouched, BlockHash::zero());
        assert_eq!(untouched, far);
    }
}
