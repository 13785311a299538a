//! The books: fees come in, a block is split, a session ends and is settled.

use crate::{
    pallet::{
        BonusPool, Config, Earnings, Ended, Event, InBlock, LastSettlement, Pallet, Running,
        RunningSet,
    },
    settlement::{settle, Outcome, Standing},
    split::Parts,
    types::{held, BlockFees, EndedSession, Seat, SessionSet, Settlement},
    weights::WeightInfo,
};
use alloc::vec::Vec;
use cascoin_l2_primitives::{
    chain::{AccountId, Balance, BlockNumber, MAX_SEQUENCERS},
    rewards::{Collected, SessionReward, SettledSession},
    sequencers::{OnSessionJudged, SequencerSetProvider, SequencerWeights, SessionUptime},
};
use frame_support::{
    traits::{
        fungible::{Balanced, Credit, Mutate},
        tokens::{Fortitude, Precision, Preservation},
        Get, Imbalance, OnUnbalanced,
    },
    weights::Weight,
    BoundedVec,
};
use sp_runtime::SaturatedConversion;

/// Takes what a transaction pays: its base fee, and behind that its tip.
impl<T: Config> OnUnbalanced<Credit<AccountId, T::Currency>> for Pallet<T> {
    fn on_unbalanceds(mut amounts: impl Iterator<Item = Credit<AccountId, T::Currency>>) {
        if let Some(base_fee) = amounts.next() {
            Self::collect(base_fee, |fees| &mut fees.base_fees);
        }
        for tip in amounts {
            Self::collect(tip, |fees| &mut fees.tips);
        }
    }

    fn on_nonzero_unbalanced(base_fee: Credit<AccountId, T::Currency>) {
        Self::collect(base_fee, |fees| &mut fees.base_fees);
    }
}

impl<T: Config> Pallet<T> {
    fn collect(
        credit: Credit<AccountId, T::Currency>,
        kind: impl FnOnce(&mut BlockFees) -> &mut Balance,
    ) {
        let amount = credit.peek();
        // What the pot does not take comes back as a credit, and is burned with it.
        if amount > 0 && T::Currency::resolve(&Self::pot(), credit).is_ok() {
            InBlock::<T>::mutate(|fees| {
                let sum = kind(fees);
                *sum = sum.saturating_add(amount);
            });
        }
    }

    /// Splits what the block has collected, and burns what is to be burned.
    pub(crate) fn book_block() {
        let producer = Self::producer();
        let BlockFees { split, producer: index, base_fees, tips, .. } = InBlock::<T>::take();
        let (Some(index), Some(producer)) = (index, producer) else {
            Self::burn(base_fees.saturating_add(tips));
            return;
        };
        let parts = Parts::of(base_fees, split);
        Self::burn(parts.burned);
        Running::<T>::mutate(|tallies| {
            // There is one for each seat, and the producer has one.
            let Some(tally) = tallies.get_mut(usize::from(index)) else { return };
            tally.blocks = tally.blocks.saturating_add(1);
            tally.base_fees = tally.base_fees.saturating_add(base_fees);
            tally.tips = tally.tips.saturating_add(tips);
            tally.producer_part = tally.producer_part.saturating_add(parts.producer);
            tally.others_part = tally.others_part.saturating_add(parts.others);
        });
        // An empty block earns nothing and says nothing.
        if base_fees > 0 || tips > 0 {
            Self::deposit_event(Event::FeesCollected {
                producer,
                base_fees,
                tips,
                producer_part: parts.producer,
                burned: parts.burned,
            });
        }
    }

    fn burn(amount: Balance) {
        if amount == 0 {
            return;
        }
        let burned = T::Currency::burn_from(
            &Self::pot(),
            amount,
            Preservation::Expendable,
            Precision::Exact,
            Fortitude::Polite,
        );
        // The pot has it, so this does not happen; if it did, nothing would be lost.
        if burned.is_err() {
            BonusPool::<T>::mutate(|pool| *pool = pool.saturating_add(amount));
        }
    }

    /// Whether the running session, of this set, is over with the block.
    pub(crate) fn session_ends(set: &SessionSet) -> bool {
        let length = T::Parameters::get().session_blocks;
        set.set_id != T::Sequencers::set_id() || Self::now().checked_rem(length) == Some(0)
    }

    /// Puts the running session aside until its uptimes are known, and begins the next.
    pub(crate) fn end_session() {
        Self::end_session_with(Self::now());
    }

    fn end_session_with(last_block: BlockNumber) {
        // The first block of each session has the last one settled, so there is none.
        if let Some(forgotten) = Ended::<T>::take() {
            Self::settle(forgotten, &[]);
        }
        Ended::<T>::put(EndedSession {
            set: RunningSet::<T>::take(),
            last_block,
            tallies: Running::<T>::take(),
        });
        Self::begin_session();
    }

    /// Another set is in force than the one that was to make the block that begins, since it
    /// took over from that (R17.6): the running session was over with the block before. MUST
    /// be called before this pallet begins the block, so that what the block brings is its
    /// author's, and while the books are the present's.
    pub fn set_was_replaced() {
        let is_new = Running::<T>::get().iter().all(|tally| *tally == Collected::default());
        if Ended::<T>::exists() && is_new {
            // One ended regularly with that block, and waits for this block's inherent.
            Self::begin_session();
        } else {
            Self::end_session_with(Self::now().saturating_sub(1));
        }
    }

    /// Notes the set in force.
    pub(crate) fn begin_session() {
        let seats = T::Sequencers::weighted().into_iter();
        let seats = seats.map(|(account, weight)| Seat { account, weight }).collect();
        let set = SessionSet {
            set_id: T::Sequencers::set_id(),
            // A set has no more members than fit, so nothing is cut.
            seats: BoundedVec::truncate_from(seats),
        };
        Running::<T>::put(set.empty_tallies());
        RunningSet::<T>::put(set);
    }

    /// The books went back to those of a past block, and the sequencers did not (ADR 0033).
    /// The sessions that the books speak of are judged, so nobody will say who was there:
    /// what they had collected goes to the bonus pool, and a session begins with the set in
    /// force. MUST be called between blocks' own hooks, when no block has fees in its books.
    pub fn begin_again() {
        let ended = Ended::<T>::take().map(|ended| ended.tallies).unwrap_or_default();
        let running = Running::<T>::take();
        let collected = running.iter().chain(ended.iter()).map(held);
        let collected = collected.fold(0, Balance::saturating_add);
        BonusPool::<T>::mutate(|pool| *pool = pool.saturating_add(collected));
        Self::begin_session();
    }

    fn settle(ended: EndedSession, uptimes: &[SessionUptime]) {
        let EndedSession { set, last_block, tallies } = ended;
        let uptime_of = |account: &AccountId| {
            let known = uptimes.iter().find(|one| one.account == *account);
            known.map_or(0, |one| one.uptime_permille)
        };
        let penalties = Self::penalties();
        let standings = set.seats.iter().zip(tallies).map(|(seat, collected)| Standing {
            weight: seat.weight,
            collected,
            uptime_permille: uptime_of(&seat.account),
            penalised: penalties.iter().any(|(account, _)| *account == seat.account),
        });
        let standings: Vec<_> = standings.collect();
        let Outcome { rewards, set_aside, bonus_pool, withheld } =
            settle(&standings, BonusPool::<T>::get());
        BonusPool::<T>::put(bonus_pool);
        Self::burn(withheld);
        let set_id = set.set_id;
        Self::deposit_event(Event::SessionSettled { set_id, last_block, bonus_pool });

        let rewards = set.seats.into_iter().zip(standings).zip(rewards);
        let rewards = rewards.map(|((seat, standing), reward)| SessionReward {
            account: seat.account,
            weight: standing.weight,
            uptime_permille: standing.uptime_permille,
            penalised: standing.penalised,
            blocks: standing.collected.blocks,
            base_fees: standing.collected.base_fees,
            tips: standing.collected.tips,
            producer_part: standing.collected.producer_part,
            share: reward.share,
            bonus: reward.bonus,
            withheld: reward.withheld,
            amount: reward.amount,
        });
        let rewards: Vec<_> = rewards.collect();
        rewards.iter().for_each(Self::credit);
        LastSettlement::<T>::put(Settlement {
            session: SettledSession { set_id, last_block, set_aside },
            // As many as seats, which fit.
            rewards: BoundedVec::truncate_from(rewards),
        });
    }

    fn credit(reward: &SessionReward) {
        let SessionReward { account, amount, withheld, .. } = reward;
        if *amount > 0 {
            Earnings::<T>::mutate(account, |earned| {
                earned.owed = earned.owed.saturating_add(*amount);
            });
            Self::deposit_event(Event::Rewarded {
                sequencer: account.clone(),
                amount: *amount,
                withheld: *withheld,
            });
        }
        // Also what could not be paid before.
        Self::pay_out(account);
    }
}

impl<T: Config> OnSessionJudged for Pallet<T> {
    fn on_session_judged(uptimes: &[SessionUptime]) -> Weight {
        let Some(ended) = Ended::<T>::take() else { return T::DbWeight::get().reads(1) };
        let weight = T::WeightInfo::settle(ended.set.seats.len().saturated_into());
        Self::settle(ended, uptimes);
        weight
    }

    fn max_judgement_weight() -> Weight {
        T::WeightInfo::settle(MAX_SEQUENCERS)
    }
}
