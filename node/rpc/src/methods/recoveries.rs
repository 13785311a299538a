//! Recoveries after forks of L1 (R19.2, R19.4, ADR 0033).
//! - `l2_getrecovery` says how far one is, what came of the last one, and why none begins.
//! - `l2_getfallentransactions` lists what does not hold after one.

use super::{
    recovery::{reason, Point},
    At, Context, Finality, RpcResult, CERTIFIED,
};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    l1::L1Hash,
    recovery::{LastRecovery, NoRecovery, RecoveryPhase, RecoveryProgress},
};
use serde::Serialize;

pub(super) static RECOVERY: Signature =
    Signature { method: "l2_getrecovery", arguments: &[], required: 0 };

pub(super) static FALLEN: Signature =
    Signature { method: "l2_getfallentransactions", arguments: &["from", "limit"], required: 0 };

/// Entries that are shown if no limit is given.
const DEFAULT_LIMIT: u32 = 100;
/// The most: as the runtime has it.
const MAX_LIMIT: u32 = 1_000;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recovery {
    block_number: BlockNumber,
    #[serde(flatten)]
    finality: Finality,
    /// The recovery that runs.
    running: Option<Running>,
    /// The last one that is over.
    last: Option<Last>,
    /// Sequencers that voted that one begins.
    votes: u32,
    /// How many have to.
    votes_needed: u32,
    /// Why none can begin; `null` if one runs or is voted on.
    why_not: Option<WhyNot>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    number: u32,
    /// The block whose state is gone back to.
    since: Point,
    /// The last block whose transactions are repeated.
    until: BlockNumber,
    /// The L1 block above which L1 is followed again.
    l1_from: L1Block,
    /// Coins that nothing backed when it began.
    deficit: String,
    #[serde(flatten)]
    phase: Phase,
    /// Transactions that hold so far.
    holds: u32,
    /// Transactions that fell so far.
    fell: u32,
    /// Blocks that were passed over so far.
    blocks_abandoned: u32,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct L1Block {
    height: u32,
    hash: L1Hash,
}

/// What it does.
#[derive(Clone, Serialize)]
#[serde(tag = "phase", rename_all = "camelCase")]
enum Phase {
    /// State goes back; blocks hold no transactions.
    Restoring {
        /// Which part of it.
        part: u32,
        /// Of how many.
        parts: u32,
    },
    /// State is mended; blocks hold no transactions.
    Mending,
    /// L1 is delivered again; users' calls are refused.
    L1Again,
    /// Transactions are repeated; new ones are refused.
    Replaying {
        /// Those of this block.
        block: BlockNumber,
    },
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Last {
    number: u32,
    since: Point,
    until: BlockNumber,
    /// The block in which it ended.
    ended_at: BlockNumber,
    deficit: String,
    holds: u32,
    fell: u32,
    /// Blocks that were passed over, because nobody brought all of them: what of them was not
    /// repeated fell, and is not listed.
    blocks_abandoned: u32,
}

/// Why no recovery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum WhyNot {
    /// Nothing is in doubt, or all may still come again.
    NothingStands,
    /// It is not known any more since which block.
    PointForgotten,
    /// Nodes need not have the state of that block any more.
    TooFarBack,
    /// The runtime's code changed since.
    CodeChanged,
    /// That block is before the end of an earlier recovery.
    EarlierRecovery,
    /// The deficit is below what sequencers vote on. Root can begin one.
    BelowThreshold,
    /// One to that block was called off. Root can try again.
    CalledOff,
}

impl From<NoRecovery> for WhyNot {
    fn from(reason: NoRecovery) -> Self {
        match reason {
            NoRecovery::NothingStands => Self::NothingStands,
            NoRecovery::PointForgotten => Self::PointForgotten,
            NoRecovery::TooFarBack => Self::TooFarBack,
            NoRecovery::CodeChanged => Self::CodeChanged,
            NoRecovery::EarlierRecovery => Self::EarlierRecovery,
            NoRecovery::BelowThreshold => Self::BelowThreshold,
            NoRecovery::CalledOff => Self::CalledOff,
        }
    }
}

impl From<RecoveryPhase> for Phase {
    fn from(phase: RecoveryPhase) -> Self {
        match phase {
            RecoveryPhase::Restoring { part, parts } => Self::Restoring { part, parts },
            RecoveryPhase::Mending => Self::Mending,
            RecoveryPhase::L1Again => Self::L1Again,
            RecoveryPhase::Replaying { block, .. } => Self::Replaying { block },
        }
    }
}

impl Running {
    fn of(at: &At, progress: RecoveryProgress) -> Self {
        Self {
            number: progress.number,
            since: progress.since.into(),
            until: progress.begun_at,
            l1_from: L1Block { height: progress.common.height, hash: progress.common.hash },
            deficit: at.coins(progress.deficit),
            phase: progress.phase.into(),
            holds: progress.held,
            fell: progress.fell,
            blocks_abandoned: progress.abandoned,
        }
    }
}

impl Last {
    fn of(at: &At, last: LastRecovery) -> Self {
        Self {
            number: last.number,
            since: last.since.into(),
            until: last.begun_at,
            ended_at: last.ended_at,
            deficit: at.coins(last.deficit),
            holds: last.held,
            fell: last.fell,
            blocks_abandoned: last.abandoned,
        }
    }
}

pub(super) fn recovery(context: &Context, _: &Args) -> RpcResult<Recovery> {
    let at = context.at_head()?;
    let overview = context.chain.recovery_overview(at.head.hash)?;
    Ok(Recovery {
        block_number: at.head.number,
        finality: CERTIFIED,
        running: overview.running.map(|progress| Running::of(&at, progress)),
        last: overview.last.map(|last| Last::of(&at, last)),
        votes: overview.votes,
        votes_needed: overview.quorum,
        why_not: overview.why_not.map(WhyNot::from),
    })
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FallenTransactions {
    block_number: BlockNumber,
    #[serde(flatten)]
    finality: Finality,
    /// Number of the recovery; `null` if there never was one.
    recovery: Option<u32>,
    /// How many fell in it. The newest 65,536 are on record.
    fell: u32,
    /// Some of them, in the order in which they were tried.
    transactions: Vec<Fallen>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fallen {
    /// Its number among those that fell, from 0 on.
    number: u32,
    block: BlockNumber,
    /// Its index among the signed transactions of the block; 4294967295: it is none of them,
    /// L1 had forced it into the block.
    signed_index: u32,
    hash: BlockHash,
    from: Option<String>,
    reason: String,
}

pub(super) fn fallen(context: &Context, args: &Args) -> RpcResult<FallenTransactions> {
    let from = args.optional(0, "the number of an entry")?.unwrap_or(0);
    let limit = args.optional(1, "a number of entries")?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(args.unexpected(1, &format!("from 1 to {MAX_LIMIT} entries")));
    }
    let at = context.at_head()?;
    let overview = context.chain.recovery_overview(at.head.hash)?;
    let running = overview.running.map(|running| (running.number, running.fell));
    let newest = running.or(overview.last.map(|last| (last.number, last.fell)));
    let entries = context.chain.fallen(at.head.hash, from, limit)?;
    let transactions = entries.into_iter().map(|(number, fallen)| Fallen {
        number,
        block: fallen.place.block,
        signed_index: fallen.place.index,
        hash: fallen.hash,
        from: fallen.sender.as_ref().map(show_account),
        reason: reason(&fallen.fall),
    });
    Ok(FallenTransactions {
        block_number: at.head.number,
        finality: CERTIFIED,
        recovery: newest.map(|(number, _)| number),
        fell: newest.map_or(0, |(_, fell)| fell),
        transactions: transactions.collect(),
    })
}
