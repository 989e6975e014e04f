//! A node for tests: serves a node's interfaces, in any version of the schema, from a small chain of its own.
//!
//! It behaves as a `bitcoin-node` on regtest does where a client can tell, but checks only what needs no coins: work, merkle
//! roots, the coinbase transaction's form, witness commitments. Its transactions spend what never was.

mod assemble;
mod chain;
mod check;
mod methods;
mod objects;
mod rpc;
mod v30;
mod v31;
mod v32;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bitcoin::{Amount, FeeRate, Transaction, Weight};
use multiprocess::{Address, EventLoop, Listener};

use self::chain::Chain;
use crate::schema::v30::init::Init as InitV30;
use crate::schema::v31::init::Init as InitV31;
use crate::schema::v32::init::Init as InitV32;
use crate::{BlockRef, Error, Result, Version};

/// A node that listens until it is dropped.
#[derive(Debug)]
pub struct MockNode {
    chain: Arc<Chain>,
    path: PathBuf,
    listener: Mutex<Option<Listener>>,
}

/// What the node puts into templates, whatever a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The most that a block may weigh, with what a client reserves of it. Default: what the network allows.
    pub max_weight: Weight,
    /// The least that a transaction must pay. Default: nothing.
    pub min_fee_rate: FeeRate,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_weight: Weight::MAX_BLOCK,
            min_fee_rate: FeeRate::ZERO,
        }
    }
}

impl MockNode {
    /// Listens on a socket, and speaks that version of the schema. The chain has one block, the first.
    ///
    /// # Errors
    ///
    /// [`Error::Ipc`] when it cannot listen there.
    pub fn listen(path: impl AsRef<Path>, version: Version) -> Result<Self> {
        Self::listen_with(path, version, Policy::default())
    }

    /// The same with a policy other than the default.
    ///
    /// # Errors
    ///
    /// As [`Self::listen`].
    pub fn listen_with(path: impl AsRef<Path>, version: Version, policy: Policy) -> Result<Self> {
        let path = path.as_ref();
        let address = Address::unix(path).map_err(Error::Ipc)?;
        let event_loop = EventLoop::new("mock-node")?;
        let chain = Arc::new(Chain::new(policy));
        let object = Arc::new(objects::Init::new(Arc::clone(&chain)));
        let listener = match version {
            Version::V30 => multiprocess::listen::<dyn InitV30>(&event_loop, address, object),
            Version::V31 => multiprocess::listen::<dyn InitV31>(&event_loop, address, object),
            Version::V32 => multiprocess::listen::<dyn InitV32>(&event_loop, address, object),
        }?;
        Ok(Self {
            chain,
            path: path.to_owned(),
            listener: Mutex::new(Some(listener)),
        })
    }

    /// The address that clients connect to.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    /// The last block of the chain.
    #[must_use]
    pub fn tip(&self) -> BlockRef {
        self.chain.tip()
    }

    /// Adds blocks to the chain, with the transactions of the memory pool.
    pub fn mine(&self, count: u32) {
        self.chain.mine(count);
    }

    /// Puts a transaction into the memory pool.
    pub fn add_transaction(&self, fee: Amount) -> Transaction {
        self.chain.add_transaction(fee)
    }

    /// Has the node hear of the header of a block, but not of the block: templates are held back until there is a block, or
    /// for that long.
    pub fn hear_of_header(&self, hold: Duration) {
        self.chain.hear_of_header(hold);
    }

    /// How many calls of clients wait at this moment.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.chain.waiting()
    }

    /// Waits until that many calls of clients wait, or the time is over. Whether they do.
    #[must_use]
    pub fn wait_for_waiting(&self, count: usize, timeout: Duration) -> bool {
        self.chain.wait_for_waiting(count, timeout)
    }

    /// How many clients are connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        let listener = self.listener();
        listener.as_ref().map_or(0, |l| l.connections().len())
    }

    /// How many templates clients hold.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.chain.templates()
    }

    /// Waits until the node was asked to stop.
    pub fn wait_stopped(&self) {
        self.chain.wait_stopped();
    }

    /// Ends all waits, and [`Self::wait_stopped`], as a client's request to stop does.
    pub fn request_stop(&self) {
        self.chain.stop();
    }

    /// Ends all waits and all connections, and removes the socket.
    pub fn stop(&self) {
        self.chain.stop();
        let listener = self.listener().take();
        for connection in listener.iter().flat_map(Listener::connections) {
            connection.close();
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MockNode {
    fn drop(&mut self) {
        self.stop();
    }
}
