//! What may be done while a recovery runs (R19.3), and until stakes have lost what offences
//! cost them again.
//!
//! What users do waits until what they did before is repeated, whatever it is: who could move
//! anything in between could void what he had paid. So only inherents are dispatched, calls
//! with their own authorisation, and an operator's. All else is refused when it is dispatched,
//! also inside another call; and nothing that is signed gets into a block, but for an
//! operator's (`CheckGas`), so that it costs nothing and the account's nonce stays. What is
//! repeated passes, at whatever depth, if its effects went back.

use crate::{
    configs::{goes_back, is_repeating, users_wait},
    Recovery, RuntimeCall,
};
use frame_support::traits::Contains;

/// The part of the runtime's call filter that knows of recoveries.
pub struct NoPublicCallsInRecovery;

impl Contains<RuntimeCall> for NoPublicCallsInRecovery {
    fn contains(call: &RuntimeCall) -> bool {
        if is_repeating() {
            // A rehearsal repeats while none runs.
            goes_back(call) || !Recovery::is_running()
        } else {
            runs_a_recovery(call) || !users_wait()
        }
    }
}

/// A list of what is allowed: a pallet added later is not, until somebody thought about it.
/// Root passes the filter.
fn runs_a_recovery(call: &RuntimeCall) -> bool {
    matches!(
        call,
        // Inherents, and what carries its own authorisation.
        RuntimeCall::Timestamp(_)
            | RuntimeCall::Participation(_)
            | RuntimeCall::ForcedInclusion(_)
            | RuntimeCall::L1Relay(_)
            | RuntimeCall::Equivocation(_)
            | RuntimeCall::Compensation(pallet_compensation::Call::claim_for { .. })
            | RuntimeCall::ReputationExport(_)
            | RuntimeCall::ScoreAttestation(_)
            | RuntimeCall::SequencerRegistry(
                pallet_sequencer_registry::Call::attest_with_key { .. }
            )
            | RuntimeCall::Recovery(_)
            // Whose caller is an operator.
            | RuntimeCall::Sudo(_)
    )
}
