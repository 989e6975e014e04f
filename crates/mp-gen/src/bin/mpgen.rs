//! The command `mpgen`: the generator for people, make files, and `capnp compile -ompgen`.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Generates Rust proxies from annotated Cap'n Proto schema files.
///
/// Without arguments it is a plugin of the schema compiler: `capnp compile -ompgen FILE...` writes the files into the
/// current directory.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directory to cut off the front of file names. May be given more than once.
    #[arg(long, value_name = "DIR")]
    src_prefix: Vec<PathBuf>,
    /// Directory in which imports beginning with `/` are looked up. May be given more than once.
    #[arg(short = 'I', long = "import-path", value_name = "DIR")]
    import_path: Vec<PathBuf>,
    /// Where the generated files go.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,
    /// The module of the crate that includes the generated files; its root by default.
    #[arg(long, value_name = "PATH", default_value = "")]
    module: String,
    /// Print what each method became, instead of generating code.
    #[arg(long)]
    explain: bool,
    /// Schema files.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = mp_gen::Builder::new()
        .out_dir(&arguments.out_dir)
        .module(&arguments.module);
    for path in &arguments.src_prefix {
        builder = builder.src_prefix(path);
    }
    for path in &arguments.import_path {
        builder = builder.import_path(path);
    }
    for file in &arguments.files {
        builder = builder.file(file);
    }
    if arguments.explain {
        std::io::stdout().write_all(builder.explain()?.as_bytes())?;
        return Ok(());
    }
    if !arguments.files.is_empty() {
        return Ok(builder.compile()?);
    }
    if std::io::stdin().is_terminal() {
        return Err("mpgen: no schema files given; see `mpgen --help`".into());
    }
    let mut request = Vec::new();
    std::io::stdin().read_to_end(&mut request)?;
    Ok(builder.compile_request(&request)?)
}
