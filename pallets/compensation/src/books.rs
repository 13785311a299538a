//! The books: an outage ends, fees are paid, it is settled, claimed and forgotten.

use crate::{
    pallet::{Claims, Config, Error, Event, Open, OutageCount, Outages, Pallet},
    types::{Outage, Window},
    weights::WeightInfo,
    MAX_OUTAGES, MAX_REMOVED,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber, Moment},
    rewards::OnFeePaid,
};
use frame_support::{
    dispatch::DispatchClass,
    ensure,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
        Get,
    },
    weights::Weight,
};
use sp_runtime::{DispatchError, DispatchResult, Percent, SaturatedConversion};

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// What of a base fee can be compensated: the share that is burned, rounded down.
    /// More than that somebody would gain who pays fees to itself.
    pub fn compensable(base_fee: Balance) -> Balance {
        let split = T::Split::get();
        let burned = 100u8.saturating_sub(split.producer).saturating_sub(split.others);
        Percent::from_percent(burned).mul_floor(base_fee)
    }

    /// What the fund has and owes to nobody, base units.
    pub fn free() -> Balance {
        let owed = Outages::<T>::get()
            .iter()
            .fold(0, |sum: Balance, outage| sum.saturating_add(outage.owed()));
        T::Currency::balance(&T::Fund::get()).saturating_sub(owed)
    }

    /// How long there was no block before this one, if that was an outage.
    fn outage_ms() -> Option<Moment> {
        let parent = T::ParentTime::get();
        let gap = T::BlockTime::get().saturating_sub(parent);
        // The time before the first block is none.
        (parent > 0 && gap >= T::MinGap::get()).then_some(gap)
    }

    pub(crate) fn begin_block() -> Weight {
        let mut weight = T::WeightInfo::block();
        let outage = Self::outage_ms();
        if let Some(window) = Open::<T>::get() {
            if outage.is_some() || window.until < Self::now() {
                Self::settle(window);
                weight.saturating_accrue(T::WeightInfo::settle());
            }
        }
        if let Some(gap_ms) = outage {
            Self::open(gap_ms);
            weight.saturating_accrue(T::WeightInfo::open());
        }
        weight
    }

    pub(crate) fn open(gap_ms: Moment) {
        if Outages::<T>::decode_len().unwrap_or(0) >= MAX_OUTAGES as usize {
            Self::deposit_event(Event::OutageNotCompensated { gap_ms });
            return;
        }
        let outage = OutageCount::<T>::get();
        let Some(next) = outage.checked_add(1) else { return };
        OutageCount::<T>::put(next);
        let until = Self::now().saturating_add(T::WindowBlocks::get());
        Open::<T>::put(Window { outage, until, compensable: 0 });
        Self::deposit_event(Event::OutageEnded { outage, gap_ms, until });
    }

    fn settle(window: Window) {
        Open::<T>::kill();
        let Window { outage, compensable, .. } = window;
        let budget = compensable.min(Self::free());
        // Without a budget there is nothing to wait for, and the claims are removed.
        let claim_blocks = if budget > 0 { T::ClaimBlocks::get() } else { 0 };
        let claim_until = Self::now().saturating_add(claim_blocks);
        Self::deposit_event(Event::OutageSettled { outage, compensable, budget, claim_until });
        if compensable > 0 {
            let settled = Outage { outage, compensable, budget, paid: 0, claim_until };
            // A window opens only while there is room for one more.
            let _ = Outages::<T>::try_mutate(|outages| outages.try_push(settled));
        }
    }

    /// What an account is paid for an outage if it claims now, and the last block for that;
    /// `None` if it has nothing to claim.
    pub(crate) fn claimable(number: u32, account: &AccountId) -> Option<(Balance, BlockNumber)> {
        let outages = Outages::<T>::get();
        let outage = outages.iter().find(|known| known.outage == number)?;
        let amount = outage.part(Claims::<T>::get(number, account)?);
        (amount > 0 && Self::now() <= outage.claim_until).then_some((amount, outage.claim_until))
    }

    pub(crate) fn pay(number: u32, account: AccountId) -> DispatchResult {
        Outages::<T>::try_mutate(|outages| {
            let outage = outages.iter_mut().find(|known| known.outage == number);
            let outage = outage.ok_or(Error::<T>::UnknownOutage)?;
            ensure!(Self::now() <= outage.claim_until, Error::<T>::ClaimExpired);
            let claim = Claims::<T>::take(number, &account).ok_or(Error::<T>::NothingToClaim)?;
            let amount = outage.part(claim);
            ensure!(amount > 0, Error::<T>::NothingToClaim);
            let fund = T::Fund::get();
            T::Currency::transfer(&fund, &account, amount, Preservation::Expendable)?;
            outage.paid = outage.paid.saturating_add(amount);
            if outage.paid >= outage.budget {
                // Nothing is left: its place is for another outage.
                outage.claim_until = Self::now();
            }
            Self::deposit_event(Event::Compensated { outage: number, account, amount });
            Ok::<_, DispatchError>(())
        })
    }

    /// Removes claims that have lapsed, as many as `left` allows and at most
    /// [`MAX_REMOVED`]; returns the weight of that.
    pub(crate) fn remove_lapsed(left: Weight) -> Weight {
        let most = T::WeightInfo::remove(MAX_REMOVED);
        if most.any_gt(left) {
            return Weight::zero();
        }
        let mut outages = Outages::<T>::get();
        let now = Self::now();
        let Some(place) = outages.iter().position(|outage| outage.claim_until < now) else {
            return T::WeightInfo::remove(0);
        };
        let lapsed = outages.remove(place);
        let (outage, unclaimed) = (lapsed.outage, lapsed.owed());
        let removed = Claims::<T>::clear_prefix(outage, MAX_REMOVED, None);
        if removed.maybe_cursor.is_none() {
            Outages::<T>::put(outages);
            Self::deposit_event(Event::OutageLapsed { outage, unclaimed });
        }
        most
    }

    /// What must hold between blocks; see the pallet's description.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        let claims =
            |number| Claims::<T>::iter_prefix_values(number).fold(0, Balance::saturating_add);
        let outages = Outages::<T>::get();
        let mut owed: Balance = 0;
        for outage in &outages {
            if outage.paid > outage.budget || outage.budget > outage.compensable {
                return Err("more is paid for an outage than it may cost");
            }
            let parts = Claims::<T>::iter_prefix_values(outage.outage)
                .fold(0, |sum: Balance, claim| sum.saturating_add(outage.part(claim)));
            if parts > outage.owed() {
                return Err("accounts are owed more than their outage has");
            }
            if claims(outage.outage) > outage.compensable {
                return Err("an outage has more claims than it knows of");
            }
            owed = owed.saturating_add(outage.owed());
        }
        if owed > T::Currency::balance(&T::Fund::get()) {
            return Err("more is owed than is in the fund");
        }
        let open = Open::<T>::get();
        if open.is_some_and(|window| claims(window.outage) != window.compensable) {
            return Err("the claims of an open window do not add up");
        }
        if open.is_some() && outages.is_full() {
            return Err("an open window has no place to be settled in");
        }
        let known = |number| {
            let mut numbers = outages.iter().map(|outage| outage.outage);
            numbers.any(|one| one == number) || open.is_some_and(|one| one.outage == number)
        };
        if !Claims::<T>::iter_keys().all(|(number, _)| known(number)) {
            return Err("there are claims for an outage that nobody knows");
        }
        Ok(())
    }
}

/// Takes note of base fees while an outage is being compensated.
impl<T: Config> OnFeePaid for Pallet<T> {
    fn on_fee_paid(who: &AccountId, base_fee: Balance) {
        let Some(mut window) = Open::<T>::get() else { return };
        let compensable = Self::compensable(base_fee);
        if compensable == 0 {
            return;
        }
        // What exists fits, so nothing saturates; and if it did, no account could be owed
        // more than all together.
        let before = window.compensable;
        window.compensable = before.saturating_add(compensable);
        let added = window.compensable.saturating_sub(before);
        Claims::<T>::mutate(window.outage, who, |claim| {
            *claim = Some(claim.unwrap_or(0).saturating_add(added));
        });
        Open::<T>::put(window);
        // Only then: no transaction pays for it at other times.
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            T::WeightInfo::note_fee(),
            DispatchClass::Normal,
        );
    }

    fn weight() -> Weight {
        T::WeightInfo::look()
    }
}
