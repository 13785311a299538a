//! How the base fees of a block are split (R18.2, P18).

use cascoin_l2_primitives::chain::{Balance, FeeSplit};
use sp_runtime::Percent;

/// The parts of some base fees. They add up to exactly what was split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The producer's, rounded down.
    pub producer: Balance,
    /// The other sequencers', rounded down.
    pub others: Balance,
    /// The rest.
    pub burned: Balance,
}

impl Parts {
    /// Splits `base_fees`.
    pub fn of(base_fees: Balance, split: FeeSplit) -> Self {
        let share = |percent| Percent::from_percent(percent).mul_floor(base_fees);
        let producer = share(split.producer);
        let rest = base_fees.saturating_sub(producer);
        // A table whose parts exceed the whole is refused at genesis.
        let others = share(split.others).min(rest);
        Self { producer, others, burned: rest.saturating_sub(others) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USUAL: FeeSplit = FeeSplit { producer: 70, others: 20 };

    #[test]
    fn r18_2_seventy_twenty_ten() {
        let parts = Parts::of(1_000, USUAL);
        assert_eq!(parts, Parts { producer: 700, others: 200, burned: 100 });
        // What rounding leaves is burned.
        assert_eq!(Parts::of(9, USUAL), Parts { producer: 6, others: 1, burned: 2 });
        assert_eq!(Parts::of(0, USUAL), Parts { producer: 0, others: 0, burned: 0 });
        let all = FeeSplit { producer: 100, others: 0 };
        assert_eq!(Parts::of(7, all), Parts { producer: 7, others: 0, burned: 0 });
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn p18_the_parts_of_any_fees_add_up_to_them(
            base_fees in prop_oneof![0..10_000u128, any::<u128>()],
            producer in 0..=100u8,
            others in 0..=100u8,
        ) {
            let others = others.min(100 - producer);
            let parts = Parts::of(base_fees, FeeSplit { producer, others });
            prop_assert_eq!(parts.producer + parts.others + parts.burned, base_fees);
            // Each is its percentage, less what is lost to rounding down.
            for (part, percent) in [(parts.producer, producer), (parts.others, others)] {
                let whole = base_fees / 100 * u128::from(percent);
                let rest = base_fees % 100 * u128::from(percent) / 100;
                prop_assert_eq!(part, whole + rest);
            }
        }
    }
}
