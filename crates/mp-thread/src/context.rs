//! What belongs to an OS thread: its waiter, its counterparts at its peers, and the calls that it serves.

mod socket;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;

use mp_conn::{
    Cancellation, Capability, Connection, Error, EventLoop, Leader, Object, Reference, Threads,
};

pub(crate) use self::socket::Writing;
use crate::awaited::Awaited;
use crate::counterpart::{Counterpart, take_ended};
use crate::dispatch::run_elsewhere;
use crate::job::{Job, ThreadWaiter};
use crate::lead::Interrupter;
use crate::name;
use crate::serving::Frame;
use crate::thread_map::ThreadState;
use crate::thread_object::ThreadObject;
use crate::waiter::Event;

thread_local! {
    /// The only global state: its meaning is the thread.
    static CURRENT: OnceCell<ThreadContext> = const { OnceCell::new() };
}

/// The calling thread's own state.
pub(crate) struct ThreadContext {
    waiter: Arc<ThreadWaiter>,
    waker: Waker,
    name: OnceCell<Arc<str>>,
    /// The peer's threads that run this thread's calls, by connection.
    request_threads: RefCell<BTreeMap<u64, Counterpart<Capability>>>,
    /// This thread as the peer sees it, by connection.
    callback_threads: RefCell<BTreeMap<u64, Counterpart<Arc<ThreadObject>>>>,
    /// The calls that this thread serves, the innermost last.
    frames: RefCell<Vec<Frame>>,
    /// The thread was made to run calls of a peer.
    is_worker: Cell<bool>,
    /// The size of the tables at which entries of ended connections are looked for.
    prune_at: Cell<usize>,
    interrupter: Interrupter,
    /// Taken before something was sent, for the wait that follows.
    ahead: RefCell<Option<Leader>>,
    /// Whether the thread comes back to a wait when the call that it serves is answered.
    waits: Cell<usize>,
    /// The connections that the thread waits for, the innermost last.
    awaited: RefCell<Vec<u64>>,
}

/// What a thread is about to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sending {
    /// A call, for whose answer it waits next.
    Call,
    /// The answer of the call that it serves.
    Answer,
}

/// Whether what a thread waits for was looked at before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Polled {
    #[default]
    Never,
    /// It had not happened, and will wake the thread's waker.
    Pending,
}

/// A thread of a peer that waits for the calling thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) connection: u64,
    /// `None`: the call names no thread for callbacks.
    pub(crate) caller: Option<usize>,
}

impl ThreadContext {
    fn new(waiter: Arc<ThreadWaiter>) -> Self {
        Self {
            waker: Waker::from(Arc::clone(&waiter)),
            waiter,
            name: OnceCell::new(),
            request_threads: RefCell::default(),
            callback_threads: RefCell::default(),
            frames: RefCell::default(),
            is_worker: Cell::new(false),
            prune_at: Cell::new(16),
            interrupter: Interrupter::default(),
            ahead: RefCell::default(),
            waits: Cell::new(0),
            awaited: RefCell::default(),
        }
    }

    /// The calling thread's context.
    ///
    /// # Errors
    ///
    /// When the thread is ending, and its thread-local variables are gone.
    pub(crate) fn with<R>(action: impl FnOnce(&Self) -> R) -> Result<R, Error> {
        CURRENT
            .try_with(|current| {
                action(current.get_or_init(|| Self::new(Arc::new(ThreadWaiter::new()))))
            })
            .map_err(|_| Error::failed("IPC call from a thread that is ending"))
    }

    /// The connections on which the thread waits for something, the innermost wait last.
    pub(crate) fn awaited(&self) -> &RefCell<Vec<u64>> {
        &self.awaited
    }

    /// What wakes the thread from its next wait.
    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// The calls that this thread serves, the innermost last.
    pub(crate) fn frames(&self) -> &RefCell<Vec<Frame>> {
        &self.frames
    }

    /// Says that this thread starts to serve a call.
    pub(crate) fn begin(&self, frame: Frame) {
        let mut frames = self.frames.borrow_mut();
        if frames.capacity() == 0 {
            // Most threads serve one at a time.
            frames.reserve_exact(1);
        }
        frames.push(frame);
    }

    /// Gives a thread that was just started the waiter that was made for it. It comes back to it after each call.
    pub(crate) fn install(waiter: Arc<ThreadWaiter>, name: Arc<str>) {
        CURRENT.with(|current| {
            let context = current.get_or_init(|| Self::new(waiter));
            context.waits.set(1);
            context.is_worker.set(true);
            context.name.get_or_init(|| name);
        });
    }

    /// The thread's name, which is formed the first time and stays.
    pub(crate) fn name(&self, form: impl FnOnce() -> String) -> Arc<str> {
        Arc::clone(self.name.get_or_init(|| form().into()))
    }

    /// The threads that go into the context of a call.
    pub(crate) fn threads(&self, connection: &Connection, field: u16) -> Result<Threads, Error> {
        Ok(Threads {
            field,
            thread: self.request_thread(connection)?,
            callback_thread: Some(self.callback_thread(connection)),
        })
    }

    /// The peer's thread for this one: the one that it was given, or the one that waits for the call that it serves, or a
    /// new one.
    ///
    /// A thread that was made for the peer has all of them when a destructor made calls between two calls of the peer. While
    /// it serves one, the thread that waits for it comes first: it holds what the call is made under.
    fn request_thread(&self, connection: &Connection) -> Result<Option<Capability>, Error> {
        if !self.is_worker.get()
            && let Some(found) = self.existing_thread(connection)
        {
            return Ok(Some(found));
        }
        let outermost = self
            .frames
            .borrow()
            .iter()
            .position(|frame| frame.connection == connection.id());
        if let Some(thread) = outermost.and_then(|index| self.caller_thread(index)) {
            return thread;
        }
        if let Some(found) = self.existing_thread(connection) {
            return Ok(Some(found));
        }
        let name = self.name(|| name::current(connection.event_loop().name()));
        let Some(thread) = ThreadState::of(connection).make_remote(connection, &name)? else {
            return Ok(None);
        };
        let value = thread.into_detached()?;
        let thread = value.clone();
        self.request_threads.borrow_mut().insert(
            connection.id(),
            Counterpart {
                connection: connection.downgrade(),
                value,
            },
        );
        Ok(Some(thread))
    }

    /// The peer's thread that waits for a call that this one serves. `None`: the method has no context.
    fn caller_thread(&self, frame: usize) -> Option<Result<Option<Capability>, Error>> {
        let frames = self.frames.borrow();
        if let Some(found) = frames[frame].caller_thread.get() {
            return Some(Ok(Some(found.clone())));
        }
        let (params, path) = frames[frame].callback_thread.clone()?;
        // Reading enters the connection.
        drop(frames);
        Some(params.object(&path).map(|thread| match thread {
            Some(Reference::Remote(thread)) => {
                let frames = self.frames.borrow();
                Some(frames[frame].caller_thread.get_or_init(|| thread).clone())
            }
            _ => None,
        }))
    }

    /// The peer's thread that was made for this one.
    pub(crate) fn existing_thread(&self, connection: &Connection) -> Option<Capability> {
        let threads = self.request_threads.borrow();
        threads
            .get(&connection.id())
            .map(|found| found.value.clone())
    }

    fn callback_thread(&self, connection: &Connection) -> Arc<dyn Object> {
        self.prune();
        let mut threads = self.callback_threads.borrow_mut();
        let entry = threads.entry(connection.id()).or_insert_with(|| {
            let name = self.name(|| name::current(connection.event_loop().name()));
            Counterpart {
                connection: connection.downgrade(),
                value: Arc::new(ThreadObject::caller(
                    Arc::clone(&self.waiter),
                    name,
                    connection.id(),
                )),
            }
        });
        entry.value.attend();
        Arc::<ThreadObject>::clone(&entry.value)
    }

    /// Has the jobs run elsewhere that the peer sent to this thread, and that need not run here, when the thread does not wait for
    /// the peer any more.
    pub(crate) fn leave(&self, connection: u64) {
        if self.awaited.borrow().contains(&connection) {
            return;
        }
        let threads = self.callback_threads.borrow();
        let thread = threads.get(&connection);
        let moved = thread.map(|thread| thread.value.leave());
        drop(threads);
        run_elsewhere(moved.unwrap_or_default());
    }

    /// Forgets ended connections, now and then.
    fn prune(&self) {
        let count = self.callback_threads.borrow().len();
        if count < self.prune_at.get() {
            return;
        }
        let requests = take_ended(&mut self.request_threads.borrow_mut());
        let callbacks = take_ended(&mut self.callback_threads.borrow_mut());
        self.prune_at.set((count - callbacks.len()) * 2 + 16);
        // Dropped when the tables can be used again: releasing a reference enters its connection.
        drop((requests, callbacks));
    }

    /// Waits for something that happens on a connection, and runs the callbacks that belong to it meanwhile.
    pub(crate) fn wait<R>(
        &self,
        connection: &Connection,
        deadline: Option<Instant>,
        mut polled: Polled,
        mut poll: impl FnMut(&Waker) -> Poll<R>,
    ) -> Result<R, Error> {
        EventLoop::may_block()?;
        let callers = self.callers();
        let id = connection.id();
        let _awaited = Awaited::new(self, id);
        let eligible = |job: &Job| job.belongs_to(id, &callers);
        loop {
            if std::mem::take(&mut polled) == Polled::Never {
                let polled = poll(&self.waker);
                // What is waited for need not be of the connection's: then polling did not enter it.
                connection.write_held();
                if let Poll::Ready(result) = polled {
                    self.give_back();
                    return Ok(result);
                }
            }
            // Not counted while a callback runs, which may wait itself.
            let waiting = connection.waiting();
            let event = match self.lead(connection) {
                Some(leader) => {
                    let event = self
                        .interrupter
                        .lead(&leader, &self.waiter, deadline, eligible);
                    // Looked at while still leading, and only now: an answer that is taken must be returned.
                    if matches!(event, Some(Event::Woken))
                        && let Poll::Ready(result) = poll(&self.waker)
                    {
                        return Ok(result);
                    }
                    // The socket is given back before a callback runs.
                    drop(leader);
                    event
                }
                None => Some(self.waiter.wait(connection.arrivals(), deadline, eligible)),
            };
            drop(waiting);
            match event {
                Some(Event::Job(job)) => {
                    self.waits.set(self.waits.get() + 1);
                    job.run();
                    self.waits.set(self.waits.get() - 1);
                }
                Some(Event::TimedOut) => return Err(Error::TimedOut),
                None if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                    return Err(Error::TimedOut);
                }
                _ => {}
            }
        }
    }

    /// Tells whether the caller of the innermost method gave up. `None`: this thread serves no call.
    pub(crate) fn cancellation(&self) -> Option<Cancellation> {
        let frames = self.frames.borrow();
        Some(frames.last()?.cancellation.clone())
    }

    fn callers(&self) -> Vec<Caller> {
        let frames = self.frames.borrow();
        let caller = |frame: &Frame| Caller {
            connection: frame.connection,
            caller: frame.caller,
        };
        frames.iter().map(caller).collect()
    }
}

impl Drop for ThreadContext {
    fn drop(&mut self) {
        // Calls that still come for this thread have nowhere to run.
        self.waiter.close();
        // Dropped elsewhere: objects that only a call kept may go with it, and this thread cannot run code of the user's.
        for job in self.waiter.drain() {
            let event_loop = job.connection().event_loop().clone();
            event_loop.post_cleanup(move || drop(job));
        }
        // Released by the event loop's thread: this one may be without thread-local variables already.
        for entry in std::mem::take(self.request_threads.get_mut()).into_values() {
            if let Some(connection) = entry.connection.upgrade() {
                let event_loop = connection.event_loop().clone();
                event_loop.post(move || drop((entry.value, connection)));
            }
        }
    }
}
