//! Threads for calls that name none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use mp_conn::{Connection, Error};

use crate::context::Caller;
use crate::job::Job;
use crate::worker::{self, Worker};

/// Threads that take the calls that name no thread: whichever has the fewest.
#[derive(Default)]
pub(crate) struct Pool {
    slots: Vec<Slot>,
}

struct Slot {
    worker: Worker,
    /// Calls that were given to the thread and are not answered.
    depth: Arc<AtomicUsize>,
    /// Who made them.
    callers: Arc<Mutex<Vec<Caller>>>,
}

impl Pool {
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Adds a thread.
    pub(crate) fn grow(
        &mut self,
        program: &str,
        suffix: String,
        connection: &Connection,
    ) -> Result<(), Error> {
        self.slots.push(Slot {
            worker: worker::start(program, suffix, connection.downgrade(), (), worker::run)?,
            depth: Arc::default(),
            callers: Arc::default(),
        });
        Ok(())
    }

    /// Whether all threads have something to do.
    pub(crate) fn is_busy(&self) -> bool {
        self.slots
            .iter()
            .all(|slot| slot.depth.load(Ordering::SeqCst) > 0)
    }

    /// Gives a call to the thread with the fewest: the first of several. Returns the thread's name.
    ///
    /// # Errors
    ///
    /// Gives the call back when there is no thread.
    pub(crate) fn post(&self, job: Job) -> Result<PoolName, Job> {
        let fewest = self
            .slots
            .iter()
            .min_by_key(|slot| slot.depth.load(Ordering::SeqCst));
        match fewest {
            Some(slot) => slot.post(job),
            None => Err(job),
        }
    }

    /// Gives a call to the thread that runs another one of the same caller and waits for it, if there is one: it holds what
    /// the call is made under.
    ///
    /// # Errors
    ///
    /// Gives the call back when there is no such thread.
    pub(crate) fn post_nested(&self, job: Job) -> Result<PoolName, Job> {
        let caller = job.caller();
        let waiting = |slot: &&Slot| caller.caller.is_some() && slot.callers().contains(&caller);
        match self.slots.iter().find(waiting) {
            Some(slot) => slot.post(job),
            None => Err(job),
        }
    }

    /// Ends the threads when they have run what they were given.
    pub(crate) fn close(&mut self) {
        for slot in self.slots.drain(..) {
            slot.worker.waiter.close();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

/// The name of a thread, which it gives itself when it starts.
pub(crate) type PoolName = Arc<OnceLock<Arc<str>>>;

impl Slot {
    fn post(&self, job: Job) -> Result<PoolName, Job> {
        self.depth.fetch_add(1, Ordering::SeqCst);
        let caller = job.caller();
        self.callers().push(caller);
        let (depth, callers) = (Arc::clone(&self.depth), Arc::clone(&self.callers));
        // Before the answer: what the caller sends when it has that is not to wait behind a thread that is busy.
        let job = job.before_answer(move || {
            depth.fetch_sub(1, Ordering::SeqCst);
            let mut callers = lock(&callers);
            if let Some(index) = callers.iter().rposition(|other| *other == caller) {
                callers.remove(index);
            }
        });
        self.worker.waiter.post(job)?;
        Ok(Arc::clone(&self.worker.name))
    }

    fn callers(&self) -> MutexGuard<'_, Vec<Caller>> {
        lock(&self.callers)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
