//! Brings double signs on the chain.
//!
//! What the chain does not know yet is submitted to the pool, again and again until
//! it stands in a final block, since pools forget and blocks fill up. Every honest
//! node does it for itself; the pool keeps one report of an offender, and the chain
//! takes one. A sequencer's node names the sequencer, to be rewarded.

use super::{book::Standing, store::EvidenceStore};
use crate::submit::TransactionSink;
use cascoin_l2_primitives::{
    apis::{EvidenceApi, EvidenceStanding, SequencerApi},
    chain::{key_types, AccountId, BlockHash, OpaqueBlock, SequencerInfo, SequencerSet},
    consensus::DoubleSignEvidence,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_keystore::KeystorePtr;
use sp_runtime::OpaqueExtrinsic;
use std::{sync::Arc, time::Duration};

/// How long a report has to get into a block before it is sent again.
pub const REPORT_AGAIN: Duration = Duration::from_secs(6);

/// Reports what is pending in `store`, at once and then every `again`, until the
/// node stops. Whose vote key is in `keystore` is named as the reporter.
pub async fn report<C, S>(
    client: Arc<C>,
    sink: S,
    store: EvidenceStore,
    keystore: KeystorePtr,
    again: Duration,
) where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock> + SequencerApi<OpaqueBlock>>
        + HeaderBackend<OpaqueBlock>
        + Send
        + Sync
        + 'static,
    S: TransactionSink,
{
    loop {
        store.save_again();
        for evidence in store.pending() {
            report_one(&*client, &sink, &store, &keystore, evidence).await;
        }
        tokio::select! {
            () = store.news() => {}
            () = tokio::time::sleep(again) => {}
        }
    }
}

async fn report_one<C, S>(
    client: &C,
    sink: &S,
    store: &EvidenceStore,
    keystore: &KeystorePtr,
    evidence: DoubleSignEvidence,
) where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock> + SequencerApi<OpaqueBlock>>
        + HeaderBackend<OpaqueBlock>,
    S: TransactionSink,
{
    // Only what is final settles anything.
    let at = client.info().finalized_hash;
    let id = evidence.id();
    let report = match next_step(client, keystore, at, evidence) {
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
    keystore: &KeystorePtr,
    at: BlockHash,
    evidence: DoubleSignEvidence,
) -> Result<NextStep, ApiError>
where
    C: ProvideRuntimeApi<OpaqueBlock, Api: EvidenceApi<OpaqueBlock> + SequencerApi<OpaqueBlock>>,
{
    let api = client.runtime_api();
    Ok(match api.evidence_standing(at, evidence)? {
        EvidenceStanding::Wanted => {
            let reporter = own_account(keystore, api.sequencer_set(at)?);
            NextStep::Report(api.report_extrinsic(at, evidence, reporter)?)
        }
        EvidenceStanding::NotYet => NextStep::Wait,
        EvidenceStanding::Reported => NextStep::Settle(Standing::OnChain),
        EvidenceStanding::Void => NextStep::Settle(Standing::TooOld),
    })
}

/// The account of the sequencer whose node this is; `None` for a node that only follows.
fn own_account(keystore: &KeystorePtr, set: SequencerSet) -> Option<AccountId> {
    let is_own =
        |one: &SequencerInfo| keystore.has_keys(&[(one.grandpa.0.to_vec(), key_types::GRANDPA)]);
    set.members.into_iter().find(is_own).map(|one| one.account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sc_keystore::LocalKeystore;
    use sp_core::{ecdsa, ed25519, Pair};

    /// R22.5: a sequencer's node names its sequencer, whoever else is in the set; any other
    /// names nobody.
    #[test]
    fn r22_5_a_node_names_the_sequencer_whose_vote_key_it_has() {
        let key = |seed: &str| ed25519::Pair::from_string(seed, None).expect("a seed").public();
        let member = |number: u8, key: ed25519::Public| SequencerInfo {
            account: [number; 32].into(),
            aura: key,
            grandpa: key,
            relay: key,
            vault: ecdsa::Public::from_raw([2; 33]),
            weight: 1,
            barred: false,
        };
        let members = vec![member(1, key("//Else")), member(2, key("//Own"))];
        let set = SequencerSet { set_id: 0, members };
        let keystore: KeystorePtr = Arc::new(LocalKeystore::in_memory());
        // A key for other purposes makes no sequencer.
        keystore.ed25519_generate_new(key_types::AURA, Some("//Own")).expect("it is made");
        assert_eq!(own_account(&keystore, set.clone()), None);
        keystore.ed25519_generate_new(key_types::GRANDPA, Some("//Own")).expect("it is made");
        assert_eq!(own_account(&keystore, set), Some([2; 32].into()));
    }
}
