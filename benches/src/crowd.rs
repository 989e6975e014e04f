//! What many idle things cost: their memory, and the time of a call beside them.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::args::Metric;
use crate::parallel::wait;
use crate::process::Pid;
use crate::{Error, print};

/// Makes things and prints the memory of each, in both processes. They live as long as what is returned.
///
/// # Errors
///
/// The first of those of `make`.
pub fn of<T>(
    metric: Metric,
    count: usize,
    peer: Pid,
    make: impl Fn() -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut made = Vec::with_capacity(count + FIRST);
    for _ in 0..FIRST {
        made.push(make()?);
    }
    wait(SETTLED);
    let before = (Pid::own().resident(), peer.resident());
    for _ in 0..count {
        made.push(make()?);
    }
    wait(SETTLED);
    report(
        metric,
        count,
        before,
        (Pid::own().resident(), peer.resident()),
    );
    Ok(made)
}

/// Starts threads, lets each make a call, and prints the memory of each, in both processes; does something while they
/// are there.
///
/// # Errors
///
/// The first of those of the calls, or of `meanwhile`.
///
/// # Panics
///
/// When the system has no thread left.
pub fn of_threads(
    metric: Metric,
    count: usize,
    peer: Pid,
    call: impl Fn() -> Result<(), Error> + Sync,
    meanwhile: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    let (first, rest) = (Barrier::new(FIRST + 1), Barrier::new(count + 1));
    let end = Barrier::new(FIRST + count + 1);
    let run = |ready: &Barrier| {
        let result = call();
        ready.wait();
        end.wait();
        result
    };
    thread::scope(|scope| {
        let mut handles = Vec::new();
        let mut start = |ready, count| {
            for _ in 0..count {
                let named = thread::Builder::new().name("idle".into());
                // Without one of its threads the others would wait for ever at the barrier.
                handles.push(
                    named
                        .spawn_scoped(scope, move || run(ready))
                        .expect("a thread"),
                );
            }
        };
        start(&first, FIRST);
        first.wait();
        let before = (Pid::own().resident(), peer.resident());
        start(&rest, count);
        rest.wait();
        report(
            metric,
            count,
            before,
            (Pid::own().resident(), peer.resident()),
        );
        let result = meanwhile();
        end.wait();
        for handle in handles {
            handle.join().map_err(|_| "an idle thread panicked")??;
        }
        result
    })
}

fn report(metric: Metric, count: usize, before: (u64, u64), after: (u64, u64)) {
    let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / count as f64;
    print::memory(metric, each(before.0, after.0), each(before.1, after.1));
}

/// Not counted: what is allocated once, for however many.
const FIRST: usize = 8;
/// Long enough for the other process to have done what needs no answer.
const SETTLED: Duration = Duration::from_millis(200);
