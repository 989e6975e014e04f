//! Calls that are answered but still hold their object for a moment.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Counts the calls of one object whose answer is on its way, or out, and whose thread has not let go of the object yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epilogues {
    shared: Arc<(Mutex<Count>, Condvar)>,
}

#[derive(Debug, Default)]
struct Count {
    calls: usize,
    /// Threads that wait until there is none. Told only if there are some: it takes a system call.
    waiting: usize,
}

impl Epilogues {
    /// Counts a call, until the guard is dropped.
    pub(crate) fn start(&self) -> Epilogue {
        self.count().calls += 1;
        Epilogue {
            epilogues: self.clone(),
        }
    }

    /// Waits until there is none: so a caller that has its answer does not find the object alive after it destroyed it.
    pub(crate) fn wait(&self) {
        let mut count = self.count();
        count.waiting += 1;
        while count.calls > 0 {
            count = self
                .shared
                .1
                .wait(count)
                .unwrap_or_else(PoisonError::into_inner);
        }
        count.waiting -= 1;
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is answered. Dropped after its object.
#[derive(Debug)]
pub(crate) struct Epilogue {
    epilogues: Epilogues,
}

impl Drop for Epilogue {
    fn drop(&mut self) {
        let mut count = self.epilogues.count();
        count.calls -= 1;
        if count.calls == 0 && count.waiting > 0 {
            self.epilogues.shared.1.notify_all();
        }
    }
}
