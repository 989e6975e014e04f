//! Measuring threads that call at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::args::{Metric, Options};
use crate::process::Pid;
use crate::series::{Switches, median};
use crate::{Error, print};

/// Starts `threads` threads, lets each make its caller and call once, and prints how many calls a second all make together.
///
/// # Errors
///
/// The first of those of the callers.
pub fn parallel<C>(
    options: &Options,
    metric: Metric,
    threads: usize,
    peer: Pid,
    caller: impl Fn() -> Result<C, Error> + Sync,
) -> Result<(), Error>
where
    C: FnMut() -> Result<(), Error>,
{
    let reps = if options.calls.is_some() {
        1
    } else {
        options.reps
    };
    let mut rates = Vec::new();
    let mut switched = (0.0, 0.0);
    for _ in 0..reps {
        let run = Run::new(threads, options.calls);
        let (rate, switches) = run.measure(options.time, peer, &caller)?;
        rates.push(rate);
        switched = switches;
    }
    print::result(metric, median(rates), "calls/s");
    print::switches(metric, switched.0, switched.1);
    Ok(())
}

/// One repetition.
struct Run {
    threads: usize,
    /// How many calls each thread makes. `None`: until it is told to stop.
    each: Option<u64>,
    /// All threads and the one that measures: everything is set up, or done.
    together: Barrier,
    stop: AtomicBool,
    calls: AtomicU64,
}

impl Run {
    fn new(threads: usize, calls: Option<u64>) -> Self {
        Self {
            threads,
            each: calls.map(|calls| calls / threads as u64),
            together: Barrier::new(threads + 1),
            stop: AtomicBool::new(false),
            calls: AtomicU64::new(0),
        }
    }

    /// Calls a second, and the context switches a call in both processes.
    fn measure<C>(
        &self,
        time: Duration,
        peer: Pid,
        caller: &(impl Fn() -> Result<C, Error> + Sync),
    ) -> Result<(f64, (f64, f64)), Error>
    where
        C: FnMut() -> Result<(), Error>,
    {
        thread::scope(|scope| {
            let mut handles = Vec::new();
            for _ in 0..self.threads {
                let named = thread::Builder::new().name("caller".into());
                // Without one of its threads the others would wait for ever at the barrier.
                handles.push(
                    named
                        .spawn_scoped(scope, || self.call(caller))
                        .expect("a thread"),
                );
            }
            self.together.wait();
            let (before, start) = (Switches::read(peer), Instant::now());
            if self.each.is_none() {
                wait(time);
                self.stop.store(true, Ordering::Relaxed);
            }
            self.together.wait();
            let (after, took) = (Switches::read(peer), start.elapsed());
            self.together.wait();
            for handle in handles {
                handle.join().map_err(|_| "a calling thread panicked")??;
            }
            let calls = self.calls.load(Ordering::Relaxed).max(1) as f64;
            let switches = (
                after.client.saturating_sub(before.client) as f64 / calls,
                after.server.saturating_sub(before.server) as f64 / calls,
            );
            Ok((calls / took.as_secs_f64(), switches))
        })
    }

    /// What each thread does. It comes to every barrier, whatever fails.
    fn call<C>(&self, caller: &impl Fn() -> Result<C, Error>) -> Result<(), Error>
    where
        C: FnMut() -> Result<(), Error>,
    {
        let made = caller().and_then(|mut call| call().map(|()| call));
        self.together.wait();
        let result = made.and_then(|mut call| {
            let mut done = 0;
            let mut result = Ok(());
            while result.is_ok()
                && self
                    .each
                    .map_or_else(|| !self.stop.load(Ordering::Relaxed), |each| done < each)
            {
                result = call();
                done += 1;
            }
            self.calls.fetch_add(done, Ordering::Relaxed);
            result.map(|()| call)
        });
        self.together.wait();
        // The threads are still there when their context switches are read.
        self.together.wait();
        result.map(drop)
    }
}

/// Lets time pass.
pub(crate) fn wait(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_calls() {
        let made = AtomicU64::new(0);
        let options = Options {
            calls: Some(40),
            ..Options::default()
        };
        let caller = || {
            Ok(|| {
                made.fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
        };
        parallel(&options, Metric::Parallel(4), 4, Pid::own(), caller).unwrap();
        assert_eq!(made.into_inner(), 44, "and once before, to be set up");
    }

    #[test]
    fn a_caller_that_fails_ends_the_run() {
        let options = Options {
            time: Duration::from_millis(1),
            reps: 1,
            ..Options::default()
        };
        let failing = || Err::<fn() -> Result<(), Error>, Error>("no".into());
        let error = parallel(&options, Metric::Parallel(2), 2, Pid::own(), failing).unwrap_err();
        assert_eq!(error.to_string(), "no");
        let broken = || Ok(|| Err::<(), Error>("broken".into()));
        let error = parallel(&options, Metric::Parallel(2), 2, Pid::own(), broken).unwrap_err();
        assert_eq!(error.to_string(), "broken");
    }
}
