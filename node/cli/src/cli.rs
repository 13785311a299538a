//! Flags and sub-commands.

use sc_network::config::MultiaddrWithPeerId;
use std::path::PathBuf;

/// Where `--help` lists the flags that are not Substrate's.
const OURS: &str = "Cascoin L2";

/// The command line.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,
    /// How to run a node.
    #[command(flatten)]
    pub run: RunCmd,
}

/// Flags of a running node.
#[derive(Debug, clap::Args)]
pub struct RunCmd {
    /// Substrate's own flags.
    #[command(flatten)]
    pub base: sc_cli::RunCmd,
    /// Sequence: build and sign blocks with the session keys in the keystore.
    /// The same as --validator.
    #[arg(help_heading = OURS, long)]
    pub sequencer: bool,
    /// A file with flags, one a line: flag=value, a switch with 1 or 0. Flags on
    /// the command line hold instead.
    #[arg(help_heading = OURS, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to take part in L2.
    #[arg(help_heading = OURS, long, value_enum, default_value_t = Mode::Full)]
    pub mode: Mode,
    /// Do not take part in L2: the node says so and ends. The same as --l2=0 and
    /// --mode=disabled.
    #[arg(help_heading = OURS, long, alias = "no-l2")]
    pub nol2: bool,
    /// Whether to take part in L2 (1, the default, or 0).
    #[arg(
        help_heading = OURS, long, value_name = "0|1", default_value = "1", action = clap::ArgAction::Set,
        value_parser = switch,
    )]
    pub l2: bool,
    /// Sequence with a key whose write-ahead log is missing, once: on a public
    /// network at the first start with a key, else where the chain is not new. Only
    /// for a key that has never signed for this chain: without its log a node cannot
    /// know what it has signed.
    #[arg(help_heading = OURS, long)]
    pub accept_missing_log: bool,
    /// Keys in an HSM.
    #[command(flatten)]
    pub pkcs11: Pkcs11Args,
    /// Address of another sequencer, which is dialled always:
    /// /ip4/203.0.113.7/tcp/30333/p2p/12D3…; may be given several times.
    #[arg(help_heading = OURS, long = "sequencer-peers", value_name = "MULTIADDR", num_args = 1..)]
    pub sequencer_peers: Vec<MultiaddrWithPeerId>,
    /// How to reach L1.
    #[command(flatten)]
    pub l1: L1Args,
    /// Port on 127.0.0.1 where JSON-RPC 1.0 is answered, so that the L1's own
    /// command-line client works: litecoin-cli -rpcport=PORT l2_getchaininfo.
    #[arg(help_heading = OURS, long, value_name = "PORT")]
    pub json_rpc_1_port: Option<u16>,
}

/// Which HSM holds the keys.
#[derive(Debug, Clone, clap::Args)]
pub struct Pkcs11Args {
    /// Sign with keys in an HSM: the PKCS#11 library of its maker.
    #[arg(
        help_heading = OURS, long, value_name = "FILE",
        requires_all = ["pkcs11_token", "pkcs11_pin_file"],
    )]
    pub pkcs11_module: Option<PathBuf>,
    /// Label or serial number of the token.
    #[arg(help_heading = OURS, long, value_name = "LABEL", requires = "pkcs11_module")]
    pub pkcs11_token: Option<String>,
    /// A file whose first line is the user's PIN.
    #[arg(help_heading = OURS, long, value_name = "FILE", requires = "pkcs11_module")]
    pub pkcs11_pin_file: Option<PathBuf>,
}

/// How a node takes part in L2 (ledger O1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Hold the whole chain and check all of it.
    Full,
    /// Take no part.
    Disabled,
}

/// How to reach the node's own L1 node.
#[derive(Debug, Clone, clap::Args)]
pub struct L1Args {
    /// JSON-RPC address of an L1 node, http://HOST:PORT; may be given several
    /// times, the preferred one first, for when one fails. Without it the node follows the chain
    /// but sees no L1 itself, and as a sequencer casts no relay votes.
    #[arg(help_heading = OURS, long, value_name = "URL")]
    pub l1_rpc_url: Vec<String>,
    /// The L1 node's .cookie file; of several L1 nodes the file of each, in the order
    /// of --l1-rpc-url, or one for all.
    #[arg(help_heading = OURS, long, value_name = "FILE", conflicts_with = "l1_rpc_auth_file")]
    pub l1_rpc_cookie_file: Vec<PathBuf>,
    /// A file whose first line is user:password; of several L1 nodes one for each, in
    /// the order of --l1-rpc-url, or one for all. Read again when an L1 node refuses the
    /// credentials, so they can be changed without a restart.
    #[arg(help_heading = OURS, long, value_name = "FILE")]
    pub l1_rpc_auth_file: Vec<PathBuf>,
    /// The wallet of the (first) L1 node that methods use which make L1 transactions.
    #[arg(help_heading = OURS, long, value_name = "NAME")]
    pub l1_wallet: Option<String>,
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(format!("`{other}` is neither 0 nor 1")),
    }
}

/// What a node binary can do besides running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
    /// Make, inspect and store keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),
    /// Print a chain specification (--raw: the state of genesis).
    BuildSpec(sc_cli::BuildSpecCmd),
    /// Print a chain specification; the newer form of build-spec.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),
    /// Check blocks by executing them again.
    CheckBlock(sc_cli::CheckBlockCmd),
    /// Export blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),
    /// Export the state of a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),
    /// Import blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),
    /// Remove the chain's database. The write-ahead log stays: it is what keeps
    /// a sequencer from signing twice.
    PurgeChain(sc_cli::PurgeChainCmd),
    /// Print what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),
    /// Print what the write-ahead log holds: what this node has signed, proposed and
    /// seen decided. Works beside a running node.
    Wal(WalCmd),
    /// Make session keys in an HSM, or list those that are there.
    #[command(subcommand)]
    Hsm(HsmCmd),
}

/// `hsm`.
#[derive(Debug, clap::Subcommand)]
pub enum HsmCmd {
    /// Make the four session keys of a sequencer and print their public keys.
    Generate(HsmArgs),
    /// Print the public keys of the session keys.
    List(HsmArgs),
}

/// What both take.
#[derive(Debug, clap::Args)]
pub struct HsmArgs {
    /// Where the node's data is: the new keys' high-water marks are made there.
    #[command(flatten)]
    pub shared: sc_cli::SharedParams,
    /// Which HSM.
    #[command(flatten)]
    pub pkcs11: Pkcs11Args,
}

impl HsmCmd {
    /// Its flags.
    pub fn args(&self) -> &HsmArgs {
        match self {
            Self::Generate(args) | Self::List(args) => args,
        }
    }
}

impl sc_cli::CliConfiguration for HsmCmd {
    fn shared_params(&self) -> &sc_cli::SharedParams {
        &self.args().shared
    }
}

/// `wal`.
#[derive(Debug, clap::Args)]
pub struct WalCmd {
    /// Where the node's data is.
    #[command(flatten)]
    pub shared: sc_cli::SharedParams,
    /// One JSON object a line, with the signatures: to export it.
    #[arg(long)]
    pub json: bool,
    /// Only what speaks of this height and later ones.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    pub from: u32,
}

impl sc_cli::CliConfiguration for WalCmd {
    fn shared_params(&self) -> &sc_cli::SharedParams {
        &self.shared
    }
}
