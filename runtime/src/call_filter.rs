//! Calls that nobody may make, whoever is asking.
//!
//! Coins come into being by peg-in only (ledger O7) and a set change is never
//! forced (consensus.md, decision 7), so the calls that set balances or the
//! issuance, or force a GRANDPA change, are out. So is leaving the set by
//! dropping one's keys: that is the registry's business, which does drop those that are
//! revoked.
//!
//! All of these want Root, except the last, and Root passes a runtime's call
//! filter: dispatching with Root skips it, also for the calls inside a batch.
//! The one way to Root from outside is the sudo pallet (test presets only), so
//! a call to it is searched to the bottom. Calls that others wrap need no such
//! search: they are filtered when they are dispatched.
//!
//! What this does not stop: a sudo key can write storage and replace the code.
//! Whoever starts a network with one must trust its holder; mainnet has none.

use crate::RuntimeCall;
use frame_support::traits::Contains;

/// The runtime's call filter.
pub struct NobodyForcesMoney;

impl Contains<RuntimeCall> for NobodyForcesMoney {
    fn contains(call: &RuntimeCall) -> bool {
        match call {
            RuntimeCall::Sudo(_) => !hides_forbidden(call),
            _ => !is_forbidden(call),
        }
    }
}

fn is_forbidden(call: &RuntimeCall) -> bool {
    use pallet_balances::Call as Balances;
    use pallet_grandpa::Call as Grandpa;
    use pallet_session::Call as Session;
    matches!(
        call,
        RuntimeCall::Balances(
            Balances::force_transfer { .. }
                | Balances::force_unreserve { .. }
                | Balances::force_set_balance { .. }
                | Balances::force_adjust_total_issuance { .. }
        ) | RuntimeCall::Grandpa(Grandpa::note_stalled { .. })
            | RuntimeCall::Session(Session::purge_keys { .. })
    )
}

/// Whether the call or any call inside it is forbidden. Calls are decoded with a
/// bounded depth, so this ends.
fn hides_forbidden(call: &RuntimeCall) -> bool {
    use pallet_multisig::Call as Multisig;
    use pallet_proxy::Call as Proxy;
    use pallet_sudo::Call as Sudo;
    use pallet_utility::Call as Utility;
    match call {
        RuntimeCall::Sudo(
            Sudo::sudo { call }
            | Sudo::sudo_unchecked_weight { call, .. }
            | Sudo::sudo_as { call, .. },
        )
        | RuntimeCall::Utility(
            Utility::as_derivative { call, .. }
            | Utility::dispatch_as { call, .. }
            | Utility::dispatch_as_fallible { call, .. }
            | Utility::with_weight { call, .. },
        )
        | RuntimeCall::Multisig(
            Multisig::as_multi_threshold_1 { call, .. } | Multisig::as_multi { call, .. },
        )
        | RuntimeCall::Proxy(Proxy::proxy { call, .. } | Proxy::proxy_announced { call, .. }) => {
            hides_forbidden(call)
        }
        RuntimeCall::Utility(
            Utility::batch { calls }
            | Utility::batch_all { calls }
            | Utility::force_batch { calls },
        ) => calls.iter().any(hides_forbidden),
        RuntimeCall::Utility(Utility::if_else { main, fallback }) => {
            hides_forbidden(main) || hides_forbidden(fallback)
        }
        _ => is_forbidden(call),
    }
}
