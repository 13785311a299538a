//! What people say on L1 in transactions that they sign themselves: of each other, and to
//! L2.

use crate::{
    error::{Error, Result},
    l1::L1,
};
use cascoin_l2_primitives::l1::{
    address::L1Address,
    cvm::{bond_script, TrustKind, TrustPayload, BOND_BLOCKS},
    params::LITECOIN_REGTEST,
    signed_message::key_hash,
};
use serde_json::{json, Value};
use sp_core::{ecdsa, Pair, H160};

/// What a statement's transaction pays, in L1 units.
const FEE: u64 = 100_000;

/// How a speaker's coins are locked: the two forms of which a block proves who spends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// To its key's hash.
    PublicKeyHash,
    /// To the witness program of its key's hash, nested in a script hash.
    NestedWitness,
}

/// Somebody with a key that no wallet of our L1 has.
#[derive(Clone, Debug)]
pub struct Speaker {
    secret: [u8; 32],
    form: Form,
}

impl Speaker {
    /// The owner of `secret`, a number that is a key of secp256k1.
    pub fn new(secret: [u8; 32], form: Form) -> Self {
        Self { secret, form }
    }

    /// Its key.
    pub fn pair(&self) -> ecdsa::Pair {
        ecdsa::Pair::from_seed(&self.secret)
    }

    /// HASH160 of its key: as whom it is known.
    pub fn address(&self) -> H160 {
        H160(key_hash(&self.pair().public().0))
    }

    /// Says of `subject` how far it trusts it, with a bond of `bond` L1 units, in a
    /// transaction whose only input it signs. It is left in the mempool, and so is the
    /// one by which the L1's wallet gives it the coins; the statement's id.
    ///
    /// # Errors
    /// [`Error::Other`] with the L1 node's words.
    pub fn trust(&self, l1: &L1, subject: H160, weight: i8, bond: u64) -> Result<String> {
        let from = self.address().0;
        let kind = TrustKind::Edge;
        let said = TrustPayload { kind, from, to: subject.0, weight, bond, timestamp: 0 };
        let locked = bond_script(&from, l1.height()? + BOND_BLOCKS);
        self.send(l1, &[(0, said.script()), (bond, locked)])
    }

    /// Sends a transaction with these outputs (L1 units, script), whose only input it
    /// signs. It is left in the mempool, and so is the one by which the L1's wallet gives
    /// it the coins; the first one's id.
    ///
    /// # Errors
    /// [`Error::Other`] with the L1 node's words.
    pub fn send(&self, l1: &L1, outputs: &[(u64, Vec<u8>)]) -> Result<String> {
        let sent = l1.call("sendrawtransaction", json!([self.sign(l1, outputs)?]))?;
        text(&sent)
    }

    /// As [`Self::send`], but the transaction is given back in hex and not sent: for what
    /// L1's nodes do not relay. The one that gives it the coins is left in the mempool.
    ///
    /// # Errors
    /// [`Error::Other`] with the L1 node's words.
    pub fn sign(&self, l1: &L1, outputs: &[(u64, Vec<u8>)]) -> Result<String> {
        let value: u64 = outputs.iter().map(|(value, _)| value).sum();
        // The wallet's change is at position 1.
        let funding = l1.litecoind().burn_raw(&self.script(l1)?, value + FEE)?;
        let mut raw = vec![2, 0, 0, 0, 1];
        raw.extend(funding.0);
        raw.extend([0; 4]);
        raw.push(0);
        raw.extend([0xff; 4]);
        // Few and short ones: a count and a length below 253 are one byte.
        raw.push(outputs.len() as u8);
        for (value, script) in outputs {
            raw.extend(value.to_le_bytes());
            raw.push(script.len() as u8);
            raw.extend(script);
        }
        raw.extend([0; 4]);

        let keys = json!([self.private_key()]);
        let signed = l1.call("signrawtransactionwithkey", json!([hex::encode(raw), keys]))?;
        if signed["complete"] != true {
            return Err(Error::other(format!("not signed: {signed}")));
        }
        text(&signed["hex"])
    }

    /// The script of an output that it can spend.
    fn script(&self, l1: &L1) -> Result<Vec<u8>> {
        let hash = self.address().0;
        match self.form {
            Form::PublicKeyHash => Ok(L1Address::PublicKeyHash(hash).script()),
            Form::NestedWitness => {
                let program = hex::encode(L1Address::WitnessPublicKeyHash(hash).script());
                let decoded = l1.call("decodescript", json!([program]))?;
                let nested = L1Address::parse(&text(&decoded["p2sh"])?, &LITECOIN_REGTEST);
                Ok(nested.map_err(Error::other)?.script())
            }
        }
    }

    /// Its key as L1's nodes take it, marked as one of compressed form.
    fn private_key(&self) -> String {
        let bytes = [&[LITECOIN_REGTEST.wif][..], &self.secret, &[1]].concat();
        bs58::encode(bytes).with_check().into_string()
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(String::from).ok_or_else(|| Error::other(format!("not a text: {value}")))
}
