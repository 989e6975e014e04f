//! The message accessors, which `capnpc` generates.

mod request;

use std::collections::HashMap;

use capnpc::codegen::CodeGenerationCommand;
use mp_schema::{Schema, well_known};

use crate::Error;
use crate::output::Output;
use crate::plan::{Files, Plan};

/// Generates the accessors of all files with proxies.
pub(crate) fn generate(
    schema: &Schema,
    plan: &Plan,
    files: &Files,
    parent: &[String],
    output: &mut Output,
) -> Result<(), Error> {
    let scratch = tempfile::tempdir().map_err(Error::io("cannot make a temporary directory"))?;
    let request =
        request::prepared(schema, files).map_err(|error| Error::Accessors(error.to_string()))?;
    let mut provided: HashMap<u64, String> = files.provided_elsewhere().collect();
    provided.insert(well_known::PROXY_FILE, "multiprocess::codegen".to_owned());
    CodeGenerationCommand::new()
        .output_directory(scratch.path())
        .capnp_root("::multiprocess::codegen::capnp")
        .default_parent_module(parent.to_vec())
        .crates_provide_map(provided)
        .run(&*request)
        .map_err(|error| Error::Accessors(error.to_string()))?;
    for file in &plan.files {
        let name = format!("{}_capnp.rs", file.info.stem);
        let directory = std::path::Path::new(file.info.name.trim_start_matches('/')).parent();
        let path = scratch
            .path()
            .join(directory.unwrap_or_else(|| "".as_ref()))
            .join(&name);
        let text = std::fs::read_to_string(&path)
            .map_err(Error::io(format!("cannot read {}", path.display())))?;
        output.add(name, text);
    }
    Ok(())
}
