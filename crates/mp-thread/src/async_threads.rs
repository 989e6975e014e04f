//! Threads of the peer for calls that no thread of this process waits for.

use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// Numbers the threads, for their names.
    made: AtomicUsize,
}

#[derive(Debug)]
struct Remote {
    number: usize,
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

    /// Gives the thread up, because its call was cancelled: the peer may run the method to its end nevertheless, and whatever
    /// came next would have to wait for that. The peer's thread ends then.
    pub fn retire(mut self) {
        if let Some((threads, number)) = self.leased.take() {
            // Dropped without the lock, as that enters the connection.
            let retired = threads.take(number);
            drop(retired);
        }
    }
}

impl Drop for ThreadLease {
    fn drop(&mut self) {
        if let Some((threads, number)) = self.leased.take() {
            let mut threads = threads.lock();
            if let Some(remote) = threads.iter_mut().find(|remote| remote.number == number) {
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
        let leased = match self.free() {
            Some(leased) => Some(leased),
            None => self.make(connection, &state)?,
        };
        let (number, thread) = leased.unzip();
        let threads = Threads {
            field,
            thread,
            callback_thread: Some(state.callback_object()),
        };
        let lease = ThreadLease {
            leased: number.map(|number| (Arc::clone(self), number)),
        };
        Ok((threads, lease))
    }

    /// A thread that is there already.
    fn free(&self) -> Option<(usize, Capability)> {
        let mut threads = self.lock();
        let all_made = threads.len() >= MAX_THREADS;
        let fewest = threads.iter_mut().min_by_key(|remote| remote.calls)?;
        if fewest.calls > 0 && !all_made {
            return None;
        }
        fewest.calls += 1;
        Some((fewest.number, fewest.thread.clone()))
    }

    /// A new thread. Made without the lock: entering the connection can end calls, and with them leases. `None`: the peer gave
    /// no thread map.
    fn make(
        &self,
        connection: &Connection,
        state: &ThreadState,
    ) -> Result<Option<(usize, Capability)>, Error> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}/async-{number}", connection.event_loop().name());
        let Some(thread) = state.make_remote(connection, &name)? else {
            return Ok(None);
        };
        let detached = thread.detached()?;
        self.lock().push(Remote {
            number,
            thread: detached,
            calls: 1,
        });
        Ok(Some((number, thread)))
    }

    fn take(&self, number: usize) -> Option<Remote> {
        let mut threads = self.lock();
        let index = threads.iter().position(|remote| remote.number == number)?;
        Some(threads.swap_remove(index))
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
