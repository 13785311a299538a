//! What may be done while a recovery runs (R19.3): the same that runs the chain before it
//! opens.
//!
//! What users do waits until what they did before is repeated. It is refused when it is
//! dispatched, also inside another call; a transaction whose own call is refused does not get
//! into a block (`CheckGas`), so that it costs nothing and the account's nonce stays. What is
//! repeated passes, at whatever depth, if its effects went back.

use crate::{
    bootstrap_filter::runs_the_chain,
    configs::{goes_back, is_repeating},
    Recovery, RuntimeCall,
};
use frame_support::traits::Contains;

/// The part of the runtime's call filter that knows of recoveries.
pub struct NoPublicCallsInRecovery;

impl Contains<RuntimeCall> for NoPublicCallsInRecovery {
    fn contains(call: &RuntimeCall) -> bool {
        if !Recovery::is_running() {
            return true;
        }
        if is_repeating() {
            goes_back(call)
        } else {
            runs_the_chain(call)
        }
    }
}
