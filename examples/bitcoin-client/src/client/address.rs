//! Where nodes listen.

use std::env;
use std::path::PathBuf;

use bitcoin::Network;
use multiprocess::Address;

use crate::{Error, Result};

/// The directory in which a node of this user keeps its data for a chain, unless it is told otherwise.
#[must_use]
pub fn data_directory(chain: Network) -> PathBuf {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let base = if cfg!(target_os = "macos") {
        home.join("Library/Application Support/Bitcoin")
    } else {
        home.join(".bitcoin")
    };
    match chain {
        Network::Bitcoin => base,
        Network::Testnet => base.join("testnet3"),
        other => base.join(other.to_string()),
    }
}

/// Reads an address as a node's `-ipcbind` does: `unix`, or nothing, is `node.sock` in the chain's data directory, `unix:path` is taken
/// relative to it.
///
/// # Errors
///
/// [`Error::Ipc`] for an address of any other form.
pub fn node_address(text: &str, chain: Network) -> Result<Address> {
    let text = if text.is_empty() { "unix" } else { text };
    Address::parse(text, data_directory(chain), "node").map_err(Error::Ipc)
}
