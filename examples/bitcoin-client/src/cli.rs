//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use bitcoin::{Amount, FeeRate, Network, Txid, Weight};
use bitcoin_client::mock::Policy;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Talks to a Bitcoin node over its IPC socket.
#[derive(Debug, Parser)]
#[command(name = "bitcoin-client", version, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    /// The node's socket: `unix` for `node.sock` in the directory of the node's chain, or `unix:PATH`, relative to it
    #[arg(long, value_name = "ADDRESS", default_value = "unix", global = true)]
    pub(crate) ipcconnect: String,

    /// The node's chain
    #[arg(long, value_enum, default_value = "main", global = true)]
    pub(crate) chain: Chain,

    /// The node's data directory, which has one directory for each chain but the main one [default: the usual one]
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) datadir: Option<PathBuf>,

    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Show requests and responses on standard error
    #[arg(long, value_name = "CATEGORY", global = true)]
    pub(crate) debug: Option<Category>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Have the node say something
    Echo {
        /// What to say
        text: String,
    },
    /// The last block of the chain
    Tip,
    /// New tips and block templates as they come, until Ctrl-C
    Watch,
    /// A block template: header, coinbase, merkle path and fees
    Template {
        /// Wait until the node has caught up with the network
        #[arg(long)]
        cooldown: bool,
    },
    /// Add a complete block to the chain
    SubmitBlock {
        /// The block in hexadecimal digits, or `-` for standard input
        block: String,
    },
    /// Say whether a block would be valid as the next one
    CheckBlock {
        /// The block in hexadecimal digits, or `-` for standard input
        block: String,
        /// Do not check the proof of work
        #[arg(long)]
        no_proof_of_work: bool,
    },
    /// Transactions of the memory pool
    Tx {
        /// Their ids
        #[arg(required = true, value_name = "TXID", value_parser = txid)]
        ids: Vec<Txid>,
    },
    /// Call a JSON-RPC method of the node
    Rpc {
        /// The method
        method: String,
        /// Its params, in order: each is JSON, or else a text
        #[arg(allow_negative_numbers = true)]
        params: Vec<String>,
    },
    /// Be a node for tests, with a chain of its own
    #[command(after_help = MOCK_INPUT)]
    MockNode(MockNode),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct MockNode {
    /// Where to listen: `unix:PATH`
    pub(crate) address: String,

    /// The version of the schema to speak
    #[arg(long, value_enum, default_value = "v32")]
    pub(crate) schema: Schema,

    /// Mine a block that often
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) mine_every: Option<Duration>,

    /// Stop when standard input ends, as it does when the program that started this one ends
    #[arg(long)]
    pub(crate) stop_at_eof: bool,

    /// The most that a block may weigh
    #[arg(long, value_name = "WEIGHT", default_value_t = Weight::MAX_BLOCK.to_wu())]
    pub(crate) blockmaxweight: u64,

    /// The least that a transaction must pay to get into a block, for 1,000 virtual bytes
    #[arg(long, value_name = "BTC", default_value = "0", value_parser = fee_rate)]
    pub(crate) blockmintxfee: FeeRate,
}

impl MockNode {
    /// What goes into templates.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            max_weight: Weight::from_wu(self.blockmaxweight),
            min_fee_rate: self.blockmintxfee,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Chain {
    Main,
    Test,
    Testnet4,
    Signet,
    Regtest,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Category {
    Ipc,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Schema {
    V30,
    V31,
    V32,
}

impl From<Chain> for Network {
    fn from(chain: Chain) -> Self {
        match chain {
            Chain::Main => Self::Bitcoin,
            Chain::Test => Self::Testnet,
            Chain::Testnet4 => Self::Testnet4,
            Chain::Signet => Self::Signet,
            Chain::Regtest => Self::Regtest,
        }
    }
}

impl From<Schema> for bitcoin_client::Version {
    fn from(schema: Schema) -> Self {
        match schema {
            Schema::V30 => Self::V30,
            Schema::V31 => Self::V31,
            Schema::V32 => Self::V32,
        }
    }
}

fn txid(text: &str) -> Result<Txid, String> {
    text.parse()
        .map_err(|_| "not a transaction id, which is 64 hexadecimal digits".to_owned())
}

fn fee_rate(text: &str) -> Result<FeeRate, String> {
    let for_1000 = Amount::from_str_in(text, bitcoin::Denomination::Bitcoin);
    for_1000
        .map(|fee| fee / Weight::from_vb_unwrap(1_000))
        .map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() {
        Err("must be more than nothing".to_owned())
    } else {
        Ok(duration)
    }
}

const EXIT_STATUS: &str = "\
Exit status:
  0    done
  1    the node's answer is no: a block is rejected, a transaction is not there, a JSON-RPC method failed
  2    the arguments are wrong
  3    the node did not answer: there is none, it stopped, or its version does not have what was asked for
  130  Ctrl-C, unless it ended `watch`";

const MOCK_INPUT: &str = "\
Lines on standard input:
  mine [COUNT]      mine a block, or so many
  tx [FEE]          add a transaction that pays so many satoshis to the memory pool
  header [SECONDS]  hear of a block that does not come, which holds templates back for a second, or for so many
  waiting COUNT     print this line as soon as so many calls wait
  stop              stop";
