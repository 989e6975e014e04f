//! What the event loop's thread does for a listener: it accepts while there is room for another connection.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{Shutdown, SocketFlags};

use super::handshake::Silent;
use super::options::ListenOptions;
use crate::access::Peer;
use crate::connection::WeakConnection;
use crate::event_loop::{Registration, Source, Timer};
use crate::{Error, EventLoop, Object, Stream, serve};

/// Makes the first object of a connection.
pub(super) type Factory = dyn Fn(&Peer) -> Arc<dyn Object> + Send + Sync;

/// What the event loop calls.
pub(super) struct Acceptor {
    pub(super) event_loop: EventLoop,
    socket: Arc<OwnedFd>,
    pub(super) options: ListenOptions,
    object: Box<Factory>,
    registration: OnceLock<Registration>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Connections, and those that are being accepted.
    open: usize,
    connections: HashMap<u64, WeakConnection>,
    /// Clients that may not have said anything yet.
    pub(super) silent: Silent,
    /// Accepting failed for want of something: it is tried again when a connection ends, or when this fires.
    retry: Option<Arc<Timer>>,
    /// The loop does not watch the socket.
    paused: bool,
    closed: bool,
}

impl Acceptor {
    pub(super) fn new(
        event_loop: &EventLoop,
        socket: &Arc<OwnedFd>,
        options: ListenOptions,
        object: Box<Factory>,
    ) -> Arc<Self> {
        Arc::new(Self {
            event_loop: event_loop.clone(),
            socket: Arc::clone(socket),
            options,
            object,
            registration: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Takes the socket's place in the poller. The loop may be accepting already.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the socket cannot be watched.
    pub(super) fn start(&self, registration: Registration) -> Result<(), Error> {
        self.registration.get_or_init(|| registration).start()?;
        self.apply(&mut self.state());
        Ok(())
    }

    /// Accepts nobody any more.
    pub(super) fn stop(&self) {
        self.state().closed = true;
        if let Some(registration) = self.registration.get() {
            registration.remove();
        }
    }

    /// Has the system refuse clients, those that wait among them.
    pub(super) fn refuse(&self) {
        // Fails for a socket that never listened.
        rustix::net::shutdown(&*self.socket, Shutdown::Both).ok();
    }

    pub(super) fn event_loop(&self) -> &EventLoop {
        &self.event_loop
    }

    /// The connections that have not ended.
    pub(super) fn connections(&self) -> Vec<WeakConnection> {
        self.state().connections.values().cloned().collect()
    }

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
        self.expect_greeting(&connection);
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
                state.silent.forget(id);
            }
            // A descriptor was closed: what kept this listener from accepting may be over.
            state.retry = None;
            acceptor.apply(&mut state);
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

/// After so many clients the connections of the loop get their turn.
const ACCEPTED_IN_A_ROW: usize = 16;
/// How long to wait when accepting failed, unless a connection ends before.
const RETRY_AFTER: Duration = Duration::from_millis(500);
