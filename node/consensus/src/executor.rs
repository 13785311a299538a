//! Building and executing blocks, once each.
//!
//! A block that was built or executed here keeps its storage changes, so the
//! commit imports it without executing it again.

use crate::{
    client::EngineClient,
    header::{block_id, pre_digest, seal_item, HeaderError, HeaderRules, SealedHeader},
    keys::{LocalKeys, SignError},
    schedule::Schedule,
};
use cascoin_bft::{BlockId, Round, Verdict};
use cascoin_l2_primitives::{
    apis::HandOverApi,
    chain::{BlockHash, Header, OpaqueBlock},
    consensus::LeaderDigest,
    hand_over::HandOver,
    recovery::{RecoveryStep, RECOVERY_IDENTIFIER},
    sequencers::{
        Commit, ParticipationData, ParticipationError, SequencerBits, PARTICIPATION_IDENTIFIER,
    },
};
use codec::Decode;
use sc_client_api::{Backend, TrieCacheContext};
use sp_api::{ApiExt, CallContext, Core};
use sp_block_builder::BlockBuilder;
use sp_consensus::{Environment, ProposeArgs, Proposer};
use sp_inherents::{InherentData, InherentDataProvider, InherentIdentifier};
use sp_runtime::traits::{Block as _, HashingFor, Header as _};
use std::{sync::Arc, time::Duration};

/// What executing a block changes in the state.
pub type StorageChanges = sp_state_machine::StorageChanges<HashingFor<OpaqueBlock>>;

/// A sealed block with the changes it makes.
pub struct ExecutedBlock {
    /// The sealed block.
    pub block: OpaqueBlock,
    /// What it changes.
    pub changes: StorageChanges,
}

/// Why a block was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The proposer failed.
    #[error("building failed: {0}")]
    Proposer(String),
    /// The inherent data could not be made.
    #[error("inherent data: {0}")]
    Inherents(#[from] sp_inherents::Error),
    /// The seal could not be made.
    #[error(transparent)]
    Seal(#[from] SignError),
}

/// What came of executing a proposed block.
pub enum Outcome {
    /// Valid, with its changes.
    Valid(Box<ExecutedBlock>),
    /// Not valid by the chain's rules, whoever checks it.
    Invalid(InvalidBlock),
    /// Valid but for its time, which is too far ahead of this node's clock.
    Untimely,
    /// Perhaps valid, but what it says was not shown to this node: it names a signer of
    /// its parent whose signature is not known here, or a round in which it was not
    /// proposed here.
    Unproven,
    /// This node could not tell. It does not vote and blames nobody.
    Internal(String),
}

/// Why a proposed block is invalid (`SEQ_INVALID_BLOCK`).
#[derive(Debug, thiserror::Error)]
pub enum InvalidBlock {
    /// Its header breaks a rule.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// An inherent is wrong.
    #[error("inherents: {0}")]
    Inherents(String),
    /// The runtime refuses it.
    #[error("execution: {0}")]
    Execution(String),
    /// Executing it leads to another state.
    #[error("state root differs")]
    StateRoot,
}

impl Outcome {
    /// What the core needs to know; `None` if this node could not tell.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Valid(_) => Some(Verdict::Valid),
            Self::Invalid(_) => Some(Verdict::Invalid),
            // To the core both are one: what may be good later, or for others.
            Self::Untimely | Self::Unproven => Some(Verdict::Untimely),
            Self::Internal(_) => None,
        }
    }
}

/// What a leader is to build.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The round it leads.
    pub round: u16,
    /// The block's timestamp, milliseconds.
    pub slot: u64,
    /// What the block says of who took part.
    pub participation: ParticipationData,
    /// What the block brings for a recovery that runs.
    pub recovery_step: Option<RecoveryStep>,
    /// How long transactions may take.
    pub max_duration: Duration,
    /// Largest body, bytes.
    pub block_size_limit: usize,
}

/// Builds a block for `schedule` as the leader of the round, and seals it.
///
/// # Errors
/// [`BuildError`]; the round then ends by its time-out.
pub async fn build<E: Environment<OpaqueBlock>>(
    environment: &mut E,
    schedule: &Schedule,
    keys: &LocalKeys,
    assignment: Assignment,
) -> Result<ExecutedBlock, BuildError> {
    let Assignment { round, slot, participation, recovery_step, max_duration, block_size_limit } =
        assignment;
    let failed = |error: &dyn std::fmt::Display| BuildError::Proposer(error.to_string());
    let proposer = environment.init(&schedule.parent).await.map_err(|error| failed(&error))?;
    let mut inherent_data = InherentData::new();
    sp_timestamp::InherentDataProvider::new(slot.into())
        .provide_inherent_data(&mut inherent_data)
        .await?;
    inherent_data.put_data(PARTICIPATION_IDENTIFIER, &participation)?;
    if let Some(step) = &recovery_step {
        inherent_data.put_data(RECOVERY_IDENTIFIER, step)?;
    }
    let leader = LeaderDigest { term: schedule.term, round, leader: keys.index };
    let args = ProposeArgs {
        inherent_data,
        inherent_digests: pre_digest(slot, leader, schedule.hand_over.as_deref()),
        max_duration,
        block_size_limit: Some(block_size_limit),
        ..Default::default()
    };
    let proposal = proposer.propose(args).await.map_err(|error| failed(&error))?;
    let (mut header, body) = proposal.block.deconstruct();
    let seal = seal_item(keys.seal(header.hash().as_bytes())?);
    header.digest_mut().push(seal);
    Ok(ExecutedBlock { block: OpaqueBlock::new(header, body), changes: proposal.storage_changes })
}

/// What a first proposal is judged by besides the chain. It differs between nodes, so
/// nothing that fails it is invalid.
#[derive(Clone, Debug)]
pub struct FirstSight {
    /// This node's clock, milliseconds since 1970.
    pub now_ms: u64,
    /// Rounds in which this node saw the block proposed as a new one.
    pub rounds: Vec<Round>,
    /// Precommits for the parent that this node knows.
    pub commits: Vec<Commit>,
}

/// Checks and executes a proposed block: cheap checks first, then that a hand-over in it holds,
/// then its inherents
/// (execution does not check them), then all of it, as an import would.
///
/// Blocking: runs the runtime. A re-proposal with a proof of lock is not asked for its
/// inherents again, and gets no `seen`.
pub fn execute<C, B>(
    client: &Arc<C>,
    backend: &Arc<B>,
    schedule: &Schedule,
    block: OpaqueBlock,
    seen: Option<&FirstSight>,
) -> Outcome
where
    C: EngineClient,
    B: Backend<OpaqueBlock>,
{
    let rules = HeaderRules {
        parent: &schedule.parent,
        set: &schedule.set,
        term: schedule.term,
        leaders: &schedule.leaders,
        hand_over: schedule.hand_over.as_deref(),
    };
    let sealed = match rules.check(block.header()) {
        Ok(sealed) => sealed,
        Err(error) => return Outcome::Invalid(error.into()),
    };
    match brings_the_set(client, schedule, block.header()) {
        Ok(true) => {}
        Ok(false) => return Outcome::Invalid(HeaderError::WrongHandOver.into()),
        Err(error) => return Outcome::Internal(error),
    }
    if let Some(seen) = seen {
        match check_inherents(client, schedule, &sealed, &block, seen) {
            Ok(None) => {}
            Ok(Some(outcome)) => return outcome,
            Err(error) => return Outcome::Internal(error),
        }
    }
    run(client, backend, schedule.parent.hash(), sealed, block)
}

/// Whether the hand-over in a header puts the height's set into force, where one does. It is
/// the accepted one by its id, which leaves the signatures out: with a forged one in it the old
/// set would stay in force in the state, and the block be certified by the new one.
fn brings_the_set<C: EngineClient>(
    client: &Arc<C>,
    schedule: &Schedule,
    header: &Header,
) -> Result<bool, String> {
    let Some(accepted) = schedule.hand_over.as_deref() else { return Ok(true) };
    let Ok(Some(carried)) = HandOver::find(header.digest().logs()) else { return Ok(false) };
    // The state was asked about these very bytes when the height began.
    if carried == *accepted {
        return Ok(true);
    }
    let set = client.runtime_api().hand_over_set(schedule.parent.hash(), carried);
    let set = set.map_err(|error| error.to_string())?;
    Ok(set.is_ok_and(|set| set == schedule.set))
}

/// How far ahead of this node's clock a first proposal may be (R27.3).
const MAX_AHEAD_MS: u64 = 30_000;

fn check_inherents<C: EngineClient>(
    client: &Arc<C>,
    schedule: &Schedule,
    sealed: &SealedHeader,
    block: &OpaqueBlock,
    seen: &FirstSight,
) -> Result<Option<Outcome>, String> {
    if sealed.slot > seen.now_ms.saturating_add(MAX_AHEAD_MS) {
        return Ok(Some(Outcome::Untimely));
    }
    // Of the rounds that it says have failed the chain makes missed proposals and
    // waits that explain its time; the header's own rules know its leader only, who
    // leads every n-th round.
    if !seen.rounds.contains(&Round(sealed.leader.round)) {
        return Ok(Some(Outcome::Unproven));
    }
    let data = inherent_data(schedule, sealed, seen).map_err(|error| error.to_string())?;
    let unsealed = OpaqueBlock::new(sealed.unsealed.clone(), block.extrinsics().to_vec());
    let checked =
        client.runtime_api().check_inherents(schedule.parent.hash(), unsealed.into(), data);
    let result = match checked {
        Ok(result) => result,
        // It also refuses what it cannot decode.
        Err(error) if is_refusal(&error) => {
            return Ok(Some(Outcome::Invalid(InvalidBlock::Execution(error.to_string()))))
        }
        Err(error) => return Err(error.to_string()),
    };
    let (unproven, fatal): (Vec<_>, Vec<_>) =
        result.into_errors().partition(|(id, error)| is_unproven(id, error));
    if fatal.is_empty() {
        return Ok((!unproven.is_empty()).then_some(Outcome::Unproven));
    }
    let texts = fatal.iter().map(|(id, error)| match participation_error(id, error) {
        Some(error) => error.to_string(),
        None => format!("{} {:?}", String::from_utf8_lossy(id), error),
    });
    let texts: Vec<String> = texts.collect();
    Ok(Some(Outcome::Invalid(InvalidBlock::Inherents(texts.join(", ")))))
}

fn inherent_data(
    schedule: &Schedule,
    sealed: &SealedHeader,
    seen: &FirstSight,
) -> Result<InherentData, sp_inherents::Error> {
    let mut data = InherentData::new();
    let now = sp_timestamp::Timestamp::new(seen.now_ms);
    data.put_data(sp_timestamp::INHERENT_IDENTIFIER, &now)?;
    let participation = ParticipationData {
        commits: seen.commits.clone(),
        // Whom another leader heard is not checked.
        heard: SequencerBits::NOBODY,
        failed_leaders: schedule.failed_leaders(Round(sealed.leader.round)),
    };
    data.put_data(PARTICIPATION_IDENTIFIER, &participation)?;
    Ok(data)
}

fn participation_error(id: &InherentIdentifier, error: &[u8]) -> Option<ParticipationError> {
    (*id == PARTICIPATION_IDENTIFIER).then(|| ParticipationError::decode(&mut &error[..]).ok())?
}

fn is_unproven(id: &InherentIdentifier, error: &[u8]) -> bool {
    participation_error(id, error) == Some(ParticipationError::NotProven)
}

fn run<C, B>(
    client: &Arc<C>,
    backend: &Arc<B>,
    parent: BlockHash,
    sealed: SealedHeader,
    block: OpaqueBlock,
) -> Outcome
where
    C: EngineClient,
    B: Backend<OpaqueBlock>,
{
    // Opened first: if the parent's state is gone, the fault is ours.
    let state = match backend.state_at(parent, TrieCacheContext::Trusted) {
        Ok(state) => state,
        Err(error) => return Outcome::Internal(error.to_string()),
    };
    let mut api = client.runtime_api();
    api.set_call_context(CallContext::Onchain { import: true });
    let expected = *sealed.unsealed.state_root();
    let unsealed = OpaqueBlock::new(sealed.unsealed, block.extrinsics().to_vec());
    if let Err(error) = api.execute_block(parent, unsealed.into()) {
        return if is_refusal(&error) {
            Outcome::Invalid(InvalidBlock::Execution(error.to_string()))
        } else {
            Outcome::Internal(error.to_string())
        };
    }
    match api.into_storage_changes(&state, parent) {
        Ok(changes) if changes.transaction_storage_root != expected => {
            Outcome::Invalid(InvalidBlock::StateRoot)
        }
        Ok(changes) => Outcome::Valid(Box::new(ExecutedBlock { block, changes })),
        Err(error) => Outcome::Internal(error),
    }
}

/// Whether the runtime itself ran and refused, as everybody's runtime does, and
/// not this node's database or wiring.
fn is_refusal(error: &sp_api::ApiError) -> bool {
    let sp_api::ApiError::Application(cause) = error else { return false };
    matches!(cause.downcast_ref::<sp_blockchain::Error>(), Some(sp_blockchain::Error::Execution(_)))
}

impl ExecutedBlock {
    /// The hash of its sealed header.
    pub fn id(&self) -> BlockId {
        block_id(&self.block)
    }
}
