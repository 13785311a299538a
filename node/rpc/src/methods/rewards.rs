//! `l2_getrewards`: what sequencers earn, and how it came about (R38.6).

use super::{account, At, Context, Finality, RpcResult, CERTIFIED};
use crate::{
    address::show_account,
    args::{Args, Signature},
};
use cascoin_l2_primitives::{
    chain::BlockNumber,
    rewards::{Collected, Payout, SequencerRewards, SessionReward, SettledSession},
};
use serde::Serialize;

pub(super) static REWARDS: Signature =
    Signature { method: "l2_getrewards", arguments: &["address"], required: 0 };

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rewards {
    block_number: u32,
    #[serde(flatten)]
    finality: Finality,
    fee_split: Split,
    /// What waits for sequencers that are there.
    bonus_pool: String,
    /// The session that was settled last; null before the first.
    last_settlement: Option<Settlement>,
    count: usize,
    /// The account that was asked for, or each sequencer of the set.
    sequencers: Vec<Sequencer>,
}

/// Of base fees, in percent.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Split {
    producer: u8,
    others: u8,
    burned: u8,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settlement {
    set_id: u64,
    last_block: BlockNumber,
    /// What the session added to the bonus.
    set_aside: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sequencer {
    address: String,
    /// Settled and not paid yet.
    owed: String,
    /// Paid so far, ever.
    paid: String,
    /// `automatic` or `claimed`.
    payout: &'static str,
    /// Who is paid; null for who claims.
    payout_address: Option<String>,
    /// The last block in which a settlement gives it half; null if none does.
    penalised_until: Option<BlockNumber>,
    /// What its blocks of the running session brought; null if it is not in the set.
    running_session: Option<Running>,
    /// Its part of the last settlement; null if it was not in that set.
    last_reward: Option<Reward>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    blocks: u32,
    base_fees: String,
    tips: String,
    /// Of the base fees: its own, and the other sequencers'.
    producer_part: String,
    others_part: String,
}

/// `amount` = `tips` + `producerPart` + `share` + `bonus` − `withheld`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reward {
    blocks: u32,
    base_fees: String,
    tips: String,
    producer_part: String,
    /// Of the others' parts of other sequencers' blocks, by weight.
    share: String,
    weight: u64,
    bonus: String,
    /// Of the session's blocks, percent, with one decimal.
    uptime_percent: f64,
    withheld: String,
    penalised: bool,
    amount: String,
}

pub(super) fn rewards(context: &Context, args: &Args) -> RpcResult<Rewards> {
    let at = context.at_head()?;
    let asked = args.optional_text(0).map(|_| account::account(&at, args)).transpose()?;
    let report = context.chain.rewards(at.head.hash, asked)?;
    let split = at.parameters.fee_split;
    let given = split.producer.saturating_add(split.others);
    Ok(Rewards {
        block_number: at.head.number,
        finality: CERTIFIED,
        fee_split: Split {
            producer: split.producer,
            others: split.others,
            burned: 100u8.saturating_sub(given),
        },
        bonus_pool: at.coins(report.bonus_pool),
        last_settlement: report.last_session.map(|last| show_session(&at, last)),
        count: report.sequencers.len(),
        sequencers: report.sequencers.into_iter().map(|one| show_sequencer(&at, one)).collect(),
    })
}

fn show_session(at: &At, session: SettledSession) -> Settlement {
    let SettledSession { set_id, last_block, set_aside } = session;
    Settlement { set_id, last_block, set_aside: at.coins(set_aside) }
}

fn show_sequencer(at: &At, one: SequencerRewards) -> Sequencer {
    let (payout, payout_address) = match &one.payout {
        Payout::Own => ("automatic", Some(show_account(&one.account))),
        Payout::To(account) => ("automatic", Some(show_account(account))),
        Payout::Claimed => ("claimed", None),
    };
    Sequencer {
        address: show_account(&one.account),
        owed: at.coins(one.owed),
        paid: at.coins(one.paid),
        payout,
        payout_address,
        penalised_until: one.penalised_until,
        running_session: one.running.map(|running| show_running(at, running)),
        last_reward: one.settled.map(|settled| show_reward(at, settled)),
    }
}

fn show_running(at: &At, running: Collected) -> Running {
    Running {
        blocks: running.blocks,
        base_fees: at.coins(running.base_fees),
        tips: at.coins(running.tips),
        producer_part: at.coins(running.producer_part),
        others_part: at.coins(running.others_part),
    }
}

fn show_reward(at: &At, reward: SessionReward) -> Reward {
    Reward {
        blocks: reward.blocks,
        base_fees: at.coins(reward.base_fees),
        tips: at.coins(reward.tips),
        producer_part: at.coins(reward.producer_part),
        share: at.coins(reward.share),
        weight: reward.weight,
        bonus: at.coins(reward.bonus),
        uptime_percent: f64::from(reward.uptime_permille) / 10.0,
        withheld: at.coins(reward.withheld),
        penalised: reward.penalised,
        amount: at.coins(reward.amount),
    }
}
