//! Threads that were made to run calls of a peer.

use std::sync::{Arc, OnceLock};
use std::thread;

use mp_conn::{Error, WeakConnection};

use crate::context::ThreadContext;
use crate::job::ThreadWaiter;
use crate::name;

/// A thread that was started.
pub(crate) struct Worker {
    pub(crate) waiter: Arc<ThreadWaiter>,
    /// Set by the thread when it starts.
    pub(crate) name: Arc<OnceLock<Arc<str>>>,
}

/// Starts a thread. It ends when its waiter is closed and its queue is empty; the guard is dropped then.
pub(crate) fn start(
    program: &str,
    suffix: String,
    connection: WeakConnection,
    guard: impl Send + 'static,
) -> Result<Worker, Error> {
    let name = Arc::new(OnceLock::new());
    let thread_name = Arc::clone(&name);
    let program = program.to_owned();
    let waiter = Arc::new(ThreadWaiter::new());
    let queue = Arc::clone(&waiter);
    let started = thread::Builder::new()
        .name(format!("{program}/worker"))
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _guard = guard;
            let name = thread_name.get_or_init(|| name::worker(&program, &suffix).into());
            ThreadContext::install(queue, Arc::clone(name));
            run(&connection);
        });
    started.map_err(|error| Error::io("cannot start a thread", error))?;
    Ok(Worker { waiter, name })
}

fn run(connection: &WeakConnection) {
    while let Ok(Some(job)) = ThreadContext::with(|context| context.next_job(connection)) {
        job.run();
    }
}

/// As much as a main thread has: calls and callbacks nest on it as deep as they do on the thread that it is for. Only what is
/// used takes memory.
const STACK_BYTES: usize = 8 << 20;
