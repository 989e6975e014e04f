//! The schema files of Bitcoin Core, unchanged: the code for them compiles without a warning.

mod package;

use std::io::{self, Write};
use std::path::PathBuf;

use package::Package;

#[test]
fn the_schemas_of_bitcoin_core_compile_unchanged() {
    let Some(directory) = std::env::var_os("MP_CORE_SCHEMAS").map(PathBuf::from) else {
        // Not through `eprintln`, which tests capture: this is to be seen.
        writeln!(
            io::stderr(),
            "SKIPPED: set MP_CORE_SCHEMAS to the directory with Bitcoin Core's schema files (src/ipc/capnp), to compile them"
        )
        .unwrap();
        return;
    };
    let directory = directory.canonicalize().unwrap();
    let package = Package::new("core-schemas");
    let files = FILES.map(|name| format!("{}/{name}.capnp", directory.display()));
    package.write(
        "build.rs",
        &format!(
            "fn main() -> Result<(), mp_gen::Error> {{\n    \
             let builder = mp_gen::Builder::new().src_prefix({directory:?});\n    \
             {files:?}.iter().fold(builder, mp_gen::Builder::file).compile()\n}}\n"
        ),
    );
    package.write("src/lib.rs", PROGRAM);
    package.check();
}

/// `proxy.capnp` is the library's own.
const FILES: [&str; 5] = ["init", "mining", "echo", "common", "rpc"];

/// Names something of each file, so that an empty one does not pass.
const PROGRAM: &str = "//! A client of a node.\n\nmultiprocess::include_proxies!();\n\n\
    pub use crate::common::BlockRef;\n\
    pub use crate::echo::EchoClient;\n\
    pub use crate::init::InitClient;\n\
    pub use crate::mining::{BlockTemplate, MAX_MONEY, Mining};\n\
    pub use crate::rpc::Rpc;\n";
