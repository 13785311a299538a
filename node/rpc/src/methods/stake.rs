//! `l2_createstaketx`, `l2_sendstaketx` and `l2_releasestaketx`: stake that is locked on
//! L1. They use the L1 wallet of this node's operator, so they are unsafe methods.

use super::{account::account_at, At, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::{invalid_params, Named},
};
use cascoin_l1::{
    stake_tx::{StakeOrder, StakeTxError},
    L1Error,
};
use cascoin_l2_primitives::l1::{
    address::L1Address,
    stake::{MAX_RANKED_BLOCKS, MAX_UNLOCK, MIN_LOCK_BLOCKS},
    L1Hash,
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

pub(super) static CREATE_STAKE: Signature = Signature {
    method: "l2_createstaketx",
    arguments: &["address", "amount", "unlockheight", "owner"],
    required: 3,
};
pub(super) static SEND_STAKE: Signature =
    Signature { method: "l2_sendstaketx", arguments: &["hex"], required: 1 };
pub(super) static RELEASE_STAKE: Signature =
    Signature { method: "l2_releasestaketx", arguments: &["txid"], required: 1 };

/// L1 blocks that a transaction may wait until it is mined: a quarter of a day.
const SPARE_BLOCKS: u32 = 144;
/// Whoever wants to lock coins for longer than four years has mistyped.
const MOST_BLOCKS: u32 = 4 * MAX_RANKED_BLOCKS;

/// What went wrong, by whose fault it is.
pub(super) fn failure(error: StakeTxError) -> ErrorObjectOwned {
    match error {
        StakeTxError::L1(L1Error::Rpc { message, .. }) if message.contains("Keypool ran out") => {
            Named::KeypoolRanOut.with(message)
        }
        StakeTxError::L1(error @ L1Error::Rpc { .. }) => Named::L1Refused.with(error),
        StakeTxError::L1(error) => Named::L1Unavailable.with(error),
        StakeTxError::InsufficientFunds(_)
        | StakeTxError::AbsurdFee { .. }
        | StakeTxError::NotSigned
        | StakeTxError::NotTheOwner(_) => Named::L1Refused.with(error),
        StakeTxError::NotAStake
        | StakeTxError::OtherChain(_)
        | StakeTxError::SeveralDataOutputs(_) => Named::NotAStake.with(error),
        StakeTxError::NotATransaction(_) | StakeTxError::BadAmount(_) => {
            invalid_params(error.to_string())
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedStake {
    /// The transaction: funded, not signed.
    hex: String,
    /// Whose stake it is.
    address: String,
    amount: String,
    /// The L1 height that nobody can spend it at or below.
    unlock_height: u32,
    /// The last L1 height at which it counts.
    counts_until: u32,
    /// The L1 address whose key can spend it then.
    owner: String,
    chain_id: u32,
    fee: String,
    message: &'static str,
}

pub(super) fn create_stake(context: &Context, args: &Args) -> RpcResult<CreatedStake> {
    let at = context.at_head()?;
    let account = account_at(&at, args, 0)?;
    let value = amount(&at, args)?;
    let margin = at.parameters.l1_stake_margin();
    let unlock = unlock(context, &at, args, margin)?;
    let owner = match args.optional_text(3) {
        None => None,
        Some(text) => match L1Address::parse(text.trim(), at.l1_params()) {
            Ok(L1Address::PublicKeyHash(hash)) => Some(hash),
            Ok(_) => return Err(args.unexpected(3, "an L1 address of a key, not of a script")),
            Err(error) => return Err(args.wrong(3, &error.to_string())),
        },
    };
    let chain_id = at.parameters.chain_id;
    let order = StakeOrder { chain_id, account, value, unlock, owner };
    let created = context.l1()?.create_stake(&order).map_err(failure)?;
    let locked = created.locked;
    Ok(CreatedStake {
        hex: hex::encode(&created.raw),
        address: show_account(&locked.payload.account),
        amount: at.coins(locked.value),
        unlock_height: locked.payload.unlock,
        counts_until: counts_until(locked.payload.unlock, margin),
        owner: L1Address::PublicKeyHash(locked.payload.owner).encode(at.l1_params()),
        chain_id,
        fee: at.coins(created.fee),
        message: "not signed and not sent: check it, then l2_sendstaketx signs it with the L1 \
                  wallet and sends it; until the unlock height nobody gets the coins back. \
                  Keep the owner's key",
    })
}

/// The last L1 height at which a lock counts, with a margin of this many blocks: one at
/// least, since at its end it can be spent.
fn counts_until(unlock: u32, margin: u32) -> u32 {
    unlock.saturating_sub(margin.max(1))
}

fn amount(at: &At, args: &Args) -> RpcResult<u64> {
    let units = args.amount(1, at.parameters.decimals)?;
    let (least, most) = (at.parameters.min_l1_lock().max(1), at.l1_params().max_money);
    let fits = |amount: &u64| u128::from(*amount) >= least && *amount <= most;
    u64::try_from(units).ok().filter(fits).ok_or_else(|| {
        let (least, most) = (at.coins(least), at.coins(most));
        args.wrong(1, &format!("expected at least {least} and at most {most}"))
    })
}

/// The height at which the lock ends: one that it can count until.
fn unlock(context: &Context, at: &At, args: &Args, margin: u32) -> RpcResult<u32> {
    let expected = "the L1 height at which the lock ends";
    let unlock = args.required::<u32>(2, expected)?;
    let applied = context.chain.relay(at.head.hash)?.applied_height;
    let tip = context.l1()?.summary().tip_height.unwrap_or(0).max(applied);
    let blocks = margin.max(MIN_LOCK_BLOCKS).saturating_add(SPARE_BLOCKS);
    let least = tip.saturating_add(blocks);
    let most = tip.saturating_add(MOST_BLOCKS).min(MAX_UNLOCK);
    if (least..=most).contains(&unlock) {
        return Ok(unlock);
    }
    Err(args.wrong(2, &format!("expected {expected}, from {least} to {most}")))
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentStakeAnswer {
    txid: L1Hash,
    address: String,
    amount: String,
    unlock_height: u32,
    chain_id: u32,
    confirmations_needed: u32,
    message: &'static str,
}

pub(super) fn send_stake(context: &Context, args: &Args) -> RpcResult<SentStakeAnswer> {
    let raw = hex::decode(args.text(0).trim())
        .map_err(|_| args.unexpected(0, "an L1 transaction in hex"))?;
    let at = context.at_head()?;
    let sent = context.l1()?.send_stake(&raw, at.parameters.chain_id).map_err(failure)?;
    Ok(SentStakeAnswer {
        txid: sent.txid,
        address: show_account(&sent.locked.payload.account),
        amount: at.coins(sent.locked.value),
        unlock_height: sent.locked.payload.unlock,
        chain_id: at.parameters.chain_id,
        confirmations_needed: at.parameters.l1_confirmations,
        message: "sent; once it is confirmed the account has it as lockedOnL1. Keep the txid: \
                  l2_releasestaketx needs it",
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReleasedStakeAnswer {
    /// The L1 transaction that spends the lock.
    txid: L1Hash,
    /// The wallet's L1 address that it pays to.
    address: String,
    amount: String,
    fee: String,
    message: &'static str,
}

pub(super) fn release_stake(context: &Context, args: &Args) -> RpcResult<ReleasedStakeAnswer> {
    let text = args.text(0).trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let txid = text.parse().map_err(|_| args.unexpected(0, "the id of an L1 transaction"))?;
    let at = context.at_head()?;
    let released = context.l1()?.release_stake(txid).map_err(failure)?;
    Ok(ReleasedStakeAnswer {
        txid: released.txid,
        address: released.address,
        amount: at.coins(released.value),
        fee: at.coins(released.fee),
        message: "sent; the coins are the L1 wallet's again",
    })
}

#[cfg(test)]
mod tests {
    use super::counts_until;

    /// As the chain says it: a lock counts at heights with margin blocks left, and one at
    /// least.
    #[test]
    fn a_lock_counts_until_its_margin_and_never_at_its_end() {
        assert_eq!(counts_until(1_000, 100), 900);
        assert_eq!((counts_until(1_000, 1), counts_until(1_000, 0)), (999, 999));
        assert_eq!(counts_until(5, 100), 0);
    }
}
