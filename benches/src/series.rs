//! Measuring one thing again and again.

use std::time::{Duration, Instant};

use crate::args::{Metric, Options};
use crate::print;
use crate::process::Pid;

/// The calls of one metric: `while series.more() { call }`, and then [`report`](Self::report).
///
/// It first lets some calls pass unmeasured, then measures as many repetitions as the options say.
#[derive(Debug)]
pub struct Series {
    options: Options,
    metric: Metric,
    peer: Pid,
    /// When the repetition began. `None`: the first call is still to come.
    started: Option<Instant>,
    /// Calls of this repetition that are done.
    done: u64,
    warm: bool,
    /// Seconds for one call, of each repetition.
    values: Vec<f64>,
    /// Calls of all repetitions.
    total: u64,
    before: Switches,
    after: Switches,
}

impl Series {
    /// Begins.
    #[must_use]
    pub fn new(options: &Options, metric: Metric, peer: Pid) -> Self {
        Self {
            options: *options,
            metric,
            peer,
            started: None,
            done: 0,
            warm: options.calls.is_some(),
            values: Vec::new(),
            total: 0,
            before: Switches::default(),
            after: Switches::default(),
        }
    }

    /// Whether another call is wanted. All calls for which it said so before are done when it is asked.
    #[must_use]
    pub fn more(&mut self) -> bool {
        let Some(started) = self.started else {
            if self.warm {
                self.before = Switches::read(self.peer);
            }
            self.started = Some(Instant::now());
            return self.options.calls != Some(0);
        };
        self.done += 1;
        let took = started.elapsed();
        if !self.is_over(took) {
            return true;
        }
        if self.warm {
            self.values.push(took.as_secs_f64() / self.done as f64);
            self.total += self.done;
        } else {
            self.warm = true;
            self.before = Switches::read(self.peer);
        }
        self.done = 0;
        if self.values.len() == self.reps() {
            self.after = Switches::read(self.peer);
            return false;
        }
        self.started = Some(Instant::now());
        true
    }

    /// Prints the time of one of the `each` things that a call does, and its context switches.
    pub fn report(self, each: u32) {
        let value = median(self.values.clone());
        print::result(self.metric, value * 1e9 / f64::from(each), "ns");
        self.report_switches(each);
    }

    /// Prints how many calls were done in a second.
    pub fn report_rate(self) {
        print::result(self.metric, 1.0 / median(self.values.clone()), "calls/s");
        self.report_switches(1);
    }

    fn report_switches(&self, each: u32) {
        let calls = self.total.max(1) as f64 * f64::from(each);
        let client = self.after.client.saturating_sub(self.before.client);
        let server = self.after.server.saturating_sub(self.before.server);
        print::switches(self.metric, client as f64 / calls, server as f64 / calls);
    }

    fn is_over(&self, took: Duration) -> bool {
        match self.options.calls {
            Some(calls) => self.done >= calls,
            None if self.warm => took >= self.options.time,
            None => took >= self.options.time.min(WARM),
        }
    }

    fn reps(&self) -> usize {
        match self.options.calls {
            Some(_) => 1,
            None => self.options.reps,
        }
    }
}

/// Context switches of both processes up to some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    pub(crate) client: u64,
    pub(crate) server: u64,
}

impl Switches {
    pub(crate) fn read(peer: Pid) -> Self {
        Self {
            client: Pid::own().switches(),
            server: peer.switches(),
        }
    }
}

/// The value in the middle; not a number when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Caches are warm and threads are there after this time.
const WARM: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn options(reps: usize, calls: Option<u64>) -> Options {
        Options {
            time: Duration::from_millis(1),
            reps,
            calls,
        }
    }

    #[test]
    fn the_wanted_number_of_calls_is_made() {
        for calls in [0, 1, 7] {
            let mut series = Series::new(&options(5, Some(calls)), Metric::Add, Pid::own());
            let mut made = 0;
            while series.more() {
                made += 1;
            }
            assert_eq!(made, calls);
        }
    }

    #[test]
    fn every_repetition_gives_a_value() {
        let mut series = Series::new(&options(3, None), Metric::Add, Pid::own());
        let mut made = 0;
        while series.more() {
            made += 1;
        }
        assert_eq!(series.values.len(), 3);
        assert!(series.total < made, "the first calls are not measured");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
