//! Objects: references and callbacks.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use multiprocess::Error;

use crate::conformance::{Callback, Counter, ExtendedCallback, IntFn, Objects, TextFn};

/// Keeps one callback, and counts the counters that it made.
#[derive(Default)]
pub(super) struct ObjectStore {
    saved: Mutex<Option<Arc<dyn Callback>>>,
    live: Arc<AtomicI32>,
}

impl ObjectStore {
    fn saved(&self) -> MutexGuard<'_, Option<Arc<dyn Callback>>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Objects for ObjectStore {
    fn callback(&self, callback: Arc<dyn Callback>, arg: i32) -> Result<i32, Error> {
        callback.call(arg)
    }

    fn callback_owned(&self, callback: Arc<dyn Callback>, arg: i32) -> Result<i32, Error> {
        callback.call(arg)
    }

    fn callback_shared(&self, callback: Arc<dyn Callback>, arg: i32) -> Result<i32, Error> {
        callback.call(arg)
    }

    fn save_callback(&self, callback: Option<Arc<dyn Callback>>) -> Result<(), Error> {
        // Dropped after the lock: that is when the old one's `destroy` is called.
        let old = std::mem::replace(&mut *self.saved(), callback);
        drop(old);
        Ok(())
    }

    fn callback_saved(&self, arg: i32) -> Result<i32, Error> {
        let saved = self.saved().clone();
        saved
            .ok_or_else(|| Error::failed("nothing saved"))?
            .call(arg)
    }

    fn callback_extended(
        &self,
        callback: Arc<dyn ExtendedCallback>,
        arg: i32,
    ) -> Result<i32, Error> {
        callback.call_extended(arg)
    }

    fn pass_fn(&self, r#fn: Arc<dyn IntFn>) -> Result<i32, Error> {
        r#fn.call()
    }

    fn pass_fn_arg(&self, r#fn: Arc<dyn TextFn>, arg: &str) -> Result<String, Error> {
        r#fn.call(arg)
    }

    fn callback_many(&self, callback: Arc<dyn Callback>, count: i32) -> Result<i64, Error> {
        (0..count)
            .map(|arg| callback.call(arg).map(i64::from))
            .sum()
    }

    fn make_counter(&self, start: i32) -> Result<Arc<dyn Counter>, Error> {
        self.live.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(LiveCounter {
            next: AtomicI32::new(start),
            live: Arc::clone(&self.live),
        }))
    }

    fn counter_value(&self, counter: Arc<dyn Counter>) -> Result<i32, Error> {
        counter.next()
    }

    fn same_object(
        &self,
        callback: Option<Arc<dyn Callback>>,
    ) -> Result<Option<Arc<dyn Callback>>, Error> {
        Ok(callback)
    }

    fn live_counters(&self) -> Result<i32, Error> {
        Ok(self.live.load(Ordering::SeqCst))
    }

    fn is_null(&self, callback: Option<Arc<dyn Callback>>) -> Result<bool, Error> {
        Ok(callback.is_none())
    }
}

/// Counts up, and is counted itself.
struct LiveCounter {
    next: AtomicI32,
    live: Arc<AtomicI32>,
}

impl Counter for LiveCounter {
    fn next(&self) -> Result<i32, Error> {
        Ok(self.next.fetch_add(1, Ordering::SeqCst))
    }
}

impl Drop for LiveCounter {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::SeqCst);
    }
}
