//! The one logarithm of the rule, exactly.

/// Tenths of a decade: ⌈10^(j/10) · 10^18⌉.
const MANTISSAS: [u128; 10] = [
    1_000_000_000_000_000_000,
    1_258_925_411_794_167_211,
    1_584_893_192_461_113_486,
    1_995_262_314_968_879_602,
    2_511_886_431_509_580_112,
    3_162_277_660_168_379_332,
    3_981_071_705_534_972_508,
    5_011_872_336_272_722_851,
    6_309_573_444_801_932_495,
    7_943_282_347_242_815_021,
];
const MANTISSA_ONE: u128 = 1_000_000_000_000_000_000;
/// Finer parts of a coin are cut off, so that nothing overflows.
const MAX_DECIMALS: u8 = 8;
/// The rule asks for no more: six decades.
pub(super) const MAX_TENTHS: u32 = 60;

/// ⌊10 · log₁₀(1 + amount)⌋, at most 60, of an amount in coins that is given in base
/// units of `decimals` decimals.
pub(super) fn ten_log10(amount: u64, decimals: u8) -> u32 {
    let cut = decimals.saturating_sub(MAX_DECIMALS);
    let amount = u128::from(amount) / 10u128.saturating_pow(cut.into());
    let unit = 10u128.pow(decimals.min(MAX_DECIMALS).into());
    // A million coins is the most that is asked for: 10^6 · 10^8 · 10^18 fits.
    let amount = amount.min(unit.saturating_mul(1_000_000)).saturating_add(unit);
    let reaches = |tenths: &u32| {
        let threshold = MANTISSAS[(tenths % 10) as usize]
            .saturating_mul(10u128.saturating_pow(tenths / 10))
            .saturating_mul(unit);
        amount.saturating_mul(MANTISSA_ONE) >= threshold
    };
    (1..=MAX_TENTHS).rev().find(reaches).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::U512;

    /// 10^tenths · unit^10 ≤ (amount + unit)^10, with numbers of any size.
    fn reaches_exactly(amount: u64, unit: u64, tenths: u32) -> bool {
        let power = |base: u64, exponent: u32| U512::from(base).pow(exponent.into());
        power(10, tenths) * power(unit, 10) <= power(amount + unit, 10)
    }

    /// Both are staircases; where each step is, they are the same, so they are the
    /// same everywhere.
    #[test]
    fn each_step_is_where_it_exactly_is() {
        for decimals in [0u8, 2, 7, 8] {
            let unit = 10u64.pow(decimals.into());
            for tenths in 1..=MAX_TENTHS {
                let (mut low, mut high) = (0, 1_000_000 * unit);
                assert!(reaches_exactly(high, unit, tenths));
                while low < high {
                    let middle = low + (high - low) / 2;
                    if reaches_exactly(middle, unit, tenths) {
                        high = middle;
                    } else {
                        low = middle + 1;
                    }
                }
                assert!(ten_log10(low, decimals) >= tenths, "{tenths} of {decimals} decimals");
                assert!(low == 0 || ten_log10(low - 1, decimals) < tenths);
            }
        }
    }

    #[test]
    fn any_amount_and_any_decimals_have_one() {
        assert_eq!(ten_log10(0, 7), 0);
        assert_eq!(ten_log10(u64::MAX, 0), MAX_TENTHS);
        assert_eq!(ten_log10(u64::MAX, 18), 12); // 18.4 coins
        assert_eq!(ten_log10(u64::MAX, 255), 0);
    }
}
