//! What offences cost.

use crate::{
    pallet::{Config, DoubleSigners, Event, HoldReason, Ledgers, Pallet},
    WeightInfo,
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    sequencers::{Offence, OffenceKind, OnOffence},
};
use frame_support::{
    traits::{
        fungible::{Balanced, BalancedHold},
        Get, Imbalance,
    },
    weights::Weight,
};
use sp_runtime::Permill;

/// Of all that is on hold, what an offence takes.
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
    }
}

/// Of what is taken, what goes to the users' compensation fund; the rest is burned.
pub const fn to_fund(offence: OffenceKind) -> Permill {
    match offence {
        // R25.6: users are compensated for downtime by those who were down.
        OffenceKind::Offline | OffenceKind::Timeout => Permill::one(),
        OffenceKind::DoubleSign | OffenceKind::TimestampManipulation => Permill::from_percent(50),
    }
}

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
    fn double_sign(offence: &Offence) {
        let mut known = DoubleSigners::<T>::get(offence.set_id);
        if !known.contains(&offence.offender) {
            // A set has no more members than fit.
            let _ = known.try_push(offence.offender.clone());
            DoubleSigners::<T>::insert(offence.set_id, &known);
        }
        match known.len() {
            0 | 1 => Self::slash(&offence.offender, offence.kind, Self::penalty),
            // Of the second on everybody's stake is gone, the first one's too.
            2 => known.iter().for_each(|one| Self::slash(one, offence.kind, |_, total| total)),
            _ => Self::slash(&offence.offender, offence.kind, |_, total| total),
        }
    }

    fn slash(
        account: &AccountId,
        offence: OffenceKind,
        penalty: fn(OffenceKind, Balance) -> Balance,
    ) {
        let taken = Ledgers::<T>::mutate_exists(account, |stored| {
            let Some(ledger) = stored.as_mut() else { return 0 };
            let taken = ledger.slash(penalty(offence, ledger.total()));
            if ledger.total() == 0 {
                *stored = None;
            }
            taken
        });
        if taken == 0 {
            return;
        }
        // What the ledger says is on hold, so nothing is missing.
        let (credit, _missing) = T::Currency::slash(&HoldReason::Stake.into(), account, taken);
        let amount = credit.peek();
        let (fund, burned) = credit.split(to_fund(offence).mul_floor(amount));
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
        });
    }
}

impl<T: Config> OnOffence for Pallet<T> {
    fn on_offence(offence: &Offence) {
        match offence.kind {
            OffenceKind::DoubleSign => Self::double_sign(offence),
            kind => Self::slash(&offence.offender, kind, Self::penalty),
        }
    }

    fn max_offence_weight() -> Weight {
        // A second double signer takes the first one's stake along.
        T::WeightInfo::slash().saturating_mul(2)
    }
}
