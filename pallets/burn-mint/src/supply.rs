//! The supply invariant (O7, P4): coins appear on L2 only by minting what was burned on L1
//! or is in the vault there:
//! `issuance + burned on L2 = genesis + burned on L1 + in the vault`.

use crate::pallet::{
    BurnCount, ClawedBackTotal, Config, Deficit, Event, GenesisIssuance, Halted, LastIssuance,
    MintedInBlock, MintedTotal, Pallet, RejectedCount, RejectedWaitingCount, VaultedTotal,
};
use cascoin_l2_primitives::{apis::SupplyReport, chain::Balance};
use frame_support::traits::fungible::Inspect;

impl<T: Config> Pallet<T> {
    /// The supply and its check, at the end of the last block.
    pub fn supply() -> SupplyReport {
        let issuance = T::Currency::total_issuance();
        let (genesis, minted) = (GenesisIssuance::<T>::get(), MintedTotal::<T>::get());
        let allowed = genesis.saturating_add(minted);
        SupplyReport {
            issuance,
            genesis,
            minted,
            vaulted: VaultedTotal::<T>::get(),
            burned_on_l2: allowed.saturating_sub(issuance),
            burn_count: BurnCount::<T>::get(),
            rejected_count: RejectedCount::<T>::get()
                .saturating_add(RejectedWaitingCount::<T>::get()),
            clawed_back: ClawedBackTotal::<T>::get(),
            deficit: Deficit::<T>::get(),
            valid: issuance <= allowed && !Halted::<T>::get(),
        }
    }

    /// The most that may be issued at the end of this block. Falls with what is
    /// burned on L2, so that burning and then inflating by as much is found too.
    fn allowed_issuance(minted_in_block: Balance) -> Balance {
        let by_block = LastIssuance::<T>::get().saturating_add(minted_in_block);
        let by_total = GenesisIssuance::<T>::get().saturating_add(MintedTotal::<T>::get());
        by_block.min(by_total)
    }

    /// Checks the invariant at the end of a block and halts minting if it is
    /// violated.
    pub(crate) fn check_supply() {
        let issuance = T::Currency::total_issuance();
        let allowed = Self::allowed_issuance(MintedInBlock::<T>::take());
        LastIssuance::<T>::put(issuance);
        if issuance > allowed && !Halted::<T>::get() {
            Halted::<T>::put(true);
            log::error!(
                target: "burn-mint",
                "supply invariant violated: {issuance} issued, {allowed} allowed; minting stops",
            );
            Self::deposit_event(Event::SupplyInvariantViolated { issuance, allowed });
        }
    }

    /// Checks what must hold between blocks, the sum over all accounts included.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(feature = "try-runtime", test))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use frame_support::ensure;

        let accounts = frame_system::Account::<T>::iter_keys()
            .try_fold(0, |sum: Balance, who| sum.checked_add(T::Currency::total_balance(&who)));
        ensure!(
            accounts == Some(T::Currency::total_issuance()),
            "all accounts sum to the issuance"
        );
        ensure!(
            Halted::<T>::get()
                || T::Currency::total_issuance()
                    <= GenesisIssuance::<T>::get().saturating_add(MintedTotal::<T>::get()),
            "nothing was issued that was not minted"
        );
        Self::try_state_of_burns()?;
        Self::try_state_of_queue()
    }

    // Records, counters and logs agree.
    #[cfg(any(feature = "try-runtime", test))]
    fn try_state_of_burns() -> Result<(), sp_runtime::TryRuntimeError> {
        use crate::pallet::{
            Burns, ClawedBack, MintCount, MintLog, MintedBefore, MintedBeforeRange, MintedOnDay,
            RecentBurns, RecentRange, RejectedBefore, RejectedLog, RevertedCount, Sweep,
            MAX_REJECTED,
        };
        use cascoin_l2_primitives::{
            apis::{BurnOutcome, Peg},
            l1::burn::BurnRejection,
            reputation::MS_PER_DAY,
        };
        use frame_support::ensure;

        let (mut full, mut minted, mut rejected, mut rejected_waiting) = (0, 0, 0, 0);
        let (mut reverted, mut deficit): (u64, Balance) = (0, 0);
        let mut vaulted: Balance = 0;
        for (_, _, record) in Burns::<T>::iter() {
            minted += Balance::from(record.minted);
            if record.peg == Peg::Vault {
                vaulted += Balance::from(record.minted);
            }
            let fits = match record.outcome {
                BurnOutcome::Minted => {
                    full += 1;
                    record.minted == record.value
                }
                BurnOutcome::Rejected(BurnRejection::ByGovernance) => {
                    rejected_waiting += 1;
                    record.minted < record.value
                }
                BurnOutcome::Rejected(_) => {
                    rejected += 1;
                    record.minted == 0
                }
                BurnOutcome::Deferred => record.minted < record.value,
                BurnOutcome::Reverted => {
                    reverted += 1;
                    deficit += Balance::from(record.minted);
                    record.minted <= record.value
                }
            };
            ensure!(fits, "a burn is minted in full, not at all, or waits or did so");
        }
        ensure!(minted == MintedTotal::<T>::get(), "records sum to what was minted");
        ensure!(vaulted == VaultedTotal::<T>::get(), "what the vault backs is told apart");
        ensure!(full == BurnCount::<T>::get(), "every burn minted in full is counted");
        ensure!(
            rejected == RejectedCount::<T>::get().min(MAX_REJECTED)
                && rejected == RejectedLog::<T>::iter_keys().count() as u64,
            "the last rejected outputs are kept"
        );
        ensure!(
            rejected_waiting == RejectedWaitingCount::<T>::get(),
            "every waiting burn that was rejected is kept and counted"
        );
        let last = MintedOnDay::<T>::get();
        let (mut credits, mut all, mut on_last_day) = (0, 0, 0);
        for (_, credit) in MintLog::<T>::iter() {
            credits += 1;
            all += Balance::from(credit.amount);
            if credit.time / MS_PER_DAY == u64::from(last.day) {
                on_last_day += Balance::from(credit.amount);
            }
        }
        ensure!(credits == MintCount::<T>::get(), "every credit is counted");
        let clawed_back = ClawedBackTotal::<T>::get();
        ensure!(all == minted + clawed_back, "credits sum to what was minted and not taken back");
        ensure!(
            ClawedBack::<T>::iter_values().sum::<Balance>() == clawed_back,
            "what was taken back is counted"
        );
        ensure!(reverted == RevertedCount::<T>::get(), "every reverted burn is counted");
        for (txid, vout, ()) in RejectedBefore::<T>::iter() {
            let outcome = Burns::<T>::get(txid, vout).map(|record| record.outcome);
            ensure!(
                outcome == Some(BurnOutcome::Reverted),
                "what was rejected before it was reverted is reverted"
            );
        }
        ensure!(deficit == Deficit::<T>::get(), "what could not be taken back is the deficit");
        let (start, end) = RecentRange::<T>::get();
        ensure!(
            end.checked_sub(start) == Some(RecentBurns::<T>::iter_keys().count() as u64),
            "the log of recent burns has no gaps"
        );
        ensure!(
            Sweep::<T>::get().is_none_or(|(place, until)| place < until && until <= end),
            "what is to be judged is in the log"
        );
        let (first, next) = MintedBeforeRange::<T>::get();
        ensure!(
            next.checked_sub(first) == Some(MintedBefore::<T>::iter_keys().count() as u64),
            "the log of what had been minted has no gaps"
        );
        ensure!(on_last_day == last.amount, "the day's credits sum to what it counts");
        Ok(())
    }

    // Every waiting burn is in the queue once.
    #[cfg(any(feature = "try-runtime", test))]
    fn try_state_of_queue() -> Result<(), sp_runtime::TryRuntimeError> {
        use crate::pallet::{Burns, Deferred, DeferredRange, DeferredTotal, RoundOfTurns, Waits};
        use cascoin_l2_primitives::apis::BurnOutcome;
        use frame_support::ensure;

        let (mut count, mut total) = (0, 0);
        for (txid, vout, record) in Burns::<T>::iter() {
            if record.outcome != BurnOutcome::Deferred {
                continue;
            }
            count += 1;
            total += Balance::from(record.value.saturating_sub(record.minted));
            let place = Waits::<T>::get(txid, vout).map(|waiting| waiting.place);
            ensure!(
                place.and_then(Deferred::<T>::get) == Some(record.outpoint),
                "every waiting burn has its place"
            );
        }
        let (start, end) = DeferredRange::<T>::get();
        ensure!(end.checked_sub(start) == Some(count), "the queue has no gaps");
        ensure!(count == Deferred::<T>::iter_keys().count() as u64, "nobody else is in the queue");
        ensure!(count == Waits::<T>::iter_keys().count() as u64, "nobody else waits");
        ensure!(total == DeferredTotal::<T>::get(), "what waits is counted");
        ensure!(RoundOfTurns::<T>::get().until <= end, "turns are for places of the queue");
        Ok(())
    }
}
