//! The command `bitcoin-client`.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin_client::Node;
use patience::within_deadline;
use serde_json::Value;

use self::util::{
    MockProcess, SCHEMAS, command, first_lines, interrupt, no_cooldown, run, solve, stdout,
};

#[test]
fn commands_work_with_every_version() {
    within_deadline(|| {
        for schema in SCHEMAS {
            let mut mock = MockProcess::start(schema);
            assert_eq!(stdout(&mock.address, &["echo", "hallo"]), "hallo\n");
            assert!(stdout(&mock.address, &["tip"]).starts_with("block 0 0f9188f1"));
            mock.tell("tx 2500");
            wait_for(&mock, |template| template["fees"] == 2500);
            let template: Value =
                serde_json::from_str(&stdout(&mock.address, &["--json", "template"])).unwrap();
            assert_eq!(template["coinbase"]["reward"], 5_000_002_500_u64);
            assert_eq!(template["merkle_path"].as_array().unwrap().len(), 1);
            assert!(stdout(&mock.address, &["template"]).contains("fees 0.00002500 BTC"));
        }
    });
}

#[test]
fn blocks_are_checked_and_submitted_by_command() {
    within_deadline(|| {
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
        assert_eq!(stdout(&mock.address, &["check-block", &hex]), "accepted\n");
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
        let again = run(&mock.address, &["--json", "submit-block", &hex]);
        assert!(!again.status.success());
        let verdict: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(
            (&verdict["accepted"], &verdict["reason"]),
            (&false.into(), &"duplicate".into())
        );
        assert_eq!(stdout(&mock.address, &["rpc", "getblockcount"]), "1\n");
    });
}

#[test]
fn rpc_and_tx_ask_the_node() {
    within_deadline(|| {
        let mock = MockProcess::start("v32");
        stdout(&mock.address, &["rpc", "generate", "3"]);
        let id = stdout(&mock.address, &["rpc", "addtransaction"]);
        let found: Value =
            serde_json::from_str(&stdout(&mock.address, &["--json", "tx", id.trim()])).unwrap();
        assert!(found["hex"].as_str().unwrap().starts_with("02000000"));
        let missing = run(&mock.address, &["tx", &"0".repeat(64)]);
        let text = String::from_utf8(missing.stdout).unwrap();
        assert!(text.ends_with("not in the memory pool\n"), "{text}");
        let failed = run(&mock.address, &["rpc", "generate", "-1"]);
        let text = String::from_utf8(failed.stderr).unwrap();
        assert_eq!(text, "bitcoin-client: not a number (error -3)\n");
    });
}

#[test]
fn debugging_shows_requests_and_responses() {
    within_deadline(|| {
        let mock = MockProcess::start("v32");
        let output = run(&mock.address, &["--debug=ipc", "echo", "hallo"]);
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
    within_deadline(|| {
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
            assert_eq!(stdout(&mock.address, &["echo", "fine"]), "fine\n");
        }
    });
}

#[test]
fn a_mock_node_says_when_calls_wait() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let address = format!("unix:{}", directory.path().join("node.sock").display());
        let mut mock = command("unix", &["mock-node", &address, "--stop-at-eof"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (_, mut lines) = first_lines(&mut mock, 1);
        let mut stdin = mock.stdin.take().unwrap();
        // Done in this order: a template that waits does so for the header.
        stdin.write_all(b"header 86400\nwaiting 0\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "waiting 0");
        let template = command(&address, &["template", "--cooldown"]).spawn();
        stdin.write_all(b"waiting 1\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "waiting 1");
        stdin.write_all(b"mine\n").unwrap();
        assert!(
            template
                .unwrap()
                .wait_with_output()
                .unwrap()
                .status
                .success()
        );
        drop(stdin);
        assert!(mock.wait().unwrap().success());
    });
}

/// Asks for templates until one is as it should be.
fn wait_for(mock: &MockProcess, is_right: impl Fn(&Value) -> bool) {
    while !is_right(&serde_json::from_str(&stdout(&mock.address, &["--json", "template"])).unwrap())
    {
    }
}
