//! Who pays half the base fee (R18.5), and what half is.

use crate::pallet::{Config, Pallet};
use cascoin_l2_primitives::{chain::AccountId, reputation::ReputationProvider};
use frame_support::traits::{tokens::Balance, Get};
use pallet_transaction_payment::{FeeDetails, InclusionFee};

impl<T: Config> Pallet<T> {
    /// Whether the account's reputation is above the score of the discount.
    pub fn has_discount(account: &AccountId) -> bool {
        let score = T::Reputation::score(account).get();
        score > T::Parameters::get().fee_discount_score
    }
}

/// Half a fee, rounded up: of anything at least 1.
pub fn half<B: Balance>(fee: B) -> B {
    let two = B::from(2u32);
    fee / two + fee % two
}

/// Half of an inclusion fee, for showing; its parts add up to [`half`] the whole. The
/// tip stays as it is.
pub fn half_details<B: Balance>(details: FeeDetails<B>) -> FeeDetails<B> {
    let inclusion_fee = details.inclusion_fee.map(|fee| {
        let two = B::from(2u32);
        let (base_fee, adjusted_weight_fee) = (fee.base_fee / two, fee.adjusted_weight_fee / two);
        let whole = half(fee.inclusion_fee());
        let len_fee = whole.saturating_sub(base_fee).saturating_sub(adjusted_weight_fee);
        InclusionFee { base_fee, len_fee, adjusted_weight_fee }
    });
    FeeDetails { inclusion_fee, tip: details.tip }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn r18_5_half_is_rounded_up_and_never_nothing(fee: u128) {
            let paid = half(fee);
            prop_assert_eq!(paid, fee.div_ceil(2));
            prop_assert_eq!(paid == 0, fee == 0);
        }

        #[test]
        fn r18_5_the_parts_of_half_a_fee_add_up_to_it(
            base_fee in 0..1u128 << 100,
            len_fee in 0..1u128 << 100,
            adjusted_weight_fee in 0..1u128 << 100,
            tip: u64,
        ) {
            let whole = InclusionFee { base_fee, len_fee, adjusted_weight_fee };
            let expected = half(whole.inclusion_fee()) + u128::from(tip);
            let halved =
                half_details(FeeDetails { inclusion_fee: Some(whole), tip: tip.into() });
            prop_assert_eq!(halved.final_fee(), expected);
            let free = FeeDetails { inclusion_fee: None, tip: u128::from(tip) };
            prop_assert_eq!(half_details(free.clone()), free);
        }
    }
}
