//! Reading parameters the way Core's clients send them.
//!
//! Parameters come by position or by name. `litecoin-cli` sends every argument of
//! a method it does not know as a string, other clients send numbers and
//! booleans; both are taken for every scalar, and a number is read from its own
//! digits, never through a float. What cannot be read is answered with −32602 and
//! a sentence that names the argument and says what was expected.

use crate::errors::{amount_hint, invalid_params};
use cascoin_l2_primitives::l1::amount::parse_amount;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, str::FromStr};

/// A method's name and its arguments.
#[derive(Debug)]
pub struct Signature {
    /// As called.
    pub method: &'static str,
    /// Names of the arguments, in order.
    pub arguments: &'static [&'static str],
    /// How many of them must be there.
    pub required: usize,
}

impl Signature {
    /// As the guide writes it: `name required [optional]`.
    pub fn usage(&self) -> String {
        let mut usage = self.method.to_owned();
        for (position, argument) in self.arguments.iter().enumerate() {
            usage += &match position < self.required {
                true => format!(" {argument}"),
                false => format!(" [{argument}]"),
            };
        }
        usage
    }
}

/// The arguments of one call.
#[derive(Debug)]
pub struct Args {
    signature: &'static Signature,
    texts: Vec<Option<String>>,
}

impl Args {
    /// Reads the parameters of a call.
    ///
    /// # Errors
    /// Invalid params: too many, too few, unknown names, or values that are no
    /// scalars.
    pub fn read(
        signature: &'static Signature,
        params: &Params<'_>,
    ) -> Result<Self, ErrorObjectOwned> {
        let usage = || format!("usage: {}", signature.usage());
        let raw = params.as_str().unwrap_or("[]").trim();
        let mut values: Vec<Option<&RawValue>> = Vec::new();
        if raw.starts_with('{') {
            let mut named: BTreeMap<String, &RawValue> =
                serde_json::from_str(raw).map_err(|_| invalid_params(usage()))?;
            values.extend(signature.arguments.iter().map(|name| named.remove(*name)));
            if let Some((unknown, _)) = named.pop_first() {
                let unknown = shorten(&unknown);
                return Err(invalid_params(format!("unknown argument {unknown}; {}", usage())));
            }
        } else if raw != "null" {
            let list: Vec<&RawValue> =
                serde_json::from_str(raw).map_err(|_| invalid_params(usage()))?;
            values.extend(list.into_iter().map(Some));
        }
        if values.len() > signature.arguments.len() {
            return Err(invalid_params(format!("too many arguments; {}", usage())));
        }
        let mut texts = values
            .into_iter()
            .zip(signature.arguments)
            .map(|(value, name)| value.map_or(Ok(None), |value| scalar(name, value)))
            .collect::<Result<Vec<_>, _>>()?;
        texts.resize(signature.arguments.len(), None);
        let missing = (0..signature.required).find(|position| texts[*position].is_none());
        if let Some(position) = missing {
            let name = signature.arguments[position];
            return Err(invalid_params(format!("{name} is missing; {}", usage())));
        }
        Ok(Self { signature, texts })
    }

    fn name(&self, position: usize) -> &'static str {
        self.signature.arguments.get(position).copied().unwrap_or("argument")
    }

    /// The text of an argument; `None` if it was left out or null.
    pub fn optional_text(&self, position: usize) -> Option<&str> {
        self.texts.get(position)?.as_deref()
    }

    /// The text of a required argument.
    pub fn text(&self, position: usize) -> &str {
        self.optional_text(position).unwrap_or_default()
    }

    /// Reads an argument with `FromStr`; `None` if it was left out.
    ///
    /// # Errors
    /// Invalid params, saying what was `expected`.
    pub fn optional<T: FromStr>(
        &self,
        position: usize,
        expected: &str,
    ) -> Result<Option<T>, ErrorObjectOwned> {
        let Some(text) = self.optional_text(position) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| self.unexpected(position, expected))
    }

    /// Reads a required argument with `FromStr`.
    ///
    /// # Errors
    /// Invalid params, saying what was `expected`.
    pub fn required<T: FromStr>(
        &self,
        position: usize,
        expected: &str,
    ) -> Result<T, ErrorObjectOwned> {
        self.optional(position, expected)?.ok_or_else(|| self.unexpected(position, expected))
    }

    /// A switch: true, false, 1 or 0.
    ///
    /// # Errors
    /// Invalid params for anything else.
    pub fn flag(&self, position: usize, default: bool) -> Result<bool, ErrorObjectOwned> {
        let Some(text) = self.optional_text(position) else { return Ok(default) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.unexpected(position, "true or false")),
        }
    }

    /// An amount of coins, in base units.
    ///
    /// # Errors
    /// Invalid params if it is no amount with at most `decimals` decimals.
    pub fn amount(&self, position: usize, decimals: u8) -> Result<u128, ErrorObjectOwned> {
        parse_amount(self.text(position).trim(), decimals)
            .map_err(|error| self.wrong(position, &amount_hint(error, decimals)))
    }

    /// Invalid params: `expected` something else at `position`.
    pub fn unexpected(&self, position: usize, expected: &str) -> ErrorObjectOwned {
        self.wrong(position, &format!("expected {expected}"))
    }

    /// Invalid params: what is wrong at `position`.
    pub fn wrong(&self, position: usize, what: &str) -> ErrorObjectOwned {
        let got = self.optional_text(position).map_or("nothing".to_owned(), shorten);
        invalid_params(format!("{}: {what} (got {got})", self.name(position)))
    }
}

/// The text of a scalar: a string's content, a number's digits, true or false;
/// `None` for null.
fn scalar(name: &str, value: &RawValue) -> Result<Option<String>, ErrorObjectOwned> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text)
            .map(Some)
            .map_err(|_| invalid_params(format!("{name}: not a valid string"))),
        Some(b'[' | b'{') => Err(invalid_params(format!(
            "{name}: expected a string, number or boolean, not a list or object"
        ))),
        _ if text == "null" => Ok(None),
        _ => Ok(Some(text.to_owned())),
    }
}

/// What a client sent, short enough to send back and without control characters.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static SIGNATURE: Signature =
        Signature { method: "l2_test", arguments: &["amount", "height", "verbose"], required: 1 };

    fn args(params: &str) -> Result<Args, ErrorObjectOwned> {
        Args::read(&SIGNATURE, &Params::new(Some(params)))
    }

    fn message(params: &str) -> String {
        let error = args(params).expect_err("the parameters are bad");
        assert_eq!(error.code(), -32_602);
        error.message().to_owned()
    }

    #[test]
    fn numbers_strings_and_booleans_read_the_same() {
        for params in [
            r#"[0.1, 5, true]"#,
            r#"["0.1", "5", "true"]"#,
            r#"["0.10000000", " 5 ", 1]"#,
            r#"[0.10, "5", "1"]"#,
            r#"{"amount": 0.1, "height": "5", "verbose": "TRUE"}"#,
        ] {
            let args = args(params).expect("good parameters");
            assert_eq!(args.amount(0, 8), Ok(10_000_000), "{params}");
            assert_eq!(args.required::<u32>(1, "a height"), Ok(5), "{params}");
            assert_eq!(args.flag(2, false), Ok(true), "{params}");
        }
    }

    #[test]
    fn amounts_keep_every_digit_at_seven_and_eight_decimals() {
        // A float would make 0.30000000000000004 of the sum and round the last.
        let exact = args("[83999999.99999999]").expect("a number");
        assert_eq!(exact.amount(0, 8), Ok(8_399_999_999_999_999));
        let error = exact.amount(0, 7).expect_err("eight decimals where seven exist");
        assert!(error.message().contains("at most 7 decimals"), "{}", error.message());
        assert_eq!(
            args(r#"["83999999.9999999"]"#).expect("ok").amount(0, 7),
            Ok(839_999_999_999_999)
        );
        for bad in ["[-1]", "[1e3]", r#"["abc"]"#, r#"[""]"#, "[true]"] {
            let error = args(bad).expect("a scalar").amount(0, 8).expect_err(bad);
            assert!(error.message().starts_with("amount: "), "{}", error.message());
        }
    }

    #[test]
    fn optional_ones_may_be_left_out_or_null() {
        for params in ["[1]", "[1,null]", "[1,null,null]", r#"{"amount":1}"#] {
            let args = args(params).expect("good parameters");
            assert_eq!(args.optional::<u32>(1, "a height"), Ok(None));
            assert_eq!(args.flag(2, true), Ok(true));
        }
    }

    #[test]
    fn errors_say_what_was_expected() {
        assert_eq!(message("[]"), "amount is missing; usage: l2_test amount [height] [verbose]");
        assert_eq!(message("null"), "amount is missing; usage: l2_test amount [height] [verbose]");
        assert!(message("[1,2,3,4]").starts_with("too many arguments; usage: "));
        assert!(message(r#"{"amount":1,"colour":2}"#).starts_with("unknown argument \"colour\""));
        assert!(message("[[1]]").starts_with("amount: expected a string, number or boolean"));
        let args = args(r#"[1,"x","perhaps"]"#).expect("scalars");
        let error = args.required::<u32>(1, "a block height").expect_err("not a height");
        assert_eq!(error.message(), r#"height: expected a block height (got "x")"#);
        let error = args.flag(2, false).expect_err("not a flag");
        assert_eq!(error.message(), r#"verbose: expected true or false (got "perhaps")"#);
    }

    #[test]
    fn heights_out_of_range_are_refused() {
        for bad in ["-1", "4294967296", "1.0", "1e2", "0x10"] {
            let args = args(&format!(r#"[1,"{bad}"]"#)).expect("scalars");
            assert!(args.required::<u32>(1, "a height").is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_params_are_read_or_refused(params in "[\\[\\]{}\",:a-z0-9. ]{0,40}|.{0,40}") {
            if let Ok(args) = args(&params) {
                let _ = args.amount(0, 7);
                let _ = args.optional::<u32>(1, "a height");
                let _ = args.flag(2, false);
            }
        }

        #[test]
        fn long_garbage_is_not_sent_back_whole(text in "[a-z]{200,400}") {
            let args = args(&format!(r#"["{text}"]"#)).expect("a string");
            let error = args.amount(0, 8).expect_err("not an amount");
            prop_assert!(error.message().chars().count() < 250);
        }
    }
}
