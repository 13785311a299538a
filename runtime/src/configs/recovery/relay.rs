//! L1 from the fork point on.

use crate::{
    configs::{l1::L1Forks, messages::L1Unsettled},
    BurnMint, L1Relay, Runtime,
};
use cascoin_l2_primitives::{
    recovery::RelayRewind,
    relay::{L1BlockContext, OnL1Fork, MAX_RANGE},
};
use frame_support::{traits::Get, weights::Weight};

/// The relay, and the burns that it brings.
pub struct Rewind;

impl RelayRewind for Rewind {
    fn rewind(common: &L1BlockContext) {
        L1Relay::rewind(common);
    }

    fn applied() -> u32 {
        L1Relay::applied().height
    }

    /// The new branch is applied as far as it was, all burns are judged, and of each that L1
    /// still has what had been minted is minted again. What had waited may wait on.
    fn is_settled() -> bool {
        !L1Unsettled::get() && !BurnMint::mints_again()
    }

    fn is_between_blocks() -> bool {
        pallet_l1_relay::PageProgress::<Runtime>::get().page == 0
    }

    fn turns() -> u64 {
        BurnMint::minted_again()
    }

    // Votes of all heights that are open, and the relay's own state.
    fn rewind_weight() -> Weight {
        let writes = u64::from(MAX_RANGE).saturating_add(8);
        <Runtime as frame_system::Config>::DbWeight::get()
            .reads_writes(8, writes)
            .saturating_add(L1Forks::max_fork_weight())
    }
}
