//! What may be done in an emergency (R12.5): the same that runs the chain before it opens.
//!
//! What users do waits until the chain has shown that it lives again. It is refused when it is
//! dispatched, also inside another call; a transaction whose own call is refused does not get
//! into a block (`CheckGas`), so that it costs nothing and the account's nonce stays. What a
//! recovery repeats passes: it stood in a block of before.

use crate::{bootstrap_filter::runs_the_chain, configs::is_repeating, Liveness, RuntimeCall};
use frame_support::traits::Contains;

/// The part of the runtime's call filter that knows of emergencies.
pub struct NoPublicCallsInEmergency;

impl Contains<RuntimeCall> for NoPublicCallsInEmergency {
    fn contains(call: &RuntimeCall) -> bool {
        runs_the_chain(call) || !Liveness::is_emergency() || is_repeating()
    }
}
