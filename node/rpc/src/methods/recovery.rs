//! What forks of L1 leave in doubt (R19.4, ADR 0033).
//! - `l2_getrecoverypoint` says since which block payments may stand on coins that L1
//!   dropped.
//! - `l2_rehearserecovery` says which of users' transactions do. It repeats them all on
//!   that block's state, so it is an unsafe method.

use super::{At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
    errors::Named,
};
use cascoin_l2_primitives::{
    apis::BurnOutcome,
    chain::{AccountId, Balance, BlockHash, BlockNumber},
    recovery::{Fall, Outcome, Past, RecoveryPoint, RecoveryStatus as Status, Verdict},
};
use serde::Serialize;
use sp_runtime::traits::{BlakeTwo256, Hash};
use std::collections::BTreeMap;

pub(super) static RECOVERY_POINT: Signature =
    Signature { method: "l2_getrecoverypoint", arguments: &[], required: 0 };

pub(super) static REHEARSE: Signature =
    Signature { method: "l2_rehearserecovery", arguments: &[], required: 0 };

/// Users' transactions that are repeated at most: they are in memory at once.
const MAX_TRANSACTIONS: usize = 10_000;
/// Credits that are taken into account at most, and what is asked for: one more, so that
/// it shows if there are more.
const MAX_CREDITS: usize = 999;
const ASKED: u32 = MAX_CREDITS as u32 + 1;

/// Whether anything is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// Nothing is.
    Clear,
    /// L1 dropped blocks that this chain acted on. All of it may come again.
    Open,
    /// L1 was followed to the end, and some coins are not backed.
    Stands,
}

impl State {
    fn of(status: &Status) -> Self {
        match status.doubt {
            None => Self::Clear,
            Some(doubt) if doubt.stands => Self::Stands,
            Some(_) => Self::Open,
        }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoveryStatus {
    block_number: BlockNumber,
    #[serde(flatten)]
    finality: Finality,
    state: State,
    /// The last block that owes nothing to what L1 dropped. Those after it are in doubt.
    /// `null` if nothing is in doubt, or if it is not known any more.
    since: Option<Point>,
    /// Minted for burns that L1 dropped, and not there to be taken back.
    deficit: String,
}

/// A block whose state a recovery goes back to.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Point {
    number: BlockNumber,
    hash: BlockHash,
    /// The L1 block that went first, of those that had an effect here.
    l1_height: u32,
}

impl From<RecoveryPoint> for Point {
    fn from(RecoveryPoint { l1_height, number, hash }: RecoveryPoint) -> Self {
        Self { number, hash, l1_height }
    }
}

pub(super) fn recovery_point(context: &Context, _: &Args) -> RpcResult<RecoveryStatus> {
    let at = context.at_head()?;
    let status = context.chain.recovery_status(at.head.hash)?;
    Ok(RecoveryStatus {
        block_number: at.head.number,
        finality: CERTIFIED,
        state: State::of(&status),
        since: status.doubt.and_then(|doubt| doubt.since).map(Point::from),
        deficit: at.coins(status.deficit),
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rehearsal {
    block_number: BlockNumber,
    #[serde(flatten)]
    finality: Finality,
    state: State,
    /// The block whose state they are repeated on; `null` if no doubt stands, or none that
    /// is known.
    since: Option<Point>,
    /// The last block whose transactions are among them.
    until: BlockNumber,
    /// Whether that is all: not if there are too many transactions, or burns.
    complete: bool,
    /// How many hold without what L1 dropped.
    holds: usize,
    /// How many had failed in their blocks, and are not tried.
    had_failed: usize,
    /// Those that do not hold.
    fell: Vec<Fallen>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fallen {
    block: BlockNumber,
    /// Its index in the block.
    index: usize,
    hash: BlockHash,
    from: Option<String>,
    reason: String,
}

/// A user's transaction, and where it stands.
struct User {
    block: BlockNumber,
    index: usize,
    hash: BlockHash,
    from: Option<AccountId>,
}

pub(super) fn rehearse(context: &Context, _: &Args) -> RpcResult<Rehearsal> {
    let at = context.at_head()?;
    let status = context.chain.recovery_status(at.head.hash)?;
    let mut rehearsal = Rehearsal {
        block_number: at.head.number,
        finality: CERTIFIED,
        state: State::of(&status),
        since: None,
        until: at.head.number,
        complete: true,
        holds: 0,
        had_failed: 0,
        fell: Vec::new(),
    };
    // As long as all may come again, nothing is known of what does not.
    let stands = status.doubt.filter(|doubt| doubt.stands);
    let Some(point) = stands.and_then(|doubt| doubt.since) else { return Ok(rehearsal) };
    rehearsal.since = Some(point.into());

    let (credits, all_credits) = credits(context, &at, point.number)?;
    let (mut users, mut blocks, mut count) = (Vec::new(), Vec::new(), 0usize);
    for number in point.number.saturating_add(1)..=at.head.number {
        let (of_block, past) = users_of(context, number)?;
        count = count.saturating_add(past.len());
        if count > MAX_TRANSACTIONS {
            rehearsal.until = number.saturating_sub(1);
            break;
        }
        if !past.is_empty() {
            users.push(of_block);
            blocks.push(past);
        }
    }
    rehearsal.complete = all_credits && rehearsal.until == at.head.number;
    let verdicts = context.chain.rehearse_recovery(point.hash, credits, blocks)?;
    for (user, verdict) in users.into_iter().flatten().zip(verdicts.into_iter().flatten()) {
        match verdict {
            Verdict::Holds => rehearsal.holds = rehearsal.holds.saturating_add(1),
            Verdict::HadFailed => rehearsal.had_failed = rehearsal.had_failed.saturating_add(1),
            Verdict::Fell(fall) => rehearsal.fell.push(Fallen {
                block: user.block,
                index: user.index,
                hash: user.hash,
                from: user.from.as_ref().map(show_account),
                reason: reason(&fall),
            }),
        }
    }
    Ok(rehearsal)
}

/// What was minted after a block for burns that L1 has, and whether that is all of it. A
/// burn that was taken back and came again is in the history twice: it brings no more than
/// it has brought by now.
fn credits(
    context: &Context,
    at: &At,
    since: BlockNumber,
) -> RpcResult<(Vec<(AccountId, Balance)>, bool)> {
    let (from, to) = (since.saturating_add(1), at.head.number);
    let minted = context.chain.mint_history(at.head.hash, from, to, ASKED)?;
    let all = minted.len() <= MAX_CREDITS;
    let (mut credits, mut brought) = (Vec::new(), BTreeMap::<_, u64>::new());
    for record in minted.into_iter().take(MAX_CREDITS) {
        let burns = context.chain.burns_of_transaction(at.head.hash, record.outpoint.txid)?;
        let burn = burns.into_iter().find(|burn| burn.outpoint == record.outpoint);
        let Some(burn) = burn.filter(|burn| burn.outcome != BurnOutcome::Reverted) else {
            continue;
        };
        let of_burn = brought.entry((record.outpoint.txid.0, record.outpoint.vout)).or_default();
        let amount = record.amount.min(burn.minted.saturating_sub(*of_burn));
        *of_burn = of_burn.saturating_add(amount);
        if let Some(recipient) = record.recipient.filter(|_| amount > 0) {
            credits.push((recipient, Balance::from(amount)));
        }
    }
    Ok((credits, all))
}

/// The users' transactions of a block.
fn users_of(context: &Context, number: BlockNumber) -> RpcResult<(Vec<User>, Vec<Past<Vec<u8>>>)> {
    let missing = || Named::BlockNotFound.with(format!("this node has no body of block {number}"));
    let hash = context.chain.hash_of(number)?.ok_or_else(missing)?;
    let block = context.chain.block(hash)?.ok_or_else(missing)?;
    let (mut users, mut past) = (Vec::new(), Vec::new());
    for (index, transaction) in block.transactions.ok_or_else(missing)?.into_iter().enumerate() {
        let described = context.chain.describe(&transaction);
        if described.kind == Some("signed") {
            let (hash, from) = (BlakeTwo256::hash(&transaction), described.signer);
            users.push(User { block: number, index, hash, from });
            past.push(Past { transaction, outcome: Outcome::Succeeded });
        }
    }
    // Most blocks have none, and events are long.
    if !past.is_empty() {
        let outcomes = context.chain.outcomes(hash)?;
        for (user, past) in users.iter().zip(&mut past) {
            let noted = outcomes.iter().find(|(index, _)| *index as usize == user.index);
            past.outcome = noted.map_or(Outcome::Succeeded, |(_, outcome)| *outcome);
        }
    }
    Ok((users, past))
}

/// Why a transaction does not hold.
pub(super) fn reason(fall: &Fall) -> String {
    match fall {
        Fall::Refused(error) => <&'static str>::from(*error).to_owned(),
        Fall::Failed(error) => format!("{error:?}"),
        Fall::Unreadable => "this runtime cannot read it".to_owned(),
        Fall::PartlyFailed => "a call inside of it had failed in its block".to_owned(),
    }
}
