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
    /// Whose processes are accepted. Others are disconnected at once. Default: this process's user.
    pub peers: Peers,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            max_connections: 1_000,
            limits: Limits::default(),
            mode: 0o600,
            peers: Peers::SameUser,
        }
    }
}

/// What to listen on: the path of a Unix socket that is to be made, or a socket that is listening already.
#[derive(Debug)]
pub struct ListenOn {
    place: Place,
}

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

#[derive(Debug)]
enum Place {
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

/// One connection's share of the listener's limit, from before it is accepted until it has ended.
pub(crate) struct Slot {
    acceptor: Weak<Acceptor>,
    id: Option<u64>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor.upgrade() {
            let mut state = acceptor.state();
            state.open -= 1;
            if let Some(id) = self.id {
                state.connections.remove(&id);
            }
            // A descriptor was closed: what kept this listener from accepting may be over.
            state.retry = None;
            acceptor.apply(&mut state);
        }
    }
}

/// Makes the first object of a connection.
type Factory = dyn Fn(&Peer) -> Arc<dyn Object> + Send + Sync;

/// What the event loop calls.
struct Acceptor {
    event_loop: EventLoop,
    socket: Arc<OwnedFd>,
    options: ListenOptions,
    object: Box<Factory>,
    registration: OnceLock<Registration>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Connections, and those that are being accepted.
    open: usize,
    connections: HashMap<u64, WeakConnection>,
    /// Accepting failed for want of something: it is tried again when a connection ends, or when this fires.
    retry: Option<Arc<Timer>>,
    /// The loop does not watch the socket.
    paused: bool,
    closed: bool,
}

impl Acceptor {
    /// Accepts one client. False: nobody else is to be accepted for now.
    fn accept(self: &Arc<Self>) -> bool {
        let Some(slot) = self.reserve() else {
            return false;
        };
        let socket = match rustix::net::accept_with(&self.socket, SocketFlags::CLOEXEC) {
            Ok(socket) => socket,
            Err(Errno::AGAIN) => return false,
            // The client went away while it waited, or a signal came.
            Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO) => return true,
            Err(error) => {
                drop(slot);
                self.retry_later(error);
                return false;
            }
        };
        if let Err(error) = self.serve(socket, slot) {
            tracing::warn!(target: "ipc", "{{{}}} IPC server: {error}", self.event_loop.name());
        }
        true
    }

    fn serve(self: &Arc<Self>, socket: OwnedFd, mut slot: Slot) -> Result<(), Error> {
        let peer = self.options.peers.check(Peer::of(socket.as_fd()))?;
        let object = (self.object)(&peer);
        let limits = self.options.limits.clone();
        let connection = serve(&self.event_loop, Stream::from(socket), object, limits)?;
        slot.id = Some(connection.id());
        let weak = connection.downgrade();
        self.state().connections.insert(connection.id(), weak);
        connection.keep_until_end(slot);
        Ok(())
    }

    /// Counts one more connection, unless there are enough.
    fn reserve(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state();
        if state.closed || state.open >= self.options.max_connections {
            self.apply(&mut state);
            return None;
        }
        state.open += 1;
        drop(state);
        Some(Slot {
            acceptor: Arc::downgrade(self),
            id: None,
        })
    }

    /// Stops accepting for a while: the process or the system lacks descriptors or memory.
    fn retry_later(self: &Arc<Self>, error: Errno) {
        let name = self.event_loop.name();
        tracing::warn!(target: "ipc", "{{{name}}} IPC server: cannot accept: {}", io::Error::from(error));
        let timer = Arc::new(Timer::default());
        let waker = Retry(Arc::downgrade(self));
        timer.set_waker(&Waker::from(Arc::new(waker)));
        let mut state = self.state();
        state.retry = Some(Arc::clone(&timer));
        self.apply(&mut state);
        drop(state);
        self.event_loop
            .set_timer(Instant::now() + RETRY_AFTER, &timer);
    }

    /// Watches the socket if a client could be accepted. The state is locked, so that two threads cannot undo each other.
    fn apply(&self, state: &mut State) {
        let pause = state.retry.is_some() || state.open >= self.options.max_connections;
        let Some(registration) = self.registration.get().filter(|_| pause != state.paused) else {
            return;
        };
        state.paused = pause;
        if pause {
            // Nobody else leads: the socket is not watched until it is given back.
            registration.lead();
        } else {
            registration.give_back();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Acceptor {
    fn ready(self: Arc<Self>, _readable: bool, _writable: bool) {
        for _ in 0..ACCEPTED_IN_A_ROW {
            if !self.accept() {
                break;
            }
        }
    }
}

/// Lets a listener try again.
struct Retry(Weak<Acceptor>);

impl Wake for Retry {
    fn wake(self: Arc<Self>) {
        if let Some(acceptor) = self.0.upgrade() {
            let mut state = acceptor.state();
            state.retry = None;
            acceptor.apply(&mut state);
        }
    }
}

fn listening(socket: OwnedFd) -> Result<OwnedFd, Error> {
    match sockopt::socket_acceptconn(&socket) {
        Ok(true) => Ok(socket),
        Ok(false) => Err(Error::Address("the socket is not listening".to_owned())),
        Err(error) => Err(Error::io("cannot use a listening socket", error)),
    }
}

/// After so many clients the connections of the loop get their turn.
const ACCEPTED_IN_A_ROW: usize = 16;
/// How long to wait when accepting failed, unless a connection ends before.
const RETRY_AFTER: Duration = Duration::from_millis(500);
