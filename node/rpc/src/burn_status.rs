//! Where a burn stands, from all that a node knows of it (ledger O6, parameters.md
//! "burn status"). Pure.
//!
//! Three sources, the stronger one decides:
//! 1. the chain's record of the output: MINTED or REJECTED, final, or REACHED while it,
//!    or what is left of it, waits for a limit or for whatever else ([`WaitCause`]);
//! 2. the relay: its L1 block is attested and waits to be applied (REACHED), or
//!    has an open vote (PENDING; FAILED when it is open for more than the
//!    time-out, until it closes);
//! 3. this node's own L1 node: WAITING_CONFIRMATIONS, in its mempool or in a
//!    block, or deep enough to be voted for (PENDING, nobody voted yet). Another
//!    node may know more or less.
//!
//! An output that can never be minted, whatever L1 does, is REJECTED as soon as it
//! is seen.

use cascoin_l1::{burn::UnconfirmedBurn, SeenBurn};
use cascoin_l2_primitives::{
    apis::{BurnOutcome, BurnRecord, BurnWait, OpenVote, RelayStatus, WaitCause},
    chain::{quorum, AccountId, ChainParameters, Moment},
    l1::{
        burn::{judge, BurnPayload, BurnRejection},
        L1Hash, OutPoint,
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The states of ledger O6, the least advanced first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BurnStatus {
    /// Not deep enough on L1, as this node sees it.
    WaitingConfirmations,
    /// Its vote is open for longer than the time-out; it goes on by itself when
    /// enough sequencers vote.
    Failed,
    /// Deep enough; sequencers vote.
    Pending,
    /// More than two thirds confirmed its block; its events are being applied.
    Reached,
    /// Credited.
    Minted,
    /// Not valid.
    Rejected,
    /// L1 dropped its block and has not brought it again.
    Reverted,
}

/// What all burns of one answer are judged against.
#[derive(Clone, Debug)]
pub struct Context {
    /// The parameters in force.
    pub parameters: ChainParameters,
    /// Where the relay stands.
    pub relay: RelayStatus,
    /// Number of sequencers.
    pub sequencers: usize,
    /// Time of the head: what open votes are timed against.
    pub now: Moment,
    /// Height of the L1 tip, if this node knows one.
    pub l1_tip: Option<u32>,
    /// How burns wait that the chain has on record.
    pub waits: BTreeMap<OutPoint, BurnWait>,
}

/// Where one output stands, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The output.
    pub outpoint: OutPoint,
    /// The state.
    pub status: BurnStatus,
    /// Why it is rejected.
    pub reason: Option<BurnRejection>,
    /// What it destroys on L1, in L1 units.
    pub value: u64,
    /// What its payload says it destroys, in L1 units, if it can be read.
    pub encoded_amount: Option<u64>,
    /// Who is, or would be, credited.
    pub recipient: Option<AccountId>,
    /// Height of its L1 block; `None` while it is in the mempool.
    pub l1_height: Option<u32>,
    /// Hash of its L1 block; `None` while it is in the mempool.
    pub l1_hash: Option<L1Hash>,
    /// Confirmations on L1, the block itself included; `None` if this node cannot
    /// tell.
    pub confirmations: Option<u32>,
    /// Sequencers that voted for its block, while that vote is open.
    pub votes: Option<usize>,
    /// L2 time at which the open vote counts as failed.
    pub times_out_at: Option<Moment>,
    /// L2 block and its time, once the chain has a record.
    pub applied: Option<(u32, Moment)>,
    /// What of it is credited, in L1 units, once the chain has a record.
    pub minted: Option<u64>,
    /// What it waits for besides confirmations and votes.
    pub waits_for: Option<WaitCause>,
    /// Its place in the chain's queue and when it has its turn.
    pub wait: Option<BurnWait>,
    /// A sentence for the user.
    pub message: &'static str,
}

impl Context {
    /// Votes that confirm an L1 block.
    pub fn needed(&self) -> usize {
        quorum(self.sequencers)
    }

    /// All outputs of one transaction, by position: what the chain has on record,
    /// then what only this node's L1 node shows.
    pub fn verdicts(&self, records: &[BurnRecord], seen: &[SeenBurn]) -> Vec<Verdict> {
        let recorded = records.iter().map(|record| self.of_record(record));
        let only_seen = seen
            .iter()
            .filter(|seen| records.iter().all(|record| record.outpoint != seen.outpoint))
            .map(|seen| self.of_seen(seen));
        let mut verdicts: Vec<_> = recorded.chain(only_seen).collect();
        verdicts.sort_by_key(|verdict| verdict.outpoint);
        verdicts
    }

    /// Where an output stands that the chain has a record of.
    pub fn of_record(&self, record: &BurnRecord) -> Verdict {
        let wait = self.waits.get(&record.outpoint).copied();
        let waits_for = wait.map(|wait| wait.cause);
        let (status, reason, message) = match record.outcome {
            BurnOutcome::Minted => (BurnStatus::Minted, None, "minted"),
            BurnOutcome::Rejected(reason) => (BurnStatus::Rejected, Some(reason), explain(reason)),
            BurnOutcome::Deferred => (BurnStatus::Reached, None, explain_wait(waits_for)),
            BurnOutcome::Reverted => {
                (BurnStatus::Reverted, None, "L1 dropped it: what was minted is taken back")
            }
        };
        Verdict {
            outpoint: record.outpoint,
            status,
            reason,
            value: record.value,
            encoded_amount: (record.encoded_amount > 0).then_some(record.encoded_amount),
            recipient: record.recipient.clone(),
            l1_height: Some(record.l1_height),
            l1_hash: Some(record.l1_hash),
            confirmations: self.confirmations(record.l1_height),
            votes: None,
            times_out_at: None,
            applied: Some((record.block, record.time)),
            minted: Some(record.minted),
            waits_for,
            wait,
            message,
        }
    }

    /// Where an output stands that only this node's L1 node shows.
    pub fn of_seen(&self, seen: &SeenBurn) -> Verdict {
        let confirmations = seen.confirmations;
        let unjudged = self.unjudged(seen.outpoint, seen.value, &seen.payload, confirmations);
        let placed =
            Verdict { l1_height: Some(seen.l1_height), l1_hash: Some(seen.l1_hash), ..unjudged };
        let verdict = self.by_height(placed, seen.l1_height, seen.l1_hash);
        self.judged(verdict, &seen.payload)
    }

    /// Where an output stands that is only in the mempool of this node's L1 node.
    pub fn of_unconfirmed(&self, burn: &UnconfirmedBurn) -> Verdict {
        let verdict = self.unjudged(burn.outpoint, burn.value, &burn.payload, 0);
        let message = "sent, and in no L1 block yet";
        self.judged(Verdict { message, ..verdict }, &burn.payload)
    }

    fn unjudged(&self, outpoint: OutPoint, value: u64, payload: &[u8], depth: u32) -> Verdict {
        let read = BurnPayload::decode(payload).ok();
        Verdict {
            outpoint,
            status: BurnStatus::WaitingConfirmations,
            reason: None,
            value,
            encoded_amount: read.as_ref().map(|payload| payload.amount),
            recipient: read.map(|payload| payload.recipient.account()),
            l1_height: None,
            l1_hash: None,
            confirmations: Some(depth),
            votes: None,
            times_out_at: None,
            applied: None,
            minted: None,
            waits_for: None,
            wait: None,
            message: "waiting for L1 confirmations",
        }
    }

    /// The verdict, unless the output can never be minted.
    fn judged(&self, verdict: Verdict, payload: &[u8]) -> Verdict {
        match judge(payload, verdict.value, self.parameters.chain_id) {
            Ok(_) => verdict,
            Err(reason) => Verdict {
                status: BurnStatus::Rejected,
                reason: Some(reason),
                message: explain(reason),
                ..verdict
            },
        }
    }

    /// Whether the set is too small to confirm anything.
    fn too_few_sequencers(&self) -> bool {
        self.sequencers < self.parameters.min_sequencers as usize
    }

    /// What the height and hash of its L1 block say of a valid burn that only
    /// this node's L1 node shows.
    fn by_height(&self, verdict: Verdict, height: u32, hash: L1Hash) -> Verdict {
        let verdict = self.by_votes(verdict, height, hash);
        if verdict.votes.is_none() || !self.too_few_sequencers() {
            return verdict;
        }
        let waits_for = Some(WaitCause::TooFewSequencers);
        Verdict { waits_for, message: explain_wait(waits_for), ..verdict }
    }

    fn by_votes(&self, verdict: Verdict, height: u32, hash: L1Hash) -> Verdict {
        let at = |status, message| Verdict { status, message, ..verdict.clone() };
        if height <= self.parameters.l1_start.height {
            return at(
                BurnStatus::Failed,
                "older than this chain: it counts from a later L1 block",
            );
        }
        if height <= self.relay.applied_height {
            return at(
                BurnStatus::Failed,
                "not in the L1 block that was applied at this height: this node's L1 node is on \
                 another branch",
            );
        }
        if height <= self.relay.attested.height {
            return at(BurnStatus::Reached, "confirmed by more than two thirds; being applied");
        }
        if let Some(vote) = self.open_vote(height, hash) {
            let times_out_at = vote.since.saturating_add(self.parameters.mint_timeout_ms);
            let (status, message) = match self.now > times_out_at {
                true => (
                    BurnStatus::Failed,
                    "too few sequencers confirmed it in time; it is minted when they do, nothing \
                     is lost",
                ),
                false => (BurnStatus::Pending, "waiting for sequencers to confirm it"),
            };
            return Verdict {
                votes: Some(vote.voters.len()),
                times_out_at: Some(times_out_at),
                ..at(status, message)
            };
        }
        match verdict.confirmations {
            Some(depth) if depth >= self.parameters.l1_confirmations => Verdict {
                votes: Some(0),
                ..at(BurnStatus::Pending, "deep enough; no sequencer has confirmed it yet")
            },
            _ => verdict,
        }
    }

    /// The open vote for this very block; of two, the one with more voters.
    fn open_vote(&self, height: u32, hash: L1Hash) -> Option<&OpenVote> {
        self.relay
            .open_votes
            .iter()
            .filter(|vote| vote.digest.height == height && vote.digest.hash == hash)
            .max_by_key(|vote| vote.voters.len())
    }

    fn confirmations(&self, height: u32) -> Option<u32> {
        Some(self.l1_tip?.checked_sub(height)?.saturating_add(1))
    }
}

/// The state of a whole transaction: that of its least advanced output, where
/// rejected ones count only if all are.
pub fn overall(verdicts: &[Verdict]) -> Option<BurnStatus> {
    verdicts.iter().map(|verdict| verdict.status).min()
}

fn explain_wait(cause: Option<WaitCause>) -> &'static str {
    match cause {
        Some(WaitCause::TransactionLimit) => {
            "confirmed; one burn brings no more today, the rest follows day by day, nothing is lost"
        }
        Some(WaitCause::AddressLimit) => {
            "confirmed; its recipient gets no more today, it follows on the next days, nothing is \
             lost"
        }
        Some(WaitCause::ChainLimit) => {
            "confirmed; no more is minted today for all together, it keeps its place, nothing is \
             lost"
        }
        Some(WaitCause::TooFewSequencers) => {
            "fewer sequencers are in the set than this chain mints with; it is minted when there \
             are enough, nothing is lost"
        }
        Some(WaitCause::Halted) => {
            "confirmed; minting stands until a violated supply is understood, nothing is lost"
        }
        Some(WaitCause::Stopped) => {
            "confirmed; governance stopped minting until a fault is understood, it keeps its place"
        }
        Some(WaitCause::L1Disputed) => {
            "L1 reorganised below what was confirmed; nothing is minted until the sequencers agree \
             with it again"
        }
        Some(WaitCause::Emergency) => {
            "confirmed; the chain is in an emergency after an outage, it is minted when that is \
             over, nothing is lost"
        }
        Some(WaitCause::CreditFailed) => {
            "confirmed; crediting it failed and is tried again each day, nothing is lost"
        }
        Some(WaitCause::Turn) | None => {
            "confirmed and valid; it waits for its turn among others, nothing is lost"
        }
    }
}

/// The name of what a burn waits for as RPC shows it.
pub fn wait_name(cause: WaitCause) -> &'static str {
    match cause {
        WaitCause::TransactionLimit => "TRANSACTION_LIMIT",
        WaitCause::AddressLimit => "ADDRESS_LIMIT",
        WaitCause::ChainLimit => "CHAIN_LIMIT",
        WaitCause::Turn => "TURN",
        WaitCause::Halted => "HALTED",
        WaitCause::Stopped => "STOPPED",
        WaitCause::L1Disputed => "L1_DISPUTED",
        WaitCause::TooFewSequencers => "TOO_FEW_SEQUENCERS",
        WaitCause::CreditFailed => "CREDIT_FAILED",
        WaitCause::Emergency => "EMERGENCY",
    }
}

fn explain(reason: BurnRejection) -> &'static str {
    match reason {
        BurnRejection::ZeroValue => "the output carries no value: nothing was destroyed on L1",
        BurnRejection::WrongChain => "the burn is for another L2 chain",
        BurnRejection::BadKey => "the recipient is no public key and no account",
        BurnRejection::Malformed => "the burn's payload is malformed",
        BurnRejection::ByGovernance => {
            "governance rejected what was left of it while it waited; no more of it is minted"
        }
        BurnRejection::NoVault => "this chain has no vault: nothing is credited for deposits",
        BurnRejection::WrongVault => "the coins are not in this chain's vault",
    }
}

/// The name of a rejection as RPC shows it.
pub fn reason_name(reason: BurnRejection) -> &'static str {
    match reason {
        BurnRejection::ZeroValue => "ZERO_VALUE",
        BurnRejection::WrongChain => "WRONG_CHAIN",
        BurnRejection::BadKey => "BAD_KEY",
        BurnRejection::Malformed => "MALFORMED",
        BurnRejection::ByGovernance => "BY_GOVERNANCE",
        BurnRejection::NoVault => "NO_VAULT",
        BurnRejection::WrongVault => "WRONG_VAULT",
    }
}

#[cfg(test)]
#[path = "burn_status_tests.rs"]
mod tests;
