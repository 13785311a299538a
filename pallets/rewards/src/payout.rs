//! Paying what is owed.

use crate::pallet::{Config, Earnings, Error, Event, Pallet, Payouts, RunningSet};
use cascoin_l2_primitives::{chain::AccountId, rewards::Payout};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{fungible::Mutate, tokens::Preservation},
};

impl<T: Config> Pallet<T> {
    /// Notes where an account wants its rewards.
    pub(crate) fn choose(who: &AccountId, payout: Payout) -> DispatchResult {
        let known =
            Earnings::<T>::contains_key(who) || RunningSet::<T>::get().index_of(who).is_some();
        ensure!(known, Error::<T>::NotASequencer);
        let payout = match payout {
            Payout::To(account) if account == *who => Payout::Own,
            other => other,
        };
        match &payout {
            // It would count as paid and never leave the pot.
            Payout::To(account) if *account == Self::pot() => {
                return Err(Error::<T>::PotAsPayout.into());
            }
            Payout::Own => Payouts::<T>::remove(who),
            _ => Payouts::<T>::insert(who, payout.clone()),
        }
        Self::deposit_event(Event::PayoutSet { sequencer: who.clone(), payout });
        Ok(())
    }

    /// Pays all that is owed to `who`. What cannot be paid stays owed.
    pub(crate) fn pay(who: &AccountId, to: &AccountId) -> DispatchResult {
        let mut earned = Earnings::<T>::get(who);
        let amount = earned.owed;
        ensure!(amount > 0, Error::<T>::NothingToClaim);
        T::Currency::transfer(&Self::pot(), to, amount, Preservation::Expendable)?;
        earned.owed = 0;
        earned.paid = earned.paid.saturating_add(amount);
        Earnings::<T>::insert(who, earned);
        Self::deposit_event(Event::Paid { sequencer: who.clone(), to: to.clone(), amount });
        Ok(())
    }

    /// Pays who wants to be paid whenever a session is settled.
    pub(crate) fn pay_out(who: &AccountId) {
        let owed = Earnings::<T>::get(who).owed;
        let to = match Payouts::<T>::get(who) {
            Payout::Own => who.clone(),
            Payout::To(account) => account,
            Payout::Claimed => return,
        };
        if owed > 0 && Self::pay(who, &to).is_err() {
            Self::deposit_event(Event::PayoutFailed { sequencer: who.clone(), owed });
        }
    }
}
