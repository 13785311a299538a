//! Amounts as text: exact decimal strings, as the L1's node prints them.
//!
//! A coin has as many decimals as its L1 says ([`super::params::L1Params`]), and
//! an amount is an integer of base units everywhere else. The conversion is exact
//! in both directions; nothing here uses floating point or rounds.

use alloc::{format, string::String};
use core::fmt;

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not `digits` or `digits.digits` without needless leading zeros.
    NotANumber,
    /// A sign stands before it; amounts have none.
    Signed,
    /// An exponent stands behind it (`1e8`); write the number out.
    Exponent,
    /// More digits after the point than a coin of this L1 has.
    TooManyDecimals {
        /// How many it has.
        allowed: u8,
    },
    /// Does not fit 128 bits of base units.
    Overflow,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("not a decimal number"),
            Self::Signed => f.write_str("an amount has no sign"),
            Self::Exponent => f.write_str("an amount has no exponent"),
            Self::TooManyDecimals { allowed } => {
                write!(f, "more than {allowed} digits after the point")
            }
            Self::Overflow => f.write_str("amount too large"),
        }
    }
}

impl core::error::Error for AmountError {}

/// Reads an amount of coins into base units.
///
/// The syntax is that of a JSON number without sign and exponent: `0`, `12`,
/// `0.5`, `1.0000000`; not `.5`, `1.`, `01`.
///
/// # Errors
/// [`AmountError`]: digits beyond `decimals` are refused even when they are zero,
/// since whoever writes them has another number of decimals in mind.
pub fn parse_amount(text: &str, decimals: u8) -> Result<u128, AmountError> {
    if text.starts_with(['+', '-']) {
        return Err(AmountError::Signed);
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let fraction_digits = fraction.unwrap_or("0");
    if has_exponent(text) {
        return Err(AmountError::Exponent);
    }
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction_digits) {
        return Err(AmountError::NotANumber);
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(AmountError::NotANumber);
    }
    let fraction = fraction.unwrap_or("");
    if fraction.len() > usize::from(decimals) {
        return Err(AmountError::TooManyDecimals { allowed: decimals });
    }
    let padding = usize::from(decimals) - fraction.len();
    whole
        .bytes()
        .chain(fraction.bytes())
        .chain(core::iter::repeat_n(b'0', padding))
        .try_fold(0u128, |units, digit| {
            units.checked_mul(10)?.checked_add(u128::from(digit - b'0'))
        })
        .ok_or(AmountError::Overflow)
}

/// Writes base units as an amount of coins, always with all decimals, as the L1's
/// node does: 15 units with 7 decimals are `0.0000015`.
pub fn format_amount(units: u128, decimals: u8) -> String {
    if decimals == 0 {
        return format!("{units}");
    }
    let width = usize::from(decimals);
    let digits = format!("{units:0>length$}", length = width + 1);
    let (whole, fraction) = digits.split_at(digits.len() - width);
    format!("{whole}.{fraction}")
}

/// Whether the text is a number with an exponent, as far as its first and last
/// character and the `e` tell.
fn has_exponent(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.contains(['e', 'E'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_with_the_l1s_own_decimals() {
        assert_eq!(parse_amount("100", 7), Ok(1_000_000_000));
        assert_eq!(parse_amount("100.0000000", 7), Ok(1_000_000_000));
        assert_eq!(parse_amount("0.00000001", 8), Ok(1));
        assert_eq!(parse_amount("84000000", 7), Ok(840_000_000_000_000));
        assert_eq!(format_amount(1_000_000_000, 7), "100.0000000");
        assert_eq!(format_amount(1_000_000_000, 8), "10.00000000");
        assert_eq!(format_amount(0, 8), "0.00000000");
        assert_eq!(format_amount(15, 7), "0.0000015");
        assert_eq!(format_amount(42, 0), "42");
        assert_eq!(parse_amount("42", 0), Ok(42));
    }

    #[test]
    fn refuses_what_is_no_exact_amount() {
        for (text, error) in [
            ("", AmountError::NotANumber),
            (".", AmountError::NotANumber),
            (".5", AmountError::NotANumber),
            ("5.", AmountError::NotANumber),
            ("01", AmountError::NotANumber),
            ("1,5", AmountError::NotANumber),
            (" 1", AmountError::NotANumber),
            ("1.2.3", AmountError::NotANumber),
            ("e5", AmountError::NotANumber),
            ("0x10", AmountError::NotANumber),
            ("١", AmountError::NotANumber),
            ("-1", AmountError::Signed),
            ("+1", AmountError::Signed),
            ("1e8", AmountError::Exponent),
            ("1.5E-3", AmountError::Exponent),
            ("1.00000000", AmountError::TooManyDecimals { allowed: 7 }),
            ("340282366920938463463374607431768211456", AmountError::Overflow),
        ] {
            assert_eq!(parse_amount(text, 7), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_seven_and_eight_decimals(units: u128) {
            for decimals in [7, 8] {
                let text = format_amount(units, decimals);
                prop_assert_eq!(parse_amount(&text, decimals), Ok(units));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.eE+-]{0,12}|.{0,60}", decimals in 0u8..=40) {
            if let Ok(units) = parse_amount(&text, decimals) {
                let written = format_amount(units, decimals);
                prop_assert_eq!(parse_amount(&written, decimals), Ok(units));
                prop_assert!(written.starts_with(text.trim_end_matches(['0', '.'])) || units == 0);
            }
        }
    }
}
