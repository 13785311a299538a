//! The Cascoin L2 node.
//!
//! - [`cli`]: flags and sub-commands; [`command`]: what each does.
//! - [`chain_spec`]: the networks, made from the runtime's presets.
//! - [`service`]: how the parts of a node are put together.
//! - [`l1`]: how the node reaches its L1 node.

mod chain_spec;
mod cli;
mod command;
mod l1;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
