//! Threads: which thread runs what.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use multiprocess::{Error, thread_name};

use super::PROGRAM;
use super::reentrant::ReentrantLock;
use crate::conformance::{IntFn, RecurseFn, Threads};

thread_local! {
    static LOCAL: Cell<i64> = const { Cell::new(0) };
}

/// Shows on which thread its methods run.
#[derive(Default)]
pub(super) struct ThreadProbe {
    unblocked: Mutex<BTreeSet<String>>,
    unblocked_more: Condvar,
    appended: Mutex<Vec<i32>>,
    lock: ReentrantLock,
}

impl ThreadProbe {
    fn unblocked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.unblocked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn values(&self) -> MutexGuard<'_, Vec<i32>> {
        self.appended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Threads for ThreadProbe {
    fn thread_name(&self) -> Result<String, Error> {
        Ok(thread_name(PROGRAM).to_string())
    }

    fn set_local(&self, value: i64) -> Result<(), Error> {
        LOCAL.set(value);
        Ok(())
    }

    fn get_local(&self) -> Result<i64, Error> {
        Ok(LOCAL.get())
    }

    fn recurse(&self, r#fn: Arc<dyn RecurseFn>, depth: i32) -> Result<i32, Error> {
        if depth <= 0 {
            return Ok(0);
        }
        Ok(r#fn.call(depth - 1)?.wrapping_add(1))
    }

    fn block(&self, key: &str) -> Result<(), Error> {
        let blocked = |unblocked: &mut BTreeSet<String>| !unblocked.contains(key);
        let waited = self.unblocked_more.wait_while(self.unblocked(), blocked);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    fn unblock(&self, key: &str) -> Result<(), Error> {
        self.unblocked().insert(key.to_owned());
        self.unblocked_more.notify_all();
        Ok(())
    }

    fn append(&self, value: i32) -> Result<(), Error> {
        self.values().push(value);
        Ok(())
    }

    fn appended(&self) -> Result<Vec<i32>, Error> {
        Ok(std::mem::take(&mut *self.values()))
    }

    fn lock_and_call(&self, r#fn: Arc<dyn IntFn>) -> Result<i32, Error> {
        let _guard = self.lock.lock();
        r#fn.call()
    }
}
