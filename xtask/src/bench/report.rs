//! What was measured, for a person and for a program to read.

use std::fmt::Write;

use serde_json::{Value, json};

use super::ratios::Verdict;
use super::samples::{Key, Pair, Samples, Values};

/// Tables, the ratios last.
pub(crate) fn text(samples: &Samples, verdicts: &[Verdict]) -> String {
    let mut text =
        String::from("cores  metric          program           median       min       max\n");
    for (key, values) in &samples.values {
        let switches = samples.switches(key).map_or_else(String::new, |switches| {
            format!("  {switches:.2} context switches")
        });
        line(
            &mut text,
            &format!("{}{}{switches}", head(key), times(values)),
        );
    }
    if !samples.memory.is_empty() {
        text.push_str("\nresident KiB for each        client    server\n");
    }
    for (key, pair) in &samples.memory {
        let Pair { client, server } = pair;
        let numbers = format!("{:>8.1}  {:>8.1}", client / 1024.0, server / 1024.0);
        line(&mut text, &format!("{}{numbers}", head(key)));
    }
    if !samples.system_calls.is_empty() {
        text.push_str("\nsystem calls a call\n");
    }
    for (key, (client, server)) in &samples.system_calls {
        for (side, counts) in [("client", client), ("server", server)] {
            let each: Vec<String> = counts
                .iter()
                .map(|(name, count)| format!("{name} {count:.2}"))
                .collect();
            let sum: f64 = counts.values().sum();
            line(
                &mut text,
                &format!("{}{side} {sum:>5.2}: {}", head(key), each.join(", ")),
            );
        }
    }
    text.push_str("\nratios\n");
    for verdict in verdicts {
        line(&mut text, &sentence(verdict));
    }
    text
}

/// Everything, with `"ok"` and the list of what does not hold.
pub(crate) fn json(samples: &Samples, verdicts: &[Verdict]) -> Value {
    let pair = |pair: &Pair| json!({"client": pair.client, "server": pair.server});
    let with = |key: &Key, mut value: Value| {
        value["program"] = key.program.name().into();
        value["cores"] = key.cores.name().into();
        value["metric"] = key.metric.as_str().into();
        value
    };
    let results = samples.values.iter().map(|(key, values)| {
        let value = json!({
            "median": values.median(), "min": values.min(), "max": values.max(), "unit": values.unit,
            "context_switches": samples.switches(key),
        });
        with(key, value)
    });
    let memory = samples
        .memory
        .iter()
        .map(|(key, bytes)| with(key, pair(bytes)));
    let calls = samples.system_calls.iter();
    let calls =
        calls.map(|(key, (client, server))| with(key, json!({"client": client, "server": server})));
    let ratio = |verdict: &Verdict| {
        json!({
            "name": verdict.sentence, "cores": verdict.cores.name(), "value": verdict.value,
            "at_most": verdict.at_most, "ok": verdict.holds(),
        })
    };
    let failed: Vec<Value> = verdicts.iter().filter(|v| !v.holds()).map(ratio).collect();
    json!({
        "ok": failed.is_empty(),
        "failed": failed,
        "ratios": verdicts.iter().map(ratio).collect::<Vec<_>>(),
        "results": results.collect::<Vec<_>>(),
        "memory": memory.collect::<Vec<_>>(),
        "system_calls": calls.collect::<Vec<_>>(),
    })
}

fn sentence(verdict: &Verdict) -> String {
    let Verdict {
        sentence,
        cores,
        value,
        at_most,
    } = verdict;
    let (word, value) = match value {
        None => ("not measured", String::new()),
        Some(value) if verdict.holds() => ("pass", format!("{value:.2}")),
        Some(value) => ("FAIL", format!("{value:.2}")),
    };
    format!(
        "{:<5}  {sentence:<70} {value:>7}, at most {at_most}: {word}",
        cores.name()
    )
}

fn head(key: &Key) -> String {
    format!(
        "{:<5}  {:<14}  {:<12}  ",
        key.cores.name(),
        key.metric,
        key.program.name()
    )
}

/// The median with the least and the most.
fn times(values: &Values) -> String {
    let number = |value: f64| match values.unit.as_str() {
        "ns" => format!("{:.1}", value / 1000.0),
        _ => format!("{value:.0}"),
    };
    let unit = values.unit.replace("ns", "µs");
    let (median, min, max) = (values.median(), values.min(), values.max());
    format!(
        "{:>10}{:>10}{:>10} {unit}",
        number(median),
        number(min),
        number(max)
    )
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    writeln!(text, "{}", line.trim_end()).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::super::plan::Cores;
    use super::super::programs::Program;
    use super::super::ratios;
    use super::*;

    fn samples() -> Samples {
        let mut samples = Samples::default();
        samples.take(Program::Raw, Cores::One, "R addctx 1000 ns\n");
        samples.take(
            Program::Ours,
            Cores::One,
            "R addctx 1500 ns\nU addctx 1 1\nM conns:100 0 2048\n",
        );
        samples
    }

    #[test]
    fn a_person_reads_tables() {
        let samples = samples();
        let text = text(&samples, &ratios::judge(&samples));
        assert!(
            text.contains(
                "multiprocess         1.5       1.5       1.5 µs  2.00 context switches\n"
            ),
            "{text}"
        );
        assert!(text.contains("1.50, at most 1.3: FAIL\n"), "{text}");
        assert!(text.contains("not measured\n"), "{text}");
    }

    #[test]
    fn a_program_reads_whether_all_is_well() {
        let samples = samples();
        let value = json(&samples, &ratios::judge(&samples));
        assert_eq!(value["ok"], false);
        assert_eq!(value["failed"].as_array().map(Vec::len), Some(1));
        assert_eq!(value["results"][1]["median"], 1500.0);
        assert_eq!(value["memory"][0]["server"], 2048.0);
    }
}
