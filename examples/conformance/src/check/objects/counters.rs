//! Counters: objects without `destroy`, of the peer's and of our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use multiprocess::Error;

use super::super::report::{Failure, Outcome, Report, equal};
use crate::conformance::{Counter, Objects};

pub(super) fn cases(report: &Report, objects: &dyn Objects) {
    report.case("Objects.makeCounter", || {
        let (five, minus) = (objects.make_counter(5)?, objects.make_counter(-1)?);
        equal((five.next()?, five.next()?, minus.next()?), (5, 6, -1))
    });
    report.case("Objects.liveCounters", || {
        live(objects, 0)?;
        let counters = (objects.make_counter(0)?, objects.make_counter(0)?);
        equal(objects.live_counters()?, 2)?;
        drop(counters.0);
        live(objects, 1)?;
        drop(counters.1);
        live(objects, 0)
    });
    report.case("Objects.counterValue: of the caller's own", || {
        let own = Arc::new(OwnCounter(AtomicI32::new(100)));
        equal(objects.counter_value(Arc::<OwnCounter>::clone(&own))?, 100)?;
        equal(objects.counter_value(Arc::<OwnCounter>::clone(&own))?, 101)?;
        released(&own)
    });
    report.case("Objects.counterValue: comes home", || {
        let counter = objects.make_counter(20)?;
        equal(objects.counter_value(Arc::clone(&counter))?, 20)?;
        equal(counter.next()?, 21)?;
        equal(objects.counter_value(counter)?, 22)?;
        live(objects, 0)
    });
    report.case(
        "Objects.counterValue: behind an object of the caller's",
        || {
            let counter = objects.make_counter(30)?;
            equal(
                objects.counter_value(Arc::new(Forwarding(Arc::clone(&counter))))?,
                30,
            )?;
            equal(counter.next()?, 31)
        },
    );
}

/// Waits until so many counters live: a reference is released some time after it was dropped.
fn live(objects: &dyn Objects, count: i32) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = objects.live_counters()?;
        if found == count {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "{found} counters live, expected {count}"
            )));
        }
        thread::yield_now();
    }
}

/// Waits until the peer has no reference any more.
fn released(counter: &Arc<OwnCounter>) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    while Arc::strong_count(counter) > 1 {
        if Instant::now() > deadline {
            return Err(Failure::new("the peer still has the counter"));
        }
        thread::yield_now();
    }
    Ok(())
}

struct OwnCounter(AtomicI32);

impl Counter for OwnCounter {
    fn next(&self) -> Result<i32, Error> {
        Ok(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

struct Forwarding(Arc<dyn Counter>);

impl Counter for Forwarding {
    fn next(&self) -> Result<i32, Error> {
        self.0.next()
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
