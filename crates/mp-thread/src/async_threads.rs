//! Threads of the peer for calls that no thread of this process waits for, and the queue of calls that wait for one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use mp_conn::{CallContext, Capability, Connection, Error, Threads, unattended};

use crate::context::ThreadContext;
use crate::shared_threads;
use crate::thread_map::ThreadState;

/// The peer's threads that run asynchronous calls.
///
/// A peer of this library has [threads that share a queue](crate::shared_threads), which takes all of them. Any other is asked for
/// threads as they are needed, which are kept. Such a thread is given one call at a time: a libmultiprocess of 2025 crashes on
/// a second one, and calls that wait long would hold up others.
///
/// Either way there is a limit. Calls beyond it wait here, and are sent in their order as soon as others have ended.
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
    /// Whether the peer was asked for a thread that stands for many.
    asked: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The peer's thread that stands for as many as are needed, if it has such. It takes the place of all others. None of these
    /// handles keeps the connection open.
    shared: Option<Capability>,
    /// Threads that run nothing.
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
    Shared(Capability),
    Idle(Capability),
    /// Counted already, and to be made.
    New,
}

/// A thread of the peer that runs one call. Dropping it frees the thread for the next.
#[derive(Debug)]
pub struct ThreadLease {
    /// The thread, unless it is one that stands for many. `None`: the peer gave no thread map, or the thread is not one of these.
    leased: Option<(Arc<AsyncThreads>, Option<Capability>)>,
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
            threads.free(thread);
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
            asked: AtomicBool::new(false),
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
        let (kept, dropped) = if state.count <= self.limit && state.shared.is_none() {
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
            unattended("a waker", || self.start(entry, grant));
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
            Grant::Shared(thread) => (Some(thread), self.lease_of(None)),
            Grant::Idle(thread) => (Some(thread.clone()), self.lease_of(Some(thread))),
            Grant::New => match self.make(connection, &state) {
                Ok(Some((thread, detached))) => (Some(thread), self.lease_of(Some(detached))),
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
        self: &Arc<Self>,
        connection: &Connection,
        state: &ThreadState,
    ) -> Result<Option<(Capability, Capability)>, Error> {
        if !self.asked.swap(true, Ordering::Relaxed) {
            // Fails only when the connection has ended, and then so does what follows.
            self.ask_for_shared(state).unwrap_or_default();
        }
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

    /// Asks the peer for a thread that stands for many, which comes later, if at all.
    fn ask_for_shared(self: &Arc<Self>, state: &ThreadState) -> Result<(), Error> {
        let Some(remote) = state.remote() else {
            return Ok(());
        };
        let (interface, method) = (shared_threads::INTERFACE, shared_threads::SHARED_THREAD);
        let context = CallContext::default();
        let call = Connection::call(&remote, interface, method, &context, |_| Ok(()))?;
        let thread = call.pipelined(&[0])?.into_detached()?;
        let threads = Arc::downgrade(self);
        call.complete_later(move |answer| {
            if let (Ok(()), Some(threads)) = (answer, threads.upgrade()) {
                threads.share(thread);
            }
        })
    }

    fn share(&self, thread: Capability) {
        let mut state = self.state();
        state.shared = Some(thread);
        let idle = std::mem::take(&mut state.idle);
        state.count -= idle.len();
        drop(state);
        // The peer's threads end.
        drop(idle);
    }

    fn lease_of(self: &Arc<Self>, thread: Option<Capability>) -> ThreadLease {
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

    /// Leave to use the thread that stands for many, one that is idle, or to make one.
    fn grant(&mut self) -> Grant {
        if let Some(thread) = self.idle.pop() {
            return Grant::Idle(thread);
        }
        self.count += 1;
        self.shared.clone().map_or(Grant::New, Grant::Shared)
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
