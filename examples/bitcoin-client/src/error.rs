//! What can go wrong between a program and a node.

use std::fmt::Display;
use std::io;
use std::path::Path;

use crate::Version;

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words for the program's user.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody listens on the socket.
    #[error("no node listens on {path}: is bitcoin-node running, and started with -ipcbind=unix?")]
    NoNode {
        /// The socket.
        path: String,
    },
    /// The socket belongs to somebody else.
    #[error(
        "no permission to connect to {path}: a node's socket is for the user that runs the node"
    )]
    NoPermission {
        /// The socket.
        path: String,
    },
    /// What answers on the socket is not a node, or one of a version that this library does not know.
    #[error("what listens on {path} is no Bitcoin node of a version from 30 to 32: {reason}")]
    NotANode {
        /// The socket.
        path: String,
        /// What it answered.
        reason: String,
    },
    /// The node is too old for what was asked of it.
    #[error("{what} needs a node of version {needs}, this one has {has}")]
    WrongVersion {
        /// What was asked.
        what: &'static str,
        /// The first version that has it.
        needs: Version,
        /// The node's version.
        has: Version,
    },
    /// The node stopped, or closed the connection.
    #[error("the node stopped, or closed the connection")]
    NodeStopped,
    /// The node gave up on the call because it stops, or because somebody interrupted it.
    #[error("the node interrupted the call")]
    Interrupted,
    /// The node sent something that is not what it should be.
    #[error("the node sent a bad {what}: {reason}")]
    BadValue {
        /// What it should have been.
        what: &'static str,
        /// Why it is not that.
        reason: String,
    },
    /// A JSON-RPC method failed.
    #[error("{message} (error {code})")]
    Rpc {
        /// The error's number.
        code: i64,
        /// The error's text.
        message: String,
    },
    /// Any other error. The text of a failure at the node is the node's.
    #[error(transparent)]
    Ipc(multiprocess::Error),
}

impl Error {
    /// Something of the node's that could not be read.
    pub(crate) fn bad_value(what: &'static str, reason: impl Display) -> Self {
        Self::BadValue {
            what,
            reason: reason.to_string(),
        }
    }

    /// Why there is no connection.
    pub(crate) fn connecting(path: &Path, error: multiprocess::Error) -> Self {
        let kind = match &error {
            multiprocess::Error::Io { source, .. } => source.kind(),
            _ => return error.into(),
        };
        let path = path.display().to_string();
        match kind {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Self::NoNode { path },
            io::ErrorKind::PermissionDenied => Self::NoPermission { path },
            _ => error.into(),
        }
    }
}

impl From<multiprocess::Error> for Error {
    fn from(error: multiprocess::Error) -> Self {
        if error.is_disconnected() {
            Self::NodeStopped
        } else {
            Self::Ipc(error)
        }
    }
}
