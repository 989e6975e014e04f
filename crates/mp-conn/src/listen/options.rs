//! What to listen on, how, and for whom.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access::Peers;
use crate::{Address, Limits};

/// How to listen, and for whom.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Connections that are served at one time. Further clients wait in the system's queue until one of them ends.
    /// Default: 1,000.
    pub max_connections: usize,
    /// The limits of each connection.
    pub limits: Limits,
    /// The mode of the socket's file, whatever the process's umask. Default: 0600.
    pub mode: u32,
    /// How long a client may take to send its first message; a client that does not is disconnected, so that those who say
    /// nothing take no place from others. `None`: for ever. Default: 30 seconds.
    pub handshake_timeout: Option<Duration>,
    /// Whose processes are accepted. Others are disconnected at once. Default: this process's user.
    pub peers: Peers,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            max_connections: 1_000,
            limits: Limits::default(),
            mode: 0o600,
            handshake_timeout: Some(Duration::from_secs(30)),
            peers: Peers::SameUser,
        }
    }
}

/// What to listen on: the path of a Unix socket that is to be made, or a socket that is listening already.
#[derive(Debug)]
pub struct ListenOn {
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Place {
    Path(PathBuf),
    Socket(OwnedFd),
}

impl From<PathBuf> for ListenOn {
    fn from(path: PathBuf) -> Self {
        Self {
            place: Place::Path(path),
        }
    }
}

impl From<&Path> for ListenOn {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<&str> for ListenOn {
    /// Takes a path, not an address: see [`Address::parse`].
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<Address> for ListenOn {
    fn from(address: Address) -> Self {
        address.path().into()
    }
}

impl From<OwnedFd> for ListenOn {
    /// Takes a socket that is listening.
    fn from(socket: OwnedFd) -> Self {
        Self {
            place: Place::Socket(socket),
        }
    }
}

impl From<UnixListener> for ListenOn {
    fn from(socket: UnixListener) -> Self {
        OwnedFd::from(socket).into()
    }
}

impl From<TcpListener> for ListenOn {
    /// Takes a TCP socket. Its peers have no users: they are accepted with [`Peers::Any`] only.
    fn from(socket: TcpListener) -> Self {
        OwnedFd::from(socket).into()
    }
}
