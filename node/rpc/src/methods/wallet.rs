//! `l2_createburntx` and `l2_sendburntx`: they use the L1 wallet of this node's
//! operator, so they are unsafe methods.

use super::{Context, RpcResult};
use crate::{
    address::{parse_recipient, show_account},
    args::{Args, Signature},
    burn_status::reason_name,
    errors::{invalid_params, Named},
};
use cascoin_l1::{burn::BurnError, L1Error};
use cascoin_l2_primitives::l1::{
    burn::{BurnPayload, Recipient},
    L1Hash,
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

pub(super) static CREATE_BURN: Signature =
    Signature { method: "l2_createburntx", arguments: &["amount", "l2_recipient"], required: 2 };
pub(super) static SEND_BURN: Signature =
    Signature { method: "l2_sendburntx", arguments: &["hex"], required: 1 };

/// What went wrong, by whose fault it is.
fn failure(error: BurnError) -> ErrorObjectOwned {
    match error {
        BurnError::L1(L1Error::Rpc { message, .. }) if message.contains("Keypool ran out") => {
            Named::KeypoolRanOut.with(message)
        }
        BurnError::L1(error @ L1Error::Rpc { .. }) => Named::L1Refused.with(error),
        BurnError::L1(error) => Named::L1Unavailable.with(error),
        BurnError::InsufficientFunds(_) | BurnError::AbsurdFee { .. } | BurnError::NotSigned => {
            Named::L1Refused.with(error)
        }
        BurnError::Rejected(reason) => Named::NotABurn.with(format!(
            "its burn would be rejected and its coins lost: {}",
            reason_name(reason)
        )),
        BurnError::NoBurn | BurnError::SeveralDataOutputs(_) | BurnError::AmountMismatch { .. } => {
            Named::NotABurn.with(error)
        }
        BurnError::NotATransaction(_) | BurnError::BadAmount(_) => {
            invalid_params(error.to_string())
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedBurn {
    /// The transaction: funded, not signed.
    hex: String,
    burn_amount: String,
    /// The recipient as the burn names it: a public key, or an account.
    l2_recipient: String,
    l2_recipient_address: String,
    chain_id: u32,
    fee: String,
    burn_script: String,
    message: &'static str,
}

pub(super) fn create_burn(context: &Context, args: &Args) -> RpcResult<CreatedBurn> {
    let at = context.at_head()?;
    let l1_params = at.l1_params();
    let units = args.amount(0, at.parameters.decimals)?;
    let amount = u64::try_from(units)
        .ok()
        .filter(|amount| (1..=l1_params.max_money).contains(amount))
        .ok_or_else(|| {
            let most = at.coins(l1_params.max_money);
            args.wrong(0, &format!("expected more than 0 and at most {most}"))
        })?;
    if u128::from(amount) > at.parameters.max_deposit {
        let most = at.coins(at.parameters.max_deposit);
        return Err(Named::DepositLimit.with(format!(
            "{most} at most; the rest would wait for the next days. Make several burns"
        )));
    }
    let recipient = parse_recipient(args.text(1), l1_params)
        .map_err(|error| args.wrong(1, &error.to_string()))?;
    let account = recipient.account();
    let l2_recipient = match &recipient {
        Recipient::Key(key) => hex::encode(key.0),
        Recipient::Account(account) => format!("0x{}", hex::encode(account)),
    };
    let payload = BurnPayload { chain_id: at.parameters.chain_id, recipient, amount };
    let created = context.l1()?.create_burn(&payload).map_err(failure)?;
    Ok(CreatedBurn {
        hex: hex::encode(&created.raw),
        burn_amount: at.coins(amount),
        l2_recipient,
        l2_recipient_address: show_account(&account),
        chain_id: at.parameters.chain_id,
        fee: at.coins(created.fee),
        burn_script: hex::encode(payload.script()),
        message: "not signed and not sent: check it, then l2_sendburntx signs it with the L1 \
                  wallet and sends it; a burn cannot be undone",
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentBurnAnswer {
    txid: L1Hash,
    vout: u32,
    burn_amount: String,
    l2_recipient: String,
    chain_id: u32,
    confirmations_needed: u32,
    message: &'static str,
}

pub(super) fn send_burn(context: &Context, args: &Args) -> RpcResult<SentBurnAnswer> {
    let raw = hex::decode(args.text(0).trim())
        .map_err(|_| args.unexpected(0, "an L1 transaction in hex"))?;
    let at = context.at_head()?;
    let sent = context.l1()?.send_burn(&raw, at.parameters.chain_id).map_err(failure)?;
    Ok(SentBurnAnswer {
        txid: sent.txid,
        vout: sent.burn.vout,
        burn_amount: at.coins(sent.burn.value),
        l2_recipient: show_account(&sent.burn.payload.recipient.account()),
        chain_id: at.parameters.chain_id,
        confirmations_needed: at.parameters.l1_confirmations,
        message: "sent; follow it with l2_getburnstatus",
    })
}
