//! Calls that wait hold up nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use futures::executor::block_on;
use futures::future::join_all;
use multiprocess::Error;

use super::super::report::{Outcome, Report, equal, holds};
use crate::conformance::{InitClient, Threads};

pub(super) fn cases(report: &Report, init: &InitClient, threads: &Arc<dyn Threads>) {
    report.case("Threads.block", || block(&**threads, 1));
    report.case("Threads.block: 16 threads", || block(&**threads, 16));
    report.case("Threads.unblock", || {
        threads.unblock("before")?;
        threads.block("before")?;
        threads.block("before")?;
        threads.unblock("")?;
        Ok(threads.block("")?)
    });
    report.case("Threads.block: 8 asynchronous calls", || {
        let threads = block_on(init.make_threads_async())?;
        let waiting: Vec<_> = (0..8).map(|_| threads.block_async("async")).collect();
        equal(threads.get_local()?, 0)?;
        threads.unblock("async")?;
        for ended in block_on(join_all(waiting)) {
            ended?;
        }
        Ok(())
    });
    report.case("Threads.block: cancelled", || {
        let threads = block_on(init.make_threads_async())?;
        drop(threads.block_async("nobody waits"));
        equal(threads.get_local()?, 0)?;
        threads.unblock("nobody waits")?;
        equal(block_on(threads.get_local_async())?, 0)
    });
}

/// So many threads wait; another one gets through, and sets them free with one call.
fn block(threads: &dyn Threads, count: usize) -> Outcome {
    let key = format!("key of {count}");
    let freed = AtomicBool::new(false);
    thread::scope(|scope| {
        let wait = || {
            threads.get_local()?;
            threads.block(&key)?;
            Ok::<_, Error>(freed.load(Ordering::SeqCst))
        };
        let waiting: Vec<_> = (0..count).map(|_| scope.spawn(wait)).collect();
        // Many more calls than it takes the others to get there.
        for _ in 0..20 {
            equal(threads.get_local()?, 0)?;
        }
        freed.store(true, Ordering::SeqCst);
        threads.unblock(&key)?;
        for thread in waiting {
            let late = thread
                .join()
                .map_err(|_| Error::failed("a thread panicked"))??;
            holds(late, "nobody was free before unblock")?;
        }
        Ok(())
    })
}
