//! The event loop: one thread that reads what nobody else reads, accepts, keeps deadlines, and runs methods without a context.

mod cleanup;
mod poller;
pub(crate) mod reading;
mod registration;
mod sleep;
mod tasks;
mod timers;

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use self::cleanup::Cleanup;
pub(crate) use self::cleanup::Job;
use self::poller::{Poller, Ready};
pub(crate) use self::registration::Registration;
pub use self::sleep::Sleep;
pub(crate) use self::timers::Timer;
use self::timers::Timers;
use crate::contain::unattended;
use crate::vat::read_buffers::ReadBuffers;
use crate::{Error, log};

/// A handle to an event loop.
///
/// The loop has a thread of its own, and one on which objects are dropped. Handles are counted, and so are the
/// connections and listeners of the loop, which hold one each: when the last goes, both threads end. Dropping the last
/// handle waits for them, unless it happens on one of them.
#[doc(alias = "EventLoopRef")]
#[derive(Clone, Debug)]
pub struct EventLoop {
    owner: Arc<Owner>,
}

impl EventLoop {
    /// Starts an event loop. The name is that of its thread, and stands before messages in the log.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the threads or the poller cannot be made.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let failed = |error| Error::io(format!("cannot start event loop {name}"), error);
        let poller = Arc::new(Poller::new().map_err(failed)?);
        let (cleanup, cleanup_thread) = Cleanup::start(&name).map_err(failed)?;
        let core = Arc::new(Core {
            name: name.clone(),
            poller,
            tasks: Mutex::default(),
            sleeping: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sources: Mutex::default(),
            read_buffers: Arc::default(),
            next_key: AtomicUsize::new(0),
            timers: Timers::default(),
        });
        let runner = Arc::clone(&core);
        let thread = thread::Builder::new()
            .name(name.clone())
            .spawn(move || runner.run())
            .map_err(failed)?;
        let owner = Owner {
            core,
            cleanup: Some(cleanup),
            threads: vec![thread, cleanup_thread],
        };
        Ok(Self {
            owner: Arc::new(owner),
        })
    }

    /// The loop's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.owner.core.name
    }

    /// Whether the calling thread is the loop's own.
    #[must_use]
    pub fn is_current(&self) -> bool {
        current(|core| core.as_ptr() == Arc::as_ptr(&self.owner.core)).unwrap_or(false)
    }

    /// Whether the calling thread may wait. An event loop's own thread may not, whichever loop it is and whatever it would wait
    /// for: all of the loop's connections would wait with it.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlockEventLoop`], which names the loop.
    pub fn may_block() -> Result<(), Error> {
        match current(Weak::upgrade).flatten() {
            Some(core) => Err(Error::WouldBlockEventLoop(core.name.clone())),
            None => Ok(()),
        }
    }

    /// Runs a function on the loop's thread, after what was posted before. All of the loop's connections wait meanwhile.
    pub fn post(&self, task: impl FnOnce() + Send + 'static) {
        self.owner.core.post(Box::new(task));
    }

    /// Runs a function on the cleanup thread, after what was posted before. It may block and make calls.
    pub fn post_cleanup(&self, job: impl FnOnce() + Send + 'static) {
        if let Some(cleanup) = &self.owner.cleanup {
            cleanup.post(Box::new(job));
        }
    }

    /// Memory to read into, for the loop's connections.
    pub(crate) fn read_buffers(&self) -> Arc<ReadBuffers> {
        Arc::clone(&self.owner.core.read_buffers)
    }

    /// A number for a socket of this loop.
    pub(crate) fn next_key(&self) -> usize {
        self.owner.core.next_key.fetch_add(1, Ordering::Relaxed)
    }

    /// Prepares to watch a socket, and to call the source with what happens to it, on the loop's thread.
    pub(crate) fn register(
        &self,
        key: usize,
        socket: Arc<OwnedFd>,
        source: Weak<dyn Source>,
    ) -> Registration {
        self.owner.core.sources().insert(key, source);
        Registration::new(&self.owner.core.poller, socket, key)
    }

    /// Forgets a source.
    pub(crate) fn unregister(&self, key: usize) {
        self.owner.core.sources().remove(&key);
    }

    /// Has a timer fired at a time, unless it is dropped before.
    pub(crate) fn set_timer(&self, deadline: Instant, timer: &Arc<Timer>) {
        let core = &self.owner.core;
        if core.timers.add(deadline, timer) {
            core.poller.notify();
        }
    }

    /// A reference that does not keep the loop running.
    pub(crate) fn downgrade(&self) -> WeakEventLoop {
        WeakEventLoop(Arc::downgrade(&self.owner.core))
    }
}

/// Posts to a loop as long as it runs.
#[derive(Clone, Debug)]
pub(crate) struct WeakEventLoop(Weak<Core>);

impl WeakEventLoop {
    pub(crate) fn post(&self, task: Job) {
        if let Some(core) = self.0.upgrade() {
            core.post(task);
        }
    }
}

/// Something with a socket that the loop watches.
pub(crate) trait Source: Send + Sync {
    /// Called on the loop's thread when the socket can be read or written.
    fn ready(self: Arc<Self>, readable: bool, writable: bool);
}

/// What the last handle drops.
#[derive(Debug)]
struct Owner {
    core: Arc<Core>,
    cleanup: Option<Cleanup>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.core.stop.store(true, Ordering::SeqCst);
        self.core.poller.notify();
        // No more jobs come: its thread ends after those that are there.
        self.cleanup.take();
        let me = thread::current().id();
        if self.threads.iter().any(|thread| thread.thread().id() == me) {
            return;
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                log::uncaught("an event loop's thread");
            }
        }
    }
}

/// What the loop's thread and the handles share.
struct Core {
    name: String,
    poller: Arc<Poller>,
    tasks: Mutex<Vec<Job>>,
    /// The thread is about to wait, or waits: whoever posts has to notify it.
    sleeping: AtomicBool,
    stop: AtomicBool,
    sources: Mutex<HashMap<usize, Weak<dyn Source>>>,
    read_buffers: Arc<ReadBuffers>,
    next_key: AtomicUsize,
    timers: Timers,
}

thread_local! {
    /// The event loop whose own thread this is.
    static CURRENT: OnceCell<Weak<Core>> = const { OnceCell::new() };
    /// Whether it is one's. Apart, because a variable with a destructor takes memory of each thread that looks at it.
    static IS_LOOP: Cell<bool> = const { Cell::new(false) };
}

/// Looks at the event loop whose own thread the calling one is. `None`: it is no loop's.
fn current<R>(look: impl FnOnce(&Weak<Core>) -> R) -> Option<R> {
    if !IS_LOOP.get() {
        return None;
    }
    // A thread that is ending runs nothing of a loop's any more.
    CURRENT.try_with(|current| current.get().map(look)).ok()?
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLoop")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Core {
    fn run(self: &Arc<Self>) {
        CURRENT.with(|current| {
            current.get_or_init(|| Arc::downgrade(self));
        });
        IS_LOOP.set(true);
        let mut ready = Vec::new();
        while !self.stop.load(Ordering::SeqCst) {
            self.run_tasks();
            self.wait(&mut ready);
            for event in ready.drain(..) {
                let source = self.sources().get(&event.key).and_then(Weak::upgrade);
                if let Some(source) = source {
                    unattended("a connection", || {
                        source.ready(event.readable, event.writable);
                    });
                }
            }
            for timer in self.timers.due(Instant::now()) {
                unattended("a waker", || timer.fire());
            }
        }
        self.run_tasks();
        tracing::info!(target: "ipc", "EventLoop::loop done, cancelling event listeners.");
        tracing::info!(target: "ipc", "EventLoop::loop bye.");
    }

    fn wait(&self, ready: &mut Vec<Ready>) {
        self.sleeping.store(true, Ordering::SeqCst);
        // Looked at after the flag: whoever posts later sees the flag and notifies.
        let idle = self.tasks().is_empty() && !self.stop.load(Ordering::SeqCst);
        let timeout = if idle {
            self.timers
                .next()
                .map(|next| next.saturating_duration_since(Instant::now()))
        } else {
            Some(std::time::Duration::ZERO)
        };
        if let Err(error) = self.poller.wait(ready, timeout) {
            tracing::error!(target: "ipc", "event loop cannot wait: {error}");
        }
        self.sleeping.store(false, Ordering::SeqCst);
    }

    fn run_tasks(&self) {
        loop {
            let tasks = std::mem::take(&mut *self.tasks());
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                unattended("a posted function", task);
            }
        }
    }

    fn post(&self, task: Job) {
        self.tasks().push(task);
        if self.sleeping.swap(false, Ordering::SeqCst) {
            self.poller.notify();
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Job>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<usize, Weak<dyn Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
