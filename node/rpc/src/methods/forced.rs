//! `l2_forceinclusion`: puts a transaction on L1, so that it is included whatever
//! sequencers want (R17.4). It uses the L1 wallet of this node's operator, so it is an
//! unsafe method.

use super::{stake, Context, RpcResult};
use crate::{
    args::{Args, Signature},
    errors::{invalid_params, Named},
};
use cascoin_l1::forced_tx::{ForcedOrder, ForcedTxError};
use cascoin_l2_primitives::l1::{forced::MAX_FORCED_BYTES, L1Hash};
use codec::DecodeAll;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use sp_core::blake2_256;

pub(super) static FORCE: Signature =
    Signature { method: "l2_forceinclusion", arguments: &["transaction", "burn"], required: 1 };

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
    hash: String,
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
    let paid = match args.optional_text(1) {
        None => 0,
        Some(_) => u64::try_from(args.amount(1, at.parameters.decimals)?)
            .map_err(|_| args.wrong(1, "more than there is"))?,
    };
    let chain_id = at.parameters.chain_id;
    let hash = format!("0x{}", hex::encode(blake2_256(&transaction)));
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
