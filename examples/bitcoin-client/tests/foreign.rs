//! A client that is not this library: Python's `pycapnp`, on the C++ runtime of Cap'n Proto, with the mock node.

use std::io::Write;
use std::process::Command;

#[test]
fn a_foreign_client_is_served_in_every_version() {
    let Some(python) = std::env::var_os("MP_PYTHON") else {
        // Not through `eprintln`, which tests capture: this is to be seen.
        let skipped =
            "SKIPPED: set MP_PYTHON to a Python that can import capnp, to run tests/foreign";
        writeln!(std::io::stderr(), "{skipped}").unwrap();
        return;
    };
    let package = env!("CARGO_MANIFEST_DIR");
    // For all scenarios, each of which has its own.
    let deadline = 5 * patience::deadline();
    for version in ["v30", "v31", "v32"] {
        let directory = tempfile::tempdir().unwrap();
        let output = Command::new("timeout")
            .arg(deadline.as_secs().to_string())
            .arg(&python)
            .arg(format!("{package}/tests/foreign/client.py"))
            .arg(env!("CARGO_BIN_EXE_bitcoin-client"))
            .arg(format!("{package}/schema/{version}"))
            .arg(format!("{package}/../../crates/mp-schema/schema"))
            .arg(version)
            .arg(directory.path().join("node.sock"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        assert_eq!(
            text.lines().last().unwrap(),
            format!("{version}: all 17 scenarios")
        );
    }
}
