//! Proof that sequencers broke the rules: found, kept, reported.
//!
//! ```text
//!   engine ──▶ witness (a height's messages) ──┐
//!   mesh, sync, announcements ──▶ watch ───────┴──▶ store ──▶ reporter ──▶ pool
//!              (two certificates of one height)       └──▶ RPC, metrics
//! ```
//!
//! - [`proof`]: pure; what two signed messages or two certificates prove.
//! - [`witness`]: pure; the messages of one height, and who contradicts itself.
//! - [`book`]: pure; what is kept, and how much of it.
//! - [`store`]: the book, on disk and shared.
//! - [`watch`]: sees a certificate that contradicts the final chain.
//! - [`reporter`]: brings double signs on the chain.
//!
//! Guarantees: nothing gets in whose signatures were not checked; what is in is in
//! the database before anybody is told of it (a power cut may take what came last); memory and disk are bounded whatever a
//! sequencer signs; what the chain wants to know is reported until it knows it.

pub mod book;
pub mod proof;
pub mod reporter;
pub mod store;
pub mod watch;
pub mod witness;

#[cfg(test)]
mod tests;

pub use book::{Conflict, DoubleSign, Standing};
pub use reporter::{report, REPORT_AGAIN};
pub use store::{EvidenceError, EvidenceStore};
pub use watch::CertificateWatch;
