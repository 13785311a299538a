//! What can go wrong when L1 is asked.

use std::path::PathBuf;
use thiserror::Error;

/// Why L1 gave no usable answer. Each kind asks for another action of the
/// operator, so none is folded into another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum L1Error {
    /// No connection, or none that lasted until the answer was complete.
    #[error("L1 node at {url} is unreachable: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// The node refuses the credentials, or there are none to send.
    #[error("L1 node at {url} refuses the credentials: {reason}")]
    WrongCredentials {
        /// The node.
        url: String,
        /// What is wrong with them; never the credentials themselves.
        reason: String,
    },
    /// The node follows another chain than this L2 stands on.
    #[error("L1 node at {url} is on the wrong chain: expected {expected}, found {found}")]
    WrongChain {
        /// The node.
        url: String,
        /// Name and genesis hash of ours.
        expected: String,
        /// Name or genesis hash of its.
        found: String,
    },
    /// The node has not caught up with its own network.
    #[error("L1 node is syncing: block {blocks} of {headers}")]
    Syncing {
        /// Blocks it has.
        blocks: u32,
        /// Headers it knows.
        headers: u32,
    },
    /// The node has just started and answers nothing yet (code −28).
    #[error("L1 node is warming up: {message}")]
    WarmingUp {
        /// What it is doing.
        message: String,
    },
    /// The node has removed the block's data, and the L2 still needs it.
    #[error(
        "L1 node at {url} has pruned L1 block {block}, which the L2 has not read yet: have the \
         L1 node keep more (prune=0, or a larger prune= and -reindex), or name another L1 node \
         that has the block with --l1-rpc-url"
    )]
    Pruned {
        /// The node.
        url: String,
        /// Height, where it is known, and hash of the block.
        block: String,
    },
    /// The node understood and refused.
    #[error("L1 node refuses {method}: {message} (code {code})")]
    Rpc {
        /// What was called.
        method: String,
        /// Its error code, as Core numbers them.
        code: i32,
        /// Its words.
        message: String,
    },
    /// The node answered something that cannot be, or that contradicts what was
    /// asked for.
    #[error("L1 node answered {method} badly: {reason}")]
    BadReply {
        /// What was called.
        method: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The credentials' file cannot be used.
    #[error("cannot use the L1 credentials in {path}: {reason}")]
    BadCredentialsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The client's configuration makes no sense.
    #[error("L1 client configuration: {0}")]
    Config(String),
}

impl L1Error {
    /// The name of the kind, for status displays and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "Unreachable",
            Self::WrongCredentials { .. } | Self::BadCredentialsFile { .. } => "WrongCredentials",
            Self::WrongChain { .. } => "WrongChain",
            Self::Syncing { .. } => "Syncing",
            Self::WarmingUp { .. } => "WarmingUp",
            Self::Pruned { .. } => "Pruned",
            Self::Rpc { .. } => "Rpc",
            Self::BadReply { .. } => "BadReply",
            Self::Config(_) => "Config",
        }
    }

    pub(crate) fn bad_reply(method: &str, reason: impl ToString) -> Self {
        Self::BadReply { method: method.into(), reason: reason.to_string() }
    }

    /// With the block's height, where the error speaks of a block.
    pub(crate) fn at_height(self, height: u32) -> Self {
        match self {
            Self::Pruned { url, block } => {
                Self::Pruned { url, block: format!("{height} ({block})") }
            }
            other => other,
        }
    }

    /// How much the fault says: of several nodes that fail, the most telling
    /// error is shown.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::WrongChain { .. } => 4,
            Self::Pruned { .. } => 3,
            Self::WrongCredentials { .. } | Self::BadCredentialsFile { .. } => 3,
            Self::WarmingUp { .. } => 2,
            _ => 1,
        }
    }

    /// Whether another node is asked at once: the fault lies with this node or the
    /// way to it, not with the request. A node that answers uselessly gets a few
    /// tries more (`useless.rs`).
    pub(super) fn is_endpoint_fault(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::WrongCredentials { .. }
                | Self::BadCredentialsFile { .. }
                | Self::WrongChain { .. }
                | Self::WarmingUp { .. }
        )
    }
}

/// Codes of Core's `rpc/protocol.h` that our code reacts to.
pub mod code {
    /// No such method.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// Any other fault, for example a block whose data was pruned.
    pub const MISC_ERROR: i32 = -1;
    /// The node is starting.
    pub const IN_WARMUP: i32 = -28;
    /// The transaction stands in the chain already.
    pub const VERIFY_ALREADY_IN_CHAIN: i32 = -27;
    /// No such block or transaction.
    pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// A parameter out of range, for example a height above the tip.
    pub const INVALID_PARAMETER: i32 = -8;
    /// The wallet has not enough coins.
    pub const WALLET_INSUFFICIENT_FUNDS: i32 = -6;
    /// A wallet's general error; funding without enough coins says this too.
    pub const WALLET_ERROR: i32 = -4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pruned_block_is_named_with_the_remedy() {
        let error = L1Error::Pruned { url: "http://127.0.0.1:1".into(), block: "00ff".into() };
        let text = error.at_height(123).to_string();
        for part in ["http://127.0.0.1:1", "block 123 (00ff)", "prune=0", "--l1-rpc-url"] {
            assert!(text.contains(part), "{text}");
        }
        let other = L1Error::Config("no".into());
        assert_eq!(other.clone().at_height(123), other);
    }
}
