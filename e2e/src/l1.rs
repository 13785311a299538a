//! The L1 of a local network: [`Litecoind`] and what tests do with it.

use crate::{
    burns::Burn,
    error::{Error, IoContext, Result},
    node::L1Access,
    wait::{until, Seen, PATIENCE},
};
use cascoin_l1::testing::{Litecoind, TestingError};
use serde_json::{json, Value};
use std::{
    fs,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Debian's client program.
pub const CLI: &str = "/usr/bin/litecoin-cli";

impl From<TestingError> for Error {
    fn from(error: TestingError) -> Self {
        Self::other(format!("L1: {error}"))
    }
}

/// A `litecoind` in regtest with a wallet that has coins.
pub struct L1 {
    litecoind: Litecoind,
}

impl L1 {
    /// Starts it and mines the coins.
    ///
    /// # Errors
    /// [`Error::Other`] with what to do if it is not installed.
    pub fn start() -> Result<Self> {
        Ok(Self { litecoind: Litecoind::start_funded()? })
    }

    /// Starts another one with the same chain as `original`, block for block; it
    /// has no coins of its own, and the two do not know each other.
    ///
    /// # Errors
    /// [`Error::Other`] with what to do if it is not installed, or with the words
    /// in which it refuses a block.
    pub fn copy_of(original: &Self) -> Result<Self> {
        let copy = Self { litecoind: Litecoind::start()? };
        copy.take_blocks(original, 0)?;
        Ok(copy)
    }

    /// How nodes reach it.
    ///
    /// # Errors
    /// [`Error::Io`] if its credentials cannot be read.
    pub fn access(&self) -> Result<L1Access> {
        let file = self.litecoind.auth_file();
        let credentials =
            fs::read_to_string(&file).attempt(|| format!("reading {}", file.display()))?;
        Ok(L1Access {
            url: self.litecoind.url(),
            credentials: credentials.trim().into(),
            wallet: Some(self.litecoind.wallet().into()),
        })
    }

    /// The launcher, for what is not wrapped here.
    pub fn litecoind(&self) -> &Litecoind {
        &self.litecoind
    }

    /// Mines blocks on top of the tip.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn mine(&self, blocks: u32) -> Result<()> {
        self.litecoind.mine(blocks)?;
        Ok(())
    }

    /// Height of the tip.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn height(&self) -> Result<u32> {
        self.litecoind.client().block_count().map_err(Error::other)
    }

    /// Hash of the tip, as RPC prints it.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn tip(&self) -> Result<String> {
        let tip = self.litecoind.client().best_block_hash().map_err(Error::other)?;
        Ok(tip.to_string())
    }

    /// Calls the node.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        let params = params.as_array().cloned().unwrap_or_default();
        self.litecoind.client().query(method, params).map_err(Error::other)
    }

    /// Sends a transaction with one marked output into the mempool; its id.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn burn(&self, burn: &Burn) -> Result<String> {
        Ok(self.litecoind.burn_raw(&burn.script(), burn.value)?.to_string())
    }

    /// A signed transaction with these marked outputs, in hex; not sent.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn transaction(&self, burns: &[Burn]) -> Result<String> {
        let outputs: Vec<_> = burns.iter().map(|burn| (burn.value, burn.script())).collect();
        Ok(hex::encode(self.litecoind.signed(&outputs)?))
    }

    /// Mines a block with one transaction of these marked outputs, which relay
    /// policy would not let through; the transaction's id.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn mine_with_burns(&self, burns: &[Burn]) -> Result<String> {
        let raw = self.transaction(burns)?;
        let txid = self.txid(&raw)?;
        self.mine_only(&[raw])?;
        Ok(txid)
    }

    /// The id of a transaction in hex.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn txid(&self, raw: &str) -> Result<String> {
        let decoded = self.call("decoderawtransaction", json!([raw]))?;
        let txid = decoded["txid"].as_str().map(String::from);
        txid.ok_or_else(|| Error::other(format!("no txid in {decoded}")))
    }

    /// Mines a block of exactly these transactions in hex, whatever waits in the mempool.
    ///
    /// # Errors
    /// [`Error::Other`] with the node's words.
    pub fn mine_only(&self, raw: &[String]) -> Result<()> {
        let decode = |text: &String| hex::decode(text).map_err(Error::other);
        let raw = raw.iter().map(decode).collect::<Result<Vec<_>>>()?;
        self.litecoind.mine_raw(&raw)?;
        Ok(())
    }

    /// Gives it all blocks of `other`'s chain above a height: the longer of two branches
    /// becomes the best one at once, when it has more blocks.
    ///
    /// # Errors
    /// [`Error::Other`] with the words in which it refuses a block.
    pub fn take_blocks(&self, other: &Self, above: u32) -> Result<()> {
        for height in above + 1..=other.height()? {
            let hash = other.call("getblockhash", json!([height]))?;
            let block = other.call("getblock", json!([hash, 0]))?;
            // Nothing is its word for success, the other for a block of a side branch.
            let answer = self.call("submitblock", json!([block]))?;
            if !answer.is_null() && answer != "inconclusive" {
                return Err(Error::other(format!("L1 refuses block {height}: {answer}")));
            }
        }
        Ok(())
    }

    /// Waits until the tip's time is past: blocks that are mined in a burst are seconds
    /// ahead, since each must be later than the median of those before it. What is mined
    /// from now on has the time of this machine.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Other`] with the node's words.
    pub fn wait_for_its_clock(&self) -> Result<()> {
        let header = self.call("getblockheader", json!([self.tip()?]))?;
        let tip = header["time"].as_u64();
        let tip = tip.ok_or_else(|| Error::other(format!("no time in {header}")))?;
        until("the time of L1's tip is past", PATIENCE, || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Error::other)?;
            Ok(Seen::when(now.as_secs() > tip + 1, now.as_secs()))
        })
        .map(drop)
    }

    /// Stops it, as an operator does.
    ///
    /// # Errors
    /// [`Error::Other`].
    pub fn stop(&self) -> Result<()> {
        Ok(self.litecoind.stop()?)
    }

    /// Starts it again over what it left.
    ///
    /// # Errors
    /// [`Error::Other`].
    pub fn restart(&self) -> Result<()> {
        Ok(self.litecoind.restart()?)
    }
}

/// What a command-line client printed.
#[derive(Clone, Debug)]
pub struct CliAnswer {
    /// Whether it reported success.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs L1's own command-line client against a port of loopback, with a password
/// that the L2 front ignores and an L1 node would not.
///
/// # Errors
/// [`Error::Io`] if it is not installed.
pub fn litecoin_cli(port: u16, args: &[&str]) -> Result<CliAnswer> {
    let folder = tempfile::tempdir().attempt(|| "making a temporary folder".into())?;
    let output = Command::new(CLI)
        .arg(format!("-datadir={}", folder.path().display()))
        .arg(format!("-rpcport={port}"))
        .args(["-rpcuser=x", "-rpcpassword=y", "-rpcclienttimeout=20"])
        .args(args)
        .output()
        .attempt(|| format!("running {CLI} (apt-get install litecoind)"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    Ok(CliAnswer {
        success: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}
