//! Threads that were made to run calls of a peer.

use std::sync::{Arc, OnceLock};
use std::thread;

use mp_conn::{Error, WeakConnection};

use crate::context::{ThreadContext, Writing};
use crate::job::ThreadWaiter;
use crate::name;

/// A thread that was started.
pub(crate) struct Worker {
    pub(crate) waiter: Arc<ThreadWaiter>,
    /// Set by the thread when it starts.
    pub(crate) name: Arc<OnceLock<Arc<str>>>,
}

/// Starts a thread that runs a function, which is given what the thread waits with. The guard is dropped at its end.
pub(crate) fn start(
    program: &str,
    suffix: String,
    connection: WeakConnection,
    guard: impl Send + 'static,
    run: impl FnOnce(&Arc<ThreadWaiter>, &WeakConnection) + Send + 'static,
) -> Result<Worker, Error> {
    let name = Arc::new(OnceLock::new());
    let thread_name = Arc::clone(&name);
    let thread = thread::Builder::new().name(format!("{program}/worker"));
    let program = program.to_owned();
    let waiter = Arc::new(ThreadWaiter::new());
    let queue = Arc::clone(&waiter);
    // Boxed: by value, it would be on the thread's stack several times.
    let body: Box<dyn FnOnce() + Send> = Box::new(move || {
        let _guard = guard;
        let name = thread_name.get_or_init(|| name::worker(&program, &suffix).into());
        ThreadContext::install(Arc::clone(&queue), Arc::clone(name));
        drop((thread_name, program, suffix));
        run(&queue, &connection);
    });
    let started = thread.stack_size(STACK_BYTES).spawn(body);
    started.map_err(|error| Error::io("cannot start a thread", error))?;
    Ok(Worker { waiter, name })
}

/// Runs what comes to the thread's waiter, until that is closed and empty.
pub(crate) fn run(_: &Arc<ThreadWaiter>, connection: &WeakConnection) {
    while let Ok(Some(job)) =
        ThreadContext::with(|context| context.next_job(connection, Writing::ForOthers))
    {
        job.run();
    }
}

/// As much as a main thread has: calls and callbacks nest on it as deep as they do on the thread that it is for. Only what is
/// used takes memory.
const STACK_BYTES: usize = 8 << 20;
