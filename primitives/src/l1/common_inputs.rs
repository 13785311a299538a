//! Proofs that one wallet holds two keys: both signed one L1 transaction (R22.2).
//!
//! Who spends coins of two keys in one transaction has both, or has somebody sign beside
//! it: each signature commits to all inputs and outputs, so its signer saw the other one.
//! The proof says nothing that L1 would have to be believed for but that the transaction
//! was mined, and the signatures are verified, so it does not matter which outputs were
//! spent. Only inputs of the legacy public-key-hash form count: the digest of witness
//! inputs contains the value that is spent, which no block shows.
//!
//! **Several people** sign together where they want to mix coins, or where each gets a
//! part of what comes out. Wallets of one person make at most two outputs that somebody
//! can spend: what is paid, and the rest. Mixing needs two of one value. So a transaction
//! with more than two such outputs, or two of one value, proves nothing, although most of
//! these are one wallet's, too: what is left out here is only not known. Two people who
//! agree to look like one wallet are taken for one.

use super::{
    inclusion::InclusionProof,
    transaction::{KeySpend, StrippedTransaction},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// A transaction on L1 that two keys signed.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct CommonInputsProof {
    /// The transaction, and that it was mined.
    pub inclusion: InclusionProof,
    /// The input that the first key signed.
    pub first: u32,
    /// The input that the second key signed.
    pub second: u32,
}

/// Why a proof is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotProven {
    /// The header does not commit to it, or it is no transaction.
    NotIncluded,
    /// It makes coins instead of spending some.
    Coinbase,
    /// An input that is named is not there, or not of the form.
    NoKeySpend,
    /// One key signed both inputs, or there is but one input.
    OneKey,
    /// It may be the transaction of several people.
    Joint,
    /// A signature is not the key's.
    BadSignature,
}

impl fmt::Display for NotProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotIncluded => "the header does not commit to the transaction",
            Self::Coinbase => "the transaction makes coins",
            Self::NoKeySpend => "an input is not spent by one signature and one compressed key",
            Self::OneKey => "one key signed both inputs",
            Self::Joint => {
                "the transaction may be several people's: it has more than two outputs that can \
                 be spent, or two of one value"
            }
            Self::BadSignature => "a signature is not the key's",
        })
    }
}

impl core::error::Error for NotProven {}

/// Whether several people may have made a transaction together.
pub fn is_joint(transaction: &StrippedTransaction<'_>) -> bool {
    let mut values = transaction
        .outputs
        .iter()
        .filter(|output| output.is_spendable())
        .map(|output| output.value);
    match (values.next(), values.next(), values.next()) {
        (_, _, Some(_)) => true,
        (one, other, None) => one.is_some() && one == other,
    }
}

impl CommonInputsProof {
    /// The two keys that signed, if the proof holds and its header is that of a block of
    /// L1. `recover` is as for [`KeySpend::is_signed`].
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn check(
        &self,
        recover: impl Fn(&[u8; 65], &[u8; 32]) -> Option<[u8; 33]>,
    ) -> Result<[KeySpend; 2], NotProven> {
        let transaction = self.inclusion.included().ok_or(NotProven::NotIncluded)?;
        if transaction.is_coinbase() {
            return Err(NotProven::Coinbase);
        }
        let of = |index: u32| {
            let index = usize::try_from(index).ok();
            index.and_then(|index| transaction.key_spend(index)).ok_or(NotProven::NoKeySpend)
        };
        let (first, second) = (of(self.first)?, of(self.second)?);
        if self.first == self.second || first.key == second.key {
            return Err(NotProven::OneKey);
        }
        if is_joint(&transaction) {
            return Err(NotProven::Joint);
        }
        if !first.is_signed(&recover) || !second.is_signed(&recover) {
            return Err(NotProven::BadSignature);
        }
        Ok([first, second])
    }
}
