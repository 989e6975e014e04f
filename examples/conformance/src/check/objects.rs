//! Cases for `Objects`.

mod callbacks;
mod counters;

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use multiprocess::Error;

use super::report::{Failure, Report, equal, fails_with, holds};
use crate::conformance::{Callback, Init, InitClient, ObjectsClient};

/// All of them.
pub(super) fn cases(report: &Report, init: &InitClient) {
    let Some(objects) = report.needed("Init.makeObjects", || {
        Ok::<_, Failure>(init.make_objects()?)
    }) else {
        return;
    };
    callbacks::called(report, &*objects);
    callbacks::saved(report, &*objects);
    callbacks::closures(report, &objects);
    counters::cases(report, &*objects);
    report.case("Objects.sameObject", || {
        let original: Arc<dyn Callback> = Arc::new(Times::new(9));
        let same = objects.same_object(Some(Arc::clone(&original)))?;
        let same = same.ok_or_else(|| Failure::new("null came back"))?;
        holds(
            Arc::ptr_eq(&same, &original),
            "the object that came in comes back itself",
        )?;
        equal(same.call(2)?, 18)
    });
    report.case("Objects.sameObject: given away", || {
        for factor in 0..100 {
            let same = objects.same_object(Some(Arc::new(Times::new(factor))))?;
            equal(
                same.ok_or_else(|| Failure::new("null came back"))?
                    .call(2)?,
                2 * factor,
            )?;
        }
        Ok(())
    });
    report.case("Objects.sameObject: null", || {
        holds(
            objects.same_object(None)?.is_none(),
            "null comes back as null",
        )
    });
    report.case("Objects.isNull", || {
        equal(objects.is_null(None)?, true)?;
        equal(objects.is_null(Some(Arc::new(Times::new(1))))?, false)
    });
    report.case("Objects.destroy", || {
        let objects: ObjectsClient = futures::executor::block_on(init.make_objects_async())?;
        let saved = Arc::new(Times::new(7));
        crate::conformance::Objects::save_callback(&objects, Some(Arc::<Times>::clone(&saved)))?;
        objects.destroy()?;
        equal(Arc::strong_count(&saved), 1)?;
        fails_with(
            crate::conformance::Objects::live_counters(&objects),
            "destroyed",
        )
    });
}

/// Multiplies, and remembers where.
pub(super) struct Times {
    factor: i32,
    calls: AtomicI32,
    thread: Mutex<Option<ThreadId>>,
}

impl Times {
    pub(super) fn new(factor: i32) -> Self {
        Self {
            factor,
            calls: AtomicI32::new(0),
            thread: Mutex::new(None),
        }
    }

    /// The thread that ran the last call.
    fn thread(&self) -> Option<ThreadId> {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for Times {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(self.factor.wrapping_mul(arg))
    }
}
