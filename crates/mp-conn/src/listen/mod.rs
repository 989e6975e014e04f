//! Listening: accepts clients on the event loop's thread, as many at a time as are allowed.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, sockopt};

use crate::access::{self, Peer, Peers, SocketFile};
use crate::connection::{Connection, WeakConnection};
use crate::event_loop::{Registration, Source, Timer};
use crate::{Address, Error, EventLoop, Limits, Object, Stream, serve};

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
    let acceptor = Arc::new(Acceptor {
        event_loop: event_loop.clone(),
        socket: Arc::clone(&socket),
        options,
        object: Box::new(object),
        registration: OnceLock::new(),
        state: Mutex::default(),
    });
    let source: Weak<dyn Source> = Arc::<Acceptor>::downgrade(&acceptor);
    let listener = Listener {
        acceptor: Arc::clone(&acceptor),
        key,
        file,
    };
    let registration = event_loop.register(key, socket, source)?;
    // The loop may be accepting already; whatever it wanted to change about its place is applied with this.
    acceptor.registration.get_or_init(|| registration);
    acceptor.apply(&mut acceptor.state());
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
        let connections: Vec<_> = self
            .acceptor
            .state()
            .connections
            .values()
            .cloned()
            .collect();
        connections
            .iter()
            .filter_map(WeakConnection::upgrade)
            .collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.acceptor.state().closed = true;
        if let Some(registration) = self.acceptor.registration.get() {
            registration.remove();
        }
        self.acceptor.event_loop.unregister(self.key);
        // Removed before new clients are refused, so that they see one or the other.
        self.file.take();
        // Fails for a socket that never listened.
        rustix::net::shutdown(&*self.acceptor.socket, rustix::net::Shutdown::Both).ok();
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

