//! What a connection can run on: a socket, a path, an inherited descriptor, or any asynchronous stream.

use std::collections::BTreeSet;
use std::fmt;
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::access::{Peer, Peers};
use crate::connection::Connection;
use crate::vat::transport::{ByteStream, Transport};
use crate::{Capability, Error, EventLoop, Limits, Object};

/// A connected byte stream that can carry a connection.
pub struct Stream {
    transport: Transport,
}

impl Stream {
    /// A stream of any kind, such as TLS over TCP or a pipe in memory. It is polled on whichever thread is inside the
    /// connection, and must wake the waker it was given last.
    pub fn new(stream: impl ByteStream + 'static) -> Self {
        Self {
            transport: Transport::Stream(Box::pin(stream)),
        }
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], which names the path.
    pub fn unix(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let stream = UnixStream::connect(path)
            .map_err(|error| Error::io(format!("cannot connect to {}", path.display()), error))?;
        Ok(stream.into())
    }

    /// Takes a socket that the parent process left open for this one. Each number can be taken once.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when nothing is open under the number, [`Error::Address`] when it is no stream socket or was taken before.
    #[doc(alias = "StartSpawned")]
    pub fn inherited(descriptor: RawFd) -> Result<Self, Error> {
        static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |what: &str| Error::Address(format!("descriptor {descriptor} {what}"));
        if descriptor < 0 || taken.contains(&descriptor) {
            return Err(refused("was not inherited, or was taken before"));
        }
        let socket = duplicate(descriptor)
            .map_err(|error| Error::io(format!("cannot use descriptor {descriptor}"), error))?;
        let kind = rustix::net::sockopt::socket_type(&socket);
        if kind != Ok(rustix::net::SocketType::STREAM) {
            return Err(refused("is not a stream socket"));
        }
        close(descriptor);
        taken.insert(descriptor);
        Ok(socket.into())
    }

    /// The process at the other end. Nothing is known of one that is not connected by a Unix socket.
    #[must_use]
    pub fn peer(&self) -> Peer {
        match &self.transport {
            Transport::Socket(socket) => Peer::of(socket.as_fd()),
            Transport::Stream(_) => Peer::default(),
        }
    }

    /// Checks that the process at the other end is one of those.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] of kind "permission denied".
    pub fn require(&self, peers: Peers) -> Result<(), Error> {
        peers.check(self.peer()).map(drop)
    }
}

impl From<OwnedFd> for Stream {
    /// Takes a connected stream socket.
    fn from(socket: OwnedFd) -> Self {
        Self {
            transport: Transport::Socket(Arc::new(socket)),
        }
    }
}

impl From<UnixStream> for Stream {
    fn from(socket: UnixStream) -> Self {
        OwnedFd::from(socket).into()
    }
}

impl From<TcpStream> for Stream {
    fn from(socket: TcpStream) -> Self {
        OwnedFd::from(socket).into()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// Starts a connection as its client. What comes back is the peer's first object, before it is known whether there is one.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
#[doc(alias = "ConnectStream")]
pub fn connect(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    limits: Limits,
) -> Result<Capability, Error> {
    Connection::client(event_loop, stream.into().transport, limits, false)
}

/// As [`connect`], for who calls the object in a moment: only then is it asked for.
///
/// # Errors
///
/// As [`connect`].
pub fn connect_and_call(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    limits: Limits,
) -> Result<Capability, Error> {
    Connection::client(event_loop, stream.into().transport, limits, true)
}

/// Starts a connection as its server. The object is the first that the peer gets.
///
/// # Errors
///
/// [`Error::Io`] when the socket cannot be watched.
#[doc(alias = "ServeStream")]
pub fn serve(
    event_loop: &EventLoop,
    stream: impl Into<Stream>,
    object: Arc<dyn Object>,
    limits: Limits,
) -> Result<Connection, Error> {
    let connection = Connection::server(event_loop, stream.into().transport, object, limits)?;
    tracing::info!(target: "ipc", "{{{}}} IPC server: socket connected.", event_loop.name());
    if LevelFilter::current() >= Level::INFO {
        let name = event_loop.name().to_owned();
        connection.on_disconnect(move || {
            tracing::info!(target: "ipc", "{{{name}}} IPC server: socket disconnected.");
        });
    }
    Ok(connection)
}

#[expect(
    unsafe_code,
    reason = "a descriptor that was inherited has no owner in this process yet"
)]
fn duplicate(descriptor: RawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: not -1 (the caller refuses negative numbers), and only borrowed for a system call that reports a number
    // under which nothing is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned()
}

#[expect(
    unsafe_code,
    reason = "a descriptor that was inherited has no owner in this process yet"
)]
fn close(descriptor: RawFd) {
    // SAFETY: it is open, as it was just duplicated, and the parent left it for this process, where `inherited` takes each
    // number once.
    drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(descriptor) });
}
