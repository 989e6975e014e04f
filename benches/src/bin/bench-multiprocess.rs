//! This library: what is compared with the others.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bench::args::{Metric, Options, Task};
use bench::bench::{Bench, BenchClient, Callback, Init, InitClient};
use bench::process::Pid;
use bench::series::Series;
use bench::{Error, crowd, endpoint, parallel, print};
use futures::executor::block_on;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use multiprocess::{EventLoop, Limits};

fn main() -> ExitCode {
    print::exit(run())
}

fn run() -> Result<(), Error> {
    match Task::from_env()? {
        Task::Server(path) => serve(&path),
        Task::Client(path, metrics, options) => {
            let event_loop = EventLoop::new("bench")?;
            for metric in metrics {
                Client::connect(&event_loop, path.clone())?.measure(metric, &options)?;
            }
            Ok(())
        }
        task => Err(format!("cannot do {task:?}").into()),
    }
}

fn serve(path: &Path) -> Result<(), Error> {
    let event_loop = EventLoop::new("bench")?;
    let init: Arc<dyn Init> = Arc::new(Server);
    for stream in endpoint::listen(path)?.incoming() {
        options().serve(&event_loop, stream?, Arc::clone(&init))?;
    }
    Ok(())
}

/// All that is served: the first object, and the objects that it makes.
#[derive(Debug)]
struct Server;

impl Init for Server {
    fn make_bench(&self) -> Result<Arc<dyn Bench>, multiprocess::Error> {
        Ok(Arc::new(Self))
    }
}

impl Bench for Server {
    fn add(&self, a: i32, b: i32) -> Result<i32, multiprocess::Error> {
        Ok(a.wrapping_add(b))
    }

    fn add_ctx(&self, a: i32, b: i32) -> Result<i32, multiprocess::Error> {
        Ok(a.wrapping_add(b))
    }

    fn echo_data(&self, arg: &[u8]) -> Result<Vec<u8>, multiprocess::Error> {
        Ok(arg.to_vec())
    }

    fn callback(&self, cb: Arc<dyn Callback>, n: i32) -> Result<i32, multiprocess::Error> {
        (0..n).try_fold(0, |sum: i32, i| Ok(sum.wrapping_add(cb.call(i)?)))
    }
}

/// Counts how often it was called.
#[derive(Debug, Default)]
struct Counter(AtomicI32);

impl Callback for Counter {
    fn call(&self, arg: i32) -> Result<i32, multiprocess::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(arg)
    }
}

/// A connection to the server, and an object there.
struct Client<'l> {
    event_loop: &'l EventLoop,
    path: PathBuf,
    peer: Pid,
    init: InitClient,
    bench: BenchClient,
}

impl<'l> Client<'l> {
    fn connect(event_loop: &'l EventLoop, path: PathBuf) -> Result<Self, Error> {
        let (init, peer) = connect(event_loop, &path)?;
        let bench = block_on(init.make_bench_async())?;
        Ok(Self {
            event_loop,
            path,
            peer,
            init,
            bench,
        })
    }

    fn measure(&self, metric: Metric, options: &Options) -> Result<(), Error> {
        let mut series = Series::new(options, metric, self.peer);
        match metric {
            Metric::Add => {
                while series.more() {
                    check(self.bench.add(1, 2)? == 3)?;
                }
            }
            Metric::AddCtx => self.repeat(&mut series)?,
            Metric::Callback => self.call_back(&mut series, 1)?,
            Metric::Callbacks(count) => {
                self.call_back(&mut series, count)?;
                series.report(count);
                return Ok(());
            }
            Metric::Connect => {
                while series.more() {
                    let (init, _) = connect(self.event_loop, &self.path)?;
                    check(init.make_bench()?.add_ctx(1, 2)? == 3)?;
                }
            }
            Metric::Echo(bytes) => {
                let data = vec![0xab; bytes];
                while series.more() {
                    check(self.bench.echo_data(&data)?.len() == bytes)?;
                }
            }
            Metric::Parallel(threads) => {
                return parallel::parallel(options, metric, threads, self.peer, || {
                    Ok(|| check(self.bench.add_ctx(1, 2)? == 3))
                });
            }
            Metric::InFlight(calls) => {
                block_on(self.in_flight(calls, &mut series))?;
                series.report_rate();
                return Ok(());
            }
            Metric::Threads(count) => return self.with_threads(metric, count, series),
            Metric::Connections(count) => {
                let make = || Ok(connect(self.event_loop, &self.path)?.0);
                return self.with(metric, count, series, make);
            }
            Metric::Objects(count) => {
                return self.with(metric, count, series, || Ok(self.init.make_bench()?));
            }
            _ => return Err(format!("{metric}: is not measured here").into()),
        }
        series.report(1);
        Ok(())
    }

    fn repeat(&self, series: &mut Series) -> Result<(), Error> {
        while series.more() {
            check(self.bench.add_ctx(1, 2)? == 3)?;
        }
        Ok(())
    }

    fn call_back(&self, series: &mut Series, count: u32) -> Result<(), Error> {
        let count = i32::try_from(count)?;
        let counter = Arc::new(Counter::default());
        while series.more() {
            let before = counter.0.load(Ordering::Relaxed);
            let callback: Arc<dyn Callback> = Arc::<Counter>::clone(&counter);
            self.bench.callback(callback, count)?;
            check(counter.0.load(Ordering::Relaxed).wrapping_sub(before) == count)?;
        }
        Ok(())
    }

    /// Keeps so many calls under way, and counts each that is answered.
    async fn in_flight(&self, calls: usize, series: &mut Series) -> Result<(), Error> {
        let start = || self.bench.add_ctx_async(1, 2).map(|sum| check(sum? == 3));
        let mut under_way: FuturesUnordered<_> = (0..calls).map(|_| start()).collect();
        while series.more() {
            under_way.next().await.transpose()?;
            under_way.push(start());
        }
        while under_way.next().await.transpose()?.is_some() {}
        Ok(())
    }

    /// The memory of each of the things that `make` makes, and a call's time beside them.
    fn with<T>(
        &self,
        metric: Metric,
        count: usize,
        mut series: Series,
        make: impl Fn() -> Result<T, Error>,
    ) -> Result<(), Error> {
        check(self.bench.add_ctx(1, 2)? == 3)?;
        let made = crowd::of(metric, count, self.peer, make)?;
        self.repeat(&mut series)?;
        drop(made);
        series.report(1);
        Ok(())
    }

    /// The same for threads, each of which has called once.
    fn with_threads(&self, metric: Metric, count: usize, mut series: Series) -> Result<(), Error> {
        check(self.bench.add_ctx(1, 2)? == 3)?;
        let call = || check(self.bench.add_ctx(1, 2)? == 3);
        crowd::of_threads(metric, count, self.peer, call, || self.repeat(&mut series))?;
        series.report(1);
        Ok(())
    }
}

fn connect(event_loop: &EventLoop, path: &Path) -> Result<(InitClient, Pid), Error> {
    let (stream, peer) = endpoint::connect(path)?;
    Ok((options().connect::<dyn Init>(event_loop, stream)?, peer))
}

/// With room for crowds.
fn options() -> multiprocess::Options {
    let mut limits = Limits::default();
    limits.exports = 1_000_000;
    limits.imports = 1_000_000;
    if let Ok(microseconds) = std::env::var("MP_BENCH_SPIN") {
        limits.spin = Duration::from_micros(microseconds.parse().unwrap_or_default());
    }
    multiprocess::Options::new().limits(limits)
}

fn check(answer: bool) -> Result<(), Error> {
    if answer {
        Ok(())
    } else {
        Err("wrong answer".into())
    }
}
