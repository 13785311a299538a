//! Calls that read the chain or send a transaction.

use super::{
    types::{BlockchainInfo, Hex},
    Call, L1Client, L1Error,
};
use crate::block::{Block, Header, Transaction};
use cascoin_l2_primitives::{l1::L1Hash, reputation::Score};
use serde_json::Value;

/// What a node says of a block whose data it has removed: "Block not available (pruned
/// data)", in all versions.
const PRUNED: &str = "pruned";

impl L1Client {
    /// The node's own account of its chain.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn blockchain_info(&self) -> Result<BlockchainInfo, L1Error> {
        self.query("getblockchaininfo", vec![])
    }

    /// Checks that L1 is reachable, on the right chain and caught up.
    ///
    /// # Errors
    /// [`L1Error::Syncing`] if it is behind its own headers by more than two
    /// blocks, or says so itself (which is not believed in regtest, where a node
    /// says so whenever its newest block is a day old); any other [`L1Error`].
    pub fn check_ready(&self) -> Result<BlockchainInfo, L1Error> {
        let info = self.blockchain_info()?;
        if is_syncing(&info) {
            return Err(L1Error::Syncing { blocks: info.blocks, headers: info.headers });
        }
        Ok(info)
    }

    /// Height of the tip.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn block_count(&self) -> Result<u32, L1Error> {
        self.query("getblockcount", vec![])
    }

    /// Hash of the tip.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn best_block_hash(&self) -> Result<L1Hash, L1Error> {
        self.query("getbestblockhash", vec![])
    }

    /// Hash of the best chain's block at `height`.
    ///
    /// # Errors
    /// [`L1Error::Rpc`] with [`super::code::INVALID_PARAMETER`] above the tip; any
    /// other [`L1Error`].
    pub fn block_hash(&self, height: u32) -> Result<L1Hash, L1Error> {
        self.query("getblockhash", vec![height.into()])
    }

    /// The header of a block, checked to have the hash that was asked for.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn block_header(&self, hash: &L1Hash) -> Result<Header, L1Error> {
        const METHOD: &str = "getblockheader";
        self.query_read(METHOD, vec![hash.to_string().into(), false.into()], |Hex(raw)| {
            Header::read(&raw, hash).map_err(|error| L1Error::bad_reply(METHOD, error))
        })
    }

    /// A block's height on the node's best chain; `None` if it is not on it.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn block_height(&self, hash: &L1Hash) -> Result<Option<u32>, L1Error> {
        #[derive(serde::Deserialize)]
        struct Verbose {
            height: u32,
            confirmations: i64,
        }
        let verbose: Verbose =
            self.query("getblockheader", vec![hash.to_string().into(), true.into()])?;
        Ok((verbose.confirmations > 0).then_some(verbose.height))
    }

    /// A block, checked against the hash that was asked for, down to the
    /// identifiers of its transactions.
    ///
    /// # Errors
    /// [`L1Error::Pruned`] if the node has removed it; any other [`L1Error`].
    pub fn block(&self, hash: &L1Hash) -> Result<Block, L1Error> {
        const METHOD: &str = "getblock";
        // The one that may be left because of its answer.
        let url = self.url();
        let read = self.query_read(METHOD, vec![hash.to_string().into(), 0.into()], |Hex(raw)| {
            Block::read(raw, hash).map_err(|error| L1Error::bad_reply(METHOD, error))
        });
        read.map_err(|error| match error {
            L1Error::Rpc { code: super::code::MISC_ERROR, message, .. }
                if message.contains(PRUNED) =>
            {
                L1Error::Pruned { url, block: hash.to_string() }
            }
            other => other,
        })
    }

    /// A transaction from the mempool, or from the chain where the node keeps an
    /// index; checked to have the identifier that was asked for.
    ///
    /// # Errors
    /// [`L1Error::Rpc`] with [`super::code::INVALID_ADDRESS_OR_KEY`] if it has
    /// none such; any other [`L1Error`].
    pub fn raw_transaction(&self, txid: &L1Hash) -> Result<Vec<u8>, L1Error> {
        const METHOD: &str = "getrawtransaction";
        // Core 0.16 takes a boolean here, as 0.21 does.
        let Hex(raw) = self.query(METHOD, vec![txid.to_string().into(), false.into()])?;
        match Transaction::read(&raw) {
            Ok(transaction) if transaction.txid == *txid => Ok(raw),
            Ok(_) => Err(L1Error::bad_reply(METHOD, "another transaction than asked for")),
            Err(error) => Err(L1Error::bad_reply(METHOD, error)),
        }
    }

    /// A transaction that waits in the node's mempool, raw; `None` if it has none
    /// such, or has it in a block.
    ///
    /// # Errors
    /// [`L1Error`].
    pub fn unconfirmed_transaction(&self, txid: &L1Hash) -> Result<Option<Vec<u8>>, L1Error> {
        const METHOD: &str = "getrawtransaction";
        #[derive(serde::Deserialize)]
        struct Verbose {
            hex: Hex,
            // Only of transactions in a block.
            confirmations: Option<i64>,
        }
        let found = self.query(METHOD, vec![txid.to_string().into(), true.into()]);
        let Verbose { hex: Hex(raw), confirmations } = match found {
            Ok(found) => found,
            Err(L1Error::Rpc { code: super::code::INVALID_ADDRESS_OR_KEY, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match Transaction::read(&raw) {
            Ok(transaction) if transaction.txid == *txid => {
                Ok((confirmations.unwrap_or(0) == 0).then_some(raw))
            }
            Ok(_) => Err(L1Error::bad_reply(METHOD, "another transaction than asked for")),
            Err(error) => Err(L1Error::bad_reply(METHOD, error)),
        }
    }

    /// The score that the node gives an address, as the address itself sees it. It differs
    /// by node and by moment. Nodes without a web of trust do not know the method.
    ///
    /// # Errors
    /// [`L1Error::Rpc`] with [`super::code::METHOD_NOT_FOUND`] if it has none; any other
    /// [`L1Error`].
    pub fn secure_trust(&self, address: &str) -> Result<Score, L1Error> {
        #[derive(serde::Deserialize)]
        struct SecureTrust {
            trust_score: Score,
        }
        let SecureTrust { trust_score } = self.query("getsecuretrust", vec![address.into()])?;
        Ok(trust_score)
    }

    /// Sends a transaction and gives its identifier, which is computed here.
    ///
    /// A transaction that L1 has already counts as sent. When the answer gets
    /// lost, the node is asked for the transaction before it is sent once more.
    /// The second parameter differs between versions (a flag in 0.16, a fee rate
    /// in 0.21), so none is passed.
    ///
    /// # Errors
    /// [`L1Error::Config`] for bytes that are no transaction, [`L1Error::Rpc`] if
    /// the node refuses it, any other [`L1Error`].
    pub fn send_raw_transaction(&self, raw: &[u8]) -> Result<L1Hash, L1Error> {
        let txid = Transaction::read(raw)
            .map_err(|error| L1Error::Config(format!("not a transaction: {error}")))?
            .txid;
        match self.send_once(raw, &txid) {
            Err(L1Error::Unreachable { .. }) => match self.raw_transaction(&txid) {
                Ok(_) => Ok(txid),
                Err(L1Error::Rpc { code: super::code::INVALID_ADDRESS_OR_KEY, .. }) => {
                    self.send_once(raw, &txid)
                }
                Err(error) => Err(error),
            },
            sent => sent,
        }
    }

    fn send_once(&self, raw: &[u8], txid: &L1Hash) -> Result<L1Hash, L1Error> {
        const METHOD: &str = "sendrawtransaction";
        let params = vec![Value::from(hex::encode(raw))];
        let call = Call { method: METHOD, params, wallet: false, repeatable: false };
        match self.call::<L1Hash>(&call) {
            Ok(answered) if answered == *txid => Ok(answered),
            Ok(_) => Err(L1Error::bad_reply(METHOD, "another identifier than the transaction's")),
            Err(L1Error::Rpc { code: super::code::VERIFY_ALREADY_IN_CHAIN, .. }) => Ok(*txid),
            Err(error) => Err(error),
        }
    }
}

/// Whether the node is behind its own network, as far as it can know.
pub(crate) fn is_syncing(info: &BlockchainInfo) -> bool {
    let claims = info.initial_block_download && info.chain != "regtest";
    claims || info.headers > info.blocks.saturating_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_syncing_by_its_headers_and_by_its_word_outside_regtest() {
        let syncing = |chain: &str, blocks, headers, initial_block_download| {
            is_syncing(&BlockchainInfo {
                chain: chain.into(),
                blocks,
                headers,
                best_block: L1Hash::default(),
                initial_block_download,
            })
        };
        for chain in ["main", "test", "regtest"] {
            assert!(!syncing(chain, 100, 100, false));
            assert!(!syncing(chain, 100, 102, false), "{chain}: blocks under way are normal");
            assert!(syncing(chain, 100, 103, false), "{chain}");
            assert!(syncing(chain, 0, 3, true), "{chain}");
            assert!(!syncing(chain, u32::MAX, u32::MAX, false), "{chain}");
        }
        assert!(syncing("main", 100, 100, true) && syncing("test", 100, 100, true));
        assert!(!syncing("regtest", 100, 100, true), "its newest block is a day old, no more");
    }
}
