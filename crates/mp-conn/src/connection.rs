//! Handles to connections.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use capnp::any_pointer;
use futures::FutureExt;
use futures::channel::oneshot;

use crate::Error;
use crate::call::{Call, CallContext};
use crate::capability::Capability;
use crate::contain::contained;
use crate::event_loop::EventLoop;
use crate::inner::Inner;
use crate::limits::Limits;
use crate::listen::Slot;
use crate::message::Message;
use crate::object::Object;
use crate::vat::state::{Role, State};
use crate::vat::transport::Transport;

/// A handle to a connection.
///
/// A client's connection closes when its last handle, capability and call are gone; a server's lives until the peer
/// closes it or [`close`](Self::close) is called.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

impl Connection {
    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    /// Starts a connection on a stream as its client, and takes the peer's first object. Held: that it is asked for may be
    /// written with the first call.
    pub(crate) fn client(
        event_loop: &EventLoop,
        transport: Transport,
        limits: Limits,
        held: bool,
    ) -> Result<Capability, Error> {
        let (inner, bootstrap) = Inner::new(event_loop, transport, Role::Client, limits, held)?;
        let key = bootstrap.ok_or(Error::Disconnected)?;
        Ok(Capability::new(inner, key))
    }

    /// Starts a connection on a stream as its server.
    pub(crate) fn server(
        event_loop: &EventLoop,
        transport: Transport,
        object: Arc<dyn Object>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let role = Role::Server(object);
        let (inner, _) = Inner::new(event_loop, transport, role, limits, false)?;
        Ok(Self { inner })
    }

    /// A number that no other connection of this process has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.inner.id
    }

    /// The event loop that serves the connection.
    #[must_use]
    pub fn event_loop(&self) -> &EventLoop {
        &self.inner.event_loop
    }

    /// The limits of the connection.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Whether this process serves at this end.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.inner.server
    }

    /// How long a call on this connection waits for its answer, unless its client says otherwise. `None`, the default: for
    /// ever.
    pub fn set_timeout(&self, timeout: Option<Duration>) {
        *self.inner.timeout() = timeout;
    }

    /// What [`set_timeout`](Self::set_timeout) set.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        *self.inner.timeout()
    }

    /// Ends the connection from this end: calls under way fail, running methods are told, objects are released.
    #[doc(alias = "disconnect")]
    pub fn close(&self) {
        self.inner.close(true);
    }

    /// Whether the connection has ended, from either end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.lifecycle().end.is_some()
    }

    /// What calls fail with now that the connection has ended. `None`: it has not.
    #[must_use]
    pub fn ended(&self) -> Option<Error> {
        self.is_closed().then(|| self.inner.disconnected())
    }

    /// Waits until the connection has ended.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] when the deadline passes; [`Error::WouldBlockEventLoop`] on the thread of an event loop.
    pub fn wait_closed(&self, deadline: Option<Instant>) -> Result<(), Error> {
        EventLoop::may_block()?;
        let ended = &self.inner.ended;
        let mut lifecycle = self.inner.lifecycle();
        lifecycle.waiting += 1;
        let mut timed_out = false;
        while lifecycle.end.is_none() && !timed_out {
            lifecycle = match deadline {
                None => ended
                    .wait(lifecycle)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    timed_out = left.is_zero();
                    let result = ended.wait_timeout(lifecycle, left);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        lifecycle.waiting -= 1;
        if lifecycle.end.is_none() {
            return Err(Error::TimedOut);
        }
        Ok(())
    }

    /// Ready when the connection has ended, from either end: what [`wait_closed`](Self::wait_closed) is to a thread. Keep one
    /// rather than making many, which are kept as hooks until then.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + Unpin + 'static {
        let (ended, told) = oneshot::channel::<()>();
        // Nobody listens if the future was dropped.
        self.on_disconnect(move || ended.send(()).unwrap_or_default());
        // The sender is dropped unused only with the event loop.
        told.map(drop)
    }

    /// Runs a function on the cleanup thread when the connection has ended: soon, if it has already.
    #[doc(alias = "onDisconnect")]
    pub fn on_disconnect(&self, hook: impl FnOnce() + Send + 'static) {
        let mut lifecycle = self.inner.lifecycle();
        if lifecycle.end.is_none() {
            lifecycle.hooks.push(Box::new(hook));
        } else {
            drop(lifecycle);
            self.inner.event_loop.post_cleanup(hook);
        }
    }

    /// Whether a message of the peer has come.
    pub(crate) fn has_heard(&self) -> bool {
        let heard = self.inner.enter(|state| state.heard);
        // A connection that broke has ended, and nothing more is asked of it.
        heard.unwrap_or(true)
    }

    /// Keeps a share of a listener's limit until the connection has ended.
    pub(crate) fn keep_until_end(&self, slot: Slot) {
        self.inner.keep_until_end(slot);
    }

    /// What is alive at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counted = self.inner.enter(|state| {
            let shared = &state.shared;
            Stats {
                objects: shared.locals.borrow().len(),
                references: shared.imports.borrow().len(),
                calls: shared.calls.borrow().len(),
                requests: shared.requests.borrow().len(),
                threads: self.inner.threads.load(Ordering::SeqCst),
                queued_bytes: shared.outbox.borrow().queued(),
            }
        });
        counted.unwrap_or_default()
    }

    /// The count of threads that [`stats`](Self::stats) shows. The layer that makes the threads keeps it.
    #[must_use]
    pub fn thread_counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.inner.threads)
    }

    /// Something that a layer above keeps for each connection, made the first time it is asked for.
    ///
    /// It is dropped with the connection's last handle.
    #[must_use]
    pub fn extension<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut extensions = self
            .inner
            .extensions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for extension in extensions.iter() {
            if let Ok(found) = Arc::clone(extension).downcast::<T>() {
                return found;
            }
        }
        let made = Arc::new(make());
        extensions.push(Arc::<T>::clone(&made));
        made
    }

    /// A handle that does not keep the connection open.
    #[must_use]
    pub fn downgrade(&self) -> WeakConnection {
        WeakConnection {
            inner: Arc::downgrade(&self.inner),
        }
    }

    /// A capability for an object of this process, as if it had come over this connection.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the connection has ended.
    pub fn loopback(&self, object: &Arc<dyn Object>) -> Result<Capability, Error> {
        let key = self.inner.enter(|state| {
            if state.is_closed() {
                return Err(Error::Disconnected);
            }
            let hook = state.export(object)?;
            Ok(state.shared.add_import(hook))
        })??;
        Ok(Capability::new(Arc::clone(&self.inner), key))
    }

    /// Sends a call whose params are built in place: the function runs with the connection's lock held, and sets no objects.
    ///
    /// # Errors
    ///
    /// Those of the function; [`Error::CalledAfterDisconnect`] and [`Error::Disconnected`].
    pub fn call(
        target: &Capability,
        interface_id: u64,
        ordinal: u16,
        context: &CallContext,
        build: impl FnOnce(any_pointer::Builder<'_>) -> Result<(), Error>,
    ) -> Result<Call, Error> {
        Call::send(target, interface_id, ordinal, context, in_place(build))
    }

    /// Sends a call that nobody waits for, as [`call`](Self::call) does, and takes an object of its answer, which can be called
    /// before the answer is there. The function is called when the call has ended, on whichever thread learned of it, without
    /// the connection's lock. It must not wait.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call); then the function is not called.
    pub fn call_unattended(
        target: &Capability,
        method: (u64, u16),
        context: &CallContext,
        build: impl FnOnce(any_pointer::Builder<'_>) -> Result<(), Error>,
        object: &[u16],
        completion: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Result<Capability, Error> {
        let build = in_place(build);
        Call::send_unattended(target, method, context, build, object, Box::new(completion))
    }

    /// Sends a call whose params were built apart.
    ///
    /// # Errors
    ///
    /// [`Error::CalledAfterDisconnect`] and [`Error::Disconnected`].
    pub fn call_message(
        target: &Capability,
        interface_id: u64,
        ordinal: u16,
        context: &CallContext,
        message: &Message,
    ) -> Result<Call, Error> {
        let connection = target.inner()?;
        Call::send(target, interface_id, ordinal, context, |params, state| {
            message.copy_to(params, &connection, state)
        })
    }
}

/// Builds params that have no objects.
fn in_place(
    build: impl FnOnce(any_pointer::Builder<'_>) -> Result<(), Error>,
) -> impl FnOnce(any_pointer::Builder<'_>, &State) -> Result<(), Error> {
    |mut params, _| {
        let mut no_objects = Vec::new();
        // Shortened to the table's life.
        let mut params = params.reborrow();
        capnp::traits::ImbueMut::imbue_mut(&mut params, &mut no_objects);
        contained(|| build(params))
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

/// A handle to a connection that does not keep it open.
#[derive(Clone, Debug)]
pub struct WeakConnection {
    inner: Weak<Inner>,
}

impl WeakConnection {
    /// The connection, if it is still there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Connection> {
        self.inner.upgrade().map(Connection::from_inner)
    }
}

/// What is alive on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Objects of this process that the peer holds, threads among them.
    pub objects: usize,
    /// References of this process to objects of the peer.
    pub references: usize,
    /// Calls of this process that are not answered yet, or whose answers were not taken yet.
    pub calls: usize,
    /// Calls of the peer that are not answered yet.
    pub requests: usize,
    /// Threads of this process that run for the peer, which asked for them one by one, or for its asynchronous calls. Those of
    /// pools are not counted.
    pub threads: usize,
    /// Bytes that wait to be written.
    pub queued_bytes: usize,
}
