//! A real `litecoind` in regtest, for tests and the demo. Not for operation.
//!
//! It listens on loopback only, on a port of its own, in a folder of its own, and
//! is ended when its value is dropped. The configuration switches MWEB off (else
//! mining stops at height 432), and has the wallet keep few keys ready: making its
//! usual thousand took longer than everything else that a start does.

use crate::{
    burn::{unfunded_outputs, BurnError},
    client::{code, ClientConfig, Credentials, L1Client, L1Error},
    follower::LocalStore,
};
use cascoin_l2_primitives::l1::{burn::BurnPayload, params::LITECOIN_REGTEST, L1Hash};
use parking_lot::Mutex;
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use thiserror::Error;

/// Debian's binary. The `litecoind` on the path is a wrapper that writes into the
/// home folder.
const BINARY: &str = "/usr/lib/litecoin/litecoind";
const USER: &str = "l2";
const PASSWORD: &str = "regtest-only";
const WALLET: &str = "w";
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Why the test node does not do what it is told.
#[derive(Debug, Error)]
pub enum TestingError {
    /// It is not installed.
    #[error("{BINARY} is missing: apt-get install litecoind")]
    NotInstalled,
    /// It did not start; the end of its log.
    #[error("litecoind does not start: {0}")]
    NotStarted(String),
    /// Files or processes.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It refuses a call.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// A burn was refused.
    #[error(transparent)]
    Burn(#[from] BurnError),
    /// It refuses a block.
    #[error("litecoind refuses block {0}: {1}")]
    Block(u32, String),
}

/// How clients identify themselves to the test node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// A fixed user and password, also written to [`Litecoind::auth_file`].
    #[default]
    Password,
    /// The cookie the node writes at each start.
    Cookie,
}

/// What may differ from the usual.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder to work in; a temporary one, removed at the end, if none.
    pub dir: Option<PathBuf>,
    /// RPC port; a free one if none.
    pub rpc_port: Option<u16>,
    /// How clients identify themselves.
    pub auth: Auth,
    /// More lines for the configuration's `[regtest]` section.
    pub config: Vec<String>,
}

/// A running `litecoind`.
pub struct Litecoind {
    process: Mutex<Option<Child>>,
    dir: PathBuf,
    rpc_port: u16,
    auth: Auth,
    client: L1Client,
    // Last: the folder goes after the process.
    _temporary: Option<TempDir>,
}

impl Litecoind {
    /// Starts a node with a wallet and no blocks.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn start() -> Result<Self, TestingError> {
        Self::start_with(Options::default())
    }

    /// Starts a node whose wallet has coins to spend: 110 blocks are mined.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn start_funded() -> Result<Self, TestingError> {
        let node = Self::start()?;
        node.mine(110)?;
        Ok(node)
    }

    /// Starts a node as `options` say.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn start_with(options: Options) -> Result<Self, TestingError> {
        if !Path::new(BINARY).exists() {
            return Err(TestingError::NotInstalled);
        }
        let temporary = match &options.dir {
            None => Some(tempfile::Builder::new().prefix("cascoin-l1-").tempdir()?),
            Some(dir) => fs::create_dir_all(dir).map(|()| None)?,
        };
        let dir = match (&options.dir, &temporary) {
            (Some(dir), _) => dir.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(TestingError::NotStarted("no folder".into())),
        };
        let rpc_port = match options.rpc_port {
            Some(port) => port,
            None => free_port()?,
        };
        fs::write(dir.join("litecoin.conf"), configuration(rpc_port, &options))?;
        fs::write(dir.join("auth"), format!("{USER}:{PASSWORD}\n"))?;
        let client = L1Client::new(ClientConfig {
            wallet: Some(WALLET.into()),
            attempts: 1,
            ..ClientConfig::new(url(rpc_port), credentials(&dir, options.auth), &LITECOIN_REGTEST)
        })?;
        let node = Self {
            process: Mutex::new(None),
            dir,
            rpc_port,
            auth: options.auth,
            client,
            _temporary: temporary,
        };
        node.launch()?;
        Ok(node)
    }

    /// Starts the process and waits until it answers and the wallet is there.
    fn launch(&self) -> Result<(), TestingError> {
        let child = Command::new(BINARY)
            .arg(format!("-datadir={}", self.dir.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        *self.process.lock() = Some(child);
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = self.client.blockchain_info() {
            let exited = match &mut *self.process.lock() {
                Some(child) => child.try_wait()?,
                None => None,
            };
            if exited.is_some() || Instant::now() > deadline {
                return Err(TestingError::NotStarted(format!("{error}\n{}", self.log_tail())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.open_wallet()
    }

    // What is answered slowly is asked twice, and refused the second time: so after a refusal
    // it is looked whether the wallet is there.
    fn open_wallet(&self) -> Result<(), TestingError> {
        let ask = |method| self.client.query::<Value>(method, vec![WALLET.into()]);
        if self.has_wallet()? || ask("loadwallet").is_ok() || self.has_wallet()? {
            return Ok(());
        }
        match ask("createwallet") {
            Err(error) if !self.has_wallet()? => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn has_wallet(&self) -> Result<bool, TestingError> {
        let open: Vec<String> = self.client.query("listwallets", vec![])?;
        Ok(open.iter().any(|name| name == WALLET))
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.dir.join("regtest/debug.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// A client of the node and its wallet; a single attempt per call.
    pub fn client(&self) -> L1Client {
        self.client.clone()
    }

    /// Where the RPC listens: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        url(self.rpc_port)
    }

    /// The RPC's port.
    pub fn rpc_port(&self) -> u16 {
        self.rpc_port
    }

    /// The wallet that has the mined coins.
    pub fn wallet(&self) -> &'static str {
        WALLET
    }

    /// What a client must know to be let in.
    pub fn credentials(&self) -> Credentials {
        credentials(&self.dir, self.auth)
    }

    /// A file with `user:password`; right only under [`Auth::Password`].
    pub fn auth_file(&self) -> PathBuf {
        self.dir.join("auth")
    }

    /// The cookie; there only under [`Auth::Cookie`], while the node runs.
    pub fn cookie_file(&self) -> PathBuf {
        cookie_file(&self.dir)
    }

    /// The node's folder; `litecoin-cli -datadir=…` finds the configuration there.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Mines `count` blocks to the wallet and gives their hashes.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn mine(&self, count: u32) -> Result<Vec<L1Hash>, TestingError> {
        let address = self.client.new_address()?;
        Ok(self.client.wallet_call("generatetoaddress", vec![count.into(), address.into()])?)
    }

    /// Mines one block of exactly these transactions, standard or not.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn mine_raw(&self, transactions: &[Vec<u8>]) -> Result<L1Hash, TestingError> {
        #[derive(serde::Deserialize)]
        struct Mined {
            hash: L1Hash,
        }
        let address = self.client.new_address()?;
        let transactions: Vec<_> = transactions.iter().map(hex::encode).collect();
        let params = vec![address.into(), json!(transactions)];
        let mined: Mined = self.client.wallet_call("generateblock", params)?;
        Ok(mined.hash)
    }

    /// Makes, signs and sends the burn of `payload.amount` units.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn burn(&self, payload: &BurnPayload) -> Result<L1Hash, TestingError> {
        let unsigned = crate::burn::create(&self.client, payload)?;
        let sent = crate::burn::sign_and_send(&self.client, &unsigned.raw, payload.chain_id)?;
        Ok(sent.txid)
    }

    /// Sends a transaction with one output of any script and value, unchecked.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn burn_raw(&self, script: &[u8], value: u64) -> Result<L1Hash, TestingError> {
        let raw = self.signed(&[(value, script.to_vec())])?;
        Ok(self.client.send_raw_transaction(&raw)?)
    }

    /// A funded and signed transaction with the given outputs (and change at
    /// position 1), not sent.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn signed(&self, outputs: &[(u64, Vec<u8>)]) -> Result<Vec<u8>, TestingError> {
        let funded = self.client.fund_raw_transaction(&unfunded_outputs(outputs), 1)?;
        let signed = self.client.sign_raw_transaction(&funded.raw)?;
        match signed.complete {
            true => Ok(signed.raw),
            false => Err(BurnError::NotSigned.into()),
        }
    }

    /// Gives `other` the blocks of this node's best chain that it has not got: the two do
    /// not know each other.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn feed(&self, other: &Self) -> Result<(), TestingError> {
        for height in 1..=self.client.block_count()? {
            let hash = self.client.block_hash(height)?;
            if other.client.block_hash(height) == Ok(hash) {
                continue;
            }
            let params = vec![hash.to_string().into(), 0.into()];
            let block: Value = self.client.query("getblock", params)?;
            let refused: Option<String> = other.client.query("submitblock", vec![block])?;
            match refused.as_deref() {
                // Of a branch that is not the best one yet, or of one that it has.
                None | Some("inconclusive" | "duplicate") => {}
                Some(why) => return Err(TestingError::Block(height, why.into())),
            }
        }
        Ok(())
    }

    /// Takes a block and all above it off the best chain.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn invalidate(&self, hash: &L1Hash) -> Result<(), TestingError> {
        Ok(self.client.query("invalidateblock", vec![hash.to_string().into()])?)
    }

    /// Undoes [`Litecoind::invalidate`].
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn reconsider(&self, hash: &L1Hash) -> Result<(), TestingError> {
        Ok(self.client.query("reconsiderblock", vec![hash.to_string().into()])?)
    }

    /// Ends the process as an operator would, and waits for it.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn stop(&self) -> Result<(), TestingError> {
        let Some(mut child) = self.process.lock().take() else { return Ok(()) };
        match self.client.wallet_call::<Value>("stop", vec![]) {
            Ok(_) | Err(L1Error::Rpc { code: code::METHOD_NOT_FOUND, .. }) => {}
            Err(_) => child.kill()?,
        }
        child.wait()?;
        Ok(())
    }

    /// Starts the process again over what it left.
    ///
    /// # Errors
    /// [`TestingError`].
    pub fn restart(&self) -> Result<(), TestingError> {
        self.stop()?;
        self.launch()
    }
}

impl Drop for Litecoind {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.lock().take() {
            // Nobody is left to tell, and the folder goes with it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn configuration(rpc_port: u16, options: &Options) -> String {
    let mut lines: Vec<String> = [
        "regtest=1",
        "server=1",
        "txindex=1",
        "fallbackfee=0.0002",
        "keypool=10",
        "printtoconsole=0",
        "[regtest]",
        "listen=0",
        "dnsseed=0",
        "rpcbind=127.0.0.1",
        "rpcallowip=127.0.0.1",
        "vbparams=mweb:9223372036854775806:9223372036854775807",
    ]
    .map(Into::into)
    .into();
    lines.push(format!("rpcport={rpc_port}"));
    if options.auth == Auth::Password {
        lines.push(format!("rpcuser={USER}"));
        lines.push(format!("rpcpassword={PASSWORD}"));
    }
    lines.extend(options.config.iter().cloned());
    lines.join("\n") + "\n"
}

fn credentials(dir: &Path, auth: Auth) -> Credentials {
    match auth {
        Auth::Password => Credentials::AuthFile(dir.join("auth")),
        Auth::Cookie => Credentials::CookieFile(cookie_file(dir)),
    }
}

fn cookie_file(dir: &Path) -> PathBuf {
    dir.join("regtest/.cookie")
}

fn url(rpc_port: u16) -> String {
    format!("http://127.0.0.1:{rpc_port}")
}

/// A port that is free now.
///
/// # Errors
/// The system's.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A [`LocalStore`] in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl MemoryStore {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

impl LocalStore for MemoryStore {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.lock().get(key).cloned()
    }

    fn set(&self, key: &[u8], value: &[u8]) {
        self.0.lock().insert(key.into(), value.into());
    }

    fn remove(&self, key: &[u8]) {
        self.0.lock().remove(key);
    }
}
