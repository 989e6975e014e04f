//! A connection as its handles share it: its vat, the rule of entering it, and its end.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use crate::Error;
use crate::bell;
use crate::closing::Lifecycle;
use crate::contain::{guarded, in_own_frame, unattended};
use crate::dispatcher::Dispatcher;
use crate::event_loop::{EventLoop, Registration, Source};
use crate::limits::Limits;
use crate::server_call::answer_slot;
use crate::vat::arrivals::Arrivals;
use crate::vat::confined::{Confined, Turn};
use crate::vat::gate::Gate;
use crate::vat::shared::{CallState, Deferred};
use crate::vat::state::{Progress, READS_IN_A_ROW, Role, State};
use crate::vat::transport::Transport;
use crate::waker::VatWaker;
use crate::writing::flush;

/// A connection, shared by its handles.
pub(crate) struct Inner {
    pub(crate) id: u64,
    pub(crate) server: bool,
    pub(crate) limits: Limits,
    pub(crate) event_loop: EventLoop,
    gate: Arc<Gate>,
    /// Threads that are about to enter.
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) vat: Confined,
    /// Calls to hand to objects, in the order in which they came.
    dispatcher: Dispatcher,
    /// The place in the poller, for a socket.
    pub(crate) registration: Option<Registration>,
    /// Threads that wait for something on this connection.
    pub(crate) waiters: AtomicUsize,
    /// References that the event loop's thread holds for a moment, which are no handles.
    visits: AtomicUsize,
    /// Calls of the peer that were not answered when the vat was left last.
    pub(crate) requests: AtomicUsize,
    /// Threads that run for the peer. They may outlive the connection for a moment.
    pub(crate) threads: Arc<AtomicUsize>,
    /// So many bytes wait to be written that callers wait.
    pub(crate) congested: AtomicBool,
    pub(crate) key: usize,
    pub(crate) lifecycle: Mutex<Lifecycle>,
    pub(crate) ended: Condvar,
    pub(crate) extensions: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
    timeout: Mutex<Option<Duration>>,
    /// What was dropped by a thread that was inside at that moment.
    late: Mutex<Vec<Release>>,
}

/// A table entry that a handle gave up.
pub(crate) enum Release {
    Import(usize),
    Call(usize),
    /// A call of the peer's that fails.
    Request(usize, capnp::Error),
}

impl Inner {
    pub(crate) fn new(
        event_loop: &EventLoop,
        transport: Transport,
        role: Role,
        limits: Limits,
        held: bool,
    ) -> Result<(Arc<Self>, Option<usize>), Error> {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let key = event_loop.next_key();
        let server = matches!(role, Role::Server(_));
        let mut bootstrap = None;
        let inner = Arc::new_cyclic(|weak: &Weak<Self>| {
            let source: Weak<dyn Source> = weak.clone();
            let socket = transport.socket().map(Arc::clone);
            let registration = socket.map(|socket| event_loop.register(key, socket, source));
            let gate = Arc::new(Gate::new());
            let waker = VatWaker::waker(&gate, event_loop, weak);
            let (inner, buffers) = (weak.clone(), event_loop.read_buffers());
            let (state, first) = State::new(inner, transport, role, limits.clone(), waker, buffers);
            bootstrap = first;
            Self {
                id,
                server,
                limits,
                event_loop: event_loop.clone(),
                gate,
                arrivals: Arc::default(),
                vat: Confined::new(state),
                dispatcher: Dispatcher::default(),
                registration,
                waiters: AtomicUsize::new(0),
                visits: AtomicUsize::new(0),
                requests: AtomicUsize::new(0),
                threads: Arc::default(),
                congested: AtomicBool::new(false),
                key,
                lifecycle: Mutex::default(),
                ended: Condvar::new(),
                extensions: Mutex::default(),
                timeout: Mutex::default(),
                late: Mutex::default(),
            }
        });
        if server || inner.registration.is_none() {
            // What the peer sent first may be there.
            inner.read_all();
        } else {
            inner.enter(|state| {
                if held {
                    state.shared.hold();
                }
            })?;
        }
        if let Some(registration) = &inner.registration {
            registration.start()?;
        }
        let mut lifecycle = inner.lifecycle();
        if server && lifecycle.end.is_none() {
            lifecycle.keep_alive = Some(Arc::clone(&inner));
        }
        drop(lifecycle);
        Ok((inner, bootstrap))
    }

    /// Enters the vat, runs a function, drives the vat until it stalls, and leaves. Whatever may run code of the user's
    /// happens after leaving.
    ///
    /// A panic inside, whether the function's or `capnp-rpc`'s, ends the connection.
    pub(crate) fn enter<R: Send>(
        self: &Arc<Self>,
        action: impl FnOnce(&mut State) -> R,
    ) -> Result<R, Error> {
        let Some(mut turn) = self.vat.lock() else {
            return Err(Error::failed(
                "a connection was used from inside its own lock",
            ));
        };
        self.gate.enter();
        turn.state().shared.begin_turn();
        let result = guarded(|| {
            let result = in_own_frame(|| action(turn.state()));
            turn.state().drive(&self.gate);
            result
        });
        let mut broken = result.is_none();
        loop {
            broken |= guarded(|| self.settle(turn.state())).is_none();
            if broken {
                turn.state().close();
            }
            if self.gate.leave() {
                break;
            }
            broken |= guarded(|| turn.state().drive(&self.gate)).is_none();
        }
        self.leave(turn, broken);
        result.ok_or(Error::Disconnected)
    }

    /// Gives up a table entry: now, or when the thread that is inside leaves.
    pub(crate) fn release(self: &Arc<Self>, release: Release) {
        self.late().push(release);
        if self.is_last() {
            // The connection ends in a moment, which tells the peer all at once. If it does not, who enters next looks.
            return;
        }
        // The error says that this thread is inside already: it looks before it leaves.
        drop(self.enter(|_| ()));
    }

    /// Whether the caller has the last handle.
    fn is_last(self: &Arc<Self>) -> bool {
        !self.server && Arc::strong_count(self) <= 1 + self.visits.load(Ordering::SeqCst)
    }

    /// What is done before the lock is released: handles' releases, writing, and the end if it has come.
    fn settle(&self, state: &mut State) {
        loop {
            let mut late = self.late();
            if late.is_empty() {
                break;
            }
            let mut releases = std::mem::take(&mut *late);
            drop(late);
            for release in releases.drain(..) {
                apply(state, release);
            }
            // Used again, unless there were many, or there are more by now.
            let mut late = self.late();
            if late.capacity() == 0 && releases.capacity() <= RELEASES_KEPT {
                *late = releases;
            }
            drop(late);
            state.drive(&self.gate);
        }
        if state.is_closed() {
            return;
        }
        if self.leave_writing(state) {
            return;
        }
        let written = state.flush();
        if !written || state.shared.ending.get() {
            state.close();
        }
    }

    /// Releases the lock, and does what had to wait for that.
    fn leave(self: &Arc<Self>, mut turn: Turn<'_>, broken: bool) {
        let state = turn.state();
        let closed = state.is_closed();
        if let Some(registration) = &self.registration {
            if closed {
                registration.remove();
            } else if state.write_blocked != state.write_watched {
                state.write_watched = state.write_blocked;
                registration.set_write(state.write_blocked);
            }
        }
        let requests = state.shared.requests.borrow().len();
        self.requests.store(requests, Ordering::SeqCst);
        let queued = state.shared.outbox.borrow().queued();
        self.congested
            .store(queued >= self.limits.queued_bytes, Ordering::SeqCst);
        let woken = state.shared.woken.take();
        let deferred = state.shared.deferred.take();
        // Queued while the lock is held, so that their order is the order in which they came.
        self.dispatcher
            .push(&mut state.shared.dispatches.borrow_mut());
        drop(turn);
        if broken {
            tracing::error!(target: "ipc", "panic inside the RPC system: the connection is closed");
        }
        wake(woken);
        self.run_deferred(deferred);
        if closed {
            self.finish_closing();
        }
        self.dispatcher.run();
    }

    #[inline(never)]
    pub(crate) fn run_deferred(&self, deferred: Vec<Deferred>) {
        for action in deferred {
            unattended("a waker", || match action {
                Deferred::Wake(waker) => waker.wake(),
                Deferred::Forget(waker) => drop(waker),
                Deferred::Cancel(request) => request.cancel(),
                Deferred::Complete(completion, result) => completion(result),
                Deferred::Flush(connection) => self.event_loop.post(move || flush(&connection)),
                Deferred::Report(text) => tracing::warn!(target: "ipc", "{text}"),
                Deferred::Drop(_, object) => {
                    if object.needs_cleanup() {
                        self.event_loop.post_cleanup(move || drop(object));
                    }
                }
            });
        }
    }

    /// Reads what is there, within reason, and handles it.
    pub(crate) fn read_all(self: &Arc<Self>) {
        let result = self.enter(|state| {
            for _ in 0..READS_IN_A_ROW {
                if state.is_closed() || state.read() != Progress::More || state.has_much_to_do() {
                    break;
                }
            }
        });
        // Fails only from inside, and the event loop's thread is not inside when it reads.
        drop(result);
    }

    pub(crate) fn timeout(&self) -> MutexGuard<'_, Option<Duration>> {
        self.timeout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, Vec<Release>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Inner {
    fn ready(self: Arc<Self>, _readable: bool, _writable: bool) {
        self.visits.fetch_add(1, Ordering::SeqCst);
        self.read_all();
        self.visits.fetch_sub(1, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Wakes threads that wait for what happened in a vat, which must not be locked any more.
pub(crate) fn wake(threads: Vec<Waker>) {
    bell::together(threads.into_iter(), |thread| {
        unattended("a waker", || thread.wake());
    });
}

fn apply(state: &State, release: Release) {
    let shared = &state.shared;
    match release {
        Release::Import(key) => {
            let hook = shared.imports.borrow_mut().try_remove(key);
            drop(hook);
        }
        Release::Call(key) => {
            let slot = shared.calls.borrow_mut().try_remove(key);
            if let Some(mut slot) = slot {
                let wakers = slot.take_wakers().map(Deferred::Forget);
                shared.deferred.borrow_mut().extend(wakers);
                if let CallState::Waiting { abort, .. } = &slot.state {
                    abort.abort();
                }
            }
        }
        Release::Request(key, error) => {
            let slot = shared.requests.borrow_mut().try_remove(key);
            if let Some(slot) = slot {
                answer_slot(slot, Err(error));
            }
        }
    }
}

/// Room for so many releases stays allocated.
const RELEASES_KEPT: usize = 8;

/// Numbers connections, so that tables of threads can name them after they are gone.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
