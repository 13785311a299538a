//! The errors of the `l2_` methods, all in one table.
//!
//! A named error has the code −32050 − i, where i is its place in [`Named`]; its
//! message is the operator guide's text, and `data.name` the ledger's name
//! (requirements E and O14; where the ledger names none, the guide's text in that
//! form). New errors go to the end, so that codes never change meaning.
//!
//! Bad parameters are JSON-RPC's own −32602, with a message that says what was
//! expected.

use cascoin_l2_primitives::l1::amount::AmountError;
use jsonrpsee::types::{error::INVALID_PARAMS_CODE, ErrorObjectOwned};
use serde::Serialize;
use std::fmt;

/// Code of the first named error.
pub const FIRST_CODE: i32 = -32_050;

/// The named errors, in the order of their codes: the guide's table first, then
/// what else can go wrong in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// This node does not run an L2.
    L2NotEnabled,
    /// The stake is below the minimum.
    StakeTooLow,
    /// The reputation is below the minimum.
    ScoreTooLow,
    /// The wallet has no key left.
    KeypoolRanOut,
    /// The account has too little.
    InsufficientBalance,
    /// There is no such block (yet).
    BlockNotFound,
    /// There is no such chain here.
    ChainNotFound,
    /// A burn's vote is open for more than the time-out.
    ConsensusTimeout,
    /// The burn is minted already.
    AlreadyMinted,
    /// The supply does not add up.
    SupplyInvariantViolated,
    /// The method needs an L1 node and this node has none.
    L1NotConfigured,
    /// The L1 node does not answer, or not usefully.
    L1Unavailable,
    /// The L1 node, or its wallet, refuses.
    L1Refused,
    /// The L1 transaction is not a burn for this chain.
    NotABurn,
    /// The state of the block is pruned here.
    StateNotAvailable,
    /// The runtime could not answer.
    RuntimeError,
    /// The burn would be above what one burn brings in a day.
    DepositLimit,
    /// The L1 transaction locks no stake of this chain.
    NotAStake,
    /// The chain would not include the transaction now.
    TransactionInvalid,
    /// What L1 shows is no reason for a hand-over, or not yet.
    HandOverNotDue,
    /// The state, or what this node holds already, does not take the hand-over.
    HandOverRefused,
}

impl Named {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 21] = [
        Self::L2NotEnabled,
        Self::StakeTooLow,
        Self::ScoreTooLow,
        Self::KeypoolRanOut,
        Self::InsufficientBalance,
        Self::BlockNotFound,
        Self::ChainNotFound,
        Self::ConsensusTimeout,
        Self::AlreadyMinted,
        Self::SupplyInvariantViolated,
        Self::L1NotConfigured,
        Self::L1Unavailable,
        Self::L1Refused,
        Self::NotABurn,
        Self::StateNotAvailable,
        Self::RuntimeError,
        Self::DepositLimit,
        Self::NotAStake,
        Self::TransactionInvalid,
        Self::HandOverNotDue,
        Self::HandOverRefused,
    ];

    /// `data.name` and the message.
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::L2NotEnabled => ("L2_NOT_ENABLED", "L2 is not enabled"),
            Self::StakeTooLow => ("SEQ_NOT_ELIGIBLE", "Stake must be at least X CAS"),
            Self::ScoreTooLow => ("SEQ_NOT_ELIGIBLE", "HAT score must be at least X"),
            Self::KeypoolRanOut => ("KEYPOOL_RAN_OUT", "Keypool ran out"),
            Self::InsufficientBalance => ("BRIDGE_INSUFFICIENT_BALANCE", "Insufficient L2 balance"),
            Self::BlockNotFound => ("BLOCK_NOT_FOUND", "Block not found"),
            Self::ChainNotFound => ("CHAIN_NOT_FOUND", "Chain not found"),
            Self::ConsensusTimeout => ("L2_CONSENSUS_TIMEOUT", "L2_CONSENSUS_TIMEOUT"),
            Self::AlreadyMinted => ("L2_MINT_ALREADY_PROCESSED", "L2_MINT_ALREADY_PROCESSED"),
            Self::SupplyInvariantViolated => {
                ("L2_SUPPLY_INVARIANT_VIOLATED", "L2_SUPPLY_INVARIANT_VIOLATED")
            }
            Self::L1NotConfigured => (
                "L1_NOT_CONFIGURED",
                "this node has no L1 node; start it with --l1-rpc-url to use this method",
            ),
            Self::L1Unavailable => ("L1_UNAVAILABLE", "the L1 node does not answer"),
            Self::L1Refused => ("L1_REFUSED", "the L1 node refuses"),
            Self::NotABurn => ("NOT_A_BURN", "the transaction burns nothing for this chain"),
            Self::StateNotAvailable => (
                "STATE_NOT_AVAILABLE",
                "the state of that block is pruned on this node; ask an archive node",
            ),
            Self::RuntimeError => ("RUNTIME_ERROR", "the runtime could not answer"),
            Self::DepositLimit => {
                ("BRIDGE_DEPOSIT_LIMIT", "above what one burn brings its recipient in a day")
            }
            Self::NotAStake => ("NOT_A_STAKE", "the transaction locks no stake of this chain"),
            Self::TransactionInvalid => {
                ("TRANSACTION_INVALID", "the chain would not include the transaction now")
            }
            Self::HandOverNotDue => ("HAND_OVER_NOT_DUE", "no hand-over is due"),
            Self::HandOverRefused => ("HAND_OVER_REFUSED", "the hand-over is refused"),
        }
    }

    /// JSON-RPC code.
    pub const fn code(self) -> i32 {
        FIRST_CODE - self as i32
    }

    /// The ledger's name.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The guide's text.
    pub const fn message(self) -> &'static str {
        self.row().1
    }

    /// The error with a detail of its own. Errors of the guide keep the guide's
    /// text as it is and carry the detail in `data.detail`; the others say it in
    /// the message too, which is all that Core's clients print.
    pub fn with(self, detail: impl fmt::Display) -> ErrorObjectOwned {
        let detail = detail.to_string();
        let message = match self {
            guide if guide < Self::L1NotConfigured => self.message().to_owned(),
            _ => format!("{}: {detail}", self.message()),
        };
        let data = Data { name: self.name(), detail: Some(&detail) };
        ErrorObjectOwned::owned(self.code(), message, Some(data))
    }
}

impl From<Named> for ErrorObjectOwned {
    fn from(named: Named) -> Self {
        let data = Data { name: named.name(), detail: None };
        Self::owned(named.code(), named.message(), Some(data))
    }
}

#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// −32602 with a message that says what was expected.
pub fn invalid_params(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, message, None::<()>)
}

/// What is wrong with an amount, with the way out.
pub fn amount_hint(error: AmountError, decimals: u8) -> String {
    format!("{error}; expected an amount of coins like 1.5, with at most {decimals} decimals")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_follow_the_order_and_stay_in_the_servers_range() {
        for (position, named) in Named::ALL.into_iter().enumerate() {
            assert_eq!(named.code(), -32_050 - position as i32);
            assert!((-32_099..=-32_000).contains(&named.code()));
        }
        let messages: BTreeSet<_> = Named::ALL.into_iter().map(Named::message).collect();
        assert_eq!(messages.len(), Named::ALL.len());
    }

    #[test]
    fn the_guides_texts_are_exact_and_carry_the_ledgers_name() {
        // Operator guide, "Error Messages", in its order.
        let guide = [
            "L2 is not enabled",
            "Stake must be at least X CAS",
            "HAT score must be at least X",
            "Keypool ran out",
            "Insufficient L2 balance",
            "Block not found",
            "Chain not found",
            "L2_CONSENSUS_TIMEOUT",
            "L2_MINT_ALREADY_PROCESSED",
            "L2_SUPPLY_INVARIANT_VIOLATED",
        ];
        for (named, text) in Named::ALL.into_iter().zip(guide) {
            let error = named.with("more to say");
            assert_eq!(error.message(), text);
            let data = error.data().map(|data| data.get()).unwrap_or_default();
            assert!(data.contains(named.name()) && data.contains("more to say"), "{data}");
        }
    }

    #[test]
    fn our_own_errors_say_the_detail_in_the_message() {
        let error = Named::L1Refused.with("Insufficient funds");
        assert_eq!(error.message(), "the L1 node refuses: Insufficient funds");
    }
}
