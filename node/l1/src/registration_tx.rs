//! The transaction by which an operator registers a layer 2 chain with coins of its L1
//! wallet.
//!
//! Its first input spends an output that was chosen before, because the chain's id follows
//! from it. What is sent is checked to be exactly what a registry reads: coins that are
//! locked in another form are out of reach as long, and register nothing. They come back
//! as stake does ([`stake_tx::release`](crate::stake_tx::release)).

use crate::{
    block::Transaction,
    burn::{fee_limit, unfunded_outputs},
    client::{L1Client, L1Error},
    registration::{registered, Registered},
    stake_tx::{lacking_funds, new_owner, StakeTxError},
};
use cascoin_l2_primitives::l1::{
    params::L1Params,
    registration::{ChainName, Registration},
    stake::{TimeLock, LOCK_VOUT},
    L1Hash, OutPoint,
};

/// What is to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationOrder {
    /// The layer 2 whose registry is told.
    pub registry: u32,
    /// The wallet's output that the first input spends.
    pub seed: OutPoint,
    /// The chain's name.
    pub name: ChainName,
    /// Hash of its definition.
    pub definition: L1Hash,
    /// The deployer's coins, in base units.
    pub value: u64,
    /// The L1 height that nobody can spend them at or below.
    pub unlock: u32,
}

/// A registration that L1 has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRegistration {
    /// The transaction's identifier.
    pub txid: L1Hash,
    /// What it registers.
    pub registered: Registered,
    /// What the miners get, in base units.
    pub fee: u64,
}

/// The output of the wallet that a registration can begin with: the largest that is
/// confirmed and that the wallet can spend.
///
/// # Errors
/// [`StakeTxError`].
pub fn seed(client: &L1Client) -> Result<OutPoint, StakeTxError> {
    let unspent = client.of_wallet().list_unspent(1)?;
    unspent
        .into_iter()
        .filter(|output| output.spendable)
        .max_by_key(|output| output.value)
        .map(|output| OutPoint { txid: output.txid, vout: output.vout })
        .ok_or_else(|| StakeTxError::InsufficientFunds("no confirmed output".into()))
}

/// Makes the transaction for `order`, funded and signed by the L1 wallet, change (if any)
/// at position 2, and sends it. A new key of the wallet is the deployer's.
///
/// # Errors
/// [`StakeTxError`].
pub fn register(
    client: &L1Client,
    order: &RegistrationOrder,
) -> Result<SentRegistration, StakeTxError> {
    let client = &client.of_wallet();
    let params = client.params();
    let limit = fee_limit(params);
    let RegistrationOrder { registry, seed, value, unlock, .. } = *order;
    if value == 0 || value > params.max_money {
        return Err(StakeTxError::BadAmount(value));
    }
    let lock = TimeLock { unlock, owner: new_owner(client)? };
    let registration =
        Registration { lock, definition: order.definition, name: order.name.clone() };
    let outputs = [(0, registration.script(registry)), (value, lock.script())];
    let wanted = Registered { chain_id: registry, registration, value };
    let unfunded = spending(&unfunded_outputs(&outputs), &seed);
    let funded =
        client.fund_raw_transaction(&unfunded, outputs.len() as u32).map_err(lacking_funds)?;
    if funded.fee > limit {
        return Err(StakeTxError::AbsurdFee { fee: funded.fee, limit });
    }
    check(&funded.raw, params, &seed, &wanted, "fundrawtransaction")?;
    let signed = client.sign_raw_transaction(&funded.raw)?;
    if !signed.complete {
        return Err(StakeTxError::NotSigned);
    }
    check(&signed.raw, params, &seed, &wanted, "signrawtransaction")?;
    let txid = client.send_raw_transaction(&signed.raw)?;
    Ok(SentRegistration { txid, registered: wanted, fee: funded.fee })
}

/// Refuses a transaction that would not register exactly what is wanted.
fn check(
    raw: &[u8],
    params: &L1Params,
    seed: &OutPoint,
    wanted: &Registered,
    method: &'static str,
) -> Result<(), StakeTxError> {
    const OP_RETURN: u8 = 0x6a;
    let transaction = Transaction::read(raw)?;
    let scripts = transaction.outputs.iter().map(|output| output.script);
    let data_outputs = scripts.clone().filter(|script| script.first() == Some(&OP_RETURN)).count();
    if data_outputs > 1 {
        return Err(StakeTxError::SeveralDataOutputs(data_outputs));
    }
    let found = transaction.outputs.get(LOCK_VOUT).and_then(|lock| registered(lock, scripts));
    let same = found.as_ref() == Some(wanted) && transaction.first_spent == Some(*seed);
    if !same || wanted.value > params.max_money {
        return Err(L1Error::bad_reply(method, "the registration was changed").into());
    }
    Ok(())
}

/// The transaction without inputs `unfunded`, in its plain form, with one that spends
/// `seed` and is not signed.
fn spending(unfunded: &[u8], seed: &OutPoint) -> Vec<u8> {
    // The version, and behind it the count of inputs, which is 0 and one byte.
    let (version, rest) = unfunded.split_at(unfunded.len().min(4));
    let outputs = rest.get(1..).unwrap_or_default();
    // No script, and a sequence that lets nobody replace the transaction.
    let end: [u8; 5] = [0, 0xfe, 0xff, 0xff, 0xff];
    [version, &[1], &seed.txid.0, &seed.vout.to_le_bytes(), &end, outputs].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::builder::transaction;
    use cascoin_l2_primitives::l1::{params::LITECOIN_REGTEST, registration::chain_name};

    const SEED: OutPoint = OutPoint { txid: L1Hash([1; 32]), vout: 0 };

    fn wanted() -> Registered {
        let lock = TimeLock { unlock: 90_000, owner: [9; 20] };
        let name = chain_name(b"demo").expect("a name");
        let registration = Registration { lock, definition: L1Hash([5; 32]), name };
        Registered { chain_id: 3, registration, value: 500 }
    }

    fn outputs() -> Vec<(u64, Vec<u8>)> {
        let Registered { chain_id, registration, value } = wanted();
        let lock = registration.lock.script();
        vec![(0, registration.script(chain_id)), (value, lock), (9, vec![0x51])]
    }

    fn checked(seed: u8, outputs: &[(u64, Vec<u8>)]) -> Result<(), StakeTxError> {
        check(&transaction(seed, outputs), &LITECOIN_REGTEST, &SEED, &wanted(), "test")
    }

    #[test]
    fn r1_3_the_first_input_spends_the_output_that_gives_the_id() {
        let raw = spending(&unfunded_outputs(&outputs()), &SEED);
        let read = Transaction::read(&raw).expect("well-formed");
        assert_eq!((read.inputs, read.first_spent), (1, Some(SEED)));
        assert_eq!(read.outputs.len(), 3);
        assert_eq!(read.outputs[1].value, 500);
        assert_eq!(check(&raw, &LITECOIN_REGTEST, &SEED, &wanted(), "test"), Ok(()));
    }

    #[test]
    fn r1_4_what_would_lock_coins_in_vain_is_refused() {
        assert_eq!(checked(1, &outputs()), Ok(()));
        // Another output is spent first, so the id is another one.
        assert!(matches!(checked(2, &outputs()), Err(StakeTxError::L1(_))));
        let mut other = outputs();
        other[1].0 = 499;
        assert!(matches!(checked(1, &other), Err(StakeTxError::L1(_))));
        other = outputs();
        other.swap(1, 2);
        assert!(matches!(checked(1, &other), Err(StakeTxError::L1(_))));
        other = outputs();
        other.push((0, vec![0x6a]));
        assert_eq!(checked(1, &other), Err(StakeTxError::SeveralDataOutputs(2)));
        assert!(matches!(
            check(b"junk", &LITECOIN_REGTEST, &SEED, &wanted(), "test"),
            Err(StakeTxError::NotATransaction(_))
        ));
    }
}
