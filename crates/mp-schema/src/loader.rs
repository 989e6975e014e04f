//! From paths to a checked model: compiles, reads, checks.

use std::path::{Path, PathBuf};

use crate::compile::{Builtin, Compiler, Job, Names};
use crate::source::Sources;
use crate::{Diagnostic, Diagnostics, Error, Location, Schema, check, read};

/// What to load, and from where. Paths are relative to the current directory.
///
/// Any thread may load; loads with the embedded compiler take turns, because it needs the process' standard error.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    files: Vec<PathBuf>,
    src_prefixes: Vec<PathBuf>,
    import_paths: Vec<PathBuf>,
    compiler: Compiler,
}

impl Loader {
    /// A loader without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema file.
    #[must_use]
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().into());
        self
    }

    /// Adds a directory that is cut off the front of file names ([`crate::File::name`]).
    #[must_use]
    pub fn src_prefix(mut self, path: impl AsRef<Path>) -> Self {
        self.src_prefixes.push(path.as_ref().into());
        self
    }

    /// Adds a directory in which imports that begin with `/` are looked up, before the built-in files.
    #[must_use]
    pub fn import_path(mut self, path: impl AsRef<Path>) -> Self {
        self.import_paths.push(path.as_ref().into());
        self
    }

    /// Sets which schema compiler runs; [`Compiler::Auto`] unless set.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = compiler;
        self
    }

    /// Compiles the files (with one run of the compiler), reads and checks the result.
    ///
    /// # Errors
    ///
    /// All errors of the schema together ([`Error::Schema`]), or why the compiler could not be run.
    pub fn load(&self) -> Result<Schema, Error> {
        self.check_paths()?;
        let builtin = Builtin::new()?;
        let import_paths = self.with_builtin(&builtin);
        let job = Job {
            files: &self.files,
            src_prefixes: &self.src_prefixes,
            import_paths: &import_paths,
        };
        let outcome = self.compiler.run(&job)?;
        match outcome.request {
            Some(request) => self.read(&request, &self.files, &import_paths, &builtin),
            None => Err(self.errors(&job, &outcome.messages, &builtin)?),
        }
    }

    /// The errors of all files. The compiler stops after the first file that has any, so the files go through it one by one.
    fn errors(&self, job: &Job<'_>, messages: &str, builtin: &Builtin) -> Result<Error, Error> {
        let names = self.names(job.import_paths, builtin);
        let mut found = names.diagnostics(messages);
        if self.files.len() > 1 {
            for file in &self.files {
                let one = Job {
                    files: std::slice::from_ref(file),
                    ..*job
                };
                found
                    .0
                    .extend(names.diagnostics(&self.compiler.run(&one)?.messages).0);
            }
        }
        found.into_result()?;
        Ok(Error::Compiler(messages.trim_end().to_owned()))
    }

    /// Reads a serialized `CodeGeneratorRequest`, as `capnp compile -o` writes it to a plugin's standard input. The files that it
    /// names are looked up from the current directory, the source prefixes and import paths, to find lines and columns;
    /// where a file is not found, places name only the file.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] if the bytes are not such a message, [`Error::Schema`] for what is wrong with the schema.
    pub fn load_request(&self, request: &[u8]) -> Result<Schema, Error> {
        let builtin = Builtin::new()?;
        let import_paths = self.with_builtin(&builtin);
        let names = self.names(&import_paths, &builtin);
        let plain = read::schema(request, &Sources::default())?;
        let files: Vec<PathBuf> = plain
            .requested_files()
            .filter_map(|file| names.path(&file.name))
            .collect();
        self.read(request, &files, &import_paths, &builtin)
    }

    fn read(
        &self,
        request: &[u8],
        files: &[PathBuf],
        import_paths: &[PathBuf],
        builtin: &Builtin,
    ) -> Result<Schema, Error> {
        let sources = Sources::read(files, import_paths, builtin.path());
        let mut schema = read::schema(request, &sources)?;
        schema.sources = sources.paths;
        check::check(&schema).into_result()?;
        Ok(schema)
    }

    fn with_builtin(&self, builtin: &Builtin) -> Vec<PathBuf> {
        self.import_paths
            .iter()
            .cloned()
            .chain([builtin.path().to_owned()])
            .collect()
    }

    fn names<'a>(&'a self, import_paths: &'a [PathBuf], builtin: &'a Builtin) -> Names<'a> {
        let dirs = self
            .src_prefixes
            .iter()
            .chain(import_paths)
            .map(PathBuf::as_path);
        Names {
            files: &self.files,
            dirs: dirs.collect(),
            builtin: builtin.path(),
        }
    }

    /// Reports all paths that do not exist, before the compiler stops at the first.
    fn check_paths(&self) -> Result<(), Error> {
        let mut found = Diagnostics::default();
        let mut missing = |path: &Path, message: &str, help: &str| {
            found
                .push(Diagnostic::new(&Location::file(path.to_string_lossy()), message).help(help));
        };
        for file in self.files.iter().filter(|file| !file.is_file()) {
            missing(
                file,
                "no such schema file",
                &format!("check the path; it is relative to {}", current_dir()),
            );
        }
        for dir in self
            .src_prefixes
            .iter()
            .chain(&self.import_paths)
            .filter(|dir| !dir.is_dir())
        {
            missing(
                dir,
                "no such directory",
                "correct or leave out this source prefix or import path",
            );
        }
        if self.files.is_empty() {
            return Err(Error::Compiler("no schema file was given".to_owned()));
        }
        found.into_result()
    }
}

impl Schema {
    /// Reads a serialized `CodeGeneratorRequest`, as `capnp compile -o` writes it to a plugin's standard input.
    /// Nothing else is read: places in the model name only files. [`Loader::load_request`] finds lines and columns too.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] if the bytes are not such a message, [`Error::Schema`] for what is wrong with the schema.
    pub fn from_request(request: &[u8]) -> Result<Self, Error> {
        let schema = read::schema(request, &Sources::default())?;
        check::check(&schema).into_result()?;
        Ok(schema)
    }
}

fn current_dir() -> String {
    match std::env::current_dir() {
        Ok(path) => path.display().to_string(),
        Err(_) => "the current directory".to_owned(),
    }
}
