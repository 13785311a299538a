//! The one door into the database.

use crate::{
    authority_sets::{AuthoritySets, AuthoritySetsError},
    client::EngineClient,
    evidence::{CertificateWatch, EvidenceError, EvidenceStore},
    executor::ExecutedBlock,
    hand_over::{Halt, HandOvers, HandOversError},
    header::{HeaderError, SealedHeader},
    import::{certificate_of, hand_over::Decided},
    light::fragment::Fragment,
};
use cascoin_l2_primitives::{
    chain::{BlockNumber, OpaqueBlock},
    consensus::{Certificate, CERTIFICATE_ENGINE_ID},
};
use codec::Encode;
use parking_lot::RwLock;
use sc_consensus::{
    BlockCheckParams, BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult,
    StateAction, StorageChanges,
};
use sp_consensus::BlockOrigin;
use sp_consensus_grandpa::AuthorityId;
use sp_runtime::{traits::Block as _, Justifications};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The authority sets, shared by import, verifier and light-client service.
pub type SharedSets = Arc<RwLock<AuthoritySets>>;

/// Why a decided block is not in the database.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The client failed: a full disk, a damaged database.
    #[error("import failed: {0}")]
    Client(#[from] sp_consensus::Error),
    /// The client refused the block.
    #[error("import refused: {0:?}")]
    Refused(ImportResult),
    /// The header is none of ours.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Another set makes the block of this height, by a hand-over, or a hand-over is in it
    /// that is not in force here.
    #[error("the block is not of the set that an accepted hand-over puts into force, if any")]
    OtherSet,
}

/// Why the door cannot be opened: the database lacks what must be in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The authority sets.
    #[error(transparent)]
    Sets(#[from] AuthoritySetsError),
    /// The evidence.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The hand-overs.
    #[error(transparent)]
    HandOvers(#[from] HandOversError),
}

/// Imports blocks, one at a time, and keeps the authority sets in step.
pub struct CertifiedImport<C, I> {
    pub(super) client: Arc<C>,
    inner: Arc<I>,
    pub(super) sets: SharedSets,
    evidence: EvidenceStore,
    pub(super) hand_overs: HandOvers,
    pub(super) halt: Halt,
    /// What the engine decided last.
    pub(super) decided: Decided,
    /// What was said last of hand-overs that wait.
    pub(super) said: Arc<parking_lot::Mutex<String>>,
    pub(super) lock: Arc<Mutex<()>>,
}

impl<C, I> Clone for CertifiedImport<C, I> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            inner: self.inner.clone(),
            sets: self.sets.clone(),
            evidence: self.evidence.clone(),
            hand_overs: self.hand_overs.clone(),
            halt: self.halt.clone(),
            decided: self.decided.clone(),
            said: self.said.clone(),
            lock: self.lock.clone(),
        }
    }
}

impl<C, I> CertifiedImport<C, I>
where
    C: EngineClient,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync,
{
    /// Stands before `inner` (the client). `genesis`: the sequencers of block 1,
    /// asked for only when the database is new.
    ///
    /// # Errors
    /// [`OpenError`] when what is stored cannot be read.
    pub fn new(
        client: Arc<C>,
        inner: Arc<I>,
        genesis: impl FnOnce() -> Vec<AuthorityId>,
    ) -> Result<Self, OpenError> {
        let sets = AuthoritySets::load(&*client, genesis)?;
        let hand_overs = HandOvers::load(&*client, &sets)?;
        let halt = Halt::load(&*client).map_err(HandOversError::from)?;
        let sets = Arc::new(RwLock::new(sets));
        let evidence = EvidenceStore::open(client.clone())?;
        let import = Self {
            client,
            inner,
            sets,
            evidence,
            hand_overs,
            halt,
            decided: Decided::default(),
            said: Arc::default(),
            lock: Arc::default(),
        };
        // The process may have ended between the import of a base and this.
        import.take_over();
        Ok(import)
    }

    /// The client behind.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// The authority sets.
    pub fn sets(&self) -> SharedSets {
        self.sets.clone()
    }

    /// The hand-overs that were accepted here.
    pub fn hand_overs(&self) -> HandOvers {
        self.hand_overs.clone()
    }

    /// Where this node stops following.
    pub fn halt(&self) -> &Halt {
        &self.halt
    }

    /// What is kept of evidence.
    pub fn evidence(&self) -> &EvidenceStore {
        &self.evidence
    }

    /// Sees certificates that contradict the final chain.
    pub fn watch(&self) -> CertificateWatch<C> {
        let Self { client, sets, evidence, .. } = self;
        CertificateWatch::new(client.clone(), sets.clone(), evidence.clone())
    }

    /// The client refuses a block beside a final one. Before it does, its certificate
    /// is kept, if it is a good one.
    fn look_at_rival(&self, number: BlockNumber, block: &BlockImportParams<OpaqueBlock>) {
        let (watch, hash) = (self.watch(), block.post_hash());
        let justifications = block.justifications.as_ref().filter(|_| watch.is_rival(number, hash));
        if let Some(certificate) = justifications.and_then(|all| certificate_of(all).ok()) {
            watch.look(number, hash, &certificate);
        }
    }

    /// Imports a block that this node decided on, with what executing it
    /// changed: one database transaction makes it best and final. A block that
    /// sync brought in the meantime counts as imported.
    ///
    /// # Errors
    /// [`ImportError`]; the block is then still to be imported.
    pub async fn import_decided(
        &self,
        executed: ExecutedBlock,
        certificate: &Certificate,
    ) -> Result<(), ImportError> {
        let ExecutedBlock { block, changes } = executed;
        let hash = block.hash();
        let (header, body) = block.deconstruct();
        let sealed = SealedHeader::parse(&header)?;
        let mut params = BlockImportParams::new(BlockOrigin::ConsensusBroadcast, sealed.unsealed);
        params.post_digests.push(sealed.seal);
        params.post_hash = Some(hash);
        params.body = Some(body);
        params.state_action = StateAction::ApplyChanges(StorageChanges::Changes(changes));
        params.justifications =
            Some(Justifications::from((CERTIFICATE_ENGINE_ID, certificate.encode())));
        params.fork_choice = Some(ForkChoiceStrategy::Custom(false));
        let _one_at_a_time = self.lock.lock().await;
        if !self.fits_hand_over(&params) {
            return Err(ImportError::OtherSet);
        }
        match self.import_next(params).await? {
            ImportResult::Imported(_) | ImportResult::AlreadyInChain => Ok(()),
            refused => Err(ImportError::Refused(refused)),
        }
    }

    /// Why a block is not taken from a warp sync, whether of its proof or its target: it would
    /// pass the base of a hand-over that waits, and nobody here would see which set went on from
    /// there.
    fn why_no_state(
        &self,
        number: BlockNumber,
        block: &BlockImportParams<OpaqueBlock>,
    ) -> Option<String> {
        if !block.with_state() && block.origin != BlockOrigin::WarpSync {
            return None;
        }
        let head = self.client.info().finalized_number;
        let base = self.hand_overs.waiting_below(head, number)?;
        let why_not = format!(
            "a hand-over from block {base} was accepted here, and a warp sync does not cross it; \
             start with an empty database and `--sync full`",
        );
        self.say_once(&why_not);
        Some(why_not)
    }

    /// Imports a block. The caller holds the lock.
    async fn import_next(
        &self,
        mut block: BlockImportParams<OpaqueBlock>,
    ) -> Result<ImportResult, sp_consensus::Error> {
        let number: BlockNumber = block.header.number;
        // Whoever came second brings nothing new; its parent is no longer the
        // finalized head, so it must not try to finalize.
        if self.client.hash(number).ok().flatten() == Some(block.post_hash()) && !block.with_state()
        {
            return Ok(ImportResult::AlreadyInChain);
        }
        if self.hand_overs.is_waited_for(&block.header.parent_hash) {
            self.take_over();
        }
        let why_not = self.why_not_above(number.saturating_sub(1), &block.header.parent_hash);
        if let Some(why_not) = why_not.or_else(|| self.why_no_state(number, &block)) {
            // No fault of the block, nor of whom it is from.
            let what = format!("block {number} is not taken: {why_not}");
            return Err(sp_consensus::Error::ClientImport(what));
        }
        self.look_at_rival(number, &block);
        // It may have been checked before a hand-over was accepted. Then it was no fault of whom
        // it is from, either.
        if !self.fits_hand_over(&block) {
            let what = format!(
                "block {number} ({:?}) is not of the set that an accepted hand-over puts into force",
                block.post_hash(),
            );
            log::warn!(target: "l2::bft", "refused: {what}");
            return Err(sp_consensus::Error::ClientImport(what));
        }
        // All that comes here has a certificate, which was checked, but for the blocks of
        // a warp sync's proof. Those pass the verifier by, which else says what to do.
        let certified = block.fork_choice.is_some();
        // So it is final and best with its import, if it stands on the finalized head.
        // That is asked for here, under the lock, and nowhere earlier: a block that is
        // stored without being final never becomes it, and nothing can follow on it.
        // A block of the past (gap sync) is below the head. The target of a warp sync is
        // final without its parent.
        let extends = block.header.parent_hash == self.client.info().finalized_hash
            && block.origin != BlockOrigin::GapSync;
        block.finalized = certified && (extends || block.with_state());
        block.fork_choice = Some(ForkChoiceStrategy::Custom(block.finalized));
        let (change, ended) = {
            let sets = self.sets.read();
            (sets.after(&block.header), sets.at(number).set_id)
        };
        if let Some(new) = &change {
            block.auxiliary.push((new.key.clone(), Some(new.value.clone())));
            let proof = Fragment::of(&block).map(|fragment| fragment.entry(ended));
            block.auxiliary.extend(proof.map(|(key, value)| (key, Some(value))));
        }
        let result = self.inner.import_block(block).await?;
        if let (Some(new), ImportResult::Imported(_)) = (change, &result) {
            self.sets.write().add(new);
        }
        if matches!(result, ImportResult::Imported(_)) {
            self.take_over();
        }
        Ok(result)
    }
}

#[async_trait::async_trait]
impl<C, I> BlockImport<OpaqueBlock> for CertifiedImport<C, I>
where
    C: EngineClient,
    I: BlockImport<OpaqueBlock, Error = sp_consensus::Error> + Send + Sync,
{
    type Error = sp_consensus::Error;

    async fn check_block(
        &self,
        block: BlockCheckParams<OpaqueBlock>,
    ) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<OpaqueBlock>,
    ) -> Result<ImportResult, Self::Error> {
        let _one_at_a_time = self.lock.lock().await;
        self.import_next(block).await
    }
}
