//! Scores.

#[cfg(any(test, feature = "try-runtime"))]
use crate::pallet::EverLinked;
use crate::{
    pallet::{Config, L1Accounts, L1Addresses, Pallet, Standings},
    types::Standing,
};
use cascoin_l2_primitives::{
    apis::ReputationReport,
    chain::AccountId,
    reputation::{
        export::{ExportedScore, LinkedScores},
        l1_stake,
        rule::{self, Breakdown, Facts, INSTANT_FINALITY_SCORE},
        Day, ReputationProvider, Score, MS_PER_DAY,
    },
};
use frame_support::traits::{Get, StoredMap, Time};
use sp_core::H160;

impl<T: Config> Pallet<T> {
    /// The day of this block.
    pub(crate) fn today() -> Day {
        Day::try_from(T::Time::now() / MS_PER_DAY).unwrap_or(Day::MAX)
    }

    /// An account's score and how it comes about.
    pub fn breakdown(account: &AccountId) -> Breakdown {
        let today = Self::today();
        let standing = Standings::<T>::get(account).unwrap_or_default();
        let decimals = T::Parameters::get().decimals;
        rule::score(&Facts {
            l1: standing.l1,
            trust: standing.trust,
            l1_economic: l1_stake::score(&standing.stake, today, decimals),
            l1_temporal: standing.history.score(today),
            attested: standing.bound_on(today),
            activity: T::Activities::get(account).on(today),
            penalty: standing.penalty_on(today),
            decimals,
        })
    }

    /// The same with the facts, for users.
    pub fn report(account: &AccountId) -> ReputationReport {
        let breakdown = Self::breakdown(account);
        let activity = T::Activities::get(account).on(Self::today());
        ReputationReport {
            breakdown,
            instant_finality: breakdown.aggregated > INSTANT_FINALITY_SCORE,
            transactions: activity.transactions(),
            failed: activity.failed,
            volume: activity.volume.into(),
            partners: activity.partner_count(),
            l1_address: Self::l1_address(account),
            first_day: activity.first_day,
            last_day: activity.last_day,
        }
    }

    /// The L1 address of an account, if it has proven one.
    pub fn l1_address(account: &AccountId) -> Option<H160> {
        L1Addresses::<T>::get(account)
    }

    /// Changes a standing; one that says nothing is not kept.
    pub(crate) fn change<R>(account: &AccountId, change: impl FnOnce(&mut Standing) -> R) -> R {
        Standings::<T>::mutate_exists(account, |stored| {
            let mut standing = stored.take().unwrap_or_default();
            let result = change(&mut standing);
            *stored = Some(standing).filter(Standing::says_something);
            result
        })
    }

    /// What must hold between blocks: every standing kept says something, links agree
    /// from both sides, and so does the web of trust.
    ///
    /// # Errors
    /// The rule that is broken.
    #[cfg(any(test, feature = "try-runtime"))]
    pub fn check_state() -> Result<(), &'static str> {
        if !Standings::<T>::iter_values().all(|standing| standing.says_something()) {
            return Err("a standing is kept that says nothing");
        }
        let trust = |account: &AccountId| {
            let address = L1Addresses::<T>::get(account);
            address
                .map(|address| crate::pallet::Vertices::<T>::get(address).score)
                .unwrap_or_default()
        };
        if !Standings::<T>::iter().all(|(account, standing)| standing.trust == trust(&account)) {
            return Err("an account has another trust than its L1 address");
        }
        Self::check_l1()?;
        if !L1Accounts::<T>::iter_keys().all(EverLinked::<T>::contains_key) {
            return Err("an address is linked and is not among those that ever were");
        }
        let back = |account: &AccountId, address: H160| {
            L1Accounts::<T>::get(address).as_ref() == Some(account)
        };
        if L1Addresses::<T>::iter().any(|(account, address)| !back(&account, address)) {
            return Err("an address does not know its account");
        }
        if L1Accounts::<T>::iter().count() != L1Addresses::<T>::iter().count() {
            return Err("an address is linked to an account that does not know it");
        }
        let proven = |account: &AccountId, address: &H160| {
            crate::pallet::ProvenAddresses::<T>::get(account).contains(address)
        };
        if L1Addresses::<T>::iter().any(|(account, address)| !proven(&account, &address)) {
            return Err("an account is linked to an address that it has not proven");
        }
        Self::check_graph()
    }
}

/// What is exported to L1 (R10.4).
impl<T: Config> LinkedScores for Pallet<T> {
    fn of_address(address: &H160) -> Option<ExportedScore> {
        let Breakdown { aggregated: score, suspicion, .. } =
            Self::breakdown(&L1Accounts::<T>::get(address)?);
        Some(ExportedScore { score, suspicion })
    }
}

impl<T: Config> ReputationProvider for Pallet<T> {
    fn score(account: &AccountId) -> Score {
        Self::breakdown(account).aggregated
    }

    fn sequencer_score(account: &AccountId) -> Score {
        let Breakdown { l1, suspicion, penalty, aggregated, .. } = Self::breakdown(account);
        if suspicion.is_some() {
            return aggregated;
        }
        aggregated.max(Score::saturating(l1.get().saturating_sub(penalty).into()))
    }
}
