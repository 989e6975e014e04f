//! Listening: accepts clients on the event loop's thread, as many at a time as are allowed.

mod acceptor;
mod handshake;
mod options;

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Weak};

use rustix::net::sockopt;

use self::acceptor::Acceptor;
pub(crate) use self::acceptor::Slot;
use self::options::Place;
pub use self::options::{ListenOn, ListenOptions};
use crate::access::{self, Peer, SocketFile};
use crate::connection::{Connection, WeakConnection};
use crate::event_loop::Source;
use crate::{Error, EventLoop, Object};

/// Accepts clients until it is dropped, which removes the socket's file. Connections that were accepted live on.
#[must_use = "dropping it stops listening"]
pub struct Listener {
    acceptor: Arc<Acceptor>,
    key: usize,
    file: Option<SocketFile>,
}

/// Starts to listen. Each client gets an object of its own from the function, as the first object of its connection.
///
/// The function is called on the event loop's thread, and must not wait. A missing directory of a path is created with mode
/// 0700; a stale socket is replaced, anything else that is at the path is not.
///
/// # Errors
///
/// [`Error::Address`] for a path that cannot be a socket's; [`Error::Io`], which names the path, also when another process
/// listens there.
#[doc(alias = "ListenConnections")]
pub fn listen(
    event_loop: &EventLoop,
    on: impl Into<ListenOn>,
    options: ListenOptions,
    object: impl Fn(&Peer) -> Arc<dyn Object> + Send + Sync + 'static,
) -> Result<Listener, Error> {
    let (socket, file) = match on.into().place {
        Place::Path(path) => {
            let (socket, file) = access::bind(&path, options.mode)?;
            (socket, Some(file))
        }
        Place::Socket(socket) => (listening(socket)?, None),
    };
    rustix::io::ioctl_fionbio(&socket, true)
        .map_err(|error| Error::io("cannot use a listening socket", error))?;
    let socket = Arc::new(socket);
    let key = event_loop.next_key();
    let acceptor = Acceptor::new(event_loop, &socket, options, Box::new(object));
    let source: Weak<dyn Source> = Arc::<Acceptor>::downgrade(&acceptor);
    let listener = Listener {
        acceptor: Arc::clone(&acceptor),
        key,
        file,
    };
    acceptor.start(event_loop.register(key, socket, source))?;
    Ok(listener)
}

impl Listener {
    /// The path of the socket, if this listener made it.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(SocketFile::path)
    }

    /// The connections that were accepted and have not ended.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        let connections = self.acceptor.connections();
        connections
            .iter()
            .filter_map(WeakConnection::upgrade)
            .collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.acceptor.stop();
        self.acceptor.event_loop().unregister(self.key);
        // The file goes first, so that a client finds a listener or no file. A socket that was given may be shared with
        // other processes: it is only closed.
        if self.file.take().is_some() {
            self.acceptor.refuse();
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

fn listening(socket: OwnedFd) -> Result<OwnedFd, Error> {
    match sockopt::socket_acceptconn(&socket) {
        Ok(true) => Ok(socket),
        Ok(false) => Err(Error::Address("the socket is not listening".to_owned())),
        Err(error) => Err(Error::io("cannot use a listening socket", error)),
    }
}
