//! Warp proofs for the SDK's warp sync: made for others, and checked.
//!
//! A proof leads from set to set by what each has certified, and no set certifies that another
//! takes over from it (R17.6). So a proof ends at the base of a hand-over, as if that were the
//! finalized head, and one that begins behind it goes on. Who is to come across needs the
//! hand-over from its operator, or a later beginning that it trusts.

use super::{
    fragment::{Fragment, FragmentError},
    proof::{Proof, ProofError, Trust, MAX_PROOF_BYTES},
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
        let (ended, base_of) = {
            let sets = self.sets.read();
            let base = sets.hand_over_between(begin, info.finalized_number);
            let end = base.unwrap_or(info.finalized_number);
            let set_id = |at| sets.at(at).set_id;
            let ended: Vec<u64> =
                sets.changes_between(begin, end).map(|(at, _)| set_id(at)).collect();
            (ended, base.map(set_id))
        };
        let head = match base_of {
            Some(set_id) => Fragment::load(&*self.client, set_id)?,
            None => self.head(info.finalized_hash)?,
        };
        let changes = ended.into_iter().map(|set_id| Fragment::load(&*self.client, set_id));
        Ok(Proof::assemble(changes, head, MAX_PROOF_BYTES)?)
    }

    /// The finalized head with its certificate.
    fn head(&self, hash: BlockHash) -> Result<Fragment, NoProof> {
        let header = self.client.header(hash)?.ok_or(NoProof::UnknownStart(hash))?;
        let justifications = self.client.justifications(hash)?;
        let certificate = certificate_of(&justifications.ok_or(VerifyError::NoCertificate)?)?;
        Ok(Fragment { header, certificate })
    }
}

impl<C: EngineClient> WarpSyncProvider<OpaqueBlock> for WarpProvider<C> {
    fn generate(&self, start: BlockHash) -> Result<EncodedProof, Box<dyn Error + Send + Sync>> {
        Ok(EncodedProof(self.prove(start)?.encode()))
    }

    fn create_verifier(&self) -> Box<dyn Verifier<OpaqueBlock>> {
        let genesis = self.client.info().genesis_hash;
        // From the beginning, also if an earlier attempt has learnt later sets.
        let first = self.sets.read().first().clone();
        let sets = first.set_id;
        let trust = Trust { set_id: sets, members: first.members, number: 0, hash: genesis };
        let progress = Progress { trust, held: None };
        Box::new(ProofVerifier { client: self.client.clone(), progress, sets })
    }
}

/// How far the proofs of one warp sync have led.
///
/// Every proof that is accepted brings a final block above those before it, or ends the
/// sync: nobody can keep a node asking for ever.
struct Progress {
    trust: Trust,
    /// The last block that was checked, unless that is genesis. It is not imported before
    /// the next proof has come: it may turn out to be the target, which must not be there.
    held: Option<Fragment>,
}

impl Progress {
    /// Checks a proof that goes on from here; the blocks that it gives free, of which the
    /// last is the target if the proof is finished. On an error nothing changes.
    fn advance(&mut self, proof: Proof) -> Result<Vec<Fragment>, ProofError> {
        if let (true, [head]) = (proof.finished, &proof.fragments[..]) {
            // The last change is the prover's head still. It was checked when it came.
            if head.header.hash() == self.trust.hash && self.held.is_some() {
                return Ok(self.held.take().into_iter().collect());
            }
        }
        self.trust.extend(&proof)?;
        let mut blocks: Vec<Fragment> = self.held.take().into_iter().collect();
        blocks.extend(proof.fragments);
        if proof.finished {
            set_aside_awkward_head(&mut blocks);
        } else {
            self.held = blocks.pop();
        }
        Ok(blocks)
    }
}

/// A head right behind a block that changed the set cannot be the first block that
/// a node imports with its state: the client takes a parent that it has for one
/// with all its ancestors. The change itself is taken as the head then.
fn set_aside_awkward_head(blocks: &mut Vec<Fragment>) {
    while let [.., before, head] = &blocks[..] {
        if *head.header.parent_hash() != before.header.hash() {
            return;
        }
        blocks.pop();
    }
}

/// Checks the proofs of one warp sync, and keeps their fragments, so that this node
/// can prove the same to others.
struct ProofVerifier<C> {
    client: Arc<C>,
    progress: Progress,
    /// Sets that were ended by the blocks given free.
    sets: u64,
}

impl<C: EngineClient> ProofVerifier<C> {
    fn check(
        &mut self,
        encoded: &[u8],
    ) -> Result<VerificationResult<OpaqueBlock>, Box<dyn Error + Send + Sync>> {
        let proof = Proof::decode_all(&mut &*encoded)?;
        let finished = proof.finished;
        let blocks = self.progress.advance(proof)?;
        let mut entries = Vec::new();
        for block in &blocks {
            if scheduled_change(&block.header).is_some() {
                entries.push(block.entry(self.sets));
                self.sets += 1;
            }
        }
        let entries: Vec<_> = entries.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        self.client.insert_aux(entries.iter(), &[])?;
        let last = blocks.last().map(|block| block.header.clone());
        let blocks: Vec<(Header, Justifications)> = blocks
            .into_iter()
            .map(|Fragment { header, certificate }| {
                (header, (CERTIFICATE_ENGINE_ID, certificate.encode()).into())
            })
            .collect();
        Ok(match last {
            Some(target) if finished => VerificationResult::Complete(target, blocks),
            _ => VerificationResult::Partial(blocks),
        })
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
        self.progress.trust.hash
    }

    fn status(&self) -> Option<String> {
        Some(format!("{} changes of the sequencers checked", self.sets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::light::proof::testing::{chain, fragment, genesis, header, pairs};

    fn progress() -> Progress {
        Progress { trust: genesis(), held: None }
    }

    fn finished(fragments: Vec<Fragment>) -> Proof {
        Proof { fragments, finished: true }
    }

    /// After a proof that ended with the first change, and the change.
    fn behind_a_change() -> (Progress, Fragment) {
        let change = chain(1).0.remove(0);
        let mut progress = progress();
        let part = Proof { fragments: vec![change.clone()], finished: false };
        assert_eq!(progress.advance(part), Ok(Vec::new()));
        assert_eq!(progress.trust.hash, change.header.hash());
        (progress, change)
    }

    /// A good block of the second set.
    fn child_of(change: &Fragment) -> Fragment {
        fragment(header(11, change.header.hash(), None), 1, &pairs(4, 1)[..3])
    }

    #[test]
    fn a_head_right_behind_a_change_gives_way_to_the_change() {
        let (changes, head) = chain(1);
        let change = changes[0].clone();
        let both = finished(vec![change.clone(), child_of(&change)]);
        assert_eq!(progress().advance(both), Ok(vec![change.clone()]));
        let far = finished(vec![change.clone(), head.clone()]);
        assert_eq!(progress().advance(far), Ok(vec![change, head]));
        // Nothing is awkward about the first block.
        let first = header(1, genesis().hash, None);
        let first = fragment(first, 0, &pairs(4, 0)[..3]);
        assert_eq!(progress().advance(finished(vec![first.clone()])), Ok(vec![first]));
    }

    /// What can be said behind a change ends the sync, be it repeated as often as one likes.
    #[test]
    fn a_proof_that_leads_no_further_ends_at_the_last_change() {
        for child in [false, true] {
            let (mut progress, change) = behind_a_change();
            let head = if child { child_of(&change) } else { change.clone() };
            assert_eq!(progress.advance(finished(vec![head])), Ok(vec![change]));
        }
        let (mut progress, change) = behind_a_change();
        let head = chain(1).1;
        assert_eq!(progress.advance(finished(vec![head.clone()])), Ok(vec![change, head]));
    }

    #[test]
    fn an_awkward_head_is_checked_as_any_other() {
        let (mut progress, change) = behind_a_change();
        let mut forged = child_of(&change);
        forged.certificate.commit.precommits.pop();
        assert!(matches!(
            progress.advance(finished(vec![forged])),
            Err(ProofError::Certificate(11, _))
        ));
        assert!(progress.advance(finished(Vec::new())).is_err());
        // Nothing was lost by it.
        assert_eq!(progress.held, Some(change));
    }

    #[test]
    fn genesis_is_no_head() {
        let zero = header(0, Default::default(), None);
        let mut progress = progress();
        progress.trust.hash = zero.hash();
        let said = finished(vec![fragment(zero, 0, &pairs(4, 0)[..3])]);
        assert_eq!(progress.advance(said), Err(ProofError::NotRising(0)));
    }
}
