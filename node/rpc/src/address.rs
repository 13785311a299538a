//! Accounts as users write them (architecture.md, "Identity and money").
//!
//! Taken: an SS58 address of this network, the account itself as `0x` and 64 hex
//! digits, or a compressed secp256k1 public key as 66 hex digits (its account is
//! Substrate's ecdsa account). An L1 address is a hash of a key: the account is
//! another hash of the same key, so one cannot be computed from the other, and
//! the error says so instead of guessing.

use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        address::{AddressError, L1Address},
        burn::Recipient,
        params::L1Params,
    },
};
use sp_core::{
    crypto::{PublicError, Ss58AddressFormat, Ss58Codec},
    ecdsa,
};

/// The SS58 prefix of all our networks (parameters.md).
pub const SS58_PREFIX: u16 = 42;

/// Why a text names no account. The message says what would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Nothing we know.
    #[error("expected an SS58 address, an account as 0x and 64 hex digits, or a compressed public key as 66 hex digits")]
    Unknown,
    /// An SS58 address with a wrong checksum.
    #[error("mistyped: the checksum of this SS58 address is wrong")]
    Mistyped,
    /// An SS58 address for another network.
    #[error(
        "an SS58 address of another network (prefix {0}); addresses here have prefix {SS58_PREFIX}"
    )]
    OtherNetwork(u16),
    /// A public key that is none.
    #[error("not a compressed secp256k1 public key: the point is not on the curve")]
    BadKey,
    /// An L1 address of a key.
    #[error("an L1 address is only a hash of its key and does not tell the L2 account; give the public key in hex instead (getaddressinfo or validateaddress of your L1 wallet shows it)")]
    L1KeyHash,
    /// An L1 address of a script.
    #[error("an L1 script address has no L2 account; give an SS58 address or a public key")]
    L1Script,
    /// An L1 address for another network.
    #[error("an L1 address of another network; and only a public key or SS58 address names an L2 account")]
    L1OtherNetwork,
    /// 20 bytes.
    #[error("20 bytes are a key's hash, which does not tell the L2 account; give the public key (66 hex digits) or an SS58 address")]
    Hash160,
}

/// Reads who shall receive a burn, keeping a key as a key, because that is what
/// the burn then says on L1.
///
/// # Errors
/// [`AccountError`].
pub fn parse_recipient(text: &str, l1: &L1Params) -> Result<Recipient, AccountError> {
    let text = text.trim();
    if let Some(parsed) = parse_hex(text) {
        return parsed;
    }
    // Longest SS58 address of 32 bytes: 2 of prefix, 32, 2 of checksum.
    if text.is_empty() || text.len() > 120 || !text.is_ascii() {
        return Err(AccountError::Unknown);
    }
    match AccountId::from_ss58check_with_version(text) {
        Ok((account, format)) if format == ss58_format() => Ok(Recipient::Account(account)),
        Ok((_, format)) => Err(AccountError::OtherNetwork(format.into())),
        Err(ss58) => Err(match L1Address::parse(text, l1) {
            Ok(L1Address::PublicKeyHash(_) | L1Address::WitnessPublicKeyHash(_)) => {
                AccountError::L1KeyHash
            }
            Ok(L1Address::ScriptHash(_) | L1Address::WitnessScriptHash(_)) => {
                AccountError::L1Script
            }
            Err(AddressError::WrongNetwork | AddressError::UnsupportedWitnessVersion) => {
                AccountError::L1OtherNetwork
            }
            Err(AddressError::Malformed) if ss58 == PublicError::InvalidChecksum => {
                AccountError::Mistyped
            }
            Err(AddressError::Malformed) => AccountError::Unknown,
        }),
    }
}

/// Reads an account.
///
/// # Errors
/// [`AccountError`].
pub fn parse_account(text: &str, l1: &L1Params) -> Result<AccountId, AccountError> {
    parse_recipient(text, l1).map(|recipient| recipient.account())
}

/// An account as it is shown: SS58 with our prefix.
pub fn show_account(account: &AccountId) -> String {
    account.to_ss58check_with_version(ss58_format())
}

fn ss58_format() -> Ss58AddressFormat {
    Ss58AddressFormat::custom(SS58_PREFIX)
}

/// `None` if the text is not meant as hex.
fn parse_hex(text: &str) -> Option<Result<Recipient, AccountError>> {
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = prefixed.unwrap_or(text);
    let is_hex = |length| digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex(66) {
        return Some(parse_key(digits));
    }
    prefixed?;
    Some(if is_hex(64) {
        let mut account = [0; 32];
        // 64 hex digits, just counted, are 32 bytes.
        hex::decode_to_slice(digits, &mut account)
            .map(|()| Recipient::Account(account.into()))
            .map_err(|_| AccountError::Unknown)
    } else if is_hex(40) {
        Err(AccountError::Hash160)
    } else {
        Err(AccountError::Unknown)
    })
}

fn parse_key(digits: &str) -> Result<Recipient, AccountError> {
    let mut key = [0; 33];
    hex::decode_to_slice(digits, &mut key).map_err(|_| AccountError::Unknown)?;
    // The parser also takes the rare tag 05 ("compact"), which L1 does not know.
    if !matches!(key[0], 2 | 3) || k256::PublicKey::from_sec1_bytes(&key).is_err() {
        return Err(AccountError::BadKey);
    }
    Ok(Recipient::Key(ecdsa::Public::from_raw(key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cascoin_l2_primitives::l1::params::{CASCOIN_MAINNET, LITECOIN_REGTEST};
    use proptest::prelude::*;
    use sp_runtime::traits::{BlakeTwo256, Hash};

    const KEY: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    const ALICE_HEX: &str = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

    fn parse(text: &str) -> Result<AccountId, AccountError> {
        parse_account(text, &LITECOIN_REGTEST)
    }

    #[test]
    fn ss58_and_hex_name_the_same_account() {
        assert_eq!(parse(ALICE), parse(ALICE_HEX));
        assert_eq!(parse(&format!("  {ALICE}\n")), parse(ALICE));
        assert_eq!(show_account(&parse(ALICE_HEX).expect("Alice")), ALICE);
    }

    #[test]
    fn a_key_names_its_ecdsa_account_and_stays_a_key_as_recipient() {
        let recipient = parse_recipient(KEY, &LITECOIN_REGTEST).expect("the generator point");
        assert!(matches!(recipient, Recipient::Key(_)));
        let blake = BlakeTwo256::hash(&hex::decode(KEY).expect("hex")).0;
        assert_eq!(recipient.account(), AccountId::from(blake));
        assert_eq!(parse(&format!("0x{KEY}")), parse(KEY));
        assert!(matches!(parse_recipient(ALICE, &LITECOIN_REGTEST), Ok(Recipient::Account(_))));
    }

    #[test]
    fn what_names_no_account_says_why() {
        let key_hash = L1Address::WitnessPublicKeyHash([7; 20]);
        let script = L1Address::ScriptHash([7; 20]);
        let cases = [
            (key_hash.encode(&LITECOIN_REGTEST), AccountError::L1KeyHash),
            (L1Address::PublicKeyHash([7; 20]).encode(&LITECOIN_REGTEST), AccountError::L1KeyHash),
            (script.encode(&LITECOIN_REGTEST), AccountError::L1Script),
            (key_hash.encode(&CASCOIN_MAINNET), AccountError::L1OtherNetwork),
            // Alice on Polkadot, prefix 0.
            (
                "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5".into(),
                AccountError::OtherNetwork(0),
            ),
            ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ".into(), AccountError::Mistyped),
            (format!("05{}", &KEY[2..]), AccountError::BadKey),
            (format!("02{}", "ff".repeat(32)), AccountError::BadKey),
            (format!("0x{}", "11".repeat(20)), AccountError::Hash160),
            (ALICE_HEX[2..].into(), AccountError::Unknown),
            ("0x1234".into(), AccountError::Unknown),
            ("".into(), AccountError::Unknown),
            ("alice".into(), AccountError::Unknown),
            ("ünï".into(), AccountError::Unknown),
            ("z".repeat(5_000), AccountError::Unknown),
        ];
        for (text, error) in cases {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_account_survives_both_forms(bytes: [u8; 32]) {
            let account = AccountId::from(bytes);
            prop_assert_eq!(parse(&show_account(&account)), Ok(account.clone()));
            prop_assert_eq!(parse(&format!("0x{}", hex::encode(bytes))), Ok(account));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,130}") {
            let _ = parse(&text);
        }
    }
}
