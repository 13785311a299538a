//! `l2_getbalance` and `l2_gettransactioncount`.

use super::{At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::{parse_account, show_account},
    args::{Args, Signature},
};
use cascoin_l2_primitives::chain::{AccountId, BlockHash};
use serde::Serialize;

pub(super) static BALANCE: Signature =
    Signature { method: "l2_getbalance", arguments: &["address"], required: 1 };
pub(super) static TRANSACTION_COUNT: Signature =
    Signature { method: "l2_gettransactioncount", arguments: &["address"], required: 1 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceAnswer {
    address: String,
    account: String,
    /// All it owns: free and reserved.
    balance: String,
    /// What a transfer may move: free and not frozen.
    spendable: String,
    free: String,
    reserved: String,
    frozen: String,
    /// `balance` in base units.
    units: String,
    nonce: u32,
    block_number: u32,
    block_hash: BlockHash,
    #[serde(flatten)]
    finality: Finality,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionCount {
    address: String,
    transaction_count: u32,
    block_number: u32,
    #[serde(flatten)]
    finality: Finality,
}

/// The account named by the first argument.
pub(super) fn account(at: &At, args: &Args) -> RpcResult<AccountId> {
    account_at(at, args, 0)
}

/// The account named by an argument.
pub(super) fn account_at(at: &At, args: &Args, position: usize) -> RpcResult<AccountId> {
    parse_account(args.text(position), at.l1_params())
        .map_err(|error| args.wrong(position, &error.to_string()))
}

pub(super) fn balance(context: &Context, args: &Args) -> RpcResult<BalanceAnswer> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    let state = context.chain.account(at.head.hash, &account)?;
    let total = state.free.saturating_add(state.reserved);
    Ok(BalanceAnswer {
        address: show_account(&account),
        account: format!("0x{}", hex::encode(&account)),
        balance: at.coins(total),
        // What is reserved counts towards what is frozen (pallet-balances).
        spendable: at.coins(state.free.saturating_sub(state.frozen.saturating_sub(state.reserved))),
        free: at.coins(state.free),
        reserved: at.coins(state.reserved),
        frozen: at.coins(state.frozen),
        units: total.to_string(),
        nonce: state.nonce,
        block_number: at.head.number,
        block_hash: at.head.hash,
        finality: CERTIFIED,
    })
}

pub(super) fn transaction_count(context: &Context, args: &Args) -> RpcResult<TransactionCount> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    Ok(TransactionCount {
        address: show_account(&account),
        transaction_count: context.chain.account(at.head.hash, &account)?.nonce,
        block_number: at.head.number,
        finality: CERTIFIED,
    })
}
