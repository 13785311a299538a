//! What an account may claim, for the runtime API.

use crate::pallet::{Claims, Config, Open, Outages, Pallet};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    apis::{ClaimStanding, OutageClaim},
    chain::AccountId,
};

impl<T: Config> Pallet<T> {
    /// The outages of which an account is compensated, oldest first: those that it may
    /// claim in the next block, and the one whose window is open. Asked after a block, so
    /// what could be claimed in that one for the last time is gone.
    pub fn compensation(account: &AccountId) -> Vec<OutageClaim<T::Extrinsic>> {
        let settled = Outages::<T>::get();
        let settled = settled.into_iter().filter_map(|known| {
            let outage = known.outage;
            let (amount, until) =
                Self::claimable(outage, account).filter(|(_, until)| Self::now() < *until)?;
            let compensable = Claims::<T>::get(outage, account)?;
            let transaction = Self::claim_extrinsic(outage, account.clone());
            let standing = ClaimStanding::Claimable { amount, until, transaction };
            Some(OutageClaim { outage, compensable, standing })
        });
        let open = Open::<T>::get().and_then(|window| {
            let compensable = Claims::<T>::get(window.outage, account)?;
            let standing = ClaimStanding::Open { until: window.until };
            Some(OutageClaim { outage: window.outage, compensable, standing })
        });
        settled.chain(open).collect()
    }
}
