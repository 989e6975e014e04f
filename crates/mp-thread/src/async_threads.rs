//! Threads of the peer for calls that no thread of this process waits for, and the queue of calls that wait for one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use mp_conn::proxy_capnp::thread;
use mp_conn::{Capability, Connection, Error, Object, ServerCall, Threads, caught};

use crate::context::ThreadContext;
use crate::thread_map::ThreadState;

/// The peer's threads that run asynchronous calls.
///
/// A thread of the peer is given one call at a time: a libmultiprocess of 2025 crashes on a second one, and calls that wait
/// long would hold up others. Threads are made as they are needed, up to a limit, and kept. Calls beyond the limit wait
/// here, and are sent in their order as soon as threads are free.
///
/// A call in the queue waits only for calls that were sent, and they never for it: one that was sent may wait for what a
/// method of this process does, but the calls of such methods do not queue; and one whose object is used before it is there is
/// sent when that happens.
#[derive(Debug)]
pub(crate) struct AsyncThreads {
    state: Mutex<State>,
    limit: usize,
    /// Numbers the threads, for their names.
    made: AtomicUsize,
    /// Whether the queue will be told when the connection ends.
    ending: Once,
}

#[derive(Debug, Default)]
struct State {
    /// Threads that run nothing. The handles do not keep the connection open.
    idle: Vec<Capability>,
    /// Threads that there are, or that are being made.
    count: usize,
    queue: VecDeque<Entry>,
    next_key: u64,
    /// A thread of this process is starting calls of the queue, and looks again before it stops.
    starting: bool,
}

/// A call that waits for a thread.
struct Entry {
    key: u64,
    connection: Connection,
    field: u16,
    start: Start,
}

/// What sends a queued call, or tells it why it cannot be sent.
type Start = Box<dyn FnOnce(Result<Leased, Error>) + Send>;

/// The threads for a call's context, and the lease of the peer's.
pub type Leased = (Threads, ThreadLease);

/// Leave to use a thread.
enum Grant {
    Idle(Capability),
    /// Counted already, and to be made.
    New,
}

/// A thread of the peer that runs one call. Dropping it frees the thread for the next.
#[derive(Debug)]
pub struct ThreadLease {
    /// `None`: the peer gave no thread map, or the thread is not one of these.
    leased: Option<(Arc<AsyncThreads>, Capability)>,
}

impl ThreadLease {
    /// For a call that leases nothing.
    pub(crate) fn none() -> Self {
        Self { leased: None }
    }

    /// Gives the thread up, because its call was cancelled: the peer may run the method to its end nevertheless, and whatever
    /// came next would have to wait for that. The peer's thread ends then.
    pub fn retire(mut self) {
        if let Some((threads, thread)) = self.leased.take() {
            // Without the lock, as that enters the connection.
            drop(thread);
            threads.free(None);
        }
    }
}

impl Drop for ThreadLease {
    fn drop(&mut self) {
        if let Some((threads, thread)) = self.leased.take() {
            threads.free(Some(thread));
        }
    }
}

/// A call that waits for a thread of the peer. Dropping it takes the call out of the queue, unless it was started.
#[derive(Debug)]
pub struct Queued {
    threads: Arc<AsyncThreads>,
    /// `None`: nobody takes the call out any more.
    key: Option<u64>,
}

impl Queued {
    /// Starts the call now, beyond the limit, if it still waits.
    pub fn start(mut self) {
        if let Some(entry) = self.take() {
            let grant = self.threads.state().grant();
            self.threads.start(entry, grant);
        }
    }

    /// Leaves the call in the queue.
    pub fn detach(mut self) {
        self.key = None;
    }

    fn take(&mut self) -> Option<Entry> {
        let key = self.key.take()?;
        let mut state = self.threads.state();
        let index = state.queue.iter().position(|entry| entry.key == key)?;
        state.queue.remove(index)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl AsyncThreads {
    /// No threads yet, and at most so many.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            limit: limit.max(1),
            made: AtomicUsize::new(0),
            ending: Once::new(),
        }
    }

    /// A thread for a call that is sent now. `None`: there is none, and the call is to be queued.
    pub(crate) fn lease(
        self: &Arc<Self>,
        connection: &Connection,
        field: u16,
    ) -> Result<Option<Leased>, Error> {
        let grant = {
            let mut state = self.state();
            // The peer's thread may wait for what a method does here.
            let is_free = state.queue.is_empty() && state.has_thread(self.limit);
            if !is_free && !serves(connection) {
                return Ok(None);
            }
            state.grant()
        };
        self.take(grant, connection, field).map(Some)
    }

    /// Queues a call: it is started when there is a thread, which may be at once, or with an error when there will be none.
    /// `start` runs on whichever thread frees the peer's, and must not wait.
    pub(crate) fn queue(
        self: &Arc<Self>,
        connection: &Connection,
        field: u16,
        start: impl FnOnce(Result<Leased, Error>) + Send + 'static,
    ) -> Queued {
        let mut state = self.state();
        let key = state.next_key;
        state.next_key += 1;
        state.queue.push_back(Entry {
            key,
            connection: connection.clone(),
            field,
            start: Box::new(start),
        });
        drop(state);
        self.ending.call_once(|| {
            let threads = Arc::downgrade(self);
            connection.on_disconnect(move || {
                if let Some(threads) = threads.upgrade() {
                    threads.start_queue();
                }
            });
        });
        // A thread may have become free since the caller looked; or the connection has ended, and the hook ran already.
        self.start_queue();
        Queued {
            threads: Arc::clone(self),
            key: Some(key),
        }
    }

    /// Takes a thread back that was leased, or forgets one.
    fn free(self: &Arc<Self>, thread: Option<Capability>) {
        let mut state = self.state();
        // Those that were made beyond the limit are not kept.
        let (kept, dropped) = if state.count <= self.limit {
            (thread, None)
        } else {
            (None, thread)
        };
        match kept {
            Some(thread) => state.idle.push(thread),
            None => state.count -= 1,
        }
        let is_waiting = !state.queue.is_empty();
        drop(state);
        drop(dropped);
        if is_waiting {
            self.start_queue();
        }
    }

    /// Starts the calls of the queue that there are threads for; all of them when the connection has ended.
    fn start_queue(self: &Arc<Self>) {
        if std::mem::replace(&mut self.state().starting, true) {
            return;
        }
        while let Some((entry, grant)) = self.next() {
            // What runs besides the call's own code are wakers.
            if caught(|| self.start(entry, grant)).is_err() {
                // The subscriber may panic as well, and the queue has to go on.
                let report = || tracing::error!(target: "ipc", "Uncaught exception in daemonized task. (a waker panicked)");
                caught(report).unwrap_or_default();
            }
        }
    }

    /// The next call to start. `None`: none can be, and whoever frees a thread from now on starts it.
    fn next(&self) -> Option<(Entry, Grant)> {
        let mut state = self.state();
        let has_thread = state.has_thread(self.limit);
        let is_ready = |entry: &Entry| has_thread || entry.connection.is_closed();
        let next = match state.queue.front().is_some_and(is_ready) {
            true => state.queue.pop_front(),
            false => None,
        };
        state.starting = next.is_some();
        next.map(|entry| (entry, state.grant()))
    }

    fn start(self: &Arc<Self>, entry: Entry, grant: Grant) {
        let leased = self.take(grant, &entry.connection, entry.field);
        (entry.start)(leased);
    }

    /// The thread that was granted. Made without the lock: entering the connection can end calls, and with them leases.
    fn take(
        self: &Arc<Self>,
        grant: Grant,
        connection: &Connection,
        field: u16,
    ) -> Result<Leased, Error> {
        let state = ThreadState::of(connection);
        let (thread, lease) = match grant {
            Grant::Idle(thread) => (Some(thread.clone()), self.lease_of(thread)),
            Grant::New => match self.make(connection, &state) {
                Ok(Some((thread, detached))) => (Some(thread), self.lease_of(detached)),
                Ok(None) => {
                    self.free(None);
                    (None, ThreadLease::none())
                }
                Err(error) => {
                    self.free(None);
                    return Err(error);
                }
            },
        };
        let threads = Threads {
            field,
            thread,
            callback_thread: Some(state.callback_object()),
        };
        Ok((threads, lease))
    }

    /// Makes a thread at the peer: a handle for its first call, and one that does not keep the connection open. `None`: the
    /// peer gave no thread map.
    fn make(
        &self,
        connection: &Connection,
        state: &ThreadState,
    ) -> Result<Option<(Capability, Capability)>, Error> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}/async-{number}", connection.event_loop().name());
        match state.make_remote(connection, &name)? {
            Some(thread) => {
                let detached = thread.detached()?;
                Ok(Some((thread, detached)))
            }
            None => Ok(None),
        }
    }

    fn lease_of(self: &Arc<Self>, thread: Capability) -> ThreadLease {
        ThreadLease {
            leased: Some((Arc::clone(self), thread)),
        }
    }

    /// Locked for moments only: neither the connection's lock nor code of the user's comes within it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a thread is idle, or may be made.
    fn has_thread(&self, limit: usize) -> bool {
        !self.idle.is_empty() || self.count < limit
    }

    /// Leave to use a thread that is idle, or to make one.
    fn grant(&mut self) -> Grant {
        self.idle.pop().map_or_else(
            || {
                self.count += 1;
                Grant::New
            },
            Grant::Idle,
        )
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Whether the calling thread runs a method for the peer at the connection's other end.
fn serves(connection: &Connection) -> bool {
    let serves = ThreadContext::with(|context| {
        let frames = context.frames().borrow();
        frames
            .iter()
            .any(|frame| frame.connection == connection.id())
    });
    serves.unwrap_or_default()
}

/// The thread that asynchronous calls name for callbacks: a pool that looks like one thread.
#[derive(Debug)]
pub(crate) struct CallbackThread;

impl Object for CallbackThread {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        let name = format!("{}/callback", call.connection().event_loop().name());
        // Fails only when the connection has ended.
        call.reply(&[], |results| {
            let mut results: thread::get_name_results::Builder<'_> = results.init_as();
            results.set_result(&name);
            Ok(())
        })
        .ok();
    }

    fn needs_cleanup(&self) -> bool {
        false
    }
}
