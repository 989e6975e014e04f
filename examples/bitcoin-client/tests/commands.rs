//! The command `bitcoin-client`, and the example programs.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bitcoin::consensus::encode::serialize_hex;
use bitcoin_client::Node;
use serde_json::Value;

use self::util::{MockProcess, no_cooldown, solve, with_deadline};

const SCHEMAS: [&str; 3] = ["v30", "v31", "v32"];

fn command(address: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitcoin-client"));
    command
        .args(["--ipcconnect", address])
        .args(arguments)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

fn run(mock: &MockProcess, arguments: &[&str]) -> Output {
    command(&mock.address, arguments).output().unwrap()
}

fn stdout(mock: &MockProcess, arguments: &[&str]) -> String {
    let output = run(mock, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commands_work_with_every_version() {
    with_deadline(|| {
        for schema in SCHEMAS {
            let mut mock = MockProcess::start(schema);
            assert_eq!(stdout(&mock, &["echo", "hallo"]), "hallo\n");
            assert!(stdout(&mock, &["tip"]).starts_with("block 0 0f9188f1"));
            mock.tell("tx 2500");
            wait_for(&mock, |template| template["fees"] == 2500);
            let template: Value =
                serde_json::from_str(&stdout(&mock, &["--json", "template"])).unwrap();
            assert_eq!(template["coinbase"]["reward"], 5_000_002_500_u64);
            assert_eq!(template["merkle_path"].as_array().unwrap().len(), 1);
            assert!(stdout(&mock, &["template"]).contains("fees 0.00002500 BTC"));
        }
    });
}

#[test]
fn blocks_are_checked_and_submitted_by_command() {
    with_deadline(|| {
        let mock = MockProcess::start("v32");
        let hex = smol::block_on(async {
            let node = Node::connect(&mock.address).await.unwrap();
            let template = node
                .mining()
                .await
                .unwrap()
                .template(&no_cooldown())
                .await
                .unwrap();
            serialize_hex(&solve(&template, &[1]).await.1)
        });
        assert_eq!(stdout(&mock, &["check-block", &hex]), "accepted\n");
        let mut child = command(&mock.address, &["submit-block", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(hex.as_bytes())
            .unwrap();
        assert_eq!(child.wait_with_output().unwrap().stdout, b"accepted\n");
        let again = run(&mock, &["--json", "submit-block", &hex]);
        assert!(!again.status.success());
        let verdict: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(
            (&verdict["accepted"], &verdict["reason"]),
            (&false.into(), &"duplicate".into())
        );
        assert_eq!(stdout(&mock, &["rpc", "getblockcount"]), "1\n");
    });
}

#[test]
fn rpc_and_tx_ask_the_node() {
    with_deadline(|| {
        let mock = MockProcess::start("v32");
        stdout(&mock, &["rpc", "generate", "3"]);
        let id = stdout(&mock, &["rpc", "addtransaction"]);
        let found: Value =
            serde_json::from_str(&stdout(&mock, &["--json", "tx", id.trim()])).unwrap();
        assert!(found["hex"].as_str().unwrap().starts_with("02000000"));
        let missing = run(&mock, &["tx", &"0".repeat(64)]);
        assert!(!missing.status.success());
        assert!(
            String::from_utf8(missing.stdout)
                .unwrap()
                .ends_with("not in the memory pool\n")
        );
        let failed = run(&mock, &["rpc", "nonsense"]);
        assert_eq!(
            String::from_utf8(failed.stderr).unwrap(),
            "bitcoin-client: Method not found (error -32601)\n"
        );
    });
}

#[test]
fn debugging_shows_requests_and_responses() {
    with_deadline(|| {
        let mock = MockProcess::start("v32");
        let output = run(&mock, &["--debug=ipc", "echo", "hallo"]);
        let log = String::from_utf8(output.stderr).unwrap();
        for line in [
            "IPC client send Echo.echo$Params",
            "IPC client recv Echo.echo$Results",
        ] {
            assert!(log.contains(line), "{log}");
        }
    });
}

#[test]
fn watch_leaves_the_node_clean() {
    with_deadline(|| {
        for schema in SCHEMAS {
            let mut mock = MockProcess::start(schema);
            let mut watch = command(&mock.address, &["watch"]).spawn().unwrap();
            let mut lines = BufReader::new(watch.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap);
            let mut next_two = || {
                let mut two = [lines.next().unwrap(), lines.next().unwrap()];
                two.sort();
                two
            };
            let first = next_two();
            assert!(
                first[0].starts_with("block 0 ")
                    && first[1].ends_with("0 transactions, fees 0 BTC"),
                "{first:?}"
            );
            mock.tell("mine");
            let second = next_two();
            assert!(
                second[0].starts_with("block 1 ") && second[1].starts_with("template on "),
                "{second:?}"
            );
            interrupt(&watch);
            assert!(watch.wait().unwrap().success());
            assert_eq!(stdout(&mock, &["echo", "fine"]), "fine\n");
        }
    });
}

#[test]
fn the_ideal_program_runs_on_tokio_and_on_smol() {
    with_deadline(|| {
        for runtime in ["tokio", "smol"] {
            let path = format!(
                "{}/examples/templates_{runtime}.rs",
                env!("CARGO_MANIFEST_DIR")
            );
            let source = std::fs::read_to_string(path).unwrap();
            let lines = source
                .lines()
                .filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//"));
            assert!(lines.count() <= 15);
            let mut mock = MockProcess::start("v32");
            let mut program = Command::new(example(runtime))
                .arg(&mock.address)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(program.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap);
            for _ in 0..3 {
                assert!(lines.next().unwrap().contains("50 BTC"));
                mock.tell("mine");
            }
            mock.tell("stop");
            assert!(
                program.wait().unwrap().code().is_some(),
                "it ends with its node"
            );
        }
    });
}

/// Where an example program is. Running all tests builds it; for this one alone it is built here.
fn example(runtime: &str) -> PathBuf {
    let name = format!("templates_{runtime}");
    let directory = Path::new(env!("CARGO_BIN_EXE_bitcoin-client"))
        .parent()
        .unwrap();
    let path = directory.join("examples").join(&name);
    if !path.exists() {
        let arguments = ["build", "-q", "-p", "bitcoin-client", "--example", &name];
        assert!(
            Command::new(env!("CARGO"))
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    }
    path
}

/// Asks for templates until one is as it should be.
fn wait_for(mock: &MockProcess, is_right: impl Fn(&Value) -> bool) {
    while !is_right(&serde_json::from_str(&stdout(mock, &["--json", "template"])).unwrap()) {}
}

/// Presses Ctrl-C.
fn interrupt(child: &Child) {
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}
