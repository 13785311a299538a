//! The base fee: how it follows demand, and why one leader cannot push it up (R18.3,
//! R18.4, R26.4, R26.5).
//!
//! All base fees are multiplied by one number. After each block it moves towards where
//! blocks are half full: up by at most an eighth, down by at most an eighth, in
//! proportion to how far the block was from half, between 1 and 1,000,000. A block is
//! as full as users found it: the larger of the shares that are taken of the time and
//! of the length that user transactions may have.
//!
//! **Damping.** A leader can fill its blocks with transactions of its own, and gets
//! most of what they pay back. So the price *rises* only by the smaller of the block's
//! fullness and a running average of it, of weight 1/16 for the newest block. Ten full
//! blocks, a whole term, on a chain that was empty bring the average to 0.476: the
//! price does not move. It *falls* with each block that is less than half full,
//! whatever the average. Demand that lasts raises the average and with it the price.
//! A block of which the average lets through less than half of the rise is told of in
//! an event, once a term.
//!
//! A block in which users had no room at all, as the last one of a session is, says
//! nothing of demand and changes nothing.

use crate::pallet::{AverageFullness, Config, DampedTerm, Event, Pallet};
use core::marker::PhantomData;
use frame_support::{dispatch::DispatchClass, traits::Get};
use pallet_transaction_payment::{Multiplier, MultiplierUpdate};
use sp_runtime::{
    traits::{Convert, SaturatedConversion, Saturating},
    FixedPointNumber, Perbill, Perquintill,
};

/// Where the price stands still.
pub const TARGET: Perbill = Perbill::from_percent(50);
/// Never below: a base fee is never below the chain's minimum.
pub const MIN_MULTIPLIER: Multiplier = Multiplier::from_u32(1);
/// Never above. From here 104 empty blocks lead back to the minimum.
pub const MAX_MULTIPLIER: Multiplier = Multiplier::from_u32(1_000_000);
/// A block moves the multiplier by at most one in so many.
const MAX_STEP: u128 = 8;
/// Of the average, one in so many is the newest block.
const AVERAGED_BLOCKS: u64 = 16;

/// The average after a block of `fullness`, rounded down.
pub fn next_average(average: Perbill, fullness: Perbill) -> Perbill {
    let before = u64::from(average.deconstruct()).saturating_mul(AVERAGED_BLOCKS - 1);
    let sum = before.saturating_add(fullness.deconstruct().into());
    Perbill::from_parts((sum / AVERAGED_BLOCKS).saturated_into())
}

/// The multiplier after a block of `fullness`, which `average` contains.
pub fn next_multiplier(multiplier: Multiplier, fullness: Perbill, average: Perbill) -> Multiplier {
    let rises = fullness > TARGET;
    let off = if rises { rise(fullness.min(average)) } else { TARGET.saturating_sub(fullness) };
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

/// Whether the average lets through less than half of the rise that the block asks for.
pub fn is_damped(fullness: Perbill, average: Perbill) -> bool {
    let [asked, allowed] = [fullness, fullness.min(average)].map(|one| rise(one).deconstruct());
    allowed.saturating_mul(2) < asked
}

/// Moves the multiplier. The payment pallet calls it at the end of each block, once:
/// it also moves the average.
pub struct BaseFeeUpdate<T>(PhantomData<T>);

impl<T: Config> Convert<Multiplier, Multiplier> for BaseFeeUpdate<T> {
    fn convert(multiplier: Multiplier) -> Multiplier {
        let Some(fullness) = Pallet::<T>::fullness() else { return multiplier };
        let average = next_average(AverageFullness::<T>::get(), fullness);
        AverageFullness::<T>::put(average);
        if is_damped(fullness, average) {
            Pallet::<T>::tell_of_damping(fullness, average);
        }
        next_multiplier(multiplier, fullness, average)
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
    /// How full the block was; `None` if users had no room in it.
    fn fullness() -> Option<Perbill> {
        let limits = T::BlockWeights::get();
        let used = frame_system::Pallet::<T>::block_weight();
        let whole = limits.max_block.ref_time();
        if used.get(DispatchClass::Mandatory).ref_time() >= whole {
            return None;
        }
        let room = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
        let time = share(used.get(DispatchClass::Normal).ref_time(), room.ref_time());
        // Users' transactions stop where all of the block reaches this.
        let limit = *T::BlockLength::get().max.get(DispatchClass::Normal);
        let length = share(frame_system::Pallet::<T>::block_size().into(), limit.into());
        Some(time.max(length))
    }

    fn tell_of_damping(fullness: Perbill, average: Perbill) {
        let passed = Self::now().saturating_sub(1);
        let term = passed.checked_div(T::Parameters::get().blocks_per_leader);
        if term.is_some() && term != DampedTerm::<T>::get() {
            DampedTerm::<T>::set(term);
            let author = Self::producer();
            Self::deposit_event(Event::PriceRiseDamped { author, fullness, average });
        }
    }
}

fn share(used: u64, of: u64) -> Perbill {
    Perbill::from_rational(used.min(of), of.max(1))
}
