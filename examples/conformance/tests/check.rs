//! `conformance check` against `conformance serve`, and against nobody.

mod util;

use std::process::Command;

use util::{Server, run, text};

#[test]
fn all_cases_pass() {
    let mut server = Server::start();
    let output = run(check().arg(server.address()), 120);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.lines()
            .all(|line| line.starts_with("ok   ") || line.ends_with(" passed, 0 failed")),
        "{text}"
    );
    for case in ["Values.passText", "Objects.callback", "Threads.lockAndCall"] {
        assert!(
            text.lines().any(|line| line == format!("ok   {case}")),
            "no case {case}:\n{text}"
        );
    }
    assert!(server.is_alive());
}

#[test]
fn every_method_of_the_schema_has_a_case() {
    let server = Server::start();
    let cases = text(&run(check().arg(server.address()), 120));
    let schema = include_str!("../schema/conformance.capnp");
    let mut interface = "";
    for line in schema.lines() {
        if let Some(declared) = line.strip_prefix("interface ") {
            interface = declared.split(' ').next().unwrap();
        } else if !line.starts_with(' ') {
            interface = "";
        }
        let method = line.trim().split(" @").next().unwrap();
        let is_method = line.contains(" @") && line.contains("->") && !line.trim().starts_with('#');
        let checked =
            ["Init", "Values", "Objects", "Threads"].contains(&interface) && method != "construct";
        if is_method && checked {
            let case = format!("{interface}.{method}");
            assert!(
                cases.lines().any(|line| line[5..].starts_with(&case)),
                "no case {case}:\n{cases}"
            );
        }
    }
}

#[test]
fn several_checks_at_one_time() {
    let server = Server::start();
    let address = server.address();
    std::thread::scope(|scope| {
        let run_one = || {
            let output = run(check().arg(&address), 240);
            assert!(output.status.success(), "{}", text(&output));
        };
        for _ in 0..3 {
            scope.spawn(run_one);
        }
    });
}

#[test]
fn a_part_of_the_cases() {
    let server = Server::start();
    let output = run(check().args([&server.address(), "passText"]), 60);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("Values.passText: not UTF-8"));
    assert!(!text(&output).contains("Values.passData"));
}

#[test]
fn nobody_there_is_a_failure() {
    let output = run(check().arg("unix:/nowhere/at/all"), 60);
    assert!(!output.status.success());
    assert!(
        text(&output).contains("/nowhere/at/all"),
        "{}",
        text(&output)
    );
    let output = run(check().arg("tcp:1"), 60);
    assert!(!output.status.success());
    assert!(
        text(&output).contains("Unrecognized address 'tcp:1'"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_listener_that_answers_nothing_is_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let closing = std::thread::Builder::new()
        .spawn(move || drop(listener.accept()))
        .unwrap();
    let output = run(check().arg(format!("unix:{}", path.display())), 60);
    closing.join().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("disconnect"), "{}", text(&output));
}

fn check() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.arg("check");
    command
}
