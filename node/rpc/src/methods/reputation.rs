//! `l2_getreputation`: an account's score and what it comes from (R6.4, R10.3).

use super::{account::account, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    chain::BlockHash,
    l1::{address::L1Address, signed_message::link_message},
    reputation::{rule::Suspicion, Day, Score},
};
use serde::Serialize;

pub(super) static REPUTATION: Signature =
    Signature { method: "l2_getreputation", arguments: &["address"], required: 1 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reputation {
    address: String,
    /// The score that counts, 0 to 100.
    score: u8,
    /// Whether its transactions count as final for their receivers at once.
    instant_finality: bool,
    parts: Parts,
    activity: ActivityOnL2,
    /// The L1 address that the account proved to hold; null if none.
    l1_address: Option<String>,
    /// What the wallet of an L1 address signs (`signmessage`) to link it to the account
    /// with `reputation.linkL1Address`.
    link_message: String,
    block_number: u32,
    block_hash: BlockHash,
    #[serde(flatten)]
    finality: Finality,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    /// L1's score: as it was imported, or else 30 % of `trust`, 20 % of `l1Economic` and
    /// 10 % of `l1Temporal`, and then no more than `attested`.
    l1: u8,
    /// What the web of trust on L1 says of the linked address.
    trust: u8,
    /// What the account's coins give that are locked on L1.
    l1_economic: u8,
    /// What the linked address's acting on L1 over time gives.
    l1_temporal: u8,
    /// What more than two thirds of the sequencers' L1 nodes say of the linked address at
    /// most; null if they do not.
    attested: Option<u8>,
    behaviour: u8,
    economic: u8,
    /// Points taken away for offences.
    penalty: u8,
    /// Why the score is at most 50; null if it is not.
    suspicion: Option<Suspicion>,
}

/// As far as inactivity has not made it forgotten.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityOnL2 {
    transactions: u32,
    failed: u32,
    /// What its transfers moved.
    volume: String,
    /// Different recipients, at least.
    partners: u32,
    /// Days since 1970; null before the first transaction.
    first_day: Option<Day>,
    last_day: Option<Day>,
}

pub(super) fn reputation(context: &Context, args: &Args) -> RpcResult<Reputation> {
    let at = context.at_head()?;
    let account = account(&at, args)?;
    let report = context.chain.reputation(at.head.hash, account.clone())?;
    let parts = report.breakdown;
    let day = |day: Day| Some(day).filter(|day| *day > 0);
    let l1_address = report.l1_address.map(|hash| L1Address::PublicKeyHash(hash.0));
    Ok(Reputation {
        address: show_account(&account),
        score: parts.aggregated.get(),
        instant_finality: report.instant_finality,
        parts: Parts {
            l1: parts.l1.get(),
            trust: parts.trust.get(),
            l1_economic: parts.l1_economic.get(),
            l1_temporal: parts.l1_temporal.get(),
            attested: parts.attested.map(Score::get),
            behaviour: parts.behaviour.get(),
            economic: parts.economic.get(),
            penalty: parts.penalty,
            suspicion: parts.suspicion,
        },
        activity: ActivityOnL2 {
            transactions: report.transactions,
            failed: report.failed,
            volume: at.coins(report.volume),
            partners: report.partners,
            first_day: day(report.first_day),
            last_day: day(report.last_day),
        },
        l1_address: l1_address.map(|address| address.encode(at.l1_params())),
        link_message: link_message(&at.head.genesis.0, account.as_ref()),
        block_number: at.head.number,
        block_hash: at.head.hash,
        finality: CERTIFIED,
    })
}
