//! What must hold: this library's numbers against those of programs that do the same with less.

use super::plan::Cores;
use super::programs::Program::{self, Ours, Raw, Socket};
use super::samples::{Key, Samples};

/// A ratio, or a number, with the most that it may be.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) sentence: &'static str,
    pub(crate) cores: Cores,
    /// `None`: it was not measured, which is no failure.
    pub(crate) value: Option<f64>,
    pub(crate) at_most: f64,
}

impl Verdict {
    pub(crate) fn holds(&self) -> bool {
        self.value.is_none_or(|value| value <= self.at_most)
    }
}

/// Judges everything that was measured.
pub(crate) fn judge(samples: &Samples) -> Vec<Verdict> {
    let rules = RULES.iter();
    rules
        .map(|rule| Verdict {
            sentence: rule.sentence,
            cores: rule.cores,
            value: rule.value(samples),
            at_most: rule.at_most,
        })
        .collect()
}

/// The metrics that the rules about these cores need.
pub(crate) fn metrics(cores: Cores) -> Vec<String> {
    let keys = keys().into_iter().filter(|key| key.cores == cores);
    keys.map(|key| key.metric).collect()
}

/// All numbers that the rules need.
pub(crate) fn keys() -> Vec<Key> {
    RULES.iter().flat_map(Rule::keys).collect()
}

struct Rule {
    sentence: &'static str,
    cores: Cores,
    number: Number,
    at_most: f64,
}

/// How a rule's number is made of what was measured.
enum Number {
    /// A time of this library's against a time of another program's.
    Time(&'static str, (Program, &'static str)),
    /// Another program's calls a second against this library's.
    Rate((Program, &'static str), &'static str),
    /// Context switches a call, of both processes.
    Switches(&'static str),
    /// System calls a call, of both processes.
    SystemCalls(&'static str),
    /// KiB for each, of both processes.
    Memory(&'static str),
    /// KiB for each, of the server.
    ServerMemory(&'static str),
}

impl Rule {
    fn keys(&self) -> Vec<Key> {
        let ours = |metric| Key::new(Ours, self.cores, metric);
        match self.number {
            Number::Time(metric, (program, other)) | Number::Rate((program, other), metric) => {
                vec![ours(metric), Key::new(program, self.cores, other)]
            }
            Number::Switches(metric)
            | Number::SystemCalls(metric)
            | Number::Memory(metric)
            | Number::ServerMemory(metric) => vec![ours(metric)],
        }
    }

    fn value(&self, samples: &Samples) -> Option<f64> {
        let keys = self.keys();
        let ours = &keys[0];
        Some(match self.number {
            Number::Time(..) => samples.median(ours)? / samples.median(&keys[1])?,
            Number::Rate(..) => samples.median(&keys[1])? / samples.median(ours)?,
            Number::Switches(_) => samples.switches(ours)?,
            Number::SystemCalls(_) => samples.system_calls(ours)?,
            Number::Memory(_) => samples.memory.get(ours)?.sum() / 1024.0,
            Number::ServerMemory(_) => samples.memory.get(ours)?.server / 1024.0,
        })
    }
}

const fn rule(sentence: &'static str, cores: Cores, number: Number, at_most: f64) -> Rule {
    Rule {
        sentence,
        cores,
        number,
        at_most,
    }
}

const RULES: &[Rule] = &[
    rule(
        "mapped call / capnp-rpc call",
        Cores::One,
        Number::Time("addctx", (Raw, "addctx")),
        1.3,
    ),
    rule(
        "mapped call / capnp-rpc call",
        Cores::Two,
        Number::Time("addctx", (Raw, "addctx")),
        1.1,
    ),
    rule(
        "call without context / capnp-rpc call",
        Cores::One,
        Number::Time("add", (Raw, "add")),
        1.2,
    ),
    rule(
        "call without context / capnp-rpc call",
        Cores::Two,
        Number::Time("add", (Raw, "add")),
        1.1,
    ),
    rule(
        "one callback inside a call / capnp-rpc call",
        Cores::One,
        Number::Time("cbn:100", (Raw, "addctx")),
        1.4,
    ),
    rule(
        "echo of 64 KiB / capnp-rpc",
        Cores::One,
        Number::Time("echo:65536", (Raw, "echo:65536")),
        1.2,
    ),
    rule(
        "echo of 1 MiB / bare socket",
        Cores::One,
        Number::Time("echo:1048576", (Socket, "echo:1048576")),
        2.0,
    ),
    rule(
        "echo of 4 MiB / bare socket",
        Cores::One,
        Number::Time("echo:4194304", (Socket, "echo:4194304")),
        2.0,
    ),
    rule(
        "capnp-rpc with 16 calls under way / 16 threads, calls a second",
        Cores::One,
        Number::Rate((Raw, "async:16"), "par:16"),
        2.0,
    ),
    rule(
        "capnp-rpc / async API, both with 64 calls under way, calls a second",
        Cores::One,
        Number::Rate((Raw, "async:64"), "async:64"),
        1.3,
    ),
    rule(
        "connect, construct and a mapped call / bare connect and ping-pong",
        Cores::One,
        Number::Time("connect", (Socket, "connect")),
        4.0,
    ),
    rule(
        "context switches of a mapped call",
        Cores::One,
        Number::Switches("addctx"),
        3.2,
    ),
    rule(
        "system calls of a mapped call",
        Cores::One,
        Number::SystemCalls("addctx"),
        12.0,
    ),
    rule(
        "KiB for each mapped thread, both processes",
        Cores::One,
        Number::Memory("threads:64"),
        24.0,
    ),
    rule(
        "KiB for each idle connection, server",
        Cores::One,
        Number::ServerMemory("conns:100"),
        13.0,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(ours: f64) -> Vec<Verdict> {
        let mut samples = Samples::default();
        samples.take(
            Raw,
            Cores::One,
            "R addctx 100 ns\nR async:16 1000 calls/s\n",
        );
        let lines = format!("R addctx {ours} ns\nR par:16 500 calls/s\nU addctx 1 2.5\n");
        samples.take(Ours, Cores::One, &lines);
        let measured = judge(&samples).into_iter();
        measured.filter(|verdict| verdict.value.is_some()).collect()
    }

    #[test]
    fn what_was_measured_is_judged() {
        let values: Vec<_> = verdicts(130.0)
            .iter()
            .map(|v| (v.value, v.holds()))
            .collect();
        assert_eq!(
            values,
            [(Some(1.3), true), (Some(2.0), true), (Some(3.5), false)]
        );
        assert!(!verdicts(131.0)[0].holds());
    }

    #[test]
    fn what_was_not_measured_is_no_failure() {
        assert!(judge(&Samples::default()).iter().all(Verdict::holds));
    }
}
