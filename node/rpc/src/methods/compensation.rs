//! `l2_getcompensation`: what an account gets back of its fees after outages (R25.6).

use super::{account::account, At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    apis::{ClaimStanding, OutageClaim},
    chain::{Balance, BlockNumber},
};
use codec::Encode;
use serde::Serialize;
use sp_runtime::OpaqueExtrinsic;

pub(super) static COMPENSATION: Signature =
    Signature { method: "l2_getcompensation", arguments: &["address"], required: 1 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Compensation {
    address: String,
    block_number: u32,
    #[serde(flatten)]
    finality: Finality,
    /// What can be claimed now, of all outages.
    claimable: String,
    count: usize,
    /// Oldest first.
    outages: Vec<Outage>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outage {
    outage: u32,
    /// `open`: fees are compensated still; `claimable`.
    status: &'static str,
    /// What was burned of the account's fees.
    compensable: String,
    /// What a claim pays: the same, or less where the fund has too little; null while that
    /// is not known.
    amount: Option<String>,
    /// The last block in which fees are compensated, or in which it can be claimed.
    until: BlockNumber,
    /// Claims it if anybody hands it to `author_submitExtrinsic`: nobody signs it, and it
    /// costs nothing. Null while nothing can be claimed.
    transaction: Option<String>,
}

pub(super) fn compensation(context: &Context, args: &Args) -> RpcResult<Compensation> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    let claims = context.chain.compensation(at.head.hash, account.clone())?;
    let claimable = claims.iter().fold(0, |sum: Balance, claim| match claim.standing {
        ClaimStanding::Claimable { amount, .. } => sum.saturating_add(amount),
        ClaimStanding::Open { .. } => sum,
    });
    Ok(Compensation {
        address: show_account(&account),
        block_number: at.head.number,
        finality: CERTIFIED,
        claimable: at.coins(claimable),
        count: claims.len(),
        outages: claims.into_iter().map(|claim| show(&at, claim)).collect(),
    })
}

fn show(at: &At, claim: OutageClaim<OpaqueExtrinsic>) -> Outage {
    let OutageClaim { outage, compensable, standing } = claim;
    let compensable = at.coins(compensable);
    match standing {
        ClaimStanding::Open { until } => {
            Outage { outage, status: "open", compensable, amount: None, until, transaction: None }
        }
        ClaimStanding::Claimable { amount, until, transaction } => Outage {
            outage,
            status: "claimable",
            compensable,
            amount: Some(at.coins(amount)),
            until,
            transaction: Some(format!("0x{}", hex::encode(transaction.encode()))),
        },
    }
}
