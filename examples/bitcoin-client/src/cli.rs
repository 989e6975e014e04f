//! The command line.

use std::time::Duration;

use bitcoin::{Network, Txid};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Talks to a Bitcoin node over its IPC socket.
#[derive(Debug, Parser)]
#[command(name = "bitcoin-client", version)]
pub(crate) struct Cli {
    /// The node's socket: `unix:PATH`, relative to the chain's data directory, or `unix` for `node.sock` in it
    #[arg(long, value_name = "ADDRESS", default_value = "unix", global = true)]
    pub(crate) ipcconnect: String,

    /// The chain, which says where a node usually listens
    #[arg(long, value_enum, default_value = "main", global = true)]
    pub(crate) chain: Chain,

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
        #[arg(required = true)]
        ids: Vec<Txid>,
    },
    /// Call a JSON-RPC method
    Rpc {
        /// The method
        method: String,
        /// Its params: JSON, or a text without quotes
        params: Vec<String>,
    },
    /// Be a node for tests
    MockNode(MockNode),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct MockNode {
    /// Where to listen: `unix:PATH`
    pub(crate) address: String,

    /// The version of the schema to speak
    #[arg(long, value_enum, default_value = "v32")]
    pub(crate) schema: Schema,

    /// Mine a block that often. Blocks are also mined by lines `mine [COUNT]` on standard input; others are `tx [FEE]`,
    /// `header` and `stop`
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) mine_every: Option<Duration>,

    /// Stop when standard input ends, as it does when the program that started this one ends
    #[arg(long)]
    pub(crate) stop_at_eof: bool,
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() {
        Err("must be more than nothing".to_owned())
    } else {
        Ok(duration)
    }
}
