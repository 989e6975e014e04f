//! The numbers that the programs printed.

use std::collections::BTreeMap;

use super::plan::Cores;
use super::programs::Program;

/// Which number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) cores: Cores,
    pub(crate) metric: String,
    pub(crate) program: Program,
}

impl Key {
    pub(crate) fn new(program: Program, cores: Cores, metric: &str) -> Self {
        Self {
            cores,
            metric: metric.to_owned(),
            program,
        }
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// Nanoseconds a call, or calls a second: the unit is that of the metric.
    pub(crate) values: BTreeMap<Key, Values>,
    /// Context switches a call.
    pub(crate) switches: BTreeMap<Key, Vec<Pair>>,
    /// Resident bytes for each of the things that the metric counts.
    pub(crate) memory: BTreeMap<Key, Pair>,
    /// System calls a call, of the client and of the server.
    pub(crate) system_calls: BTreeMap<Key, (Counts, Counts)>,
}

/// System calls by name.
pub(crate) type Counts = BTreeMap<String, f64>;

impl Samples {
    /// Takes the numbers from what a client printed.
    pub(crate) fn take(&mut self, program: Program, cores: Cores, output: &str) {
        for line in output.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, metric, first, second] = words[..] else {
                continue;
            };
            let key = Key::new(program, cores, metric);
            let pair = || {
                Some(Pair {
                    client: first.parse().ok()?,
                    server: second.parse().ok()?,
                })
            };
            match kind {
                "R" => {
                    let values = self.values.entry(key).or_default();
                    second.clone_into(&mut values.unit);
                    values.all.extend(first.parse::<f64>().ok());
                }
                "U" => self.switches.entry(key).or_default().extend(pair()),
                "M" => {
                    self.memory.extend(pair().map(|pair| (key, pair)));
                }
                _ => {}
            }
        }
    }

    /// The median of a number's values.
    pub(crate) fn median(&self, key: &Key) -> Option<f64> {
        self.values.get(key).map(Values::median)
    }

    /// The median of the context switches a call, of both processes together.
    pub(crate) fn switches(&self, key: &Key) -> Option<f64> {
        let pairs = self.switches.get(key)?;
        Some(median(pairs.iter().map(Pair::sum).collect()))
    }

    /// The system calls a call, of both processes together.
    pub(crate) fn system_calls(&self, key: &Key) -> Option<f64> {
        let (client, server) = self.system_calls.get(key)?;
        Some(client.values().sum::<f64>() + server.values().sum::<f64>())
    }
}

/// The values of one number, one for each round.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) all: Vec<f64>,
    /// `ns` or `calls/s`.
    pub(crate) unit: String,
}

impl Values {
    pub(crate) fn median(&self) -> f64 {
        median(self.all.clone())
    }

    pub(crate) fn min(&self) -> f64 {
        self.all.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn max(&self) -> f64 {
        self.all.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The same number of both processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) client: f64,
    pub(crate) server: f64,
}

impl Pair {
    pub(crate) fn sum(&self) -> f64 {
        self.client + self.server
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_numbers() {
        let mut samples = Samples::default();
        for value in [30, 10, 20] {
            let output = format!("R add {value} ns\nU add 1.5 2.5\nM conns:9 1000 2000\nother\n");
            samples.take(Program::Ours, Cores::One, &output);
        }
        let add = Key::new(Program::Ours, Cores::One, "add");
        let values = &samples.values[&add];
        assert_eq!((values.unit.as_str(), values.all.len()), ("ns", 3));
        assert_eq!(samples.median(&add), Some(20.0));
        assert_eq!((values.min(), values.max()), (10.0, 30.0));
        assert_eq!(samples.switches(&add), Some(4.0));
        let conns = Key::new(Program::Ours, Cores::One, "conns:9");
        assert_eq!(samples.memory[&conns].sum(), 3000.0);
        assert_eq!(samples.median(&conns), None);
    }
}
