//! Connections to nodes, and which version of the schema they speak.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::Network;
use multiprocess::{Address, Error as IpcError, EventLoop, Peers};

use super::address::{data_directory, node_address};
use super::answer::{Answer, Counted, Waits, answer, known};
use super::raw::{self, each};
use super::rpc::Rpc;
use crate::schema::{v30, v31, v32};
use crate::{Error, Mining, Result};

/// A connection to a node.
///
/// Clones share it. It is closed when the last is dropped, and everything that was made from them.
#[derive(Clone)]
pub struct Node {
    link: Arc<Link>,
}

/// What everything that a node gives keeps of the connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) init: raw::Init,
    pub(crate) version: Version,
    pub(crate) waits: Arc<Waits>,
}

/// A version of the schema. Nodes between two of them speak the older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Bitcoin Core 30.
    V30,
    /// Bitcoin Core 31.
    V31,
    /// Bitcoin Core 32.
    V32,
}

impl Node {
    /// Connects to a node, and finds out its version: `unix:/path/to/node.sock`, or `unix` for the one in its usual place.
    ///
    /// # Errors
    ///
    /// [`Error::NoNode`], [`Error::NoPermission`], [`Error::NotANode`], [`Error::NodeStopped`].
    pub async fn connect(address: &str) -> Result<Self> {
        Self::connect_to(&node_address(address, &data_directory(), Network::Bitcoin)?).await
    }

    /// The same with an address that was read already.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub async fn connect_to(address: &Address) -> Result<Self> {
        let stream = address
            .connect(Peers::Any)
            .map_err(|error| Error::connecting(address.path(), error))?;
        let event_loop = EventLoop::new("bitcoin-client")?;
        let newest = multiprocess::connect::<dyn v32::init::Init>(&event_loop, stream)?;
        let init = detect(newest).await.map_err(|error| match error {
            Error::Ipc(IpcError::NotImplemented(reason)) => Error::NotANode {
                path: address.path().display().to_string(),
                reason,
            },
            other => other,
        })?;
        let version = match init {
            raw::Raw::V30(_) => Version::V30,
            raw::Raw::V31(_) => Version::V31,
            raw::Raw::V32(_) => Version::V32,
        };
        Ok(Self {
            link: Arc::new(Link {
                init,
                version,
                waits: Arc::default(),
            }),
        })
    }

    /// The version that the node speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.link.version
    }

    /// Blocks, block templates, and the tip of the chain.
    #[must_use]
    pub fn mining(&self) -> Answer<Mining> {
        let link = Arc::clone(&self.link);
        each!(&self.link.init, init, schema => {
            answer(init.make_mining_async(), move |raw| Ok(Mining::new(link, raw.into())))
        })
    }

    /// A service that says whether the connection works.
    #[must_use]
    pub fn echo(&self) -> Answer<Echo> {
        let link = Arc::clone(&self.link);
        each!(&self.link.init, init, schema => {
            answer(init.make_echo_async(), |raw| Ok(Echo::new(link, raw.into())))
        })
    }

    /// The node's JSON-RPC methods. An [`Error::WrongVersion`] before version 32.
    #[must_use]
    pub fn rpc(&self) -> Answer<Rpc> {
        match &self.link.init {
            raw::Raw::V32(init) => answer(init.make_rpc_async(), |raw| Ok(Rpc::new(raw))),
            _ => known(Err(self.link.too_old("JSON-RPC"))),
        }
    }

    /// Ends when the node has ended every wait that was given up here, and let go of every template that was dropped. A
    /// program that does this before it exits leaves no method running at the node, which versions before 31 may not survive
    /// and later ones log as an error.
    pub async fn settled(&self) {
        self.link.waits.settled().await;
    }
}

impl Link {
    /// How long to have the node wait, in milliseconds. Waits of version 30 are short, as some cannot be interrupted.
    pub(crate) fn milliseconds(&self, deadline: Option<Instant>) -> f64 {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = match self.version {
            Version::V30 => Some(left.map_or(SHORT_WAIT, |left| left.min(SHORT_WAIT))),
            _ => left,
        };
        left.map_or(f64::MAX, |left| left.as_secs_f64() * 1000.0)
    }

    /// Whether a wait that began then may have ended because it was to be short.
    pub(crate) fn is_short_wait(&self, started: Instant) -> bool {
        self.version == Version::V30 && started.elapsed() >= SHORT_WAIT.mul_f32(0.9)
    }

    /// The error of a method that only version 32 has.
    pub(crate) fn too_old(&self, what: &'static str) -> Error {
        Error::WrongVersion {
            what,
            needs: Version::V32,
            has: self.version,
        }
    }
}

/// A service that answers with what it is told.
#[derive(Clone, Debug)]
pub struct Echo {
    shared: Arc<EchoShared>,
}

#[derive(Debug)]
struct EchoShared {
    link: Arc<Link>,
    raw: raw::Echo,
}

impl Echo {
    fn new(link: Arc<Link>, raw: raw::Echo) -> Self {
        let shared = Arc::new(EchoShared { link, raw });
        Self { shared }
    }

    /// The same text, from the node.
    #[must_use]
    pub fn echo(&self, text: &str) -> Answer<String> {
        each!(&self.shared.raw, echo, schema => answer(echo.echo_async(text), Ok))
    }
}

impl Drop for EchoShared {
    fn drop(&mut self) {
        let counted = Counted::new(&self.link.waits);
        each!(&self.raw, echo, schema => echo.destroy_async().detach(counted));
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V30 => "30",
            Self::V31 => "31",
            Self::V32 => "32",
        })
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("version", &self.link.version)
            .finish_non_exhaustive()
    }
}

/// The first object, in the version that the node speaks.
///
/// There is no method that tells it, and a method of one version can be another one in the next. What is safe: version 31
/// gave `makeMining` a new number, and 32 added `makeRpc`. A peer that has neither is one of version 30, or no node.
async fn detect(newest: v32::init::InitClient) -> Result<raw::Init> {
    let (mining, rpc) = (newest.make_mining_async(), newest.make_rpc_async());
    if !is_implemented(mining.await)? {
        let init = multiprocess::cast::<dyn v32::init::Init, dyn v30::init::Init>(newest)?;
        init.make_mining_async().await?;
        return Ok(init.into());
    }
    if is_implemented(rpc.await)? {
        return Ok(newest.into());
    }
    Ok(multiprocess::cast::<dyn v32::init::Init, dyn v31::init::Init>(newest)?.into())
}

/// The longest wait at a node of version 30.
const SHORT_WAIT: Duration = Duration::from_secs(1);

fn is_implemented<T>(result: std::result::Result<T, IpcError>) -> Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(IpcError::NotImplemented(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
