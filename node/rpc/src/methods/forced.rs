//! Transactions that are included whatever sequencers want (R17.4).
//! - `l2_forceinclusion` puts one on L1. It uses the L1 wallet of this node's operator, so
//!   it is an unsafe method.
//! - `l2_getforcedtransactions` says which wait, and what became of all.

use super::{stake, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::{invalid_params, Named},
};
use cascoin_l1::forced_tx::{ForcedOrder, ForcedTxError};
use cascoin_l2_primitives::{
    chain::{BlockHash, Moment},
    l1::{forced::MAX_FORCED_BYTES, L1Hash},
};
use codec::DecodeAll;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    OpaqueExtrinsic,
};

pub(super) static FORCE: Signature = Signature {
    method: "l2_forceinclusion",
    arguments: &["transaction", "burn", "unchecked"],
    required: 1,
};

pub(super) static FORCED: Signature =
    Signature { method: "l2_getforcedtransactions", arguments: &["from", "limit"], required: 0 };

/// Entries that are shown if no limit is given.
const DEFAULT_LIMIT: u32 = 20;
/// The most.
const MAX_LIMIT: u32 = 100;

/// What went wrong, by whose fault it is.
fn failure(error: ForcedTxError) -> ErrorObjectOwned {
    match error {
        ForcedTxError::Wallet(error) => stake::failure(error),
        ForcedTxError::BadLength(_) => invalid_params(error.to_string()),
        ForcedTxError::NotShown { .. } => Named::L1Refused.with(error),
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Forced {
    /// The transaction's hash on L2.
    hash: H256,
    /// The L1 transaction that pays to the script.
    funding: L1Hash,
    /// The L1 transaction that shows the data.
    txid: L1Hash,
    chain_id: u32,
    /// What it cost for L1's miners.
    fee: String,
    /// What the message destroys.
    burn: String,
    confirmations_needed: u32,
    /// Seconds from the L1 block on until the chain includes it by itself.
    included_within_seconds: u64,
    message: &'static str,
}

pub(super) fn force(context: &Context, args: &Args) -> RpcResult<Forced> {
    let at = context.at_head()?;
    let transaction = transaction(args)?;
    if !args.optional(2, "true or false")?.unwrap_or(false) {
        check(context, at.head.hash, &transaction)?;
    }
    let paid = match args.optional_text(1) {
        None => 0,
        Some(_) => u64::try_from(args.amount(1, at.parameters.decimals)?)
            .map_err(|_| args.wrong(1, "more than there is"))?,
    };
    let chain_id = at.parameters.chain_id;
    let hash = BlakeTwo256::hash(&transaction);
    let order = ForcedOrder { chain_id, transaction, paid };
    let sent = context.l1()?.force(&order).map_err(failure)?;
    Ok(Forced {
        hash,
        funding: sent.funding,
        txid: sent.txid,
        chain_id,
        fee: at.coins(sent.fee),
        burn: at.coins(paid),
        confirmations_needed: at.parameters.l1_confirmations,
        included_within_seconds: at.parameters.forced_inclusion_s,
        message: "sent; once it is confirmed and applied the event forcedInclusion.Heard tells \
                  when it is overdue, and forcedInclusion.Settled what became of it",
    })
}

/// What the chain would not include now costs nothing on L1. It may do so later, when coins
/// have arrived, say; who knows of that has it posted `unchecked`.
fn check(context: &Context, at: BlockHash, transaction: &[u8]) -> RpcResult<()> {
    let decoded = OpaqueExtrinsic::decode_all(&mut &transaction[..])
        .map_err(|error| Named::TransactionInvalid.with(error))?;
    match context.chain.validity(at, decoded)? {
        Ok(_) => Ok(()),
        Err(refusal) => {
            let reason: &'static str = refusal.into();
            Err(Named::TransactionInvalid
                .with(format!("{reason}; give true as \"unchecked\" to post it all the same")))
        }
    }
}

/// The signed transaction, as `author_submitExtrinsic` takes it.
fn transaction(args: &Args) -> RpcResult<Vec<u8>> {
    let text = args.text(0).trim();
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok();
    let fits = |bytes: &Vec<u8>| {
        // Its own length stands in front.
        bytes.len() <= MAX_FORCED_BYTES && Vec::<u8>::decode_all(&mut &bytes[..]).is_ok()
    };
    bytes.filter(fits).ok_or_else(|| {
        args.unexpected(
            0,
            "a signed transaction in hex, its length in front, of at most 3072 bytes",
        )
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForcedTransactions {
    block_number: u32,
    #[serde(flatten)]
    finality: Finality,
    /// Heard of from L1, ever.
    heard: u64,
    /// Whose nonces were used when their time was over: leaders had included them, or
    /// their accounts' others.
    included: u64,
    /// That no leader had included, though they could be: the chain did.
    applied: u64,
    /// That could not be included.
    dropped: u64,
    /// How many wait.
    waiting: u64,
    /// Some of these, in their order.
    transactions: Vec<WaitingTransaction>,
    /// Who left out such transactions until the chain had to include them, within the last
    /// month.
    censors: Vec<Censor>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Censor {
    address: String,
    /// How many it left out.
    transactions: u32,
    /// When it was found, milliseconds since 1970: the last three epochs.
    occasions: Vec<Moment>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitingTransaction {
    place: u64,
    hash: H256,
    /// The time from which on the chain includes it by itself, milliseconds since 1970.
    due: Moment,
}

pub(super) fn forced(context: &Context, args: &Args) -> RpcResult<ForcedTransactions> {
    let from = args.optional(0, "a place in the queue")?.unwrap_or(0);
    let limit = args.optional(1, "a number of entries")?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(args.unexpected(1, &format!("from 1 to {MAX_LIMIT} entries")));
    }
    let at = context.at_head()?;
    let status = context.chain.forced_inclusion(at.head.hash, from, limit)?;
    let settled = status.included.saturating_add(status.applied).saturating_add(status.dropped);
    Ok(ForcedTransactions {
        block_number: at.head.number,
        finality: CERTIFIED,
        heard: status.heard,
        included: status.included,
        applied: status.applied,
        dropped: status.dropped,
        waiting: status.heard.saturating_sub(settled),
        transactions: status
            .waiting
            .into_iter()
            .map(|entry| WaitingTransaction {
                place: entry.place,
                hash: entry.hash,
                due: entry.due,
            })
            .collect(),
        censors: status
            .censors
            .into_iter()
            .map(|one| Censor {
                address: show_account(&one.account),
                transactions: one.transactions,
                occasions: one.occasions,
            })
            .collect(),
    })
}
