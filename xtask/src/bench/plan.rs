//! What is measured, in which order, and how often.

use super::growth;
use super::programs::{self, Program, Programs};
use super::samples::{Key, Samples};
use super::{Options, ratios};
use crate::failure::Failure;
use crate::say;

/// Where the two processes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cores {
    /// Both on the same core.
    One,
    /// Each on a core of its own.
    Two,
    /// Wherever the system likes.
    Free,
}

impl Cores {
    const ALL: [Self; 3] = [Self::One, Self::Two, Self::Free];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Two => "two",
            Self::Free => "free",
        }
    }

    pub(crate) fn client(self) -> Option<&'static str> {
        (self != Self::Free).then_some("0")
    }

    pub(crate) fn server(self) -> Option<&'static str> {
        match self {
            Self::One => Some("0"),
            Self::Two => Some("1"),
            Self::Free => None,
        }
    }
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Plan {
    keys: Vec<Key>,
    rounds: usize,
    /// Seconds for one value.
    seconds: &'static str,
}

impl Plan {
    pub(super) fn new(options: &Options, programs: &Programs) -> Self {
        let mut keys = Vec::new();
        for cores in Cores::ALL {
            let metrics = if options.metrics.is_empty() {
                metrics(cores, options.quick)
            } else {
                options.metrics.clone()
            };
            for metric in metrics {
                for program in Program::ALL {
                    let is_there = programs.path(program).is_some();
                    // On one core, whoever spins keeps the other end from running.
                    let is_fit = program != Program::Spinning || cores != Cores::One;
                    if is_there && is_fit && can(program, &metric) {
                        keys.push(Key::new(program, cores, &metric));
                    }
                }
            }
        }
        let mut unique = Vec::new();
        for key in keys {
            if !unique.contains(&key) {
                unique.push(key);
            }
        }
        let (rounds, seconds) = if options.quick {
            (3, "0.1")
        } else {
            (7, "0.3")
        };
        Self {
            keys: unique,
            rounds,
            seconds,
        }
    }

    /// Measures everything once, then everything again, so that a slow minute is every program's.
    pub(crate) fn measure(
        &self,
        programs: &Programs,
        samples: &mut Samples,
    ) -> Result<(), Failure> {
        let mut servers = Vec::new();
        for key in &self.keys {
            let place = (key.program, key.cores);
            if !servers.iter().any(|(found, _)| *found == place) {
                servers.push((place, programs.serve(key.program, key.cores, &[])?));
            }
        }
        for round in 1..=self.rounds {
            say::note(&format!(
                "bench: round {round} of {}: {} measurements",
                self.rounds,
                self.keys.len()
            ));
            for key in &self.keys {
                if growth::is_memory(&key.metric) && round > 1 {
                    continue;
                }
                let place = (key.program, key.cores);
                let Some((_, server)) = servers.iter().find(|(found, _)| *found == place) else {
                    continue;
                };
                let mut client = programs.client(key.program, key.cores, &[], server)?;
                client.arg(&key.metric).arg("reps=1");
                client.arg(format!("secs={}", self.seconds));
                samples.take(key.program, key.cores, &programs::measure(&mut client)?);
            }
        }
        Ok(())
    }
}

/// What is measured when nothing is chosen: what the ratios need, and what the charts show.
fn metrics(cores: Cores, quick: bool) -> Vec<String> {
    let mut metrics = ratios::metrics(cores);
    match cores {
        Cores::One => metrics.extend(growth::metrics(quick)),
        Cores::Two => {}
        Cores::Free => {
            metrics.extend(["add", "addctx"].map(str::to_owned));
            metrics.extend(growth::threads(quick).iter().map(|n| format!("par:{n}")));
            metrics.extend(growth::sizes(quick).iter().map(|n| format!("echo:{n}")));
        }
    }
    metrics
}

/// Whether a program measures such a thing.
fn can(program: Program, metric: &str) -> bool {
    let name = metric.split(':').next().unwrap_or_default();
    let names: &[&str] = match program {
        Program::Socket => &["add", "addctx", "connect", "echo", "par"],
        Program::Raw => &[
            "add", "addctx", "cb", "cbn", "connect", "echo", "par", "async",
        ],
        Program::Ours => return true,
        Program::Spinning => &["add", "addctx"],
        Program::Cpp => &["add", "addctx", "cb", "cbn", "connect", "echo", "par"],
    };
    names.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ratio_can_be_measured() {
        for cores in Cores::ALL {
            let metrics = metrics(cores, true);
            for key in ratios::keys().into_iter().filter(|key| key.cores == cores) {
                assert!(metrics.contains(&key.metric), "{key:?}");
                assert!(can(key.program, &key.metric), "{key:?}");
            }
        }
    }
}
