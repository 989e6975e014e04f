//! A lock of the peer's is held by the thread that took it, through callbacks and the calls that they make.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use multiprocess::Error;

use super::super::report::{Outcome, Report, equal};
use crate::conformance::{IntFn, Threads};

pub(super) fn cases(report: &Report, threads: &Arc<dyn Threads>) {
    report.case("Threads.lockAndCall", || {
        equal(threads.lock_and_call(Arc::new(|| Ok(3)))?, 3)
    });
    report.case("Threads.lockAndCall: again while it is held", || {
        equal(threads.lock_and_call(nested(threads, 5))?, 5)
    });
    report.case("Threads.lockAndCall: others wait", || others_wait(threads));
}

/// A closure that takes the lock again, and so on.
fn nested(threads: &Arc<dyn Threads>, depth: i32) -> Arc<dyn IntFn> {
    let threads = Arc::clone(threads);
    Arc::new(move || {
        if depth == 0 {
            return Ok(0);
        }
        Ok(threads.lock_and_call(nested(&threads, depth - 1))? + 1)
    })
}

/// While one thread has the lock, another cannot get it, but can do other things.
fn others_wait(threads: &Arc<dyn Threads>) -> Outcome {
    let order = Arc::new(Mutex::new(Vec::new()));
    let (started, starts) = mpsc::channel();
    let (first, second) = (Arc::clone(threads), Arc::clone(threads));
    let (first_order, second_order) = (Arc::clone(&order), Arc::clone(&order));
    thread::scope(|scope| {
        let holding = move || {
            started.send(()).map_err(Error::failed)?;
            for _ in 0..50 {
                first.get_local()?;
            }
            push(&first_order, "first");
            Ok(0)
        };
        let held = scope.spawn(move || threads.lock_and_call(Arc::new(holding)));
        // The lock is taken now.
        starts.recv()?;
        let waiting = move || {
            push(&second_order, "second");
            Ok(0)
        };
        second.lock_and_call(Arc::new(waiting))?;
        held.join()
            .map_err(|_| Error::failed("a thread panicked"))??;
        let order = order.lock().unwrap_or_else(PoisonError::into_inner);
        equal(order.clone(), vec!["first", "second"])
    })
}

fn push(order: &Mutex<Vec<&'static str>>, what: &'static str) {
    order
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(what);
}
