//! How the command ends, and what it says, when something is wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use bitcoin_client::mock::MockNode;
use bitcoin_client::{Error, Node, Version};
use patience::within_deadline;

use self::util::{FOR_EVER, MockProcess, command, interrupt, run};

/// The exit status, and what is on standard error.
fn end(output: Output) -> (i32, String) {
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn the_node_says_no() {
    within_deadline(|| {
        let mock = MockProcess::start("v32");
        let missing = run(&mock.address, &["tx", &"0".repeat(64)]);
        assert_eq!(end(missing), (1, String::new()));
        let (status, text) = end(run(&mock.address, &["rpc", "nonsense"]));
        assert_eq!(
            (status, &*text),
            (1, "bitcoin-client: Method not found (error -32601)\n")
        );
    });
}

#[test]
fn the_arguments_are_wrong() {
    within_deadline(|| {
        let mock = MockProcess::start("v32");
        let said = |arguments: &[&str], text: &str| {
            let (status, errors) = end(run(&mock.address, arguments));
            assert!(status == 2 && errors.contains(text), "{status} {errors}");
        };
        said(&[], "Usage: bitcoin-client");
        said(&["nonsense"], "unrecognized subcommand 'nonsense'");
        said(
            &["tx", "12"],
            "not a transaction id, which is 64 hexadecimal digits",
        );
        said(
            &["check-block", "12"],
            "not a block in hexadecimal digits: ",
        );
        said(
            &["mock-node", "tcp:12"],
            "bitcoin-client: Unrecognized address 'tcp:12'",
        );
        let (status, text) = end(run("tcp:12", &["tip"]));
        assert_eq!(
            (status, &*text),
            (2, "bitcoin-client: Unrecognized address 'tcp:12'\n")
        );
    });
}

#[test]
fn there_is_no_node() {
    within_deadline(|| {
        let home = tempfile::tempdir().unwrap();
        // Where a node listens, by its chain and data directory, relative to the user's home.
        for (options, socket) in [
            (&[][..], ".bitcoin/node.sock"),
            (&["--chain=regtest"][..], ".bitcoin/regtest/node.sock"),
            (&["--chain=test"][..], ".bitcoin/testnet3/node.sock"),
            (&["--chain=testnet4"][..], ".bitcoin/testnet4/node.sock"),
            (
                &["--chain=signet", "--ipcconnect=unix:a/b"][..],
                ".bitcoin/signet/a/b",
            ),
            (
                &["--chain=regtest", "--datadir=/x"][..],
                "/x/regtest/node.sock",
            ),
            (&["--datadir=/x", "--ipcconnect=unix:/y"][..], "/y"),
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_bitcoin-client"))
                .arg("tip")
                .args(options)
                .env("HOME", home.path())
                .output()
                .unwrap();
            let path = home.path().join(socket);
            let expected = format!(
                "bitcoin-client: no node listens on {}: is bitcoin-node running, and started with -ipcbind=unix?\n",
                path.display()
            );
            assert_eq!(end(output), (3, expected));
        }
    });
}

#[test]
fn a_node_is_found_in_its_usual_place() {
    within_deadline(|| {
        let data = tempfile::tempdir().unwrap();
        let _node = MockNode::listen(data.path().join("regtest/node.sock"), Version::V32).unwrap();
        let data = data.path().to_str().unwrap();
        for address in ["unix", "unix:", "unix:node.sock", ""] {
            let arguments = ["--datadir", data, "--chain=regtest", "echo", "here"];
            assert_eq!(util::stdout(address, &arguments), "here\n");
        }
    });
}

#[test]
fn the_node_is_too_old() {
    within_deadline(|| {
        let mock = MockProcess::start("v31");
        let (status, text) = end(run(&mock.address, &["rpc", "uptime"]));
        assert_eq!(
            (status, &*text),
            (
                3,
                "bitcoin-client: JSON-RPC needs a node of version 32, this one has 31\n"
            )
        );
    });
}

#[test]
fn the_node_stops_while_the_command_waits() {
    within_deadline(|| {
        for stops_orderly in [true, false] {
            let mut mock = MockProcess::start("v32");
            let mut watch = command(&mock.address, &["watch"]).spawn().unwrap();
            let (_, _more) = util::first_lines(&mut watch, 2);
            if stops_orderly {
                mock.tell("stop");
            } else {
                mock.kill();
            }
            let (status, text) = end(watch.wait_with_output().unwrap());
            assert_eq!(
                (status, &*text),
                (
                    3,
                    "bitcoin-client: the node stopped, or closed the connection\n"
                )
            );
        }
    });
}

#[test]
fn a_command_that_waits_ends_with_ctrl_c() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let mock = MockNode::listen(directory.path().join("node.sock"), Version::V32).unwrap();
        mock.hear_of_header(FOR_EVER);
        let template = command(&mock.address(), &["template", "--cooldown"])
            .spawn()
            .unwrap();
        assert!(mock.wait_for_waiting(1, FOR_EVER));
        interrupt(&template);
        let ended = end(template.wait_with_output().unwrap());
        assert_eq!(ended, (130, String::new()));
        assert_eq!((mock.waiting(), mock.templates()), (0, 0));
    });
}

#[test]
fn ctrl_c_stops_a_mock_node_that_leaves_no_socket() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let mut mock = command(
            "unix",
            &["--json", "mock-node", &format!("unix:{}", path.display())],
        )
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
        let (lines, _more) = util::first_lines(&mut mock, 1);
        assert_eq!(
            lines[0],
            format!("{{\"listening\":\"unix:{}\"}}", path.display())
        );
        mock.stdin
            .as_ref()
            .unwrap()
            .write_all(b"nonsense\n")
            .unwrap();
        interrupt(&mock);
        let output = mock.wait_with_output().unwrap();
        assert!(output.status.success() && !path.exists(), "{output:?}");
    });
}

/// Connects as another user, when the test below runs it.
#[test]
fn a_stranger() {
    let Ok(address) = std::env::var("MP_TEST_STRANGER") else {
        return;
    };
    let error = smol::block_on(Node::connect(&address)).unwrap_err();
    assert!(matches!(error, Error::NoPermission { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "no permission to connect to {}: a node's socket is for the user that runs the node",
            address.strip_prefix("unix:").unwrap()
        )
    );
}

#[test]
fn another_user_has_no_permission() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let mode = |path: &std::path::Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(directory.path(), 0o755);
        let private = directory.path().join("private");
        let nodes = [&private, directory.path()]
            .map(|place| MockNode::listen(place.join("node.sock"), Version::V32).unwrap());
        // The socket is in a directory that the stranger may not enter; then in one that anybody may.
        for node in &nodes {
            let mut stranger = Command::new("/proc/self/exe");
            stranger
                .args(["a_stranger", "--exact"])
                .env("MP_TEST_STRANGER", node.address());
            if is_root() {
                stranger.uid(65534).gid(65534);
            } else {
                // Without the right to be somebody else: a user can lock even himself out.
                mode(&private, 0);
                mode(&directory.path().join("node.sock"), 0);
            }
            let output = stranger.output().unwrap();
            mode(&private, 0o700);
            assert!(output.status.success(), "{output:?}");
        }
    });
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}
