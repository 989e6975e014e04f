//! The example programs run, and take as few lines as the documents say.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use patience::within_deadline;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use self::util::{MockProcess, SCHEMAS, assert_ends_with_its_node, example};

/// A file of this package.
fn source(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn start(name: &str, mock: &MockProcess) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut program = Command::new(example(name))
        .arg(&mock.address)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    (program, lines.map(Result::unwrap))
}

#[test]
fn the_ideal_program_runs_on_tokio_and_on_smol() {
    within_deadline(|| {
        for name in ["templates_tokio", "templates_smol"] {
            for schema in SCHEMAS {
                let mut mock = MockProcess::start(schema);
                let (program, mut lines) = start(name, &mock);
                for _ in 0..3 {
                    assert!(lines.next().unwrap().contains("50 BTC"));
                    mock.tell("mine");
                }
                mock.tell("stop");
                assert_ends_with_its_node(program);
            }
        }
    });
}

#[test]
fn the_ideal_program_has_15_lines() {
    for runtime in ["tokio", "smol"] {
        let source = source(&format!("examples/templates_{runtime}.rs"));
        let lines = source.lines().map(str::trim);
        let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        assert!(code.count() <= 15, "{source}");
    }
}

#[test]
fn a_pool_runs() {
    within_deadline(|| {
        let mut mock = MockProcess::start("v32");
        mock.tell("tx 1000");
        let (program, mut lines) = start("pool", &mock);
        let first: Vec<_> = lines.by_ref().take(5).collect();
        let as_expected = first[0] == "1 transactions: true"
            && first[1..4]
                == [
                    "checked: Accepted",
                    "submitted: Accepted",
                    "there is a next one: true",
                ]
            && first[4].starts_with("on ");
        assert!(as_expected, "{first:?}");
        mock.tell("stop");
        assert_ends_with_its_node(program);
    });
}

/// The lines of the example below each comment that names a task.
fn lines_for_tasks() -> BTreeMap<String, usize> {
    let source = source("examples/pool.rs");
    let mut tasks = BTreeMap::new();
    for paragraph in source.split("\n\n") {
        let mut lines = paragraph.lines();
        if let Some(task) = lines.next().and_then(|line| line.strip_prefix("    // ")) {
            tasks.insert(task.to_owned(), lines.count());
        }
    }
    tasks
}

#[test]
fn the_readme_counts_the_lines_of_the_pool() {
    let mut tasks = lines_for_tasks();
    let readme = source("README.md");
    let mut rows = 0;
    for row in readme.lines().filter(|line| line.starts_with("| ")) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, task, _, here, ..] = columns[..] else {
            panic!("{row}");
        };
        if let Ok(here) = here.parse::<usize>() {
            assert_eq!(tasks.remove(task).unwrap_or(0), here, "{task}");
            rows += 1;
        }
    }
    assert!(
        rows > 15 && tasks.is_empty(),
        "{rows} rows, not in them: {tasks:?}"
    );
}
