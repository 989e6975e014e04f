//! A peer with another implementation of Cap'n Proto: `foreign`, on the C++ runtime, as a client of `conformance serve`.

mod util;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use util::{Server, run, text};

#[test]
fn python() {
    let Some(python) = std::env::var_os("MP_PYTHON") else {
        // Not through `eprintln`, which tests capture: this is to be seen.
        writeln!(
            io::stderr(),
            "SKIPPED: set MP_PYTHON to a Python that can import capnp, to run tests/foreign"
        )
        .unwrap();
        return;
    };
    let mut server = Server::start();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = run(
        Command::new(python)
            .arg("-B")
            .arg(package.join("tests/foreign"))
            .arg(server.address())
            .arg(package.join("schema/conformance.capnp"))
            // Where /mp/proxy.capnp is.
            .arg(package.join("../../crates/mp-schema/schema")),
        120,
    );
    assert!(output.status.success(), "{}", text(&output));
    assert!(
        text(&output).contains(" passed, 0 failed"),
        "{}",
        text(&output)
    );
    assert!(server.is_alive());
}
