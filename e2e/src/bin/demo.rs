//! The way of a burned coin, shown on this machine: a real L1 in regtest, four
//! sequencers, a burn, its mint by more than two thirds of them, a transfer, and
//! the check of the supply. Ends with an error if any step fails.

use cascoin_e2e::{
    burns::{self, ChainFacts},
    extrinsic::{account, dev_pair, next_nonce, submit, transfer, SigningContext},
    interrupt,
    l1::CLI,
    network::{Network, Setup},
    node::BINARY_ENV,
    wait::{until, Seen},
    Error, Result,
};
use cascoin_l2_primitives::{
    chain::{quorum, AccountId, Balance},
    l1::amount::format_amount,
};
use clap::Parser;
use serde_json::{json, Value};
use sp_core::sr25519;
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// Longest time any step may take; a machine that is busy building is slow.
const STEP_LIMIT: Duration = Duration::from_secs(120);
/// What is burned, in hundredths of a coin.
const BURNS_CENTS: [u64; 2] = [2_500, 1_250];
/// What is sent on L2, in hundredths of a coin.
const TRANSFER_CENTS: u64 = 1_000;

#[derive(Parser)]
#[command(
    about = "Burns coins on a local L1, sees them minted by four sequencers, and spends them on L2"
)]
struct Options {
    /// Leave the network running and print its addresses, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Preset of the L2: local (500 ms blocks, 6 confirmations) or regtest (100 ms, 1)
    #[arg(long, default_value = "local")]
    chain: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = interrupt::catch().and_then(|()| Demo::run(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Interrupted) => {
            eprintln!("\nInterrupted; everything is stopped.");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\nThe demo failed: {error}");
            eprintln!(
                "What to do: read the logs named above, if any; check that nothing else uses"
            );
            eprintln!("the machine's memory; build the node again (scripts/demo --build-only,");
            eprintln!(
                "or name another one in {BINARY_ENV}); install the L1 (apt-get install litecoind)."
            );
            ExitCode::FAILURE
        }
    }
}

/// The demo while it runs.
struct Demo {
    start: Instant,
    network: Network,
    facts: ChainFacts,
    demo: sr25519::Pair,
    other: AccountId,
}

impl Demo {
    fn run(options: &Options) -> Result<()> {
        let start = Instant::now();
        say(start, "Starting L1 (litecoind, regtest) and mining its first coins ...");
        let setup = Setup { chain: options.chain.clone(), ..Setup::regtest() };
        let mut network = Network::prepare(&setup)?;
        say(start, &format!("L1 is at height {}.", network.l1()?.height()?));
        say(start, "Starting four sequencers ...");
        let started = network.start_nodes().and_then(|()| network.wait_for_progress(2));
        let facts = started.and_then(|height| {
            say(start, &format!("They certify blocks: L2 is at height {height}."));
            ChainFacts::of(&network, 0)
        });
        let facts = facts.map_err(|error| explained(&mut network, error))?;
        let demo = dev_pair("//Demo")?;
        let other = account(&dev_pair("//Demo//Friend")?);
        let mut demo = Self { start, network, facts, demo, other };
        demo.show().map_err(|error| explained(&mut demo.network, error))?;
        if options.keep {
            demo.keep()?;
        }
        let stopping = Instant::now();
        for node in &mut demo.network.nodes {
            node.stop()?;
        }
        demo.network.l1()?.stop()?;
        if options.keep {
            return Ok(());
        }
        demo.say(&format!("Everything is stopped ({:.1} s).", stopping.elapsed().as_secs_f64()));
        Ok(())
    }

    fn show(&mut self) -> Result<()> {
        self.show_sequencers()?;
        let before = burns::supply(&self.network, 0)?;
        let recipient = account(&self.demo);
        let mut total = 0;
        let mut txids = Vec::new();
        for cents in BURNS_CENTS {
            total += self.units(cents);
            txids.push(self.burn(cents, &recipient)?);
        }
        self.mint(&txids)?;
        let minted = burns::balance(&self.network, 0, &recipient)?;
        if minted != total {
            return Err(Error::other(format!("burned {total} units, minted {minted}")));
        }
        self.say(&format!("{recipient} has {} on L2.", self.coins(minted)));
        self.transfer(&recipient)?;
        self.check_supply(before.issuance, total)
    }

    fn show_sequencers(&self) -> Result<()> {
        let set = self.network.call(0, "l2_getsequencers", json!([]))?;
        let info = self.network.call(0, "l2_getchaininfo", json!([]))?;
        self.say(&format!(
            "{}: chain id {}, {} sequencers of which {} must sign, {} ms blocks, {} L1 confirmation(s).",
            info["name"].as_str().unwrap_or("?"),
            self.facts.chain_id,
            set["count"],
            set["votesNeeded"],
            info["params"]["targetBlockTimeMs"],
            self.facts.l1_confirmations,
        ));
        Ok(())
    }

    /// Burns on L1 through the node's RPC; the transaction's id.
    fn burn(&self, cents: u64, recipient: &AccountId) -> Result<String> {
        let amount = self.coins(self.units(cents));
        let to = recipient.to_string();
        let created = self.network.call(0, "l2_createburntx", json!([amount, to]))?;
        let sent = self.network.call(0, "l2_sendburntx", json!([created["hex"]]))?;
        let txid =
            sent["txid"].as_str().ok_or_else(|| Error::other(format!("no txid in {sent}")))?;
        self.say(&format!("Burned {amount} on L1, fee {}:", text(&created["fee"])));
        self.say(&format!("  transaction {txid}"));
        self.say(&format!("  for {to}"));
        Ok(txid.into())
    }

    /// Mines the confirmations and waits for the mint on every node.
    fn mint(&self, txids: &[String]) -> Result<()> {
        let confirmations = self.facts.l1_confirmations;
        for number in 1..=confirmations {
            self.network.l1()?.mine(1)?;
            let height = self.network.l1()?.height()?;
            self.say(&format!(
                "Mined L1 block {height}: confirmation {number} of {confirmations}."
            ));
        }
        let confirmed = Instant::now();
        let mut last_shown = String::new();
        for txid in txids {
            let state = until("the burn is minted", STEP_LIMIT, || {
                let state = burns::status(&self.network, 0, txid)?;
                let shown = match state.votes {
                    Some(votes) => format!("{} ({votes} votes)", state.status),
                    None => state.status.clone(),
                };
                if shown != last_shown && state.status != "MINTED" && !shown.is_empty() {
                    self.say(&format!("  {txid:.16}...: {shown}"));
                    last_shown = shown;
                }
                Ok(Seen::when(matches!(state.status.as_str(), "MINTED" | "REJECTED"), state))
            })?;
            if let Some(reason) = state.reason {
                return Err(Error::other(format!("burn {txid} is rejected: {reason}")));
            }
            for node in 1..self.network.nodes.len() {
                until("the burn is minted on every node", STEP_LIMIT, || {
                    let state = burns::status(&self.network, node, txid)?;
                    Ok(Seen::when(state.status == "MINTED", state))
                })?;
            }
            self.say(&format!(
                "  {txid:.16}...: MINTED in L2 block {} on all {} nodes",
                state.mint_block.unwrap_or_default(),
                self.network.nodes.len(),
            ));
        }
        self.say(&format!(
            "Minted by at least {} of {} sequencers, {:.1} s after the last confirmation.",
            quorum(self.network.nodes.len()),
            self.network.nodes.len(),
            confirmed.elapsed().as_secs_f64(),
        ));
        Ok(())
    }

    fn transfer(&self, from: &AccountId) -> Result<()> {
        let amount = self.units(TRANSFER_CENTS);
        let rpc = self.network.nodes[1].rpc();
        let context = SigningContext::of(&rpc)?;
        let nonce = next_nonce(&rpc, from)?;
        let sent = context.sign(transfer(&self.other, amount), &self.demo, nonce);
        let submitted = Instant::now();
        let hash = submit(&rpc, &sent)?;
        self.say(&format!("Sent {} on L2 to {}:", self.coins(amount), self.other));
        self.say(&format!("  transaction {hash:?}"));
        let last = self.network.nodes.len() - 1;
        until("the transfer is final", STEP_LIMIT, || {
            let balance = burns::balance(&self.network, last, &self.other)?;
            Ok(Seen::when(balance == amount, balance))
        })?;
        self.say(&format!(
            "  final on another node, L2 height {}, after {:.1} s",
            self.network.finalized_height(last)?,
            submitted.elapsed().as_secs_f64(),
        ));
        let left = burns::balance(&self.network, last, from)?;
        self.say(&format!(
            "{from} has {} left (the rest of the difference is the fee).",
            self.coins(left)
        ));
        Ok(())
    }

    fn check_supply(&mut self, before: Balance, burned: Balance) -> Result<()> {
        for node in 0..self.network.nodes.len() {
            let answer = self.network.call(node, "l2_verifysupply", json!([]))?;
            if answer["valid"] != json!(true) {
                return Err(Error::other(format!("the supply does not add up: {answer}")));
            }
        }
        let after = burns::supply(&self.network, 0)?;
        if after.minted != burned || after.issuance > before + burned {
            return Err(Error::other(format!(
                "burned {burned} units, but the supply says {after:?}"
            )));
        }
        let height = self.network.expect_one_chain()?;
        self.say(&format!(
            "l2_verifysupply: valid on all nodes. Burned on L1 and minted on L2: {}; supply {}.",
            self.coins(after.minted),
            self.coins(after.issuance),
        ));
        self.say(&format!("All nodes hold the same {height} blocks."));
        Ok(())
    }

    fn keep(&mut self) -> Result<()> {
        let first = self.network.nodes[0].ports();
        let l1 = self.network.l1()?.litecoind();
        println!("\nThe network runs until Ctrl-C.\n");
        println!("  L2 nodes (JSON-RPC 2.0 over HTTP and WebSocket):");
        for node in &self.network.nodes {
            let ports = node.ports();
            println!(
                "    {:<8} http://127.0.0.1:{}  metrics http://127.0.0.1:{}/metrics",
                node.name(),
                ports.rpc,
                ports.prometheus
            );
            println!("             log {}", node.log().display());
        }
        println!("\n  Polkadot.js Apps on this node:");
        println!(
            "    https://polkadot.js.org/apps/?rpc=ws%3A%2F%2F127.0.0.1%3A{}#/explorer",
            first.rpc
        );
        println!("\n  L1:");
        println!("    {CLI} -datadir={} getblockchaininfo", l1.dir().display());
        println!("    {CLI} -datadir={} -generate 1", l1.dir().display());
        println!("\n  L2, with L1's own client (any user and password):");
        let front = format!("{CLI} -rpcport={} -rpcuser=x -rpcpassword=y", first.front);
        println!("    {front} l2_getchaininfo");
        println!("    {front} l2_getbalance {}", account(&self.demo));
        println!("    {front} l2_verifysupply");
        println!("\n  Accounts: //Demo {}", account(&self.demo));
        println!("            //Demo//Friend {}", self.other);
        while interrupt::check().is_ok() {
            std::thread::sleep(Duration::from_millis(500));
            for node in &mut self.network.nodes {
                // Ctrl-C reaches the nodes too, and may be noticed there first.
                if !node.is_running() && interrupt::check().is_ok() {
                    println!("{} has ended; see its log.", node.name());
                    return Err(Error::other(format!("{} ended by itself", node.name())));
                }
            }
        }
        println!();
        self.say("Stopping everything ...");
        Ok(())
    }

    fn units(&self, cents: u64) -> Balance {
        let coin = 10u128.pow(u32::from(self.facts.decimals));
        coin * Balance::from(cents) / 100
    }

    fn coins(&self, units: Balance) -> String {
        format_amount(units, self.facts.decimals)
    }

    fn say(&self, line: &str) {
        say(self.start, line);
    }
}

/// Shows the logs, unless the user just wanted out.
fn explained(network: &mut Network, error: Error) -> Error {
    if !matches!(error, Error::Interrupted) {
        network.explain_failure();
    }
    error
}

fn say(start: Instant, line: &str) {
    println!("[{:>6.1} s] {line}", start.elapsed().as_secs_f64());
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
