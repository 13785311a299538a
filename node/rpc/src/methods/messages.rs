//! `l2_getmessage`: what became of the messages of an L1 transaction, with what is needed to
//! prove it (R9.4); and `l2_createmessagetx`: what an L1 transaction must say to send one.

use super::{burns::txid, At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    l1::{
        cross_layer::{CrossLayerPayload, MAX_CALL},
        L1Hash,
    },
    messages::{MessageFailure, MessageReport, MessageState},
};
use serde::Serialize;

pub(super) static MESSAGE: Signature =
    Signature { method: "l2_getmessage", arguments: &["l1txhash"], required: 1 };

pub(super) static CREATE_MESSAGE: Signature =
    Signature { method: "l2_createmessagetx", arguments: &["call", "gas"], required: 2 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageTransaction {
    chain_id: u32,
    gas: u32,
    /// What `createrawtransaction` takes as `data`.
    data: String,
    /// The whole output script.
    script: String,
    confirmations_needed: u32,
    message: &'static str,
}

/// Nothing is funded or signed here: the first input decides whose message it is, so who
/// holds the key makes the transaction.
pub(super) fn create_message(context: &Context, args: &Args) -> RpcResult<MessageTransaction> {
    let expected = "a call of 1 to 64 bytes in hex, as SCALE encodes it";
    let text = args.text(0).trim();
    let call = hex::decode(text.strip_prefix("0x").unwrap_or(text))
        .ok()
        .filter(|call| (1..=MAX_CALL).contains(&call.len()))
        .ok_or_else(|| args.unexpected(0, expected))?;
    let gas = args.required(1, "the most gas that the call may be worth")?;
    let at = context.at_head()?;
    let chain_id = at.parameters.chain_id;
    let payload = CrossLayerPayload { gas, call };
    let script = payload.script(chain_id).ok_or_else(|| args.unexpected(0, expected))?;
    Ok(MessageTransaction {
        chain_id,
        gas,
        data: hex::encode(payload.data(chain_id).unwrap_or_default()),
        script: hex::encode(&script),
        confirmations_needed: at.parameters.l1_confirmations,
        message: "make an L1 transaction whose first input spends coins of the sender's key, from \
                  a nested segwit address, with this script in one output; the output's value is \
                  destroyed on L1 and credited to the key's account here. From a plain address \
                  (P2PKH) send no value: whoever mines it can rewrite the input, so that nothing \
                  is delivered. With any other first input nothing is, and the value is lost",
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Messages {
    found: bool,
    l1_tx_hash: L1Hash,
    block_number: BlockNumber,
    /// The block whose state says so: `storageKey` is proven against its state root.
    block_hash: String,
    #[serde(flatten)]
    finality: Finality,
    count: usize,
    /// By position.
    messages: Vec<Message>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    vout: u32,
    /// `AWAITS_VALUE`, `QUEUED`, `DELAYED`, `EXECUTED` or `FAILED`.
    status: &'static str,
    sender: String,
    value: String,
    /// Every byte as on L1.
    body: String,
    gas: Option<u32>,
    call: Option<String>,
    l1_block_number: u32,
    l1_block_hash: L1Hash,
    /// The L2 block that applied it.
    applied_block: BlockNumber,
    /// The L2 block in which it was executed, or failed for good.
    done_block: Option<BlockNumber>,
    tries: u8,
    /// Why it failed the last time.
    reason: Option<&'static str>,
    /// What its call said, if that is why.
    error: Option<String>,
    /// For `state_getReadProof`.
    storage_key: String,
}

pub(super) fn message(context: &Context, args: &Args) -> RpcResult<Messages> {
    let txid = txid(args)?;
    let at = context.at_head()?;
    let reports = context.chain.messages_of_transaction(at.head.hash, txid)?;
    Ok(Messages {
        found: !reports.is_empty(),
        l1_tx_hash: txid,
        block_number: at.head.number,
        block_hash: format!("{:?}", at.head.hash),
        finality: CERTIFIED,
        count: reports.len(),
        messages: reports.into_iter().map(|report| show(&at, report)).collect(),
    })
}

fn show(at: &At, report: MessageReport) -> Message {
    let MessageReport { record, awaits_value, storage_key } = report;
    let payload = CrossLayerPayload::read(&record.body);
    let (status, done_block, failure) = match record.state {
        MessageState::Queued(failure) if awaits_value => ("AWAITS_VALUE", None, failure),
        MessageState::Queued(None) => ("QUEUED", None, None),
        MessageState::Queued(failure) => ("DELAYED", None, failure),
        MessageState::Executed { block } => ("EXECUTED", Some(block), None),
        MessageState::Failed { block, reason } => ("FAILED", Some(block), Some(reason)),
    };
    Message {
        vout: record.outpoint.vout,
        status,
        sender: show_account(&record.sender),
        value: at.coins(record.value),
        body: show_bytes(&record.body),
        gas: payload.as_ref().map(|payload| payload.gas),
        call: payload.as_ref().map(|payload| show_bytes(&payload.call)),
        l1_block_number: record.l1_height,
        l1_block_hash: record.l1_hash,
        applied_block: record.applied,
        done_block,
        tries: record.tries,
        reason: failure.map(reason_name),
        error: match failure {
            Some(MessageFailure::Call(error)) => Some(format!("{error:?}")),
            _ => None,
        },
        storage_key: show_bytes(&storage_key),
    }
}

fn show_bytes(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn reason_name(failure: MessageFailure) -> &'static str {
    match failure {
        MessageFailure::Malformed => "MALFORMED",
        MessageFailure::ValueRejected => "VALUE_REJECTED",
        MessageFailure::UnknownCall => "UNKNOWN_CALL",
        MessageFailure::OutOfGas => "OUT_OF_GAS",
        MessageFailure::TooHeavy => "TOO_HEAVY",
        MessageFailure::FeeUnpaid => "FEE_UNPAID",
        MessageFailure::Call(_) => "CALL_FAILED",
        MessageFailure::Dropped => "DROPPED",
        MessageFailure::Duplicate => "DUPLICATE",
    }
}
