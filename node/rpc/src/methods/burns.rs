//! `l2_getburnstatus`, `l2_getpendingburns`, `l2_getminthistory` and
//! `l2_getburnsforaddress`. What a burn waits for, its place and its times come from the
//! chain (`burn_waits`).

use super::{account::account, At, Context, RpcResult};
use crate::{
    address::show_account,
    args::{Args, Signature},
    burn_status::{self, overall, reason_name, wait_name, BurnStatus, Verdict},
    errors::Named,
};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, MintRecord},
    chain::Moment,
    l1::{L1Hash, OutPoint},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) static BURN_STATUS: Signature =
    Signature { method: "l2_getburnstatus", arguments: &["l1txhash"], required: 1 };
pub(super) static RETRY_BURN: Signature =
    Signature { method: "l2_retryburn", arguments: &["l1txhash", "vout"], required: 1 };
pub(super) static PENDING_BURNS: Signature =
    Signature { method: "l2_getpendingburns", arguments: &[], required: 0 };
pub(super) static MINT_HISTORY: Signature =
    Signature { method: "l2_getminthistory", arguments: &["from_block", "to_block"], required: 0 };
pub(super) static BURNS_FOR_ADDRESS: Signature =
    Signature { method: "l2_getburnsforaddress", arguments: &["address"], required: 1 };

/// Most burns of one answer. One more is asked for, to tell whether there are more.
const LIMIT: usize = 500;
/// Most records that pallet-burn-mint gives at once.
const MAX_RECORDS: usize = 1_000;
/// Most transactions looked up for one answer: an L1 block can hold thousands.
const MAX_LOOKUPS: usize = 64;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BurnStatusAnswer {
    found: bool,
    l1_tx_hash: L1Hash,
    chain_id: u32,
    /// That of the least advanced output.
    consensus_status: Option<BurnStatus>,
    confirmations: Option<u32>,
    confirmations_required: u32,
    /// What its outputs burn together for this chain.
    burn_amount: String,
    /// The burn outputs of the transaction, by position.
    burns: Vec<Burn>,
    /// There are more.
    truncated: bool,
    message: &'static str,
}

/// One burn output.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Burn {
    l1_tx_hash: L1Hash,
    vout: u32,
    status: BurnStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    message: &'static str,
    burn_amount: String,
    /// What the payload says, if that differs from what was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded_amount: Option<String>,
    l2_recipient: Option<String>,
    confirmations: Option<u32>,
    confirmations_required: u32,
    /// Votes for its L1 block, while that vote is open.
    consensus_confirmations: Option<usize>,
    consensus_confirmations_needed: usize,
    /// Seconds until the open vote counts as failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_in: Option<u64>,
    /// `null` while it is in no L1 block.
    l1_block_number: Option<u32>,
    l1_block_hash: Option<L1Hash>,
    /// L2 block that minted it.
    l2_mint_block: Option<u32>,
    /// Time of the L2 block that applied it.
    timestamp: Option<Moment>,
    /// What of it is minted, once the chain has a record of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    minted_amount: Option<String>,
    /// What a confirmed burn waits for, or that there are too few sequencers.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'static str>,
    /// `BRIDGE_DEPOSIT_LIMIT` if that is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    /// Burns before it in the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_place: Option<u64>,
    /// L2 time before which no more of it is minted, by the limits in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_mint_at: Option<Moment>,
    /// L2 time before which it is not minted in full, by the limits in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete_mint_at: Option<Moment>,
}

impl Burn {
    fn new(at: &At, judged: &burn_status::Context, verdict: &Verdict) -> Self {
        let minted = verdict.status == BurnStatus::Minted;
        Self {
            l1_tx_hash: verdict.outpoint.txid,
            vout: verdict.outpoint.vout,
            status: verdict.status,
            reason: verdict.reason.map(reason_name),
            message: verdict.message,
            burn_amount: at.coins(verdict.value),
            encoded_amount: verdict
                .encoded_amount
                .filter(|amount| *amount != verdict.value)
                .map(|amount| at.coins(amount)),
            l2_recipient: verdict.recipient.as_ref().map(show_account),
            confirmations: verdict.confirmations,
            confirmations_required: at.parameters.l1_confirmations,
            consensus_confirmations: verdict.votes,
            consensus_confirmations_needed: judged.needed(),
            timeout_in: verdict
                .times_out_at
                .map(|deadline| deadline.saturating_sub(judged.now).div_ceil(1_000)),
            l1_block_number: verdict.l1_height,
            l1_block_hash: verdict.l1_hash,
            l2_mint_block: verdict.applied.filter(|_| minted).map(|(block, _)| block),
            timestamp: verdict.applied.map(|(_, time)| time),
            minted_amount: verdict.minted.map(|amount| at.coins(amount)),
            waits_for: verdict.waits_for.map(wait_name),
            limit: verdict
                .waits_for
                .filter(|cause| cause.is_limit())
                .map(|_| Named::DepositLimit.name()),
            queue_place: verdict.wait.map(|wait| wait.place),
            next_mint_at: verdict.wait.and_then(|wait| wait.next_at),
            complete_mint_at: verdict.wait.and_then(|wait| wait.complete_at),
        }
    }
}

fn judged(context: &Context, at: &At) -> RpcResult<burn_status::Context> {
    let header = context.chain.header(at.head.hash)?;
    Ok(burn_status::Context {
        parameters: at.parameters.clone(),
        relay: context.chain.relay(at.head.hash)?,
        sequencers: context.chain.sequencers(at.head.hash)?.members.len(),
        now: header.as_ref().and_then(super::block::timestamp).unwrap_or_default(),
        l1_tip: context.l1.as_ref().and_then(|l1| l1.summary().tip_height),
        waits: BTreeMap::new(),
    })
}

/// Asks the chain how those of some burns wait that do.
fn look_up_waits(
    context: &Context,
    at: &At,
    records: &[BurnRecord],
    judged: &mut burn_status::Context,
) -> RpcResult<()> {
    let deferred = records.iter().filter(|record| record.outcome == BurnOutcome::Deferred);
    let outpoints: Vec<OutPoint> = deferred.map(|record| record.outpoint).collect();
    if outpoints.is_empty() {
        return Ok(());
    }
    let waits = context.chain.burn_waits(at.head.hash, outpoints.clone())?;
    let known = outpoints.into_iter().zip(waits);
    judged.waits.extend(known.filter_map(|(outpoint, wait)| Some((outpoint, wait?))));
    Ok(())
}

/// The burns of one L1 transaction.
struct OfTransaction {
    at: At,
    judged: burn_status::Context,
    verdicts: Vec<Verdict>,
    truncated: bool,
}

pub(super) fn txid(args: &Args) -> RpcResult<L1Hash> {
    let text = args.text(0).trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    text.parse().map_err(|_| args.unexpected(0, "the L1 transaction's id, 64 hex digits"))
}

fn of_transaction(context: &Context, txid: L1Hash) -> RpcResult<OfTransaction> {
    let at = context.at_head()?;
    let mut judged = judged(context, &at)?;
    let records = context.chain.burns_of_transaction(at.head.hash, txid)?;
    look_up_waits(context, &at, &records, &mut judged)?;
    let mut seen = context.l1.as_ref().map(|l1| l1.seen(txid)).unwrap_or_default();
    let truncated = records.len() >= MAX_RECORDS || seen.len() > MAX_RECORDS;
    seen.truncate(MAX_RECORDS);
    let mut verdicts = judged.verdicts(&records, &seen);
    if let (true, Some(l1)) = (verdicts.is_empty(), &context.l1) {
        verdicts = l1.unconfirmed(txid).iter().map(|burn| judged.of_unconfirmed(burn)).collect();
    }
    Ok(OfTransaction { at, judged, verdicts, truncated })
}

pub(super) fn burn_status(context: &Context, args: &Args) -> RpcResult<BurnStatusAnswer> {
    let txid = txid(args)?;
    let OfTransaction { at, judged, verdicts, truncated } = of_transaction(context, txid)?;
    let valid = verdicts.iter().filter(|verdict| verdict.status != BurnStatus::Rejected);
    let total: u128 = valid.map(|verdict| u128::from(verdict.value)).sum();
    let status = overall(&verdicts);
    let least = verdicts.iter().find(|verdict| Some(verdict.status) == status);
    Ok(BurnStatusAnswer {
        found: !verdicts.is_empty(),
        l1_tx_hash: txid,
        chain_id: at.parameters.chain_id,
        consensus_status: status,
        confirmations: least.and_then(|verdict| verdict.confirmations),
        confirmations_required: at.parameters.l1_confirmations,
        burn_amount: at.coins(total),
        burns: verdicts.iter().map(|verdict| Burn::new(&at, &judged, verdict)).collect(),
        truncated,
        message: match (least, &context.l1) {
            (Some(least), _) => least.message,
            (None, Some(_)) => {
                "no burn of this transaction is known here; of rejected ones the last 4,096 are kept"
            }
            (None, None) => {
                "no burn of this transaction is on record, and this node has no L1 node to look for \
                 it; of rejected ones the last 4,096 are kept"
            }
        },
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retried {
    l1_tx_hash: L1Hash,
    vout: u32,
    consensus_status: BurnStatus,
    /// Whether there was anything to try again.
    retried: bool,
    /// Whether this node has a vote.
    is_sequencing: bool,
    message: &'static str,
}

/// Looks at L1 now and votes again for a burn that is not confirmed (O6): what this node
/// does by itself, without its pauses.
pub(super) fn retry_burn(context: &Context, args: &Args) -> RpcResult<Retried> {
    let txid = txid(args)?;
    let vout: Option<u32> = args.optional(1, "the position of the output")?;
    let l1 = context.l1()?;
    let burns = of_transaction(context, txid)?;
    let verdict = burns
        .verdicts
        .iter()
        .filter(|verdict| vout.is_none_or(|vout| verdict.outpoint.vout == vout))
        .min_by_key(|verdict| verdict.status)
        .ok_or_else(|| Named::NotABurn.with("no such burn is known here"))?;
    match verdict.status {
        BurnStatus::Minted => return Err(Named::AlreadyMinted.with("it is minted")),
        BurnStatus::Rejected => return Err(Named::NotABurn.with(verdict.message)),
        _ => {}
    }
    let is_sequencing = context.engine.status().sequencing;
    // What is on record waits on the chain; what fails without a vote has none to come.
    let hopeless = verdict.status == BurnStatus::Failed && verdict.votes.is_none();
    let retried = verdict.applied.is_none() && !hopeless;
    if retried {
        l1.retry();
    }
    Ok(Retried {
        l1_tx_hash: txid,
        vout: verdict.outpoint.vout,
        consensus_status: verdict.status,
        retried,
        is_sequencing,
        message: match (retried, is_sequencing) {
            (false, _) => verdict.message,
            (true, true) => {
                "L1 is looked at now, and this sequencer's vote is sent again if it is not on chain"
            }
            (true, false) => {
                "L1 is looked at now; this node has no vote, so ask the operators of sequencers"
            }
        },
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingBurns {
    count: usize,
    truncated: bool,
    burns: Vec<Burn>,
    /// L1 blocks with votes but no quorum yet. They come from the chain, so also a
    /// node without an L1 node lists them.
    open_votes: Vec<Vote>,
    /// False if this node has no L1 node; then `burns` are only those that wait in the
    /// chain's queue.
    sees_l1: bool,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Vote {
    l1_block_number: u32,
    l1_block_hash: L1Hash,
    event_count: u32,
    confirmation_count: usize,
    confirmations_needed: usize,
    timeout_in: u64,
}

pub(super) fn pending_burns(context: &Context, _: &Args) -> RpcResult<PendingBurns> {
    let at = context.at_head()?;
    let mut judged = judged(context, &at)?;
    // What waits to be credited is on the chain's own record, however old it is.
    let deferred = context.chain.deferred_burns(at.head.hash, ASKED)?;
    look_up_waits(context, &at, &deferred, &mut judged)?;
    let listed: BTreeSet<OutPoint> = deferred.iter().map(|record| record.outpoint).collect();
    let mut burns: Vec<_> =
        deferred.iter().map(|record| Burn::new(&at, &judged, &judged.of_record(record))).collect();
    let mut records: BTreeMap<L1Hash, Vec<BurnRecord>> = BTreeMap::new();
    let (mut lookups, mut truncated) = (0, false);
    for seen in context.l1.as_ref().map(|l1| l1.recent()).unwrap_or_default() {
        if listed.contains(&seen.outpoint) {
            continue;
        }
        // Of a block that is being applied some burns are on record already.
        if seen.l1_height <= judged.relay.attested.height
            && !records.contains_key(&seen.outpoint.txid)
        {
            if lookups == MAX_LOOKUPS {
                truncated = true;
                continue;
            }
            lookups += 1;
            let found = context.chain.burns_of_transaction(at.head.hash, seen.outpoint.txid)?;
            records.insert(seen.outpoint.txid, found);
        }
        let of_transaction = records.get(&seen.outpoint.txid).into_iter().flatten();
        let verdict =
            match of_transaction.into_iter().find(|record| record.outpoint == seen.outpoint) {
                Some(record) => judged.of_record(record),
                None => judged.of_seen(&seen),
            };
        let waits = match verdict.status {
            BurnStatus::Minted | BurnStatus::Rejected | BurnStatus::Reverted => false,
            BurnStatus::Reached => true,
            // Below what is applied nothing comes any more.
            _ => seen.l1_height > judged.relay.applied_height,
        };
        if waits {
            burns.push(Burn::new(&at, &judged, &verdict));
        }
        if burns.len() > LIMIT {
            break;
        }
    }
    truncated |= burns.len() > LIMIT;
    burns.truncate(LIMIT);
    let open_votes = judged.relay.open_votes.iter().map(|vote| Vote {
        l1_block_number: vote.digest.height,
        l1_block_hash: vote.digest.hash,
        event_count: vote.digest.event_count,
        confirmation_count: vote.voters.len(),
        confirmations_needed: judged.needed(),
        timeout_in: vote
            .since
            .saturating_add(at.parameters.mint_timeout_ms)
            .saturating_sub(judged.now)
            .div_ceil(1_000),
    });
    Ok(PendingBurns {
        count: burns.len(),
        truncated,
        burns,
        open_votes: open_votes.collect(),
        sees_l1: context.l1.is_some(),
    })
}

/// A credit: a burn, or what of it was minted.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mint {
    l1_tx_hash: L1Hash,
    vout: u32,
    l2_mint_block: u32,
    l2_recipient: Option<String>,
    amount: String,
    timestamp: Moment,
    l1_block_number: u32,
    l1_block_hash: L1Hash,
}

/// Credits, and what they add up to.
fn mints(at: &At, credits: &[MintRecord]) -> (Vec<Mint>, String) {
    let total: u128 = credits.iter().map(|credit| u128::from(credit.amount)).sum();
    let mints = credits.iter().map(|credit| Mint {
        l1_tx_hash: credit.outpoint.txid,
        vout: credit.outpoint.vout,
        l2_mint_block: credit.block,
        l2_recipient: credit.recipient.as_ref().map(show_account),
        amount: at.coins(credit.amount),
        timestamp: credit.time,
        l1_block_number: credit.l1_height,
        l1_block_hash: credit.l1_hash,
    });
    (mints.collect(), at.coins(total))
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MintHistory {
    from_block: u32,
    to_block: u32,
    count: usize,
    total_minted: String,
    mints: Vec<Mint>,
    /// There are more; ask again from the last mint's block.
    truncated: bool,
}

/// Cuts to [`LIMIT`] a list that was asked for one more.
fn cut<R>(mut records: Vec<R>) -> (Vec<R>, bool) {
    let truncated = records.len() > LIMIT;
    records.truncate(LIMIT);
    (records, truncated)
}

/// All that a burn has brought, as if it had been one credit, in the last one's block.
fn so_far(record: BurnRecord) -> MintRecord {
    MintRecord {
        outpoint: record.outpoint,
        amount: record.minted,
        recipient: record.recipient,
        l1_height: record.l1_height,
        l1_hash: record.l1_hash,
        block: record.block,
        time: record.time,
    }
}

const ASKED: u32 = LIMIT as u32 + 1;

pub(super) fn mint_history(context: &Context, args: &Args) -> RpcResult<MintHistory> {
    let at = context.at_head()?;
    let from = args.optional(0, "a block height to begin with")?.unwrap_or(0);
    // 0 is "open", as in the L1's own method.
    let to = args.optional(1, "a block height to end with")?.filter(|to| *to != 0);
    let to = to.unwrap_or(at.head.number).min(at.head.number);
    let records = context.chain.mint_history(at.head.hash, from, to, ASKED)?;
    let (records, truncated) = cut(records);
    let (mints, total_minted) = mints(&at, &records);
    Ok(MintHistory {
        from_block: from,
        to_block: to,
        count: mints.len(),
        total_minted,
        mints,
        truncated,
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BurnsForAddress {
    address: String,
    count: usize,
    /// What `burns` adds up to: what was minted so far.
    total_burned: String,
    /// Newest first.
    burns: Vec<Mint>,
    /// There are more, older ones.
    truncated: bool,
}

pub(super) fn burns_for_address(context: &Context, args: &Args) -> RpcResult<BurnsForAddress> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    let address = show_account(&account);
    let (records, truncated) = cut(context.chain.burns_of_account(at.head.hash, account, ASKED)?);
    let minted: Vec<_> = records.into_iter().map(so_far).collect();
    let (burns, total_burned) = mints(&at, &minted);
    Ok(BurnsForAddress { address, count: burns.len(), total_burned, burns, truncated })
}
