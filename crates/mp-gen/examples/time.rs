//! How long the generator takes of its own, without the schema compiler:
//!
//! ```text
//! cargo run --release -p mp-gen --example time -- SRC_PREFIX FILE...
//! ```

#![expect(clippy::print_stdout, reason = "what is printed is what it is for")]

use std::time::Instant;

use mp_gen::Builder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let prefix = args.next().ok_or("usage: time SRC_PREFIX FILE...")?;
    let out = tempfile::tempdir()?;
    for file in args {
        let builder = Builder::new().src_prefix(&prefix).file(&file);
        let start = Instant::now();
        let schema = builder.load()?;
        let loaded = start.elapsed();
        let times = (0..9).map(|run| {
            let start = Instant::now();
            builder.compile_schema(&schema, out.path().join(run.to_string()))?;
            Ok(start.elapsed())
        });
        let mut times = times.collect::<Result<Vec<_>, mp_gen::Error>>()?;
        times.sort();
        println!(
            "{}: generated in {:.1?} (of nine runs {:.1?} to {:.1?}), after {loaded:.1?} for the schema compiler",
            file.display(),
            times[4],
            times[0],
            times[8],
        );
    }
    Ok(())
}
