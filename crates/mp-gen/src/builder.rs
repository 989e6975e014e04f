//! The builder that build scripts use.

use std::env;
use std::panic::Location;
use std::path::{Path, PathBuf};

use mp_schema::{Diagnostics, Loader, Schema, well_known};

use crate::config::{Collection, Config, Setting};
use crate::emit::{self, Emitter};
use crate::output::Output;
use crate::plan::{ExternModule, Files, Plan, Planner};
use crate::{Error, accessors, explain, imports};

/// Generates Rust code for schema files.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), mp_gen::Error> {
///     mp_gen::Builder::new().src_prefix("schema").file("schema/init.capnp").compile()
/// }
/// ```
///
/// Files that a given file imports by a relative path are generated too. Paths are relative to the current directory, which
/// for a build script is that of its package.
///
/// Items of a schema are named by their path: `Person.age`, `Mining.waitNext.result`, `Person`. `[]` after a path means the
/// elements of a list or set, `[key]` and `[value]` the parts of a map's entries: `Mining.submit.transactions[]`.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is generated before `compile`"]
pub struct Builder {
    files: Vec<PathBuf>,
    src_prefixes: Vec<PathBuf>,
    import_paths: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
    module: Vec<String>,
    externs: Vec<ExternModule>,
    config: Config,
}

impl Builder {
    /// A builder without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema file.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().into());
        self
    }

    /// Adds a directory that is cut off the front of file names, so that imports beginning with `/` find files in it.
    pub fn src_prefix(mut self, path: impl AsRef<Path>) -> Self {
        self.src_prefixes.push(path.as_ref().into());
        self
    }

    /// Adds a directory in which imports that begin with `/` are looked up. `/mp/proxy.capnp` and `/capnp/c++.capnp` are
    /// found without one.
    pub fn import_path(mut self, path: impl AsRef<Path>) -> Self {
        self.import_paths.push(path.as_ref().into());
        self
    }

    /// Sets where the files go. Cargo's `OUT_DIR` unless set, which is where `multiprocess::include_proxies!()` looks.
    pub fn out_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.out_dir = Some(path.as_ref().into());
        self
    }

    /// Sets the module that `multiprocess::include_proxies!()` stands in, such as `ipc::generated`. The crate's root unless set.
    pub fn module(mut self, path: &str) -> Self {
        let names = path
            .split("::")
            .map(|name| name.trim().trim_start_matches("r#"));
        self.module = names
            .filter(|name| !name.is_empty() && *name != "crate")
            .map(str::to_owned)
            .collect();
        self
    }

    /// Says that another crate has the code for a schema file: `.extern_module("common.capnp", "::other_crate::common")`.
    /// The last part of the module's path is the file's name; settings for items of that file have to be given here, too.
    /// Whether its structs have a default is not known: a struct that holds one has none, unless `type_derive` adds it.
    pub fn extern_module(mut self, file: impl Into<String>, module: impl Into<String>) -> Self {
        self.externs.push(ExternModule {
            file: file.into(),
            module: module.into(),
        });
        self
    }

    /// Makes a field, param or result an `Option` that is `None` where the wire has a null pointer: text, data, lists,
    /// structs and objects. Without it a null object is an error, and the others read as their default. Of a list's elements,
    /// only objects can be optional.
    #[track_caller]
    pub fn optional(self, path: impl Into<String>) -> Self {
        self.set(path, Setting::Optional)
    }

    /// Shows a list as a map or a set.
    #[track_caller]
    pub fn map_type(self, path: impl Into<String>, collection: Collection) -> Self {
        self.set(path, Setting::Collection(collection))
    }

    /// Shows `Text`, or a list of it, as bytes, which need not be UTF-8.
    #[track_caller]
    pub fn bytes(self, path: impl Into<String>) -> Self {
        self.set(path, Setting::Bytes)
    }

    /// Gives a field, param or result a type of yours or of another crate, which implements
    /// `multiprocess::BuildField` and `multiprocess::ReadField`: `.extern_type("BlockRef.hash", "bitcoin::BlockHash")`.
    ///
    /// In a struct, the type has to be `Clone`, `Debug` and `PartialEq`, as the struct is. It need not have a default: then the
    /// struct has none, unless the field is optional.
    #[track_caller]
    pub fn extern_type(self, path: impl Into<String>, rust_type: impl Into<String>) -> Self {
        self.set(path, Setting::Extern(rust_type.into()))
    }

    /// Adds an attribute to a struct, an enum, or the type of a method's results: `.type_attribute("Person", "#[must_use]")`.
    #[track_caller]
    pub fn type_attribute(self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.set(path, Setting::Attribute(attribute.into()))
    }

    /// Adds derives to a struct, an enum, or the type of a method's results: `.type_derive("Person", "Eq, Hash")`.
    #[track_caller]
    pub fn type_derive(self, path: impl Into<String>, derives: impl AsRef<str>) -> Self {
        self.set(
            path,
            Setting::Attribute(format!("#[derive({})]", derives.as_ref())),
        )
    }

    /// Gives an interface a second trait with the methods as futures: `.async_trait("Mining")` adds `MiningAsync`. An
    /// implementation of it is served by means of `multiprocess::AsyncServer`. What the interface inherits needs one, too.
    #[track_caller]
    pub fn async_trait(self, path: impl Into<String>) -> Self {
        self.set(path, Setting::AsyncTrait)
    }

    /// Generates the code, and tells cargo which files it was made from. Types that no interface uses and that cannot be carried
    /// are left out, with a warning: by cargo in a build script, else on standard error. With settings of their own they are errors.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the schema and the settings, together, before any file is written.
    pub fn compile(&self) -> Result<(), Error> {
        let directory = match &self.out_dir {
            Some(directory) => directory.clone(),
            None => env::var_os("OUT_DIR")
                .map(PathBuf::from)
                .ok_or(Error::NoOutDir)?,
        };
        let schema = self.load()?;
        if env::var_os("TARGET").is_some() {
            watch(&schema);
        }
        self.generate(&schema, warn)?.write(&directory)
    }

    /// Generates the code for a `CodeGeneratorRequest`, as a plugin of `capnp compile` gets it.
    ///
    /// # Errors
    ///
    /// As [`Self::compile`].
    pub fn compile_request(&self, request: &[u8]) -> Result<(), Error> {
        let schema = self.loader().load_request(request)?;
        let directory = self.out_dir.clone().unwrap_or_default();
        self.generate(&schema, warn)?.write(&directory)
    }

    /// Describes the interfaces of the files for people: what each method is in Rust, and where it runs.
    ///
    /// # Errors
    ///
    /// As [`Self::compile`].
    pub fn explain(&self) -> Result<String, Error> {
        let schema = self.load()?;
        let (plan, _) = self.plan(&schema)?;
        Ok(explain::explain(&schema, &plan))
    }

    /// Loads the schema without generating anything.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the schema.
    pub fn load(&self) -> Result<Schema, Error> {
        let is_elsewhere = |path: &Path| {
            let path = path.to_string_lossy();
            self.externs.iter().any(|module| module.is_for(&path))
        };
        let mut files = imports::with_imports(&self.files, is_elsewhere);
        loop {
            let mut loader = self.loader();
            for file in &files {
                loader = loader.file(file);
            }
            let schema = loader.load()?;
            let missing = self.missing(&schema, &files);
            if missing.is_empty() {
                return Ok(schema);
            }
            files.extend(missing);
        }
    }

    /// Generates the code for a loaded schema into the directory, without loading it again, and without a word about what is
    /// left out.
    ///
    /// # Errors
    ///
    /// As [`Self::compile`].
    pub fn compile_schema(
        &self,
        schema: &Schema,
        directory: impl AsRef<Path>,
    ) -> Result<(), Error> {
        self.generate(schema, |_| ())?.write(directory.as_ref())
    }

    fn loader(&self) -> Loader {
        let mut loader = Loader::new();
        for path in &self.src_prefixes {
            loader = loader.src_prefix(path);
        }
        for path in &self.import_paths {
            loader = loader.import_path(path);
        }
        loader
    }

    /// Files that code is needed for, but that the compiler was not asked for.
    fn missing(&self, schema: &Schema, files: &[PathBuf]) -> Vec<PathBuf> {
        let mut diagnostics = Diagnostics::default();
        let placed = Files::new(schema, &self.module, &self.externs, &mut diagnostics);
        let missing = schema
            .files
            .iter()
            .filter(|file| !file.requested && file.id != well_known::PROXY_FILE);
        missing
            .filter(|file| {
                placed
                    .get(file.id)
                    .is_some_and(|info| info.external.is_none())
            })
            .map(|file| PathBuf::from(&*file.location.file))
            .filter(|path| path.exists() && !files.contains(path))
            .collect()
    }

    fn plan(&self, schema: &Schema) -> Result<(Plan, Files), Error> {
        let mut diagnostics = Diagnostics::default();
        let files = Files::new(schema, &self.module, &self.externs, &mut diagnostics);
        let plan = Planner::new(schema, &self.config, files.clone(), diagnostics).plan()?;
        Ok((plan, files))
    }

    fn generate(&self, schema: &Schema, warn: impl FnOnce(&Diagnostics)) -> Result<Output, Error> {
        let (plan, files) = self.plan(schema)?;
        warn(&plan.warnings);
        let emitter = Emitter::new(&self.module);
        let mut output = Output::default();
        for file in &plan.files {
            output.add(emit::proxies_file(&file.info.stem), emitter.file(file)?);
        }
        output.add("multiprocess.rs".to_owned(), emit::index(&plan));
        accessors::generate(schema, &plan, &files, &self.module, &mut output)?;
        Ok(output)
    }

    #[track_caller]
    fn set(mut self, path: impl Into<String>, setting: Setting) -> Self {
        self.config.add(path.into(), setting, Location::caller());
        self
    }
}

/// Says what is left out.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is how a build script, or a command, says it"
)]
fn warn(warnings: &Diagnostics) {
    for warning in &warnings.0 {
        let text = format!("{}: {}", warning.location, warning.message);
        if env::var_os("TARGET").is_some() {
            println!("cargo:warning={text}");
        } else {
            eprintln!("{text}");
        }
    }
}

/// Tells cargo to run the build script again when a schema file changes.
#[expect(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]
fn watch(schema: &Schema) {
    for path in &schema.sources {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}
