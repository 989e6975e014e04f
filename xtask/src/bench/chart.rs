//! Charts of what a call costs by the number of threads and by size, as SVG.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use super::plan::Cores;
use super::programs::Program;
use super::samples::Samples;
use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::say;

/// Writes the charts for which there are numbers into `bench` in cargo's target directory.
pub(crate) fn write(samples: &Samples) -> Result<(), Failure> {
    let charts = [
        ("threads.svg", "calling threads", "par:"),
        ("sizes.svg", "bytes there and back", "echo:"),
    ];
    for (file, by, metric) in charts {
        let lines = lines(samples, metric);
        if lines.values().all(|points| points.len() < 2) {
            continue;
        }
        let directory = Metadata::load()?.target_directory.join("bench");
        let path = directory.join(file);
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(&path, svg(&format!("µs a call, by {by}"), &lines)))
            .map_err(|error| Failure::message(format!("{}: {error}", path.display())))?;
        say::note(&format!("bench: {}", path.display()));
    }
    Ok(())
}

/// For each program the points: number and microseconds.
type Lines = BTreeMap<Program, Vec<(f64, f64)>>;

/// The numbers of a metric whose name ends in a number, with the processes running freely.
fn lines(samples: &Samples, metric: &str) -> Lines {
    let mut lines = Lines::new();
    for (key, values) in &samples.values {
        let number = key
            .metric
            .strip_prefix(metric)
            .and_then(|rest| rest.parse::<f64>().ok());
        let Some(number) = number.filter(|_| key.cores == Cores::Free) else {
            continue;
        };
        let micros = match values.unit.as_str() {
            "ns" => values.median() / 1e3,
            // So many threads together made so many calls in a second.
            _ => number * 1e6 / values.median(),
        };
        lines.entry(key.program).or_default().push((number, micros));
    }
    for points in lines.values_mut() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

/// A drawing with both axes logarithmic.
fn svg(title: &str, lines: &Lines) -> String {
    let all = || lines.values().flatten();
    let x = Axis::new(all().map(|point| point.0), LEFT, RIGHT);
    let y = Axis::new(all().map(|point| point.1), BOTTOM, TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 500\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"800\" height=\"500\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"24\" font-size=\"16\">{title}</text>\n"
    );
    for (at, label) in x.ticks() {
        part(
            &mut out,
            &format!(
                "<line x1=\"{at:.0}\" y1=\"{TOP}\" x2=\"{at:.0}\" y2=\"{BOTTOM}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.0}\" y=\"475\" text-anchor=\"middle\">{label}</text>"
            ),
        );
    }
    for (at, label) in y.ticks() {
        part(
            &mut out,
            &format!(
                "<line x1=\"{LEFT}\" y1=\"{at:.0}\" x2=\"{RIGHT}\" y2=\"{at:.0}\" stroke=\"#ddd\"/>\
             <text x=\"62\" y=\"{at:.0}\" dy=\"4\" text-anchor=\"end\">{label}</text>"
            ),
        );
    }
    for (index, (program, points)) in lines.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        let place = |&(a, b): &(f64, f64)| format!("{:.1},{:.1}", x.at(a), y.at(b));
        let path: Vec<String> = points.iter().map(place).collect();
        part(
            &mut out,
            &format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"90\" y=\"{}\" fill=\"{color}\">{}</text>",
                path.join(" "),
                65 + 18 * index,
                program.name()
            ),
        );
    }
    out.push_str("</svg>\n");
    out
}

fn part(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    writeln!(out, "{text}").unwrap_or_default();
}

/// From the least number to the greatest, by powers of ten.
struct Axis {
    least: f64,
    greatest: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let logs = values.map(log);
        Self {
            least: logs.clone().fold(f64::INFINITY, f64::min).floor(),
            greatest: logs.fold(f64::NEG_INFINITY, f64::max).ceil(),
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let whole = (self.greatest - self.least).max(1.0);
        self.from + (self.to - self.from) * (log(value) - self.least) / whole
    }

    /// The powers of ten, with their names.
    fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        let mut power = self.least;
        while power <= self.greatest {
            let value = 10_f64.powf(power);
            ticks.push((self.at(value), format!("{value}")));
            power += 1.0;
        }
        ticks
    }
}

/// Nothing has no logarithm, and stands at one.
fn log(value: f64) -> f64 {
    value.max(1.0).log10()
}

const LEFT: f64 = 70.0;
const RIGHT: f64 = 780.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 455.0;
const COLORS: &[&str] = &["#555555", "#1f77b4", "#d62728", "#2ca02c"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_a_second_become_the_time_of_each() {
        let mut samples = Samples::default();
        samples.take(
            Program::Ours,
            Cores::Free,
            "R par:4 40000 calls/s\nR par:1 20000 calls/s\n",
        );
        samples.take(Program::Ours, Cores::One, "R par:2 1 calls/s\n");
        assert_eq!(
            lines(&samples, "par:")[&Program::Ours],
            [(1.0, 50.0), (4.0, 100.0)]
        );
    }

    #[test]
    fn points_are_on_the_paper() {
        let lines = Lines::from([(Program::Raw, vec![(0.0, 3.0), (1e6, 4000.0)])]);
        let text = svg("t", &lines);
        assert!(text.contains("points=\"70.0,405.5 780.0,81.3\""), "{text}");
        assert!(text.ends_with("</svg>\n"));
    }
}
