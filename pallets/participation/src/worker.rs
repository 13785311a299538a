//! The off-chain worker of a sequencer's node: looks for pairs that go missing together, and
//! reports them, so that nobody has to name any (R22.1).
//!
//! It looks through all pairs of the set once in an epoch, by the rule that the chain judges
//! reports by, so all nodes find the same. What it did last is remembered locally. A report
//! that does not get into a block is made again in the next epoch, if it is still so then.

use crate::{
    correlation::correlated_pairs,
    pallet::{Config, Pallet},
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{key_types, AccountId, BlockNumber},
    sequencers::{OnCorrelation, SequencerSetProvider},
};
use frame_support::traits::Get;
use frame_system::offchain::SubmitTransaction;
use sp_runtime::offchain::storage::StorageValueRef;

const TARGET: &str = "participation";

/// Pairs that are reported in one epoch. What is left comes in the next ones.
pub(crate) const MAX_REPORTS: usize = 4;

/// Key of the number of the epoch in which this node looked last.
const LOOKED_KEY: &[u8] = b"cascoin-l2/participation/looked";

/// One run, after L2 block `now` was imported.
pub(crate) fn run<T: Config>(now: BlockNumber) {
    // Without parameters, as FRAME builds a genesis in tests, there are no epochs.
    let Some(epoch) = now.checked_div(T::ReportInterval::get()) else { return };
    let memory = StorageValueRef::persistent(LOOKED_KEY);
    let looked = matches!(memory.get::<BlockNumber>(), Ok(Some(looked)) if looked == epoch);
    if looked || !is_sequencers_node::<T>() {
        return;
    }
    memory.set(&epoch);
    for (first, second) in unknown_pairs::<T>() {
        log::info!(target: TARGET, "{first:?} and {second:?} go missing together");
        let extrinsic = Pallet::<T>::correlation_extrinsic(first, second);
        if SubmitTransaction::<T, crate::Call<T>>::submit_transaction(extrinsic).is_err() {
            log::debug!(target: TARGET, "the pool does not take the report of a pair");
        }
    }
}

/// Whether this node has the relay key of one in the set. Others make no blocks, and nobody
/// else's blocks take their reports.
fn is_sequencers_node<T: Config>() -> bool {
    let keys = sp_io::crypto::ed25519_public_keys(key_types::RELAY);
    keys.iter().any(|key| T::Sequencers::index_of_relay_key(key).is_some())
}

/// Pairs that are correlated and not known to be one, not too many.
fn unknown_pairs<T: Config>() -> Vec<(AccountId, AccountId)> {
    let members = Pallet::<T>::counted();
    let absences = Pallet::<T>::absences();
    let account = |index: u16| members.get(usize::from(index)).cloned();
    correlated_pairs(&absences)
        .filter_map(|(first, second)| account(first).zip(account(second)))
        // Asked last: it costs much more.
        .filter(|(first, second)| !T::OnCorrelation::is_known(first, second))
        .take(MAX_REPORTS)
        .collect()
}
