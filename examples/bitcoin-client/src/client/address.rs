//! Where nodes listen.

use std::env;
use std::path::{Path, PathBuf};

use bitcoin::Network;
use multiprocess::Address;

use crate::{Error, Result};

/// The directory in which a node of this user keeps its data, unless it is told otherwise with `-datadir`.
#[must_use]
pub fn data_directory() -> PathBuf {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    if cfg!(target_os = "macos") {
        home.join("Library/Application Support/Bitcoin")
    } else {
        home.join(".bitcoin")
    }
}

/// Reads an address as a node's `-ipcbind` does: `unix`, or nothing, is `node.sock` in the chain's part of the data directory, and
/// `unix:path` is taken relative to that.
///
/// # Errors
///
/// [`Error::Ipc`] for an address of any other form.
pub fn node_address(text: &str, data_directory: &Path, chain: Network) -> Result<Address> {
    let text = if text.is_empty() { "unix" } else { text };
    Address::parse(text, chain_directory(data_directory, chain), "node").map_err(Error::Ipc)
}

/// Where in its data directory a node keeps what belongs to a chain.
fn chain_directory(base: &Path, chain: Network) -> PathBuf {
    match chain {
        Network::Bitcoin => base.to_owned(),
        Network::Testnet => base.join("testnet3"),
        other => base.join(other.to_string()),
    }
}
