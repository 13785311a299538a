//! The transactions by which somebody has a transaction of the layer 2 included whatever
//! its sequencers want (R17.4).
//!
//! There are two: the first pays to the hash of a script that contains the data, the
//! second spends that and shows the script, with the message that names it
//! ([`cascoin_l2_primitives::l1::forced`]). The L1 wallet funds and signs the first. It does
//! not know the form of the script, so the second is signed here, with a new key of the
//! wallet, which gives it out for that (`dumpprivkey`). What the first pays is the second's
//! fee, so nothing comes back.
//!
//! Both are made and signed before the first is sent. If L1 does not take the second, its
//! bytes are in the error: they can be sent at any time later.

use crate::{
    block::{BlockError, Transaction},
    burn::{fee_limit, unfunded_outputs},
    client::{L1Client, L1Error},
    sighash::{script_signature, segwit_v0_digest},
    stake_tx::{lacking_funds, new_owner, owner_key, StakeTxError},
};
use bitcoin::{
    absolute::LockTime,
    consensus::serialize,
    hashes::Hash,
    secp256k1::{Message, Secp256k1, SecretKey},
    transaction::Version,
    Amount, Script, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness,
};
use cascoin_l2_primitives::l1::{
    forced::{data_script, script_address, ForcedPayload},
    params::L1Params,
    L1Hash,
};
use thiserror::Error;

/// Virtual bytes of the second transaction besides its script, rounded up.
const REVEAL_BYTES: u64 = 250;
/// How many times the smallest fee that is relayed it pays. It must be mined soon, and
/// its output must be worth relaying.
const REVEAL_FEE_FACTOR: u64 = 20;

/// Why a transaction is not forced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ForcedTxError {
    /// The wallet or the L1 node gave no answer, or refused.
    #[error(transparent)]
    Wallet(#[from] StakeTxError),
    /// The data is empty or too long.
    #[error("a transaction of {0} bytes cannot be forced: it is empty or too long")]
    BadLength(usize),
    /// The first transaction is sent, and L1 did not take the second.
    #[error("L1 did not take the second transaction ({source}); send it again: {hex}")]
    NotShown {
        /// The second transaction, signed, in hex.
        hex: String,
        /// What L1 said.
        source: L1Error,
    },
}

impl From<L1Error> for ForcedTxError {
    fn from(error: L1Error) -> Self {
        Self::Wallet(error.into())
    }
}

impl From<BlockError> for ForcedTxError {
    fn from(error: BlockError) -> Self {
        Self::Wallet(error.into())
    }
}

/// What is to be forced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForcedOrder {
    /// The layer 2.
    pub chain_id: u32,
    /// Its transaction, signed, as `author_submitExtrinsic` takes it.
    pub transaction: Vec<u8>,
    /// What the message destroys, in base units: where an L1 block has many such, those
    /// that destroy most come first.
    pub paid: u64,
}

/// What L1 has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentForced {
    /// The transaction that pays to the script.
    pub funding: L1Hash,
    /// The one that shows the data.
    pub txid: L1Hash,
    /// What the miners get for both, in base units.
    pub fee: u64,
}

/// Makes, signs and sends both transactions.
///
/// # Errors
/// [`ForcedTxError`]. But for [`ForcedTxError::NotShown`] nothing is spent then.
pub fn send(client: &L1Client, order: &ForcedOrder) -> Result<SentForced, ForcedTxError> {
    let client = &client.of_wallet();
    let params = client.params();
    let bad_length = || ForcedTxError::BadLength(order.transaction.len());
    let payload = ForcedPayload::of(&order.transaction).ok_or_else(bad_length)?;
    let owner = new_owner(client)?;
    let key = owner_key(client, &owner)?;
    let public = key.public_key(&Secp256k1::signing_only()).serialize();
    let script = data_script(&order.transaction, &public).ok_or_else(bad_length)?;
    let shown_fee = fee(script.len() as u64, params);
    let value = shown_fee.saturating_add(order.paid);
    if value > params.max_money {
        return Err(StakeTxError::BadAmount(order.paid).into());
    }
    let output = (value, script_address(&script).script());
    let funded = client
        .fund_raw_transaction(&unfunded_outputs(std::slice::from_ref(&output)), 1)
        .map_err(lacking_funds)?;
    let (fee, limit) = (funded.fee.saturating_add(shown_fee), fee_limit(params));
    if funded.fee > limit {
        return Err(StakeTxError::AbsurdFee { fee: funded.fee, limit }.into());
    }
    let signed = client.sign_raw_transaction(&funded.raw)?;
    if !signed.complete {
        return Err(StakeTxError::NotSigned.into());
    }
    let funding = Transaction::read(&signed.raw)?;
    let first = funding.outputs.first().map(|output| (output.value, output.script));
    if first != Some((output.0, output.1.as_slice())) {
        let changed = L1Error::bad_reply("fundrawtransaction", "the output was changed");
        return Err(changed.into());
    }
    let message = TxOut {
        value: Amount::from_sat(order.paid),
        script_pubkey: ScriptBuf::from_bytes(payload.script(order.chain_id)),
    };
    let raw = show(funding.txid, value, message, &script, &key, params)?;
    let funding = client.send_raw_transaction(&signed.raw)?;
    let txid = client
        .send_raw_transaction(&raw)
        .map_err(|source| ForcedTxError::NotShown { hex: hex::encode(&raw), source })?;
    Ok(SentForced { funding, txid, fee })
}

/// What the second transaction pays, with a script of this length.
fn fee(script: u64, params: &L1Params) -> u64 {
    let bytes = REVEAL_BYTES.saturating_add(script / 4);
    params.min_relay_fee_per_kb.saturating_mul(REVEAL_FEE_FACTOR).saturating_mul(bytes) / 1_000
}

/// The transaction that spends output 0 of `funding`, of `value`, and shows `script`.
fn show(
    funding: L1Hash,
    value: u64,
    message: TxOut,
    script: &[u8],
    key: &SecretKey,
    params: &L1Params,
) -> Result<Vec<u8>, ForcedTxError> {
    let previous_output = bitcoin::OutPoint { txid: Txid::from_byte_array(funding.0), vout: 0 };
    let mut transaction = bitcoin::Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![message],
    };
    let digest = segwit_v0_digest(&transaction, 0, Script::from_bytes(script), value, params)
        .map_err(|_| StakeTxError::NotSigned)?;
    let signature = Secp256k1::signing_only().sign_ecdsa(&Message::from_digest(digest), key);
    let signature = script_signature(&signature, params);
    if let Some(input) = transaction.input.first_mut() {
        input.witness = Witness::from_slice(&[&signature[..], script]);
    }
    Ok(serialize(&transaction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{block::builder::block, events::events};
    use bitcoin::secp256k1::ecdsa::Signature;
    use cascoin_l2_primitives::{
        l1::{
            forced::MAX_FORCED_BYTES,
            params::{CASCOIN_MAINNET, LITECOIN_REGTEST},
        },
        relay::L1Event,
    };

    /// What is sent is what a layer 2 reads, is signed with L1's own hash type, and is
    /// relayed.
    #[test]
    fn r17_4_what_is_made_is_read_and_signed() {
        let key = SecretKey::from_slice(&[7; 32]).expect("in range");
        let public = key.public_key(&Secp256k1::new());
        for (params, hash_type) in [(&CASCOIN_MAINNET, 0x41), (&LITECOIN_REGTEST, 0x01)] {
            for data in [vec![9; 140], vec![9; MAX_FORCED_BYTES]] {
                let script = data_script(&data, &public.serialize()).expect("it fits");
                let payload = ForcedPayload::of(&data).expect("it fits");
                let message = TxOut {
                    value: Amount::from_sat(5),
                    script_pubkey: ScriptBuf::from_bytes(payload.script(3)),
                };
                let value = fee(script.len() as u64, params) + 5;
                let raw = show(L1Hash([5; 32]), value, message, &script, &key, params)
                    .expect("it is signed");
                let seen = events(&block(std::slice::from_ref(&raw)), 1);
                let [L1Event::ForcedTransaction { chain_id: 3, paid: 5, transaction }] = &seen[..]
                else {
                    panic!("one forced transaction")
                };
                assert_eq!(transaction.to_vec(), data);

                let shown: bitcoin::Transaction =
                    bitcoin::consensus::deserialize(&raw).expect("well-formed");
                assert!(shown.vsize() as u64 <= REVEAL_BYTES + script.len() as u64 / 4);
                assert!(shown.base_size() >= 82, "shorter ones are not relayed");
                let signature = shown.input[0].witness.nth(0).expect("a signature");
                let (last, der) = signature.split_last().expect("not empty");
                assert_eq!(*last, hash_type);
                let digest =
                    segwit_v0_digest(&shown, 0, Script::from_bytes(&script), value, params)
                        .expect("it has an input");
                let signature = Signature::from_der(der).expect("well-formed");
                let checked = Secp256k1::new().verify_ecdsa(
                    &Message::from_digest(digest),
                    &signature,
                    &public,
                );
                assert_eq!(checked, Ok(()));
            }
        }
    }
}
