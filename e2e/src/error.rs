//! What can go wrong in a harness: said so that the reader knows where to look.

use std::time::Duration;

/// A step of a local network that did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A node answered a call with a JSON-RPC error.
    #[error("{method}: {message} (code {code}{})", .data.as_deref().map(|d| format!(", {d}")).unwrap_or_default())]
    Rpc {
        /// The method called.
        method: String,
        /// The JSON-RPC error code.
        code: i64,
        /// The error's message.
        message: String,
        /// The error's data, as JSON.
        data: Option<String>,
    },
    /// A node did not answer as an HTTP server that speaks JSON.
    #[error("no usable answer from {url}: {reason}")]
    Transport {
        /// Who was asked.
        url: String,
        /// What happened instead.
        reason: String,
    },
    /// Something awaited did not come.
    #[error("{what}: not within {} s{}", .limit.as_secs(), .last.as_deref().map(|l| format!("; last seen: {l}")).unwrap_or_default())]
    TimedOut {
        /// What was awaited.
        what: String,
        /// For how long.
        limit: Duration,
        /// What was seen instead, if anything.
        last: Option<String>,
    },
    /// A process ended that should run.
    #[error("{name} ended ({status}); its log: {log}")]
    Ended {
        /// The process.
        name: String,
        /// Its exit status.
        status: String,
        /// Where its output is.
        log: String,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Files or processes.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// The harness's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error in words.
    pub fn other(text: impl std::fmt::Display) -> Self {
        Self::Other(text.to_string())
    }
}

/// Says what was attempted when an I/O call fails.
pub trait IoContext<T> {
    /// Adds the attempt to the error.
    ///
    /// # Errors
    /// [`Error::Io`] with `what` if the call failed.
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}
