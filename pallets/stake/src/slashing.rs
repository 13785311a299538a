//! What offences cost.

use crate::{
    pallet::{Config, DoubleSigns, Event, HoldReason, Ledgers, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber},
    reputation::l1_stake::OnL1Stake,
    sequencers::{Entities, Offence, OffenceKind, OnOffence, StakeParts},
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    traits::{
        fungible::{Balanced, BalancedHold, Credit},
        Get, Imbalance,
    },
    weights::Weight,
};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// What was taken and is nobody's yet.
type Slashed<T> = Credit<AccountId, <T as Config>::Currency>;

/// A double sign that was punished.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct DoubleSign {
    /// Who.
    pub account: AccountId,
    /// In which set.
    pub set_id: u64,
    /// At which height.
    pub height: BlockNumber,
    /// Whether another one of the set did so, too, and everything is gone.
    pub together: bool,
}

/// Of all that is on hold and locked on L1, what an offence takes. It is taken from what is
/// on hold.
pub const fn share(offence: OffenceKind) -> Permill {
    match offence {
        // Two blocks of one height are what the chain's word stands against.
        OffenceKind::DoubleSign => Permill::from_percent(50),
        OffenceKind::TimestampManipulation => Permill::from_percent(5),
        // For each session: a day of 288 sessions costs a quarter. A leader can make
        // others look offline once in a long while (ADR 0010), so not more.
        OffenceKind::Offline => Permill::from_parts(1_000),
        // Happens to an honest sequencer that restarts while it leads.
        OffenceKind::Timeout => Permill::zero(),
        // It gained nobody anything: the runtime applied what was left out.
        OffenceKind::Censorship => Permill::from_percent(1),
        OffenceKind::RepeatedCensorship => Permill::from_percent(20),
        // As being away: its L1 node may have been.
        OffenceKind::Withholding => Permill::from_parts(1_000),
    }
}

/// Of what is taken, what goes to the users' compensation fund; the rest is burned.
pub const fn to_fund(offence: OffenceKind) -> Permill {
    match offence {
        // R25.6: users are compensated for downtime by those who were down.
        OffenceKind::Offline | OffenceKind::Timeout | OffenceKind::Withholding => Permill::one(),
        OffenceKind::DoubleSign
        | OffenceKind::TimestampManipulation
        | OffenceKind::Censorship
        | OffenceKind::RepeatedCensorship => Permill::from_percent(50),
    }
}

/// Of what is taken from the offender, what goes to who reported it (R22.5); the rest
/// goes where it goes without a report. An offender that reports itself under a name that
/// nobody knows to be its own still loses the other nine tenths.
pub const REPORTERS_SHARE: Permill = Permill::from_percent(10);

impl<T: Config> Pallet<T> {
    /// What `offence` takes of `total`, which is not more than `total`.
    pub(crate) fn penalty(offence: OffenceKind, total: Balance) -> Balance {
        let least = match offence {
            OffenceKind::DoubleSign => T::MinPenalty::get(),
            _ => 0,
        };
        share(offence).mul_ceil(total).max(least).min(total)
    }

    /// A double sign, and what it means for others of the same set.
    fn double_sign(offence: &Offence, reporter: Option<&AccountId>) {
        let Offence { offender, set_id, height, kind } = offence;
        let mut known = DoubleSigns::<T>::get();
        // Conspirators are not to earn by giving each other away.
        let is_known = |who: &&AccountId| known.iter().any(|other| other.account == **who);
        let reporter = reporter.filter(|who| !is_known(who));
        let window = T::ConspiracyBlocks::get();
        let mut alone = true;
        for other in known.iter_mut().filter(|other| {
            other.set_id == *set_id
                && other.account != *offender
                && other.height.abs_diff(*height) <= window
        }) {
            alone = false;
            // The other's stake is gone, too, if it is not already.
            if !other.together {
                other.together = true;
                Self::slash(&other.account, *kind, |_, total| total, None);
            }
        }
        if known.is_full() {
            known.remove(0);
        }
        let _ = known.try_push(DoubleSign {
            account: offender.clone(),
            set_id: *set_id,
            height: *height,
            together: !alone,
        });
        DoubleSigns::<T>::put(known);
        let penalty: fn(OffenceKind, Balance) -> Balance =
            if alone { Self::penalty } else { |_, total| total };
        Self::slash(offender, *kind, penalty, reporter);
    }

    fn punish(offence: &Offence, reporter: Option<&AccountId>) {
        let Offence { offender, kind, .. } = offence;
        let reporter = reporter.filter(|who| !T::Entities::are_one(who, offender));
        match kind {
            OffenceKind::DoubleSign => Self::double_sign(offence, reporter),
            kind => Self::slash(offender, *kind, Self::penalty, reporter),
        }
    }

    fn slash(
        account: &AccountId,
        offence: OffenceKind,
        penalty: fn(OffenceKind, Balance) -> Balance,
        reporter: Option<&AccountId>,
    ) {
        let on_l1 = Self::locked_at_risk(account);
        let due = |bonded| {
            let at_risk = StakeParts { bonded, ..on_l1 }.counting(T::MinL2Share::get());
            penalty(offence, at_risk)
        };
        let (taken, due) = Ledgers::<T>::mutate_exists(account, |stored| {
            let Some(ledger) = stored.as_mut() else { return (0, due(0)) };
            let due = due(ledger.total());
            let taken = ledger.slash(due);
            if ledger.total() == 0 {
                *stored = None;
            }
            (taken, due)
        });
        // What is not here to be taken counts no more on L1 either.
        Self::strike(account, offence, due.saturating_sub(taken));
        if taken == 0 {
            return;
        }
        // What the ledger says is on hold, so nothing is missing. If it were, the ledger
        // must not say that it is gone.
        let (credit, missing) = T::Currency::slash(&HoldReason::Stake.into(), account, taken);
        if missing > 0 {
            Ledgers::<T>::mutate(account, |stored| {
                let ledger = stored.get_or_insert_default();
                ledger.bonded = ledger.bonded.saturating_add(missing);
            });
        }
        let amount = credit.peek();
        let (to_reporter, credit) = Self::reward(reporter, credit);
        let for_fund = to_fund(offence).mul_floor(credit.peek());
        let (fund, burned) = credit.split(for_fund);
        let (to_fund, rest) = (fund.peek(), burned.peek());
        // What the fund cannot take, because it would be below the existential
        // deposit, is burned with the credit it comes back as.
        let refused = T::Currency::resolve(&Self::fund(), fund).err();
        let refused = refused.map_or(0, |credit| credit.peek());
        drop(burned);
        Self::deposit_event(Event::Slashed {
            account: account.clone(),
            offence,
            amount,
            to_fund: to_fund.saturating_sub(refused),
            burned: rest.saturating_add(refused),
            to_reporter,
        });
        if let Some(reporter) = reporter.filter(|_| to_reporter > 0) {
            Self::deposit_event(Event::ReporterRewarded {
                reporter: reporter.clone(),
                offender: account.clone(),
                amount: to_reporter,
            });
        }
    }

    /// Gives the reporter its share of what was taken; returns how much that is, and the
    /// rest.
    fn reward(reporter: Option<&AccountId>, taken: Slashed<T>) -> (Balance, Slashed<T>) {
        let Some(reporter) = reporter else { return (0, taken) };
        let amount = REPORTERS_SHARE.mul_floor(taken.peek());
        let (share, rest) = taken.split(amount);
        match T::Currency::resolve(reporter, share) {
            Ok(()) => (amount, rest),
            // It cannot hold so little: then it is as if nobody had reported.
            Err(refused) => (0, rest.merge(refused)),
        }
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    fn on_offence(offence: &Offence) {
        Self::punish(offence, None);
    }

    fn on_reported_offence(offence: &Offence, reporter: &AccountId) {
        Self::punish(offence, Some(reporter));
    }

    fn max_offence_weight() -> Weight {
        // A second double signer takes the first one's stake along; more of them find
        // that done.
        T::WeightInfo::slash().saturating_add(T::OnL1Stake::weight()).saturating_mul(2)
    }

    fn max_reported_offence_weight() -> Weight {
        Self::max_offence_weight()
            .saturating_add(T::WeightInfo::reward())
            .saturating_add(T::Entities::max_weight())
    }
}
