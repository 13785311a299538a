//! `l2_getrecoverypoint`: since which block payments may stand on coins that L1 dropped
//! (R19.4, ADR 0033).

use super::{Context, Finality, RpcResult, CERTIFIED};
use crate::args::{Args, Signature};
use cascoin_l2_primitives::{
    chain::{BlockHash, BlockNumber},
    recovery::RecoveryPoint,
};
use serde::Serialize;

pub(super) static RECOVERY_POINT: Signature =
    Signature { method: "l2_getrecoverypoint", arguments: &[], required: 0 };

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

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Point {
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
        state: match status.doubt {
            None => State::Clear,
            Some(doubt) if doubt.stands => State::Stands,
            Some(_) => State::Open,
        },
        since: status.doubt.and_then(|doubt| doubt.since).map(Point::from),
        deficit: at.coins(status.deficit),
    })
}
