//! Makes, checks, signs and sends the transaction that burns coins for L2.
//!
//! The burn output carries the coins it destroys: `createrawtransaction` always
//! gives data outputs the value 0, so the transaction is serialised here and only
//! funded and signed by the L1 wallet. What is sent is checked to burn exactly
//! what its payload says, for this chain, before it is signed: a burn cannot be
//! undone.

use crate::{
    block::{BlockError, Output, Transaction},
    client::{code, L1Client, L1Error},
};
use cascoin_l2_primitives::l1::{
    burn::{judge, marked_payload, BurnPayload, BurnRejection},
    params::L1Params,
    L1Hash, OutPoint,
};
use thiserror::Error;

/// Why a burn is not made or not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BurnError {
    /// L1 gave no answer, or refused.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// The bytes are no transaction.
    #[error("not a transaction: {0}")]
    NotATransaction(#[from] BlockError),
    /// No output is marked as a burn.
    #[error("the transaction has no burn output")]
    NoBurn,
    /// More than one output carries data: relay policy allows one, and only one
    /// can be what the sender means.
    #[error("the transaction has {0} data outputs, one is allowed")]
    SeveralDataOutputs(usize),
    /// L2 would reject the burn, and its coins would be lost.
    #[error("L2 would reject this burn ({0:?})")]
    Rejected(BurnRejection),
    /// The output destroys another amount than its payload says.
    #[error("the output burns {value} units but its payload says {encoded}")]
    AmountMismatch {
        /// What the output destroys, in base units.
        value: u64,
        /// What the payload says, in base units.
        encoded: u64,
    },
    /// The amount is 0, or more than there can be.
    #[error("cannot burn {0} units")]
    BadAmount(u64),
    /// The wallet would pay an absurd fee.
    #[error("the fee of {fee} units is above the limit of {limit}")]
    AbsurdFee {
        /// The fee, in base units.
        fee: u64,
        /// The limit, in base units.
        limit: u64,
    },
    /// The L1 wallet has not enough coins.
    #[error("the L1 wallet cannot pay for it: {0}")]
    InsufficientFunds(String),
    /// The L1 wallet cannot sign all inputs.
    #[error("the L1 wallet cannot sign all inputs")]
    NotSigned,
}

/// A burn that is funded and not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedBurn {
    /// The transaction, raw.
    pub raw: Vec<u8>,
    /// What it burns.
    pub burn: CheckedBurn,
    /// What the miners get, in base units.
    pub fee: u64,
}

/// What a transaction burns, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBurn {
    /// Position of the burn output.
    pub vout: u32,
    /// What it destroys and L2 mints, in base units.
    pub value: u64,
    /// For whom, and on which chain.
    pub payload: BurnPayload,
}

/// A marked output of a transaction that no L1 block holds yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnconfirmedBurn {
    /// The output.
    pub outpoint: OutPoint,
    /// Its value, in base units.
    pub value: u64,
    /// Its payload; not judged.
    pub payload: Vec<u8>,
}

/// A burn that L1 has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentBurn {
    /// The transaction's identifier.
    pub txid: L1Hash,
    /// What it burns.
    pub burn: CheckedBurn,
}

/// Highest fee of a burn, in base units: a tenth of a coin, as `-maxtxfee` of
/// every Core.
pub const fn fee_limit(params: &L1Params) -> u64 {
    params.coin / 10
}

/// Makes the transaction for `payload`, funded by the L1 wallet, change (if any)
/// at position 1. Nothing is locked or signed.
///
/// # Errors
/// [`BurnError`].
pub fn create(client: &L1Client, payload: &BurnPayload) -> Result<UnsignedBurn, BurnError> {
    let client = &client.of_wallet();
    let params = client.params();
    let limit = fee_limit(params);
    if payload.amount == 0 || payload.amount > params.max_money {
        return Err(BurnError::BadAmount(payload.amount));
    }
    let unfunded = unfunded_outputs(&[(payload.amount, payload.script())]);
    let funded = client.fund_raw_transaction(&unfunded, 1).map_err(lacking_funds)?;
    if funded.fee > limit {
        return Err(BurnError::AbsurdFee { fee: funded.fee, limit });
    }
    let burn = check(&funded.raw, params, payload.chain_id)?;
    if burn.payload != *payload {
        return Err(L1Error::bad_reply("fundrawtransaction", "the burn was changed").into());
    }
    Ok(UnsignedBurn { raw: funded.raw, burn, fee: funded.fee })
}

/// Says what a transaction, signed or not, burns for the chain `chain_id`, and
/// refuses every one that would lose coins.
///
/// # Errors
/// [`BurnError`], never [`BurnError::L1`].
pub fn check(raw: &[u8], params: &L1Params, chain_id: u32) -> Result<CheckedBurn, BurnError> {
    const OP_RETURN: u8 = 0x6a;
    let transaction = Transaction::read(raw)?;
    let is_data = |output: &&Output| output.script.first() == Some(&OP_RETURN);
    let data_outputs = transaction.outputs.iter().filter(is_data).count();
    if data_outputs > 1 {
        return Err(BurnError::SeveralDataOutputs(data_outputs));
    }
    let (vout, value, payload) = (0u32..)
        .zip(&transaction.outputs)
        .find_map(|(vout, output)| Some((vout, output.value, marked_payload(output.script)?)))
        .ok_or(BurnError::NoBurn)?;
    let payload = judge(payload, value, chain_id).map_err(BurnError::Rejected)?;
    if value > params.max_money {
        return Err(BurnError::BadAmount(value));
    }
    if payload.amount != value {
        return Err(BurnError::AmountMismatch { value, encoded: payload.amount });
    }
    Ok(CheckedBurn { vout, value, payload })
}

/// Checks a burn, has the L1 wallet sign what is not signed, and sends it. The
/// node itself refuses absurd fees here.
///
/// # Errors
/// [`BurnError`].
pub fn sign_and_send(client: &L1Client, raw: &[u8], chain_id: u32) -> Result<SentBurn, BurnError> {
    let client = &client.of_wallet();
    let burn = check(raw, client.params(), chain_id)?;
    let signed = client.sign_raw_transaction(raw)?;
    if !signed.complete {
        return Err(BurnError::NotSigned);
    }
    if check(&signed.raw, client.params(), chain_id)? != burn {
        return Err(L1Error::bad_reply("signrawtransaction", "the burn was changed").into());
    }
    let txid = client.send_raw_transaction(&signed.raw)?;
    Ok(SentBurn { txid, burn })
}

/// The marked outputs of a transaction that waits in the L1 node's mempool, by
/// position; none if it is not there.
///
/// # Errors
/// [`L1Error`].
pub fn unconfirmed(client: &L1Client, txid: L1Hash) -> Result<Vec<UnconfirmedBurn>, L1Error> {
    let raw = client.unconfirmed_transaction(&txid)?.unwrap_or_default();
    // What is not there has no outputs; what is there was read once already.
    let outputs = Transaction::read(&raw).map(|read| read.outputs).unwrap_or_default();
    let marked = (0u32..).zip(outputs).filter_map(|(vout, output)| {
        Some(UnconfirmedBurn {
            outpoint: OutPoint { txid, vout },
            value: output.value,
            payload: marked_payload(output.script)?.to_vec(),
        })
    });
    Ok(marked.collect())
}

/// A transaction with the given outputs and no inputs yet, in the plain form that
/// `fundrawtransaction` takes.
pub(crate) fn unfunded_outputs(outputs: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut raw = vec![2, 0, 0, 0, 0];
    write_length(&mut raw, outputs.len());
    for (value, script) in outputs {
        raw.extend(value.to_le_bytes());
        write_length(&mut raw, script.len());
        raw.extend(script);
    }
    raw.extend([0; 4]);
    raw
}

/// A length in Bitcoin's variable form.
fn write_length(raw: &mut Vec<u8>, length: usize) {
    match length {
        0..=0xfc => raw.push(length as u8),
        0xfd..=0xffff => {
            raw.push(0xfd);
            raw.extend((length as u16).to_le_bytes());
        }
        _ => {
            raw.push(0xfe);
            raw.extend((length as u32).to_le_bytes());
        }
    }
}

fn lacking_funds(error: L1Error) -> BurnError {
    match error {
        L1Error::Rpc {
            code: code::WALLET_INSUFFICIENT_FUNDS | code::WALLET_ERROR,
            message,
            ..
        } => BurnError::InsufficientFunds(message),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder::transaction;
    use cascoin_l2_primitives::{
        chain::AccountId,
        l1::{
            burn::Recipient,
            params::{CASCOIN_MAINNET, LITECOIN_REGTEST},
        },
    };

    const CHAIN: u32 = 3;

    fn payload(amount: u64) -> BurnPayload {
        let recipient = Recipient::Account(AccountId::new([7; 32]));
        BurnPayload { chain_id: CHAIN, recipient, amount }
    }

    fn checked(outputs: &[(u64, Vec<u8>)]) -> Result<CheckedBurn, BurnError> {
        check(&transaction(1, outputs), &LITECOIN_REGTEST, CHAIN)
    }

    #[test]
    fn a_good_burn_is_told_exactly() {
        let change = (9, vec![0x51]);
        let burn = checked(&[change.clone(), (500, payload(500).script()), change]);
        assert_eq!(burn, Ok(CheckedBurn { vout: 1, value: 500, payload: payload(500) }));
    }

    #[test]
    fn what_would_lose_coins_is_refused() {
        let script = payload(500).script();
        let rejected = |outputs: &[(u64, Vec<u8>)]| match checked(outputs) {
            Err(BurnError::Rejected(reason)) => Some(reason),
            _ => None,
        };
        assert_eq!(rejected(&[(0, script.clone())]), Some(BurnRejection::ZeroValue));
        let other = BurnPayload { chain_id: 9, ..payload(500) };
        assert_eq!(rejected(&[(500, other.script())]), Some(BurnRejection::WrongChain));
        let mut short = script.clone();
        short[1] = 50;
        short.pop();
        assert_eq!(rejected(&[(500, short)]), Some(BurnRejection::Malformed));
        assert_eq!(
            checked(&[(499, script.clone())]),
            Err(BurnError::AmountMismatch { value: 499, encoded: 500 })
        );
        assert_eq!(checked(&[(5, vec![0x51])]), Err(BurnError::NoBurn));
        let two = [(500, script.clone()), (500, script)];
        assert_eq!(checked(&two), Err(BurnError::SeveralDataOutputs(2)));
        let too_much = LITECOIN_REGTEST.max_money + 1;
        assert_eq!(
            checked(&[(too_much, payload(too_much).script())]),
            Err(BurnError::BadAmount(too_much))
        );
        assert!(matches!(
            check(b"junk", &LITECOIN_REGTEST, CHAIN),
            Err(BurnError::NotATransaction(_))
        ));
    }

    #[test]
    fn the_unfunded_form_is_what_the_l1_expects() {
        let raw = hex::encode(unfunded_outputs(&[(0x0102, vec![0x6a, 1, 0xff])]));
        assert_eq!(raw, "0200000000010201000000000000036a01ff00000000");
        assert_eq!(fee_limit(&CASCOIN_MAINNET), 1_000_000);
        assert_eq!(fee_limit(&LITECOIN_REGTEST), 10_000_000);
    }
}
