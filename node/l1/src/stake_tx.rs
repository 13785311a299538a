//! The transactions by which an operator locks coins of its L1 wallet as stake, and gets
//! them back.
//!
//! The L1 wallet funds and signs the first as it does any other. What is sent is checked
//! to be exactly what a layer 2 takes for stake: coins that are locked in another form
//! are out of reach as long, and count for nothing.
//!
//! The wallet does not know the form of the lock, so the second is signed here, with the
//! owner's key, which the wallet gives out for that (`dumpprivkey`). It is used once and
//! kept nowhere.

use crate::{
    block::{BlockError, Output, Transaction},
    burn::{fee_limit, unfunded_outputs},
    client::{code, L1Client, L1Error},
    registration::registered,
    sighash::{legacy_digest, script_signature},
    stake::{locked, Locked},
};
use bitcoin::{
    absolute::LockTime,
    base58,
    consensus::serialize,
    hashes::Hash,
    secp256k1::{Message, Secp256k1, SecretKey},
    transaction::Version,
    Amount, Script, ScriptBuf, Sequence, TxIn, TxOut, Txid, Witness,
};
use cascoin_l2_primitives::{
    chain::AccountId,
    l1::{
        address::L1Address,
        params::L1Params,
        signed_message::key_hash,
        stake::{StakePayload, TimeLock, LOCK_VOUT},
        L1Hash,
    },
};
use thiserror::Error;

/// Bytes of the transaction that gets coins back, rounded up.
const RELEASE_BYTES: u64 = 260;
/// How many times the smallest fee that is relayed it pays.
const RELEASE_FEE_FACTOR: u64 = 20;

/// Why stake is not locked, or not got back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StakeTxError {
    /// L1 gave no answer, or refused.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// The bytes are no transaction.
    #[error("not a transaction: {0}")]
    NotATransaction(#[from] BlockError),
    /// A layer 2 would see no stake in it.
    #[error("the transaction locks no stake")]
    NotAStake,
    /// Its message is for another layer 2.
    #[error("the stake is for the chain {0}")]
    OtherChain(u32),
    /// More than one output carries data: relay policy allows one.
    #[error("the transaction has {0} data outputs, one is allowed")]
    SeveralDataOutputs(usize),
    /// The amount is 0, more than there can be, or less than the fee of getting it back.
    #[error("cannot lock or get back {0} units")]
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
    /// The L1 wallet has not the owner's key.
    #[error("the L1 wallet has not the key of the owner {0}")]
    NotTheOwner(String),
}

/// What is to be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakeOrder {
    /// The layer 2 that it is stake of.
    pub chain_id: u32,
    /// Whose stake.
    pub account: AccountId,
    /// How much, in base units.
    pub value: u64,
    /// The L1 height that nobody can spend it at or below.
    pub unlock: u32,
    /// HASH160 of the compressed key that can spend it then; a new one of the wallet if
    /// it is `None`.
    pub owner: Option<[u8; 20]>,
}

/// A lock that is funded and not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedStake {
    /// The transaction, raw.
    pub raw: Vec<u8>,
    /// What it locks.
    pub locked: Locked,
    /// What the miners get, in base units.
    pub fee: u64,
}

/// A lock that L1 has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentStake {
    /// The transaction's identifier.
    pub txid: L1Hash,
    /// What it locks.
    pub locked: Locked,
}

/// Coins that are back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedStake {
    /// The transaction that spends the lock.
    pub txid: L1Hash,
    /// The wallet's address that it pays to.
    pub address: String,
    /// What it pays there, in base units.
    pub value: u64,
    /// What the miners get, in base units.
    pub fee: u64,
}

/// Makes the transaction for `order`, funded by the L1 wallet, change (if any) at
/// position 2. Nothing is locked or signed.
///
/// # Errors
/// [`StakeTxError`].
pub fn create(client: &L1Client, order: &StakeOrder) -> Result<UnsignedStake, StakeTxError> {
    let client = &client.of_wallet();
    let params = client.params();
    let limit = fee_limit(params);
    let StakeOrder { chain_id, value, unlock, .. } = *order;
    if value == 0 || value > params.max_money {
        return Err(StakeTxError::BadAmount(value));
    }
    let owner = order.owner.map_or_else(|| new_owner(client), Ok)?;
    let payload = StakePayload { account: order.account.clone(), unlock, owner };
    let outputs = [(0, payload.script(chain_id)), (value, payload.lock_script())];
    let funded = client
        .fund_raw_transaction(&unfunded_outputs(&outputs), outputs.len() as u32)
        .map_err(lacking_funds)?;
    if funded.fee > limit {
        return Err(StakeTxError::AbsurdFee { fee: funded.fee, limit });
    }
    let locked = check(&funded.raw, params, chain_id)?;
    if locked != (Locked { chain_id, payload, value }) {
        return Err(L1Error::bad_reply("fundrawtransaction", "the lock was changed").into());
    }
    Ok(UnsignedStake { raw: funded.raw, locked, fee: funded.fee })
}

/// Says what a transaction, signed or not, locks as stake of the chain `chain_id`, and
/// refuses every one that would lock coins in vain.
///
/// # Errors
/// [`StakeTxError`], never [`StakeTxError::L1`].
pub fn check(raw: &[u8], params: &L1Params, chain_id: u32) -> Result<Locked, StakeTxError> {
    const OP_RETURN: u8 = 0x6a;
    let outputs = Transaction::read(raw)?.outputs;
    let is_data = |script: &&[u8]| script.first() == Some(&OP_RETURN);
    let scripts = outputs.iter().map(|output| output.script);
    let data_outputs = scripts.clone().filter(is_data).count();
    if data_outputs > 1 {
        return Err(StakeTxError::SeveralDataOutputs(data_outputs));
    }
    let lock = outputs.get(LOCK_VOUT).ok_or(StakeTxError::NotAStake)?;
    let found = locked(lock, scripts).ok_or(StakeTxError::NotAStake)?;
    if found.chain_id != chain_id {
        return Err(StakeTxError::OtherChain(found.chain_id));
    }
    if found.value > params.max_money {
        return Err(StakeTxError::BadAmount(found.value));
    }
    Ok(found)
}

/// Checks a lock, has the L1 wallet sign what is not signed, and sends it.
///
/// # Errors
/// [`StakeTxError`].
pub fn sign_and_send(
    client: &L1Client,
    raw: &[u8],
    chain_id: u32,
) -> Result<SentStake, StakeTxError> {
    let client = &client.of_wallet();
    let locked = check(raw, client.params(), chain_id)?;
    let signed = client.sign_raw_transaction(raw)?;
    if !signed.complete {
        return Err(StakeTxError::NotSigned);
    }
    if check(&signed.raw, client.params(), chain_id)? != locked {
        return Err(L1Error::bad_reply("signrawtransaction", "the lock was changed").into());
    }
    let txid = client.send_raw_transaction(&signed.raw)?;
    Ok(SentStake { txid, locked })
}

/// Spends what a transaction of the wallet locked, as stake or to register a chain, to a
/// new address of the wallet. L1 refuses it before the lock ends.
///
/// # Errors
/// [`StakeTxError`].
pub fn release(client: &L1Client, txid: L1Hash) -> Result<ReleasedStake, StakeTxError> {
    const METHOD: &str = "gettransaction";
    #[derive(serde::Deserialize)]
    struct Known {
        hex: String,
    }
    let client = &client.of_wallet();
    let params = client.params();
    let Known { hex } = client.wallet_call(METHOD, vec![txid.to_string().into()])?;
    let raw = hex::decode(hex).map_err(|error| L1Error::bad_reply(METHOD, error))?;
    let transaction = Transaction::read(&raw)?;
    if transaction.txid != txid {
        return Err(L1Error::bad_reply(METHOD, "another transaction than asked for").into());
    }
    let scripts = transaction.outputs.iter().map(|output| output.script);
    let lock = transaction.outputs.get(LOCK_VOUT).ok_or(StakeTxError::NotAStake)?;
    let (value, time_lock) = time_lock(lock, scripts).ok_or(StakeTxError::NotAStake)?;
    let rate = params.min_relay_fee_per_kb.saturating_mul(RELEASE_FEE_FACTOR);
    let fee = rate.saturating_mul(RELEASE_BYTES) / 1_000;
    let paid = value.checked_sub(fee).filter(|paid| *paid > 0);
    let paid = paid.ok_or(StakeTxError::BadAmount(value))?;
    let key = owner_key(client, &time_lock.owner)?;
    let address = client.new_address()?;
    let to = L1Address::parse(&address, params)
        .map_err(|error| L1Error::bad_reply("getnewaddress", error))?;
    let raw = spend(txid, &time_lock, paid, to.script(), &key, params)?;
    let txid = client.send_raw_transaction(&raw)?;
    Ok(ReleasedStake { txid, address, value: paid, fee })
}

/// What `output` holds for how long, as stake or as a chain's deployer's.
fn time_lock<'a>(
    output: &Output<'_>,
    scripts: impl Iterator<Item = &'a [u8]> + Clone,
) -> Option<(u64, TimeLock)> {
    match locked(output, scripts.clone()) {
        Some(Locked { payload, value, .. }) => Some((value, payload.time_lock())),
        None => registered(output, scripts).map(|found| (found.value, found.registration.lock)),
    }
}

/// The transaction that spends the lock of `txid`.
fn spend(
    txid: L1Hash,
    lock: &TimeLock,
    value: u64,
    to: Vec<u8>,
    key: &SecretKey,
    params: &L1Params,
) -> Result<Vec<u8>, StakeTxError> {
    let previous_output =
        bitcoin::OutPoint { txid: Txid::from_byte_array(txid.0), vout: LOCK_VOUT as u32 };
    let mut transaction = bitcoin::Transaction {
        version: Version::TWO,
        lock_time: LockTime::from_consensus(lock.unlock),
        input: vec![TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            // The lock time holds with any but the largest.
            sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(value),
            script_pubkey: ScriptBuf::from_bytes(to),
        }],
    };
    let redeem = lock.redeem_script();
    let digest = legacy_digest(&transaction, 0, Script::from_bytes(&redeem), params)
        .map_err(|_| StakeTxError::NotSigned)?;
    let secp = Secp256k1::signing_only();
    let signature = secp.sign_ecdsa(&Message::from_digest(digest), key);
    let signature = script_signature(&signature, params);
    let public = key.public_key(&secp).serialize();
    let mut script = Vec::with_capacity(RELEASE_BYTES as usize);
    for item in [&signature[..], &public, &redeem] {
        // All are shorter than 76 bytes, so the length is the push.
        script.push(item.len() as u8);
        script.extend(item);
    }
    if let Some(input) = transaction.input.first_mut() {
        input.script_sig = ScriptBuf::from_bytes(script);
    }
    Ok(serialize(&transaction))
}

/// A new key of the wallet, as HASH160 of it.
pub(crate) fn new_owner(client: &L1Client) -> Result<[u8; 20], StakeTxError> {
    const METHOD: &str = "getnewaddress";
    let address: String = client.wallet_call(METHOD, vec!["".into(), "legacy".into()])?;
    match L1Address::parse(&address, client.params()) {
        Ok(L1Address::PublicKeyHash(hash)) => Ok(hash),
        Ok(_) => Err(L1Error::bad_reply(METHOD, "not the kind of address asked for").into()),
        Err(error) => Err(L1Error::bad_reply(METHOD, error).into()),
    }
}

/// The key that can spend what `owner` owns, from the wallet.
pub(crate) fn owner_key(client: &L1Client, owner: &[u8; 20]) -> Result<SecretKey, StakeTxError> {
    let params = client.params();
    let address = L1Address::PublicKeyHash(*owner).encode(params);
    let missing = || StakeTxError::NotTheOwner(address.clone());
    let exported = match client.wallet_call::<String>("dumpprivkey", vec![address.clone().into()]) {
        Err(L1Error::Rpc { code: code::WALLET_ERROR | code::INVALID_ADDRESS_OR_KEY, .. }) => {
            return Err(missing());
        }
        answered => answered?,
    };
    let key = wif_key(&exported, params).ok_or_else(missing)?;
    let public = key.public_key(&Secp256k1::signing_only()).serialize();
    if key_hash(&public) == *owner {
        Ok(key)
    } else {
        Err(missing())
    }
}

/// The key of a compressed public key, as wallets write it.
fn wif_key(text: &str, params: &L1Params) -> Option<SecretKey> {
    let bytes = base58::decode_check(text.trim()).ok()?;
    match bytes.as_slice() {
        [version, key @ .., 1] if *version == params.wif => SecretKey::from_slice(key).ok(),
        _ => None,
    }
}

pub(crate) fn lacking_funds(error: L1Error) -> StakeTxError {
    match error {
        L1Error::Rpc {
            code: code::WALLET_INSUFFICIENT_FUNDS | code::WALLET_ERROR,
            message,
            ..
        } => StakeTxError::InsufficientFunds(message),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder::transaction;
    use cascoin_l2_primitives::l1::params::{CASCOIN_MAINNET, LITECOIN_REGTEST};

    const CHAIN: u32 = 3;

    fn payload() -> StakePayload {
        StakePayload { account: AccountId::new([7; 32]), unlock: 9_000, owner: [9; 20] }
    }

    fn outputs(value: u64) -> Vec<(u64, Vec<u8>)> {
        vec![(0, payload().script(CHAIN)), (value, payload().lock_script()), (9, vec![0x51])]
    }

    fn checked(outputs: &[(u64, Vec<u8>)]) -> Result<Locked, StakeTxError> {
        check(&transaction(1, outputs), &LITECOIN_REGTEST, CHAIN)
    }

    #[test]
    fn what_would_lock_coins_in_vain_is_refused() {
        let good = Locked { chain_id: CHAIN, payload: payload(), value: 500 };
        assert_eq!(checked(&outputs(500)), Ok(good));
        assert_eq!(checked(&outputs(0)), Err(StakeTxError::NotAStake));
        assert_eq!(checked(&outputs(500)[..1]), Err(StakeTxError::NotAStake));
        let mut swapped = outputs(500);
        swapped.swap(1, 2);
        assert_eq!(checked(&swapped), Err(StakeTxError::NotAStake));
        let mut elsewhere = outputs(500);
        elsewhere[0].1 = payload().script(9);
        assert_eq!(checked(&elsewhere), Err(StakeTxError::OtherChain(9)));
        let mut two = outputs(500);
        two.push((0, vec![0x6a]));
        assert_eq!(checked(&two), Err(StakeTxError::SeveralDataOutputs(2)));
        let too_much = LITECOIN_REGTEST.max_money + 1;
        assert_eq!(checked(&outputs(too_much)), Err(StakeTxError::BadAmount(too_much)));
        assert!(matches!(
            check(b"junk", &LITECOIN_REGTEST, CHAIN),
            Err(StakeTxError::NotATransaction(_))
        ));
    }

    #[test]
    fn keys_are_read_as_wallets_write_them() {
        let wif = |params: &L1Params, end: &[u8]| {
            base58::encode_check(&[&[params.wif][..], &[7; 32], end].concat())
        };
        let key = SecretKey::from_slice(&[7; 32]).ok();
        for params in [&CASCOIN_MAINNET, &LITECOIN_REGTEST] {
            assert_eq!(wif_key(&wif(params, &[1]), params), key);
            assert_eq!(wif_key(&wif(params, &[]), params), None, "of an uncompressed key");
        }
        assert_eq!(wif_key(&wif(&CASCOIN_MAINNET, &[1]), &LITECOIN_REGTEST), None);
        assert_eq!(wif_key("rubbish", &LITECOIN_REGTEST), None);
    }

    /// The digest commits to L1's own hash type, and the input shows signature, key and
    /// script.
    #[test]
    fn what_spends_a_lock_shows_its_script_and_waits_for_its_height() {
        let key = SecretKey::from_slice(&[7; 32]).expect("in range");
        for (params, hash_type) in [(&CASCOIN_MAINNET, 0x41), (&LITECOIN_REGTEST, 0x01)] {
            let raw = spend(L1Hash([5; 32]), &payload().time_lock(), 77, vec![0x51], &key, params);
            let raw = raw.expect("it is signed");
            let spent: bitcoin::Transaction =
                bitcoin::consensus::deserialize(&raw).expect("well-formed");
            assert_eq!(spent.lock_time, LockTime::from_consensus(9_000));
            let input = &spent.input[0];
            assert!(input.sequence.0 < u32::MAX);
            assert_eq!(input.previous_output.vout, 1);
            let pushes: Vec<_> = input
                .script_sig
                .instructions_minimal()
                .map(|push| push.expect("minimal").push_bytes().expect("bytes").as_bytes().to_vec())
                .collect();
            let [signature, public, redeem] = &pushes[..] else { panic!("three pushes") };
            assert_eq!(signature.last(), Some(&hash_type));
            assert_eq!(public.len(), 33);
            assert_eq!(*redeem, payload().redeem_script());
            assert!(raw.len() as u64 <= RELEASE_BYTES);
        }
    }
}
