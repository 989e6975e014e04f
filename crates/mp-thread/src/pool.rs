//! Threads for calls that name none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mp_conn::{Connection, Error};

use crate::job::Job;
use crate::worker::{self, Worker};

/// Threads that take the calls that name no thread: whichever has the fewest.
#[derive(Default)]
pub(crate) struct Pool {
    slots: Vec<Slot>,
}

struct Slot {
    worker: Worker,
    /// Calls that were given to the thread and have not ended.
    depth: Arc<AtomicUsize>,
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
            worker: worker::start(program, suffix, connection.downgrade(), ())?,
            depth: Arc::default(),
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
    pub(crate) fn post(&self, job: Job) -> Result<Arc<str>, Job> {
        let fewest = self
            .slots
            .iter()
            .min_by_key(|slot| slot.depth.load(Ordering::SeqCst));
        let Some(slot) = fewest else {
            return Err(job);
        };
        slot.depth.fetch_add(1, Ordering::SeqCst);
        let depth = Arc::clone(&slot.depth);
        let job = job.then(move || {
            depth.fetch_sub(1, Ordering::SeqCst);
        });
        slot.worker.waiter.post(job)?;
        Ok(slot.worker.name.get().cloned().unwrap_or_default())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.worker.waiter.close();
        }
    }
}
