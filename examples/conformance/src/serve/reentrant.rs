//! A lock that its holder can take again.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Lets one thread in at a time, any number of times.
#[derive(Debug, Default)]
pub(super) struct ReentrantLock {
    holder: Mutex<Option<Holder>>,
    free: Condvar,
}

#[derive(Debug)]
struct Holder {
    thread: ThreadId,
    /// How many guards it has.
    depth: usize,
}

/// Lets others in when the last guard of the thread is dropped.
#[derive(Debug)]
pub(super) struct ReentrantGuard<'a> {
    lock: &'a ReentrantLock,
}

impl ReentrantLock {
    /// Waits until no other thread holds the lock.
    pub(super) fn lock(&self) -> ReentrantGuard<'_> {
        let this = thread::current().id();
        let mut holder = self.holder();
        loop {
            match &mut *holder {
                None => {
                    *holder = Some(Holder {
                        thread: this,
                        depth: 1,
                    });
                    break;
                }
                Some(held) if held.thread == this => {
                    held.depth += 1;
                    break;
                }
                Some(_) => {
                    let freed = self.free.wait(holder);
                    holder = freed.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        drop(holder);
        ReentrantGuard { lock: self }
    }

    fn holder(&self) -> MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReentrantGuard<'_> {
    fn drop(&mut self) {
        let mut holder = self.lock.holder();
        if let Some(held) = &mut *holder {
            held.depth -= 1;
            if held.depth == 0 {
                *holder = None;
                self.lock.free.notify_one();
            }
        }
    }
}
