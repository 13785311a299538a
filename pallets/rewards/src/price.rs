//! The base fee: how it follows demand, and why one leader cannot push it up (R18.3,
//! R18.4, R26.4, R26.5).
//!
//! All base fees are multiplied by one number. After each block it moves towards where
//! blocks are half full: up by at most an eighth, down by at most an eighth, in
//! proportion to how far the block was from half, between 1 and 10,000. A block is
//! as full as users found it: the larger of the shares that are taken of the time and
//! of the length that user transactions may have.
//!
//! **Damping.** A leader can fill its blocks with transactions of its own, and gets
//! most of what they pay back. So the price *rises* only by the smallest of the block's
//! fullness, a running average of it (of weight 1/16 for the newest block), and that
//! average as it was before the leader's term began. The last is what no leader can
//! change in its own term: while blocks were at most half full before, nothing that it
//! puts into them raises the price. The price *falls* with each block that is less than
//! half full, whatever the averages. Demand that lasts raises the averages and with
//! them the price. A block of which they let through less than half of the rise is told
//! of in an event, once a term.
//!
//! What it does not prevent: where others' blocks are half full, a leader that fills
//! its own raises the average above half for the terms that follow. With a quarter of
//! the terms that is 9 % a round of leaders; blocks *are* more than half full then.
//!
//! **What is free**, as claims after an outage are, does not raise the price: nobody offers
//! anything for the room that it takes, and who pays is served first, by priority or by a
//! tip. But the room is taken. So a block counts as full as those who paid made it, and one
//! that free transactions fill besides as half full at most: the price stands still.
//!
//! A block in which users had no room at all, as the last one of a session is, says
//! nothing of demand and changes nothing.

use crate::{
    pallet::{Config, DampedTerm, Event, FullnessAverages, InBlock, Pallet},
    types::Room,
};
use cascoin_l2_primitives::rewards::UserTime;
use codec::{Decode, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, PostDispatchInfo},
    traits::Get,
    weights::Weight,
};
use pallet_transaction_payment::{Multiplier, MultiplierUpdate};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{Convert, SaturatedConversion, Saturating},
    FixedPointNumber, Perbill, Perquintill,
};

/// Where the price stands still.
pub const TARGET: Perbill = Perbill::from_percent(50);
/// Never below: a base fee is never below the chain's minimum.
pub const MIN_MULTIPLIER: Multiplier = Multiplier::from_u32(1);
/// Never above, because a transaction says no most that it pays. From here 69 empty
/// blocks lead back to the minimum.
pub const MAX_MULTIPLIER: Multiplier = Multiplier::from_u32(10_000);
/// A block moves the multiplier by at most one in so many.
const MAX_STEP: u128 = 8;
/// Of the average, one in so many is the newest block.
const AVERAGED_BLOCKS: u64 = 16;

/// How full blocks are on average, and were before the running term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Averages {
    /// Of all blocks, the newest with a weight of 1/16.
    pub now: Perbill,
    /// The same before the first block of `term`.
    pub before_term: Perbill,
    /// The term of the last block.
    pub term: Option<u32>,
}

impl Averages {
    /// After a block of `fullness` in `term`, rounded down.
    #[must_use]
    pub fn after(self, fullness: Perbill, term: Option<u32>) -> Self {
        let sum = u64::from(self.now.deconstruct())
            .saturating_mul(AVERAGED_BLOCKS - 1)
            .saturating_add(fullness.deconstruct().into());
        let goes_on = term.is_some() && self.term == term;
        Self {
            now: Perbill::from_parts((sum / AVERAGED_BLOCKS).saturated_into()),
            before_term: if goes_on { self.before_term } else { self.now },
            term,
        }
    }

    /// The price rises as if no block were fuller than this.
    pub fn ceiling(&self) -> Perbill {
        self.now.min(self.before_term)
    }
}

/// The multiplier after a block of `fullness`, where the averages allow a rise up to
/// `ceiling`.
pub fn next_multiplier(multiplier: Multiplier, fullness: Perbill, ceiling: Perbill) -> Multiplier {
    let rises = fullness > TARGET;
    let off = if rises { rise(fullness.min(ceiling)) } else { TARGET.saturating_sub(fullness) };
    let step = Multiplier::saturating_from_rational(
        u128::from(off.deconstruct()),
        u128::from(TARGET.deconstruct()).saturating_mul(MAX_STEP),
    );
    let change = multiplier.saturating_mul(step);
    let next =
        if rises { multiplier.saturating_add(change) } else { multiplier.saturating_sub(change) };
    next.clamp(MIN_MULTIPLIER, MAX_MULTIPLIER)
}

/// How far above the target this is.
fn rise(fullness: Perbill) -> Perbill {
    fullness.saturating_sub(TARGET)
}

/// How full a block counts that is `whole` full in all, and `paid` of what was paid for.
pub fn counted(whole: Perbill, paid: Perbill) -> Perbill {
    paid.max(whole.min(TARGET))
}

/// Whether less than half of the rise that the block asks for is let through.
pub fn is_damped(fullness: Perbill, ceiling: Perbill) -> bool {
    let [asked, allowed] = [fullness, fullness.min(ceiling)].map(|one| rise(one).deconstruct());
    allowed.saturating_mul(2) < asked
}

/// Moves the multiplier. The payment pallet calls it at the end of each block, once:
/// it also moves the averages.
pub struct BaseFeeUpdate<T>(PhantomData<T>);

impl<T: Config> Convert<Multiplier, Multiplier> for BaseFeeUpdate<T> {
    fn convert(multiplier: Multiplier) -> Multiplier {
        let Some(fullness) = Pallet::<T>::fullness() else { return multiplier };
        let averages = FullnessAverages::<T>::get().after(fullness, Pallet::<T>::term());
        FullnessAverages::<T>::put(averages);
        let ceiling = averages.ceiling();
        if is_damped(fullness, ceiling) {
            Pallet::<T>::tell_of_damping(fullness, ceiling);
        }
        next_multiplier(multiplier, fullness, ceiling)
    }
}

impl<T: Config> MultiplierUpdate for BaseFeeUpdate<T> {
    fn min() -> Multiplier {
        MIN_MULTIPLIER
    }

    fn max() -> Multiplier {
        MAX_MULTIPLIER
    }

    /// None, though there is one: only the payment pallet's integrity test asks for it,
    /// which wants one block above the target to raise the price. Here it takes more
    /// than a term of them, which this crate's tests check.
    fn target() -> Perquintill {
        Perquintill::zero()
    }

    fn variability() -> Multiplier {
        Multiplier::saturating_from_rational(1u128, MAX_STEP)
    }
}

impl<T: Config> Pallet<T> {
    /// Notes a transaction that nobody pays for, if it takes room that users have. What
    /// extensions behind this one give back is not known yet, so it is counted a little too
    /// large.
    pub(crate) fn note_free(
        info: &DispatchInfo,
        post_info: &PostDispatchInfo,
        refund: Weight,
        len: usize,
    ) {
        if info.class != DispatchClass::Normal {
            return;
        }
        let base = T::BlockWeights::get().get(info.class).base_extrinsic;
        let taken = post_info.calc_actual_weight(info).saturating_sub(refund).saturating_add(base);
        InBlock::<T>::mutate(|block| {
            block.free.time = block.free.time.saturating_add(taken.ref_time());
            block.free.bytes = block.free.bytes.saturating_add(len.saturated_into());
        });
    }

    /// How full the block counts; `None` if users had no room in it.
    fn fullness() -> Option<Perbill> {
        let limits = T::BlockWeights::get();
        let used = frame_system::Pallet::<T>::block_weight();
        let whole = limits.max_block.ref_time();
        if used.get(DispatchClass::Mandatory).ref_time() >= whole {
            return None;
        }
        let UserTime { taken, room } = T::UserTime::get();
        // Users' transactions stop where all of the block reaches this.
        let limit = *T::BlockLength::get().max.get(DispatchClass::Normal);
        let fullness = |used: Room| share(used.time, room).max(share(used.bytes, limit.into()));
        let all = Room { time: taken, bytes: frame_system::Pallet::<T>::block_size().into() };
        let paid = all.without(InBlock::<T>::get().free);
        Some(counted(fullness(all), fullness(paid)))
    }

    /// The term of the block that is being executed.
    fn term() -> Option<u32> {
        let passed = Self::now().saturating_sub(1);
        passed.checked_div(T::Parameters::get().blocks_per_leader)
    }

    fn tell_of_damping(fullness: Perbill, ceiling: Perbill) {
        let term = Self::term();
        if term.is_some() && term != DampedTerm::<T>::get() {
            DampedTerm::<T>::set(term);
            let author = Self::producer();
            Self::deposit_event(Event::PriceRiseDamped { author, fullness, ceiling });
        }
    }
}

fn share(used: u64, of: u64) -> Perbill {
    Perbill::from_rational(used.min(of), of.max(1))
}
