//! Which file goes where: modules of this crate, or of another one.

use std::collections::BTreeMap;

use mp_schema::{Diagnostic, Diagnostics, File, Schema, well_known};
use proc_macro2::TokenStream;
use quote::quote;

use crate::names;

/// A schema file whose Rust code is in another crate.
#[derive(Clone, Debug)]
pub(crate) struct ExternModule {
    /// The end of the file's path.
    pub file: String,
    /// The module with its proxies: `::other_crate::common`.
    pub module: String,
}

impl ExternModule {
    /// Whether this is the file that the other crate has the code for.
    pub(crate) fn is_for(&self, path: &str) -> bool {
        let end = self.file.trim_start_matches("./");
        path == end
            || path
                .strip_suffix(end)
                .is_some_and(|rest| rest.ends_with('/'))
    }
}

/// Where one file's code stands.
#[derive(Clone, Debug)]
pub(crate) struct FileInfo {
    pub id: u64,
    /// As the schema compiler calls it.
    pub name: String,
    /// The file's name without directory and ending, as a module name.
    pub stem: String,
    /// The path of the module with the proxies.
    pub module: TokenStream,
    /// The path of the module with the accessors.
    pub accessors: TokenStream,
    /// The crate and modules around them, where that is not this crate.
    pub external: Option<String>,
}

/// All files with code of their own.
#[derive(Clone, Debug)]
pub(crate) struct Files(BTreeMap<u64, FileInfo>);

impl Files {
    /// Places every file: `parent` is the module of this crate that holds the generated modules.
    pub(crate) fn new(
        schema: &Schema,
        parent: &[String],
        externs: &[ExternModule],
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut files = BTreeMap::new();
        let mut stems: BTreeMap<String, String> = BTreeMap::new();
        for file in schema.files.iter().filter(|file| has_code(file)) {
            let info = place(file, parent, externs, diagnostics);
            if info.external.is_none()
                && let Some(other) = stems.insert(info.stem.clone(), file.name.clone())
            {
                let message = format!(
                    "`{}` and `{other}` would both be the module `{}`",
                    file.name, info.stem
                );
                let help = "rename one of them, or generate it by a builder of its own with another `module`";
                diagnostics.push(Diagnostic::new(&file.location, message).help(help));
            }
            files.insert(file.id, info);
        }
        Self(files)
    }

    /// The place of a file.
    pub(crate) fn get(&self, id: u64) -> Option<&FileInfo> {
        self.0.get(&id)
    }

    /// For `capnpc`: files whose accessors are not in the module of the generated ones.
    pub(crate) fn provided_elsewhere(&self) -> impl Iterator<Item = (u64, String)> {
        self.0
            .values()
            .filter_map(|info| Some((info.id, info.external.clone()?)))
    }
}

/// Whether a file holds more than what the run-time has itself, or annotations.
pub(crate) fn has_code(file: &File) -> bool {
    file.id != well_known::PROXY_FILE
        && !file.name.starts_with("capnp/")
        && !file.name.starts_with("/capnp/")
}

fn place(
    file: &File,
    parent: &[String],
    externs: &[ExternModule],
    diagnostics: &mut Diagnostics,
) -> FileInfo {
    let stem = stem(&file.name);
    if syn::parse_str::<syn::Ident>(&format!("{stem}_capnp")).is_err() {
        let message = format!("`{}` does not make a module name", file.name);
        let help = "rename the file: letters, digits, `_` and `-`, not beginning with a digit";
        diagnostics.push(Diagnostic::new(&file.location, message).help(help));
    }
    let accessors_stem = names::ident(&format!("{stem}_capnp"));
    let external = externs.iter().find(|e| e.is_for(&file.name));
    let (around, external) = match external
        .map(|e| e.module.trim_start_matches("::").rsplit_once("::"))
    {
        Some(Some((around, last))) if names::ident(last) == names::ident(&stem) => {
            let path = syn::parse_str::<TokenStream>(&format!("::{around}")).unwrap_or_default();
            (path, Some(around.to_owned()))
        }
        Some(_) => {
            let message = format!(
                "the module of `{}` in another crate must end in `::{stem}`",
                file.name
            );
            let help = format!("its accessors are looked up beside it, in `{stem}_capnp`");
            diagnostics.push(Diagnostic::new(&file.location, message).help(help));
            (TokenStream::new(), None)
        }
        None => {
            let parent = parent.iter().map(|name| names::ident(name));
            (quote!(crate #(::#parent)*), None)
        }
    };
    let module = names::ident(&stem);
    FileInfo {
        id: file.id,
        name: file.name.clone(),
        stem,
        module: quote!(#around::#module),
        accessors: quote!(#around::#accessors_stem),
        external,
    }
}

/// `ipc/init.capnp` → `init`, as `capnpc` does it.
fn stem(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".capnp")
        .unwrap_or(file)
        .replace('-', "_")
}
