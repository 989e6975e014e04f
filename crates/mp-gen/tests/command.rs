//! The command `mpgen`, as people, make files and the schema compiler run it.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn help_names_the_options() {
    let output = mpgen().arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--src-prefix",
        "-I",
        "--out-dir",
        "--module",
        "--explain",
        "capnp compile -ompgen",
    ] {
        assert!(text.contains(option), "no {option} in:\n{text}");
    }
}

#[test]
fn files_are_generated_into_a_directory() {
    let out = tempfile::tempdir().unwrap();
    let schema = schema();
    let output = mpgen()
        .arg("--src-prefix")
        .arg(&schema)
        .arg("--out-dir")
        .arg(out.path())
        .arg(schema.join("init.capnp"))
        .output();
    succeeded(output.unwrap());
    assert_same(out.path());
}

#[test]
fn it_is_a_plugin_of_the_schema_compiler() {
    let out = tempfile::tempdir().unwrap();
    let schema = schema();
    let request = mp_gen::Builder::new()
        .src_prefix(&schema)
        .file(schema.join("init.capnp"))
        .load()
        .unwrap()
        .request;
    let mut child = mpgen()
        .current_dir(out.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&request).unwrap();
    succeeded(child.wait_with_output().unwrap());
    assert_same(out.path());
}

#[test]
fn explain_tells_where_methods_run_and_what_became_of_their_values() {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/schema");
    let output = mpgen()
        .arg("--explain")
        .arg("--src-prefix")
        .arg(&schema)
        .arg(schema.join("conformance.capnp"))
        .output()
        .unwrap();
    let text = succeeded(output);
    for expected in [
        "conformance.capnp: interface Values (0xd0af7f5bd71dfd41) is the trait Values\n",
        "  fn add(&self, a: i32, b: i32) -> Result<i32>\n    wire: add @1 of 0xd0af7f5bd71dfd41\n    runs: on the event loop's thread",
        "  fn other_name(&self, value: i32) -> Result<i32>\n    wire: renamed @25",
        "    param hasValue: says whether there is a `value`, which is an Option\n",
        "    param wantMax: an argument: whether `max` is wanted\n",
        "    result error: a variant of the method's error\n",
        "    param context: not shown: the run-time fills it in with the calling thread\n",
        "  inherits from Callback\n",
        "  construct: called by the library\n",
    ] {
        assert!(text.contains(expected), "no `{expected}` in:\n{text}");
    }
}

#[test]
fn errors_go_to_standard_error() {
    let output = mpgen().arg("no-such-file.capnp").output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no-such-file.capnp")
    );
    let output = mpgen().stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    assert!(!output.stderr.is_empty());
}

#[test]
fn what_is_left_out_is_said_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spare.capnp");
    fs::write(&path, SPARE).unwrap();
    let output = mpgen()
        .arg("--out-dir")
        .arg(directory.path())
        .arg("--src-prefix")
        .arg(directory.path())
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    succeeded(output);
    for (place, what) in [
        (":1:1: ", "$Rust.parentModule says `a::b`"),
        (
            ":4:",
            "`Unused.any` is of type AnyPointer, which has no Rust type: `Unused` is left out",
        ),
        (":5:", "`Uses` is left out, for `Unused` is"),
    ] {
        let line = said.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("no `{what}` in:\n{said}"));
        assert!(line.contains(&format!("spare.capnp{place}")), "{line}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
    let code = fs::read_to_string(directory.path().join("spare_proxy.rs")).unwrap();
    assert!(code.contains("struct Used") && !code.contains("Unused") && !code.contains("Uses"));
}

const SPARE: &str = "@0xb3c1d2e4f5a60718;
using Rust = import \"/capnp/rust.capnp\";
$Rust.parentModule(\"a::b\");
struct Unused { any @0 :AnyPointer; }
struct Uses { unused @0 :Unused; }
struct Used { text @0 :Text; }
interface Unwrapped { any @0 (any :AnyPointer) -> (); }
";

fn mpgen() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mpgen"));
    command.env_remove("TARGET");
    command
}

fn schema() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/calculator/schema")
}

fn succeeded(output: Output) -> String {
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The generated files are those that the builder makes.
fn assert_same(out: &Path) {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/calculator");
    for entry in fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        let generated = out.join(path.file_name().unwrap());
        assert_eq!(
            fs::read_to_string(&generated).unwrap(),
            fs::read_to_string(&path).unwrap(),
            "{}",
            path.display()
        );
    }
}
