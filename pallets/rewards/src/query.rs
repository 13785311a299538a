//! What others may ask, and what must hold between blocks.

use crate::pallet::{
    BonusPool, Config, Earnings, LastSettlement, Pallet, Payouts, Running, RunningSet,
};
use alloc::{vec, vec::Vec};
use cascoin_l2_primitives::{
    chain::AccountId,
    rewards::{RewardsReport, SequencerRewards},
};

impl<T: Config> Pallet<T> {
    /// What `account` has earned, or without one each sequencer of the running session,
    /// by index.
    pub fn rewards(account: Option<AccountId>) -> RewardsReport {
        let set = RunningSet::<T>::get();
        let running = Running::<T>::get();
        let settlement = LastSettlement::<T>::get();
        let penalties = Self::penalties();
        let of = |account: AccountId| {
            let earned = Earnings::<T>::get(&account);
            let index = set.index_of(&account);
            let settled = settlement.as_ref().and_then(|last| {
                last.rewards.iter().find(|reward| reward.account == account).cloned()
            });
            let penalty = penalties.iter().find(|(penalised, _)| *penalised == account);
            SequencerRewards {
                owed: earned.owed,
                paid: earned.paid,
                payout: Payouts::<T>::get(&account),
                penalised_until: penalty.map(|(_, until)| *until),
                running: index.and_then(|index| running.get(usize::from(index)).copied()),
                settled,
                account,
            }
        };
        let accounts: Vec<_> = match account {
            Some(account) => vec![account],
            None => set.seats.iter().map(|seat| seat.account.clone()).collect(),
        };
        RewardsReport {
            bonus_pool: BonusPool::<T>::get(),
            last_session: settlement.as_ref().map(|last| last.session),
            sequencers: accounts.into_iter().map(of).collect(),
        }
    }

    /// All that this pallet answers for: what is owed, the bonus pool, and what was
    /// collected and is not settled.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn liabilities() -> cascoin_l2_primitives::chain::Balance {
        let owed = Earnings::<T>::iter_values().map(|earned| earned.owed);
        let ended = crate::pallet::Ended::<T>::get().map(|ended| ended.tallies);
        let collected = Running::<T>::get().into_iter().chain(ended.into_iter().flatten());
        let collected = collected.map(|tally| crate::types::held(&tally));
        let sum = owed.chain(collected).fold(0, |sum: u128, one| sum.saturating_add(one));
        sum.saturating_add(BonusPool::<T>::get())
    }

    /// What must hold between blocks: the pot has what this pallet answers for, there
    /// is one tally for each seat, penalties end in order, and no payout is to the pot.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        use crate::pallet::{Ended, InBlock, Penalties};
        use cascoin_l2_primitives::rewards::Payout;
        use frame_support::traits::fungible::Inspect;
        let pot = Self::pot();
        if T::Currency::total_balance(&pot) < Self::liabilities() {
            return Err("the pot has less than is owed");
        }
        let ended = Ended::<T>::get();
        if RunningSet::<T>::get().seats.len() != Running::<T>::get().len()
            || ended.is_some_and(|ended| ended.set.seats.len() != ended.tallies.len())
        {
            return Err("there is not one tally for each seat");
        }
        if !Penalties::<T>::get().is_sorted_by_key(|(_, until)| *until) {
            return Err("penalties are out of order");
        }
        if Payouts::<T>::iter_values().any(|payout| payout == Payout::To(pot.clone())) {
            return Err("rewards would be paid to where they are paid from");
        }
        if InBlock::<T>::exists() {
            return Err("a block's fees outlived it");
        }
        Ok(())
    }
}
