//! What may be done while the chain's own bootstrap lasts (R32.3), and in an emergency
//! ([`emergency_filter`](crate::emergency_filter)).
//!
//! Its first sequencers run it, L1's events are applied, burns are minted, offences are
//! punished, and whoever wants to sequence gets ready. What the public would do waits:
//! transfers above all. It is refused when it is dispatched, also inside another call. Such a
//! transaction stands in a block and pays its fee.

use crate::{L2Registry, RuntimeCall};
use frame_support::traits::Contains;

/// The part of the runtime's call filter that knows when the chain opens.
pub struct NoPublicCallsInBootstrap;

impl Contains<RuntimeCall> for NoPublicCallsInBootstrap {
    fn contains(call: &RuntimeCall) -> bool {
        runs_the_chain(call) || L2Registry::is_open()
    }
}

/// A list of what is allowed: a pallet added later is not, until somebody thought about
/// it. Root passes the filter.
pub(crate) fn runs_the_chain(call: &RuntimeCall) -> bool {
    matches!(
        call,
        // Inherents, and what carries its own authorisation.
        RuntimeCall::Timestamp(_)
        | RuntimeCall::Participation(_)
        | RuntimeCall::ForcedInclusion(_)
        | RuntimeCall::L1Relay(_)
        | RuntimeCall::Equivocation(_)
        | RuntimeCall::Compensation(_)
        | RuntimeCall::ReputationExport(_)
        | RuntimeCall::ScoreAttestation(_)
        | RuntimeCall::Recovery(_)
        // What sequencers do, and who wants to be one.
        | RuntimeCall::Session(_)
        | RuntimeCall::SequencerRegistry(_)
        | RuntimeCall::Stake(_)
        | RuntimeCall::Reputation(_)
        | RuntimeCall::L2Registry(_)
        // The calls inside are filtered when they are dispatched.
        | RuntimeCall::Utility(_)
        | RuntimeCall::Multisig(_)
        | RuntimeCall::Proxy(_)
        | RuntimeCall::Sudo(_)
    )
}
