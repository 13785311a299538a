//! Brings double signs on the chain.
//!
//! What the chain does not know yet is submitted to the pool, again and again until
//! it stands in a final block, since pools forget and blocks fill up. Every honest
//! node does it for itself; the pool keeps one report of an offender, and the chain
//! takes one.

use super::{book::Standing, store::EvidenceStore};
use crate::submit::TransactionSink;
use cascoin_l2_primitives::{
    apis::{EvidenceApi, EvidenceStanding},
    chain::{BlockHash, OpaqueBlock},
    consensus::DoubleSignEvidence,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_runtime::OpaqueExtrinsic;
use std::{sync::Arc, time::Duration};

/// How long a report has to get into a block before it is sent again.
pub const REPORT_AGAIN: Duration = Duration::from_secs(6);

/// Reports what is pending in `store`, at once and then every `again`, until the
/// node stops.
pub async fn report<C, S>(client: Arc<C>, sink: S, store: EvidenceStore, again: Duration)
where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock>>
        + HeaderBackend<OpaqueBlock>
        + Send
        + Sync
        + 'static,
    S: TransactionSink,
{
    loop {
        store.save_again();
        for evidence in store.pending() {
            report_one(&*client, &sink, &store, evidence).await;
        }
        tokio::select! {
            () = store.news() => {}
            () = tokio::time::sleep(again) => {}
        }
    }
}

async fn report_one<C, S>(client: &C, sink: &S, store: &EvidenceStore, evidence: DoubleSignEvidence)
where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock>> + HeaderBackend<OpaqueBlock>,
    S: TransactionSink,
{
    // Only what is final settles anything.
    let at = client.info().finalized_hash;
    let id = evidence.id();
    let report = match next_step(client, at, evidence) {
        Ok(NextStep::Report(report)) => report,
        Ok(NextStep::Wait) => return,
        Ok(NextStep::Settle(standing)) => {
            log::info!(target: "l2::bft", "double sign {id:?} is settled: {standing:?}");
            return store.settle(id, standing);
        }
        Err(error) => {
            log::debug!(target: "l2::bft", "double sign {id:?} cannot be reported yet: {error}");
            return;
        }
    };
    match sink.submit(at, report).await {
        Ok(()) => log::debug!(target: "l2::bft", "double sign {id:?} is reported"),
        // Another node's report of the same offender may be there first.
        Err(error) => {
            log::debug!(target: "l2::bft", "the pool does not take double sign {id:?}: {error}");
        }
    }
}

/// What is to be done about a double sign.
enum NextStep {
    Report(OpaqueExtrinsic),
    /// Its set is yet to come here.
    Wait,
    Settle(Standing),
}

fn next_step<C>(
    client: &C,
    at: BlockHash,
    evidence: DoubleSignEvidence,
) -> Result<NextStep, ApiError>
where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock>>,
{
    let api = client.runtime_api();
    Ok(match api.evidence_standing(at, evidence)? {
        EvidenceStanding::Wanted => NextStep::Report(api.report_extrinsic(at, evidence)?),
        EvidenceStanding::NotYet => NextStep::Wait,
        EvidenceStanding::Reported => NextStep::Settle(Standing::OnChain),
        EvidenceStanding::Void => NextStep::Settle(Standing::TooOld),
    })
}
