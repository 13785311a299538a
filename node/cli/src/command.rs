//! What each command does.

use crate::{
    chain_spec,
    cli::{Cli, Mode, Subcommand, WalCmd},
    config_file, hsm, l1, service,
};
use cascoin_consensus::wal;
use cascoin_l2_primitives::chain::OpaqueBlock;
use clap::CommandFactory;
use sc_cli::{Result, SubstrateCli};
use sc_client_db::{BlocksPruning, PruningMode};
use sc_network::config::NetworkBackendType;
use sc_service::{Configuration, PartialComponents, Role};
use std::{io::Write, path::Path};

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Cascoin L2".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        env!("CARGO_PKG_REPOSITORY").into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> std::result::Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(Box::new(chain_spec::load(id)?))
    }
}

/// The least number of recent states a sequencer keeps: a day of 500 ms blocks
/// and the L1 confirmation window on top. Substrate's default of 256 would be
/// two minutes.
const MIN_SEQUENCER_STATES: u32 = 180_000;

/// The least number of bodies a sequencer keeps. What a recovery repeats may be as old as its
/// states when it begins, and gets older until it has its turn: as long again for what waits,
/// and the time that the recovery itself takes.
const MIN_SEQUENCER_BODIES: u32 = 3 * MIN_SEQUENCER_STATES;

/// Runs what the command line says.
///
/// # Errors
/// Whatever stops it, as a sentence for the operator.
pub fn run() -> Result<()> {
    let arguments = config_file::expand(&Cli::command(), std::env::args_os().collect())
        .map_err(|error| sc_cli::Error::Input(error.to_string()))?;
    let mut cli = Cli::from_iter(arguments);
    cli.run.base.validator |= cli.run.sequencer;
    match &cli.subcommand {
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        #[allow(deprecated)]
        Some(Subcommand::BuildSpec(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run(config.chain_spec, config.network))
        }
        Some(Subcommand::ExportChainSpec(cmd)) => {
            let spec = cli.load_spec(&cmd.chain)?;
            cmd.run(spec)
        }
        Some(Subcommand::CheckBlock(cmd)) => with_parts(&cli, cmd, |_, parts| {
            let PartialComponents { client, task_manager, import_queue, .. } = parts;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => with_parts(&cli, cmd, |config, parts| {
            let PartialComponents { client, task_manager, .. } = parts;
            Ok((cmd.run(client, config.database), task_manager))
        }),
        Some(Subcommand::ExportState(cmd)) => with_parts(&cli, cmd, |config, parts| {
            let PartialComponents { client, task_manager, .. } = parts;
            Ok((cmd.run(client, config.chain_spec), task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => with_parts(&cli, cmd, |_, parts| {
            let PartialComponents { client, task_manager, import_queue, .. } = parts;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run(config.database))
        }
        Some(Subcommand::ChainInfo(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| cmd.run::<OpaqueBlock>(&config))
        }
        Some(Subcommand::Wal(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| show_log(&service::wal_folder(&config), cmd))
        }
        Some(Subcommand::Hsm(cmd)) => {
            let runner = cli.create_runner(cmd)?;
            runner.sync_run(|config| {
                let marks = hsm::marks_folder(&service::wal_folder(&config));
                hsm::run(cmd, marks).map_err(sc_cli::Error::Input)
            })
        }
        None => run_node(&cli),
    }
}

fn show_log(folder: &Path, cmd: &WalCmd) -> Result<()> {
    let logs = wal::read_all(folder).map_err(|error| sc_cli::Error::Input(error.to_string()))?;
    if logs.is_empty() {
        return Err(format!("there is no write-ahead log in {}", folder.display()).into());
    }
    let mut out = std::io::stdout().lock();
    let mut damaged = false;
    for log in logs {
        if !cmd.json {
            writeln!(out, "# {}", log.key)?;
        }
        // Headers always: they say whose the lines behind them are.
        let shown = |record: &&wal::Record| record.height().is_none_or(|at| at >= cmd.from);
        for record in log.records.iter().filter(shown) {
            let line = if cmd.json { record.to_json().to_string() } else { record.to_line() };
            // Whoever reads it may have seen enough.
            if writeln!(out, "{line}").is_err() {
                return Ok(());
            }
        }
        for unread in &log.unread {
            eprintln!("{unread}");
            damaged |= unread.why != wal::Why::Unfinished;
        }
    }
    match damaged {
        true => Err("a log is damaged; what is left of it is shown".into()),
        false => Ok(()),
    }
}

fn with_parts<C, F, R>(cli: &Cli, cmd: &C, act: F) -> Result<()>
where
    C: sc_cli::CliConfiguration,
    F: FnOnce(Parts, service::Components) -> Result<(R, sc_service::TaskManager)>,
    R: std::future::Future<Output = Result<()>>,
{
    let runner = cli.create_runner(cmd)?;
    runner.async_run(|config| {
        let components = service::new_partial(&config)?;
        act(Parts { database: config.database, chain_spec: config.chain_spec }, components)
    })
}

/// What is left of a configuration once the client is built from it.
struct Parts {
    database: sc_service::config::DatabaseSource,
    chain_spec: Box<dyn sc_service::ChainSpec>,
}

fn run_node(cli: &Cli) -> Result<()> {
    if cli.run.nol2 || !cli.run.l2 || cli.run.mode == Mode::Disabled {
        // As asked, so no failure: a service manager must not start it again.
        eprintln!("L2 is not enabled (--nol2, --l2=0 or --mode=disabled)");
        return Ok(());
    }
    l1::check(&cli.run.l1).map_err(sc_cli::Error::Input)?;
    let runner = cli.create_runner(&cli.run.base)?;
    let options = service::Options {
        sequencer_peers: cli.run.sequencer_peers.clone(),
        l1: cli.run.l1.clone(),
        accept_missing_log: cli.run.accept_missing_log,
        pkcs11: cli.run.pkcs11.clone(),
        json_rpc_1_port: cli.run.json_rpc_1_port,
    };
    runner.run_node_until_exit(|mut config| async move {
        keep_enough_states(&mut config);
        keep_enough_bodies(&mut config);
        // The SDK would listen elsewhere if the port is taken, and who asks there
        // would talk to another node, with another chain and another L1 wallet.
        for endpoint in config.rpc.addr.iter_mut().flatten() {
            endpoint.retry_random_port = false;
        }
        // Announced with their certificates instead, see `announce_certified`.
        config.announce_block = false;
        match config.network.network_backend {
            NetworkBackendType::Libp2p => {
                service::new_full::<sc_network::NetworkWorker<_, _>>(config, options).await
            }
            NetworkBackendType::Litep2p => {
                service::new_full::<sc_network::Litep2pNetworkBackend>(config, options).await
            }
        }
        .map_err(sc_cli::Error::Service)
    })
}

/// An error for the operator: what to do where the SDK only says what is wrong,
/// and without the documents that the SDK appends.
pub fn explained(error: &sc_cli::Error) -> String {
    if let sc_cli::Error::NetworkKeyNotFound(path) = error {
        return format!(
            "a sequencer needs a network identity that stays (--node-key-file FILE), and there is \
             none in {}. Make it once: cascoin-l2 key generate-node-key --file FILE. On a test \
             network --unsafe-force-node-key-generation makes one here",
            path.display(),
        );
    }
    // The whole genesis follows this.
    let text = error.to_string();
    text.split(" for blob:").next().unwrap_or(&text).to_owned()
}

/// A sequencer needs more states than the SDK keeps unless told otherwise; who
/// names a number is raised to what is needed, who keeps all is left alone.
fn keep_enough_states(config: &mut Configuration) {
    if !matches!(config.role, Role::Authority) {
        return;
    }
    let enough = Some(PruningMode::blocks_pruning(MIN_SEQUENCER_STATES));
    match &config.state_pruning {
        Some(PruningMode::Constrained(limits)) => {
            let kept = limits.max_blocks.unwrap_or(u32::MAX);
            if kept < MIN_SEQUENCER_STATES {
                log::info!(
                    target: "l2",
                    "a sequencer keeps the states of {MIN_SEQUENCER_STATES} blocks, not of {kept}",
                );
                config.state_pruning = enough;
            }
        }
        Some(_) => {}
        None => {
            config.state_pruning = enough;
            // A database that keeps all states cannot be told to keep fewer: then
            // it goes on as it is.
            let exists = config.database.path().is_some_and(Path::exists);
            if exists && sc_service::new_db_backend::<OpaqueBlock>(config.db_config()).is_err() {
                config.state_pruning = None;
            }
        }
    }
}

/// A sequencer keeps the bodies of all blocks, unless it is told how many: then of three times
/// as many as it keeps states at least. They are the log of what users did, from which a
/// recovery after a fork of L1 repeats it (R19.6).
fn keep_enough_bodies(config: &mut Configuration) {
    if !matches!(config.role, Role::Authority) {
        return;
    }
    let enough = enough_bodies(config.blocks_pruning);
    if enough != config.blocks_pruning {
        log::info!(
            target: "l2",
            "a sequencer keeps the bodies of {MIN_SEQUENCER_BODIES} blocks at least",
        );
        config.blocks_pruning = enough;
    }
}

fn enough_bodies(asked: BlocksPruning) -> BlocksPruning {
    match asked {
        BlocksPruning::Some(kept) => BlocksPruning::Some(kept.max(MIN_SEQUENCER_BODIES)),
        all => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r19_6_a_sequencer_keeps_the_bodies_of_all_blocks_that_a_fork_of_l1_can_reach() {
        for (asked, kept) in [
            (BlocksPruning::Some(1), BlocksPruning::Some(MIN_SEQUENCER_BODIES)),
            (BlocksPruning::Some(MIN_SEQUENCER_STATES), BlocksPruning::Some(MIN_SEQUENCER_BODIES)),
            (BlocksPruning::Some(600_000), BlocksPruning::Some(600_000)),
            (BlocksPruning::KeepFinalized, BlocksPruning::KeepFinalized),
            (BlocksPruning::KeepAll, BlocksPruning::KeepAll),
        ] {
            assert_eq!(enough_bodies(asked), kept);
        }
    }
}
