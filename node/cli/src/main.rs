//! The Cascoin L2 node.
//!
//! - [`cli`]: flags and sub-commands; [`command`]: what each does.
//! - [`config_file`]: the same flags from a file.
//! - [`chain_spec`]: the networks, made from the runtime's presets.
//! - [`service`]: how the parts of a node are put together.
//! - [`l1`]: how the node reaches its L1 node; [`l1_metrics`]: what it counts there.
//! - [`hsm`]: how it reaches its keys in an HSM; [`new_keys`]: when it believes that keys
//!   have never signed.

mod chain_spec;
mod cli;
mod command;
mod config_file;
mod genesis;
mod hsm;
mod l1;
mod l1_metrics;
mod new_keys;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", command::explained(&error));
            ExitCode::FAILURE
        }
    }
}
