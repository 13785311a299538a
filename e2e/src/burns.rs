//! Burns as they are made on L1, and what L2 says of them and of the supply.

use crate::{
    error::{Error, Result},
    network::Network,
    wait::{until, Seen, PATIENCE},
};
use cascoin_l2_primitives::{
    chain::{AccountId, Balance},
    l1::{
        amount::parse_amount,
        burn::{BurnPayload, Recipient},
    },
};
use serde_json::{json, Value};
use std::time::Duration;

/// One marked output of an L1 transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burn {
    /// What stands behind `OP_RETURN`.
    pub payload: Vec<u8>,
    /// The output's value in L1 units: what it destroys.
    pub value: u64,
}

impl Burn {
    /// A burn of `value` for an account of any key type.
    pub fn to_account(chain_id: u32, recipient: &AccountId, value: u64) -> Self {
        Self::of(BurnPayload {
            chain_id,
            recipient: Recipient::Account(recipient.clone()),
            amount: value,
        })
    }

    /// The burn that a payload describes: its value is the encoded amount.
    pub fn of(payload: BurnPayload) -> Self {
        Self { payload: payload.encode().to_vec(), value: payload.amount }
    }

    /// The same payload on an output of another value.
    pub fn with_value(self, value: u64) -> Self {
        Self { value, ..self }
    }

    /// The output's script: `OP_RETURN` and one push.
    pub fn script(&self) -> Vec<u8> {
        const OP_RETURN: u8 = 0x6a;
        const OP_PUSHDATA1: u8 = 0x4c;
        let length = self.payload.len() as u8;
        let mut script = vec![OP_RETURN];
        script.extend((length > 75).then_some(OP_PUSHDATA1));
        script.push(length);
        script.extend_from_slice(&self.payload);
        script
    }
}

/// The facts of a chain that burns depend on, as a node tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainFacts {
    /// What burns must name.
    pub chain_id: u32,
    /// Confirmations a burn needs on L1.
    pub l1_confirmations: u32,
    /// Decimals of a coin.
    pub decimals: u8,
}

impl ChainFacts {
    /// Asks a node.
    ///
    /// # Errors
    /// [`Error::Rpc`], [`Error::Transport`]; [`Error::Other`] if a fact is
    /// missing.
    pub fn of(network: &Network, node: usize) -> Result<Self> {
        let info = network.call(node, "l2_getchaininfo", json!([]))?;
        Ok(Self {
            chain_id: number(&info["chainId"])?,
            l1_confirmations: number(&info["l1"]["confirmationsRequired"])?,
            decimals: number(&info["decimals"])?,
        })
    }
}

/// Where a burn stands: the first output of its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BurnState {
    /// PENDING, REACHED, MINTED, FAILED, REJECTED, REVERTED, WAITING_CONFIRMATIONS;
    /// empty if the node knows nothing of it.
    pub status: String,
    /// Why it is rejected.
    pub reason: Option<String>,
    /// Sequencers that confirmed it, while its vote is open.
    pub votes: Option<u64>,
    /// Confirmations on L1, as this node sees it.
    pub confirmations: Option<u64>,
    /// L2 block that minted it.
    pub mint_block: Option<u64>,
}

/// Every marked output of an L1 transaction as `l2_getburnstatus` shows it.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn outputs(network: &Network, node: usize, txid: &str) -> Result<Vec<BurnState>> {
    let answer = network.call(node, "l2_getburnstatus", json!([txid]))?;
    let burns = answer["burns"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(String::from);
    Ok(burns
        .iter()
        .map(|burn| BurnState {
            status: text(&burn["status"]).unwrap_or_default(),
            reason: text(&burn["reason"]),
            votes: burn["consensusConfirmations"].as_u64(),
            confirmations: burn["confirmations"].as_u64(),
            mint_block: burn["l2MintBlock"].as_u64(),
        })
        .collect())
}

/// The first marked output of an L1 transaction; empty if none is known.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn status(network: &Network, node: usize, txid: &str) -> Result<BurnState> {
    Ok(outputs(network, node, txid)?.into_iter().next().unwrap_or_default())
}

/// Waits until all marked outputs of a transaction are MINTED or REJECTED and
/// recorded by the chain.
///
/// # Errors
/// [`Error::TimedOut`] with where they stand instead, [`Error::Ended`].
pub fn settled(network: &mut Network, node: usize, txid: &str) -> Result<Vec<BurnState>> {
    let what = format!("{} settles burn {txid}", network.nodes[node].name());
    until(&what, PATIENCE, || {
        network.nodes[node].expect_running()?;
        let answer = network.call(node, "l2_getburnstatus", json!([txid]))?;
        let burns = answer["burns"].as_array().cloned().unwrap_or_default();
        // A node shows REJECTED as soon as it sees a hopeless output; the chain's
        // own record has the time of its block.
        let recorded = !burns.is_empty()
            && burns.iter().all(|burn| {
                matches!(burn["status"].as_str(), Some("MINTED" | "REJECTED"))
                    && burn["timestamp"].is_u64()
            });
        if recorded {
            return outputs(network, node, txid).map(Seen::Done);
        }
        Ok(Seen::NotYet(answer.to_string()))
    })
}

/// Waits until a transaction's first burn is MINTED on a node.
///
/// # Errors
/// [`Error::TimedOut`]; [`Error::Other`] if it is rejected.
pub fn minted(network: &mut Network, node: usize, txid: &str) -> Result<BurnState> {
    let state = settled(network, node, txid)?.into_iter().next().unwrap_or_default();
    match state.status.as_str() {
        "MINTED" => Ok(state),
        other => Err(Error::other(format!("burn {txid} is {other}: {:?}", state.reason))),
    }
}

/// Waits until a transaction's first burn has this status on a node.
///
/// # Errors
/// [`Error::TimedOut`] with where it stands instead.
pub fn reaches(
    network: &Network,
    node: usize,
    txid: &str,
    wanted: &str,
    limit: Duration,
) -> Result<BurnState> {
    let what = format!("burn {txid} is {wanted} for {}", network.nodes[node].name());
    until(&what, limit, || {
        let state = status(network, node, txid)?;
        Ok(Seen::when(state.status == wanted, state))
    })
}

/// What an account owns on a node's finalized chain, in base units.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn balance(network: &Network, node: usize, of: &AccountId) -> Result<Balance> {
    let answer = network.call(node, "l2_getbalance", json!([of.to_string()]))?;
    answer["units"]
        .as_str()
        .and_then(|units| units.parse().ok())
        .ok_or_else(|| Error::other(format!("no units in {answer}")))
}

/// Transactions an account has sent on a node's finalized chain.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`].
pub fn transaction_count(network: &Network, node: usize, of: &AccountId) -> Result<u64> {
    let answer = network.call(node, "l2_gettransactioncount", json!([of.to_string()]))?;
    answer["transactionCount"].as_u64().ok_or_else(|| Error::other(format!("no count in {answer}")))
}

/// The supply as `l2_verifysupply` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Whether the invariant holds.
    pub valid: bool,
    /// All coins on L2.
    pub issuance: Balance,
    /// Minted for burns, ever.
    pub minted: Balance,
    /// Burns minted.
    pub burn_count: u64,
    /// Burns rejected.
    pub rejected_count: u64,
    /// Taken back of burns that L1 dropped.
    pub clawed_back: Balance,
    /// Minted for burns that L1 dropped, and not there to be taken back.
    pub deficit: Balance,
}

/// Asks a node for the supply and its check.
///
/// # Errors
/// [`Error::Rpc`], [`Error::Transport`]; [`Error::Other`] for an answer that
/// cannot be read.
pub fn supply(network: &Network, node: usize) -> Result<Supply> {
    let decimals = ChainFacts::of(network, node)?.decimals;
    let answer = network.call(node, "l2_verifysupply", json!([]))?;
    let amount = |name: &str| {
        let text = answer[name].as_str().unwrap_or_default();
        parse_amount(text, decimals)
            .map_err(|error| Error::other(format!("{name} {text}: {error}")))
    };
    Ok(Supply {
        valid: answer["valid"].as_bool().unwrap_or(false),
        issuance: amount("totalSupply")?,
        minted: amount("totalMintedL2")?,
        burn_count: answer["burnCount"].as_u64().unwrap_or_default(),
        rejected_count: answer["rejectedCount"].as_u64().unwrap_or_default(),
        clawed_back: amount("clawedBack")?,
        deficit: amount("deficit")?,
    })
}

fn number<T: TryFrom<u64>>(value: &Value) -> Result<T> {
    value
        .as_u64()
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Error::other(format!("not a number: {value}")))
}
