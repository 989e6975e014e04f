//! Threads of the peer for calls that no thread of this process waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mp_conn::proxy_capnp::thread;
use mp_conn::{Capability, Connection, Error, Object, ServerCall, Threads};

use crate::thread_map::ThreadState;

/// The peer's threads that run asynchronous calls, and which of them are busy.
///
/// A thread of the peer is given one call at a time: a libmultiprocess of 2025 crashes on a second one, and calls that wait
/// long would hold up others. Threads are made as they are needed, and kept.
#[derive(Debug, Default)]
pub(crate) struct AsyncThreads {
    threads: Mutex<Vec<Remote>>,
}

#[derive(Debug)]
struct Remote {
    thread: Capability,
    calls: usize,
}

/// A thread of the peer that runs one call. Dropping it frees the thread for the next.
#[derive(Debug)]
pub struct ThreadLease {
    /// `None`: the peer gave no thread map, so the call names no thread.
    leased: Option<(Arc<AsyncThreads>, usize)>,
}

impl ThreadLease {
    /// For a call that leases nothing.
    pub(crate) fn none() -> Self {
        Self { leased: None }
    }
}

impl Drop for ThreadLease {
    fn drop(&mut self) {
        if let Some((threads, index)) = self.leased.take() {
            if let Some(remote) = threads.lock().get_mut(index) {
                remote.calls -= 1;
            }
        }
    }
}

impl AsyncThreads {
    /// A thread that is free, or a new one; when there are as many as there may be, the one with the fewest calls.
    pub(crate) fn lease(
        self: &Arc<Self>,
        connection: &Connection,
        field: u16,
    ) -> Result<(Threads, ThreadLease), Error> {
        let state = ThreadState::of(connection);
        let callback_thread = Some(state.callback_object());
        let mut threads = self.lock();
        let fewest = (0..threads.len()).min_by_key(|index| threads[*index].calls);
        let index = match fewest {
            Some(index) if threads[index].calls == 0 || threads.len() >= MAX_THREADS => index,
            _ => {
                let name = format!("{}/async-{}", connection.event_loop().name(), threads.len());
                let Some(thread) = state.make_remote(connection, &name)? else {
                    let threads = Threads {
                        field,
                        thread: None,
                        callback_thread,
                    };
                    return Ok((threads, ThreadLease::none()));
                };
                threads.push(Remote {
                    thread: thread.detached()?,
                    calls: 0,
                });
                threads.len() - 1
            }
        };
        threads[index].calls += 1;
        let leased = Threads {
            field,
            thread: Some(threads[index].thread.clone()),
            callback_thread,
        };
        let lease = ThreadLease {
            leased: Some((Arc::clone(self), index)),
        };
        Ok((leased, lease))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Remote>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// More calls than this at one time share threads.
const MAX_THREADS: usize = 256;
