//! Cases for `Threads`.

mod locks;
mod waits;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use multiprocess::{Error, thread_name};

use super::report::{Failure, Outcome, Report, equal, holds};
use crate::conformance::{Init, InitClient, RecurseFn, Threads};

/// All of them.
pub(super) fn cases(report: &Report, init: &InitClient) {
    let Some(threads) = report.needed("Init.makeThreads", || {
        Ok::<_, Failure>(init.make_threads()?)
    }) else {
        return;
    };
    report.case("Threads.threadName", || names(&*threads));
    report.case("Threads.setLocal", || {
        threads.set_local(i64::MIN)?;
        equal(threads.get_local()?, i64::MIN)?;
        threads.set_local(0).map_err(Failure::from)
    });
    report.case("Threads.getLocal", || locals(&*threads));
    report.case("Threads.recurse", || recursion(&threads, &[0, 1, 10]));
    report.case("Threads.recurse: 100 deep", || recursion(&threads, &[100]));
    report.case("Threads.append", || {
        for value in 0..20 {
            threads.append(value)?;
        }
        equal(threads.appended()?, (0..20).collect())
    });
    report.case("Threads.appended", || {
        equal(threads.appended()?, Vec::new())?;
        threads.append(i32::MIN)?;
        equal(threads.appended()?, vec![i32::MIN])?;
        equal(threads.appended()?, Vec::new())
    });
    waits::cases(report, init, &threads);
    locks::cases(report, &threads);
    report.case("Threads.destroy", || {
        let threads = futures::executor::block_on(init.make_threads_async())?;
        threads.get_local()?;
        Ok(threads.destroy()?)
    });
}

/// Each thread has one thread of the peer, which names it.
fn names(threads: &dyn Threads) -> Outcome {
    let here = threads.thread_name()?;
    equal(threads.thread_name()?, here.clone())?;
    let from = format!("(from {})", thread_name("conformance"));
    holds(here.contains(&from), &format!("{from} is in {here}"))?;
    let there = elsewhere(|| threads.thread_name())?;
    holds(here != there, "another thread has a thread of its own")
}

/// A thread-local variable is one of the thread that calls.
fn locals(threads: &dyn Threads) -> Outcome {
    equal(threads.get_local()?, 0)?;
    threads.set_local(42)?;
    equal(threads.get_local()?, 42)?;
    for _ in 0..20 {
        equal(
            elsewhere(|| {
                let fresh = threads.get_local()?;
                threads.set_local(7)?;
                Ok((fresh, threads.get_local()?))
            })?,
            (0, 7),
        )?;
    }
    equal(threads.get_local()?, 42)?;
    Ok(threads.set_local(0)?)
}

/// Calls and callbacks in turns, all on this thread's stack and on that of its counterpart.
fn recursion(threads: &Arc<dyn Threads>, depths: &[i32]) -> Outcome {
    let used = Arc::new(Mutex::new(Vec::new()));
    let recurse = Recurse {
        threads: Arc::clone(threads),
        used: Arc::clone(&used),
    };
    for &depth in depths {
        equal(threads.recurse(Arc::new(recurse.clone()), depth)?, depth)?;
    }
    let used = used.lock().unwrap_or_else(PoisonError::into_inner);
    let here = thread::current().id();
    holds(
        used.iter().all(|thread| *thread == here),
        "all callbacks ran on the calling thread",
    )
}

/// Runs something on a thread of its own.
fn elsewhere<T: Send>(run: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    thread::scope(|scope| {
        scope
            .spawn(run)
            .join()
            .map_err(|_| Error::failed("a thread panicked"))?
    })
}

#[derive(Clone)]
struct Recurse {
    threads: Arc<dyn Threads>,
    used: Arc<Mutex<Vec<ThreadId>>>,
}

impl RecurseFn for Recurse {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread::current().id());
        self.threads.recurse(Arc::new(self.clone()), arg)
    }
}
