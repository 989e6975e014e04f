//! Callbacks and closures: who runs them, how they fail, and when they are let go.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use multiprocess::Error;

use super::super::report::{Outcome, Report, equal, fails_with, holds};
use super::Times;
use crate::conformance::{Callback, ExtendedCallback, Objects};

/// Callbacks that are gone when the call returns.
pub(super) fn called(report: &Report, objects: &dyn Objects) {
    report.case("Objects.callback", || {
        let times = Arc::new(Times::new(3));
        equal(objects.callback(Arc::<Times>::clone(&times), 4)?, 12)?;
        equal(times.thread(), Some(thread::current().id()))?;
        equal(Arc::strong_count(&times), 1)
    });
    report.case("Objects.callback: fails", || {
        let failing = Arc::new(Failing);
        fails_with(
            objects.callback(Arc::<Failing>::clone(&failing), 4),
            "callback failed",
        )?;
        equal(Arc::strong_count(&failing), 1)
    });
    report.case("Objects.callback: panics", || {
        fails_with(
            objects.callback(Arc::new(Panicking), 4),
            "callback panicked",
        )?;
        equal(objects.callback(Arc::new(Times::new(2)), 4)?, 8)
    });
    report.case("Objects.callbackOwned", || {
        let times = Arc::new(Times::new(5));
        equal(objects.callback_owned(Arc::<Times>::clone(&times), 4)?, 20)?;
        equal(Arc::strong_count(&times), 1)
    });
    report.case("Objects.callbackShared", || {
        let times = Arc::new(Times::new(6));
        equal(objects.callback_shared(Arc::<Times>::clone(&times), 4)?, 24)?;
        equal(Arc::strong_count(&times), 1)
    });
    report.case("Objects.callbackExtended", || {
        let extended = Arc::new(Extended);
        equal(
            objects.callback_extended(Arc::<Extended>::clone(&extended), 11)?,
            12,
        )?;
        equal(Arc::strong_count(&extended), 1)
    });
    report.case("Objects.callback: of an inheriting interface", || {
        let extended: Arc<dyn ExtendedCallback> = Arc::new(Extended);
        equal(objects.callback(extended, 11)?, 11)
    });
    report.case("Objects.callbackMany", || {
        let times = Arc::new(Times::new(2));
        equal(
            objects.callback_many(Arc::<Times>::clone(&times), 100)?,
            9900,
        )?;
        equal(times.calls.load(Ordering::SeqCst), 100)?;
        equal(objects.callback_many(Arc::<Times>::clone(&times), 0)?, 0)?;
        equal(objects.callback_many(Arc::<Times>::clone(&times), -1)?, 0)?;
        equal(Arc::strong_count(&times), 1)
    });
}

/// Callbacks that the peer keeps.
pub(super) fn saved(report: &Report, objects: &dyn Objects) {
    report.case("Objects.callbackSaved: none", || {
        fails_with(objects.callback_saved(1), "std::exception: nothing saved")
    });
    report.case("Objects.saveCallback", || {
        let first = Arc::new(Times::new(7));
        objects.save_callback(Some(Arc::<Times>::clone(&first)))?;
        equal(Arc::strong_count(&first), 2)?;
        let second = Arc::new(Times::new(8));
        objects.save_callback(Some(Arc::<Times>::clone(&second)))?;
        equal(Arc::strong_count(&first), 1)?;
        equal(Arc::strong_count(&second), 2)?;
        objects.save_callback(None)?;
        equal(Arc::strong_count(&second), 1)?;
        fails_with(objects.callback_saved(1), "std::exception: nothing saved")
    });
    report.case("Objects.callbackSaved", || {
        let times = Arc::new(Times::new(7));
        objects.save_callback(Some(Arc::<Times>::clone(&times)))?;
        equal(objects.callback_saved(2)?, 14)?;
        equal(objects.callback_saved(-3)?, -21)?;
        equal(times.thread(), Some(thread::current().id()))?;
        let elsewhere = thread::scope(|scope| {
            let other = scope.spawn(|| {
                objects
                    .callback_saved(4)
                    .map(|value| (value, thread::current().id()))
            });
            other.join().map_err(|_| Error::failed("panicked"))?
        })?;
        equal(elsewhere.0, 28)?;
        equal(times.thread(), Some(elsewhere.1))?;
        objects.save_callback(None)?;
        equal(Arc::strong_count(&times), 1)
    });
}

/// Closures as objects.
pub(super) fn closures(report: &Report, objects: &Arc<dyn Objects>) {
    report.case("Objects.passFn", || closure(&**objects));
    report.case("Objects.passFn: fails", || {
        let failing = || -> Result<i32, Error> { Err(Error::failed("closure failed")) };
        fails_with(objects.pass_fn(Arc::new(failing)), "closure failed")
    });
    report.case("Objects.passFn: nested", || {
        let inner = Arc::clone(objects);
        let outer = Arc::new(move || inner.pass_fn(Arc::new(|| Ok(41))).map(|value| value + 1));
        equal(objects.pass_fn(outer)?, 42)
    });
    report.case("Objects.passFnArg", || {
        let shout = Arc::new(|text: &str| Ok(format!("{text}!")));
        for text in ["hi", "", "h\u{e9}\0llo"] {
            equal(
                objects.pass_fn_arg(Arc::<_>::clone(&shout) as _, text)?,
                format!("{text}!"),
            )?;
        }
        equal(Arc::strong_count(&shout), 1)
    });
}

fn closure(objects: &dyn Objects) -> Outcome {
    let calls = Arc::new(AtomicI32::new(0));
    let counted = Arc::clone(&calls);
    let caller = thread::current().id();
    let count = move || {
        if thread::current().id() != caller {
            return Err(Error::failed("ran on another thread"));
        }
        Ok(counted.fetch_add(1, Ordering::SeqCst) + 10)
    };
    equal(objects.pass_fn(Arc::new(count))?, 10)?;
    holds(
        Arc::strong_count(&calls) == 1,
        "the closure is gone when the call returns",
    )
}

struct Failing;

impl Callback for Failing {
    fn call(&self, _arg: i32) -> Result<i32, Error> {
        Err(Error::failed("callback failed"))
    }
}

struct Panicking;

impl Callback for Panicking {
    fn call(&self, _arg: i32) -> Result<i32, Error> {
        // As `panic!` does, but silently.
        resume_unwind(Box::new("callback panicked"))
    }
}

struct Extended;

impl Callback for Extended {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg)
    }
}

impl ExtendedCallback for Extended {
    fn call_extended(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg + 1)
    }
}
