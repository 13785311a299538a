//! Calls to the L1 node's wallet. They spend the operator's coins: RPC methods
//! that reach them are unsafe and guarded. The wallet is that of the preferred node, also
//! while another one stands in for it.

use super::{
    code,
    types::{Hex, RawAmount, RawFunded, RawSigned, RawUnspent},
    Call, FundedTransaction, L1Client, L1Error, SignedTransaction, Unspent, ValidatedAddress,
};
use serde::de::DeserializeOwned;
use serde_json::{json, Value};

impl L1Client {
    fn wallet_query<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Vec<Value>,
    ) -> Result<T, L1Error> {
        self.of_wallet().call(&Call { method, params, wallet: true, repeatable: true })
    }

    /// Adds inputs, and change as output `change_position`, to a transaction. Nothing is
    /// locked, so repeating it does no harm.
    ///
    /// # Errors
    /// [`L1Error::Rpc`] with [`code::WALLET_INSUFFICIENT_FUNDS`] or
    /// [`code::WALLET_ERROR`] if the wallet has not enough; any other [`L1Error`].
    pub fn fund_raw_transaction(
        &self,
        raw: &[u8],
        change_position: u32,
    ) -> Result<FundedTransaction, L1Error> {
        const METHOD: &str = "fundrawtransaction";
        let options = json!({ "changePosition": change_position });
        let funded: RawFunded =
            self.wallet_query(METHOD, vec![hex::encode(raw).into(), options])?;
        let fee = funded.fee.units(self.params().decimals);
        Ok(FundedTransaction {
            raw: funded.hex.0,
            fee: fee.map_err(|reason| L1Error::bad_reply(METHOD, reason))?,
        })
    }

    /// Signs what the wallet can sign. Core from 0.17 on has a call of its own
    /// for this; before, `signrawtransaction` did it.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn sign_raw_transaction(&self, raw: &[u8]) -> Result<SignedTransaction, L1Error> {
        let params = || vec![Value::from(hex::encode(raw))];
        let signed: RawSigned = match self.wallet_query("signrawtransactionwithwallet", params()) {
            Err(L1Error::Rpc { code: code::METHOD_NOT_FOUND, .. }) => {
                self.wallet_query("signrawtransaction", params())?
            }
            answered => answered?,
        };
        let Hex(raw) = signed.hex;
        Ok(SignedTransaction { raw, complete: signed.complete })
    }

    /// A new address of the wallet.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn new_address(&self) -> Result<String, L1Error> {
        self.wallet_query("getnewaddress", vec![])
    }

    /// The wallet's coins with at least `min_confirmations`, those that it only watches among
    /// them.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn list_unspent(&self, min_confirmations: u32) -> Result<Vec<Unspent>, L1Error> {
        const METHOD: &str = "listunspent";
        let raw: Vec<RawUnspent> = self.wallet_query(METHOD, vec![min_confirmations.into()])?;
        raw.into_iter()
            .map(|entry| {
                Ok(Unspent {
                    txid: entry.txid,
                    vout: entry.vout,
                    value: self.units(METHOD, &entry.amount)?,
                    confirmations: entry.confirmations,
                    address: entry.address,
                    spendable: entry.spendable,
                })
            })
            .collect()
    }

    /// What the wallet can spend, in base units.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn balance(&self) -> Result<u64, L1Error> {
        const METHOD: &str = "getbalance";
        let amount: RawAmount = self.wallet_query(METHOD, vec![])?;
        self.units(METHOD, &amount)
    }

    /// What the node thinks of an address.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn validate_address(&self, address: &str) -> Result<ValidatedAddress, L1Error> {
        self.query("validateaddress", vec![address.into()])
    }

    fn units(&self, method: &str, amount: &RawAmount) -> Result<u64, L1Error> {
        amount.units(self.params().decimals).map_err(|reason| L1Error::bad_reply(method, reason))
    }
}
