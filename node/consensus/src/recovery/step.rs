//! What a leader brings in its block for a recovery that runs.
//!
//! It is made while the others wait for the block, so it has little time: a page ends early
//! rather than late, and the next block has the rest.

use super::{
    events::{show_events, NoEvents},
    pace::in_round,
    page::{make_page, time_for, NoPage, PageOrder},
};
use crate::client::EngineClient;
use cascoin_bft::Round;
use cascoin_l2_primitives::{
    apis::RecoveryApi,
    chain::{BlockHash, Header, OpaqueBlock},
    recovery::{RecoveryStep, Wanted},
};
use codec::Encode;
use sc_client_api::{Backend, TrieCacheContext};
use sp_blockchain::HeaderBackend;
use std::time::Instant;

/// Why there is no step.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The runtime did not answer.
    #[error("the runtime does not say what is wanted: {0}")]
    Runtime(String),
    /// The database failed, or the state is pruned.
    #[error("the database does not have it: {0}")]
    Database(#[from] sp_blockchain::Error),
    /// There is no such block here.
    #[error("block {0:?} is not known here")]
    NoBlock(BlockHash),
    /// Its body is pruned.
    #[error("the body of block {0:?} is not kept here")]
    NoBody(BlockHash),
    /// No page can be made.
    #[error(transparent)]
    Page(#[from] NoPage),
    /// What became of a block's transactions cannot be shown.
    #[error(transparent)]
    Events(#[from] NoEvents),
}

/// The step for the block on top of `parent` that is built in this round: none if no recovery
/// runs, if it wants nothing now, or if the round is too late for one ([`in_round`]). If this
/// node does not have what is wanted, the log says so.
///
/// Blocking: reads the database.
pub fn next_step<C, B>(
    client: &C,
    backend: &B,
    parent: BlockHash,
    round: Round,
) -> Option<RecoveryStep>
where
    C: EngineClient,
    B: Backend<OpaqueBlock>,
{
    let wanted = client.runtime_api().recovery_wanted(parent);
    let wanted = wanted.map_err(|error| StepError::Runtime(error.to_string()));
    let made = wanted.and_then(|wanted| {
        let wanted = wanted.and_then(|wanted| in_round(wanted, round));
        wanted.map(|wanted| step(client, backend, &wanted)).transpose()
    });
    made.unwrap_or_else(|error| {
        log::warn!(target: "l2::bft", "this block brings nothing for the recovery: {error}");
        None
    })
}

/// What is wanted, from this node's database.
///
/// # Errors
/// [`StepError`], if this node does not have it.
pub fn step<C, B>(client: &C, backend: &B, wanted: &Wanted) -> Result<RecoveryStep, StepError>
where
    C: EngineClient,
    B: Backend<OpaqueBlock>,
{
    match wanted {
        Wanted::Point { hash } => Ok(RecoveryStep::Point(Box::new(header(client, *hash)?))),
        Wanted::Page { hash, prefix, after, max_keys, max_bytes } => {
            let until = Instant::now() + time_for(*max_keys);
            let state = backend.state_at(*hash, TrieCacheContext::Untrusted)?;
            let order = PageOrder {
                prefix,
                after: after.as_deref(),
                max_keys: *max_keys,
                max_bytes: *max_bytes,
                until,
            };
            Ok(RecoveryStep::Page(make_page(&state, &order)?))
        }
        Wanted::Block { hash, .. } => {
            let header = Box::new(header(client, *hash)?);
            let body = client.block_body(*hash)?.ok_or(StepError::NoBody(*hash))?;
            let body = body.iter().map(Encode::encode).collect();
            let state = backend.state_at(*hash, TrieCacheContext::Untrusted)?;
            let events = show_events(&state)?;
            Ok(RecoveryStep::Block { header, body, events })
        }
    }
}

fn header<C: HeaderBackend<OpaqueBlock>>(client: &C, hash: BlockHash) -> Result<Header, StepError> {
    HeaderBackend::header(client, hash)?.ok_or(StepError::NoBlock(hash))
}
