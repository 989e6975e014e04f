//! The arguments of a benchmark program.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::Error;

/// What a program was asked to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Task {
    /// Serve at this path until killed.
    Server(PathBuf),
    /// Measure a server at this path.
    Client(PathBuf, Vec<Metric>, Options),
}

impl Task {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    ///
    /// A sentence with the usage.
    pub fn from_env() -> Result<Self, Error> {
        Self::parse(std::env::args_os().skip(1))
    }

    fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Self, Error> {
        let (mode, path) = (args.next(), args.next().map(PathBuf::from));
        match (mode.as_ref().and_then(|mode| mode.to_str()), path) {
            (Some("server"), Some(path)) => Ok(Self::Server(path)),
            (Some("client"), Some(path)) => {
                let mut metrics = Vec::new();
                let mut options = Options::default();
                for arg in args {
                    let arg = arg.to_string_lossy();
                    match arg.split_once('=') {
                        Some((key, value)) => options.set(key, value)?,
                        None => metrics.push(arg.parse()?),
                    }
                }
                Ok(Self::Client(path, metrics, options))
            }
            _ => Err(USAGE.into()),
        }
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The length of one repetition.
    pub time: Duration,
    /// How many repetitions; their median is printed.
    pub reps: usize,
    /// Exactly so many calls instead: one repetition, nothing to warm up. For counting what a call does.
    pub calls: Option<u64>,
}

impl Options {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let wrong = || format!("{key}={value}: not a number that can be used; {USAGE}");
        match key {
            "secs" => {
                let seconds = value.parse().map_err(|_| wrong())?;
                self.time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
            }
            "reps" => self.reps = value.parse::<usize>().map_err(|_| wrong())?.max(1),
            "calls" => self.calls = Some(value.parse().map_err(|_| wrong())?),
            _ => return Err(wrong().into()),
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(1),
            reps: 5,
            calls: None,
        }
    }
}

/// One number to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// A call without a context.
    Add,
    /// A call on the caller's thread over there.
    AddCtx,
    /// A call that takes an object and calls it once: all of it, to the object's end.
    Callback,
    /// One of so many callbacks of one call.
    Callbacks(u32),
    /// Connect, construct, get an object, call it on its thread, drop all.
    Connect,
    /// So many bytes there and back.
    Echo(usize),
    /// Calls a second of so many threads, over one connection.
    Parallel(usize),
    /// Calls a second of one thread that keeps so many under way.
    InFlight(usize),
    /// Memory of a mapped thread; a call's time with so many of them idle.
    Threads(usize),
    /// Memory of a connection; a call's time with so many of them idle.
    Connections(usize),
    /// Memory of an object; a call's time with so many of them alive.
    Objects(usize),
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, number.parse::<u32>().ok()),
            None => (text, None),
        };
        let size = number.map(|number| number as usize);
        let metric = match (name, size) {
            ("add", None) => Some(Self::Add),
            ("addctx", None) => Some(Self::AddCtx),
            ("cb", None) => Some(Self::Callback),
            ("connect", None) => Some(Self::Connect),
            ("cbn", _) => number.filter(|n| *n > 0).map(Self::Callbacks),
            ("echo", Some(bytes)) => Some(Self::Echo(bytes)),
            ("par", Some(threads)) => Some(Self::Parallel(threads.max(1))),
            ("async", Some(calls)) => Some(Self::InFlight(calls.max(1))),
            ("threads", Some(count)) => Some(Self::Threads(count.max(1))),
            ("conns", Some(count)) => Some(Self::Connections(count.max(1))),
            ("objects", Some(count)) => Some(Self::Objects(count.max(1))),
            _ => None,
        };
        metric.ok_or_else(|| format!("{text} is no metric; {USAGE}").into())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add => f.write_str("add"),
            Self::AddCtx => f.write_str("addctx"),
            Self::Callback => f.write_str("cb"),
            Self::Callbacks(count) => write!(f, "cbn:{count}"),
            Self::Connect => f.write_str("connect"),
            Self::Echo(bytes) => write!(f, "echo:{bytes}"),
            Self::Parallel(threads) => write!(f, "par:{threads}"),
            Self::InFlight(calls) => write!(f, "async:{calls}"),
            Self::Threads(count) => write!(f, "threads:{count}"),
            Self::Connections(count) => write!(f, "conns:{count}"),
            Self::Objects(count) => write!(f, "objects:{count}"),
        }
    }
}

const USAGE: &str = "usage: server <path> | client <path> [metric…] [secs=S] [reps=N] [calls=N]; metrics: add addctx cb cbn:<n> \
     connect echo:<bytes> par:<threads> async:<in flight> threads:<n> conns:<n> objects:<n>";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task, Error> {
        Task::parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn metrics_are_written_as_they_are_read() {
        let words =
            "add addctx cb cbn:7 connect echo:0 par:16 async:64 threads:1 conns:2 objects:3";
        let Ok(Task::Client(path, metrics, options)) =
            parse(&format!("client /s {words} secs=0.5 reps=3 calls=9"))
        else {
            panic!("not understood")
        };
        assert_eq!(path, PathBuf::from("/s"));
        let written: Vec<String> = metrics.iter().map(Metric::to_string).collect();
        assert_eq!(written.join(" "), words);
        assert_eq!(options.time, Duration::from_millis(500));
        assert_eq!((options.reps, options.calls), (3, Some(9)));
    }

    #[test]
    fn what_is_not_understood_says_how_it_is_used() {
        for line in [
            "",
            "server",
            "client /s echo",
            "client /s add:3",
            "client /s cbn:0",
            "client /s secs=-1",
            "client /s speed=2",
        ] {
            assert!(
                parse(line).unwrap_err().to_string().contains("usage: "),
                "{line}"
            );
        }
    }
}
