//! The runtime as a whole, run natively: a file a topic.
#![allow(missing_docs, reason = "tests are described by their names")]

mod blocks;
mod candidates;
mod chain;
mod claw_back;
mod common_inputs;
mod compensation;
mod deposits;
mod emergency;
mod evidence;
mod exports;
mod fees;
mod filter;
mod floods;
mod forced;
mod genesis;
mod hand_over;
mod limits;
mod messages;
mod metadata;
mod multisig;
mod participation;
mod properties;
mod recovery;
mod recovery_run;
mod registry;
mod relay;
mod reputation;
mod revocation;
mod rewards;
mod scores;
mod sessions;
mod stake;
mod time;
mod trust;
mod withholding;
