//! Reads the compiler's messages: `file:line:column-column: error: text`, one in a line.

use std::path::{Path, PathBuf};

use crate::{Diagnostic, Diagnostics, Location};

/// Whether a line of output is an error message about a schema file.
#[cfg(feature = "embedded")]
pub(super) fn is_message(line: &str) -> bool {
    parse(line).is_some()
}

/// What the names in the compiler's messages stand for.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    /// The files as given.
    pub(crate) files: &'a [PathBuf],
    /// Source prefixes, then import paths: directories that names may be relative to.
    pub(crate) dirs: Vec<&'a Path>,
    /// The directory of the built-in files, which is not shown.
    pub(crate) builtin: &'a Path,
}

impl Names<'_> {
    /// The errors in the compiler's output. Lines that are not messages are kept as errors without a place only if
    /// there are no others.
    pub(crate) fn diagnostics(&self, output: &str) -> Diagnostics {
        let mut found = Diagnostics::default();
        for message in output.lines().filter_map(parse) {
            let location =
                Location::file(self.shown(message.file)).at(message.line, message.column);
            // The other half of a conflict belongs to the message before it.
            let other = OTHER_PLACE.iter().any(|end| message.text.ends_with(end));
            if let (true, Some(first)) = (other, found.0.last_mut()) {
                first.help = Some(format!("change one of the two; the other is at {location}"));
                continue;
            }
            let (text, help) = advice(message.text);
            found.push(Diagnostic {
                location,
                message: text,
                help,
            });
        }
        found
    }

    /// The file that the compiler calls `name`, by the path that the user gave for it if it is one of the given files.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let absolute = Path::new("/").join(name);
        let relative = self.dirs.iter().map(|dir| dir.join(name));
        let path = [PathBuf::from(name)]
            .into_iter()
            .chain(relative)
            .chain([absolute])
            .find(|path| path.is_file())?;
        let real = path.canonicalize().ok()?;
        let given = self
            .files
            .iter()
            .find(|file| file.canonicalize().is_ok_and(|file| file == real));
        Some(given.cloned().unwrap_or(path))
    }

    fn shown(&self, name: &str) -> String {
        let Some(path) = self.path(name) else {
            return name.to_owned();
        };
        let current = std::env::current_dir().ok();
        let short = path.strip_prefix(self.builtin).ok();
        let short = short.or_else(|| path.strip_prefix(current.as_deref()?).ok());
        short.unwrap_or(&path).to_string_lossy().into_owned()
    }
}

struct Message<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    text: &'a str,
}

fn parse(line: &str) -> Option<Message<'_>> {
    let (place, text) = line.trim_end().split_once(": error: ")?;
    let (rest, columns) = place.rsplit_once(':')?;
    let (file, lines) = rest.rsplit_once(':')?;
    // A range is `line:column-column`, or `line:column-line:column` over several lines.
    let (file, lines, columns) = match lines.split_once('-') {
        Some((first_column, _)) => {
            let (file, first_line) = file.rsplit_once(':')?;
            (file, first_line, first_column)
        }
        None => (file, lines, columns.split('-').next()?),
    };
    Some(Message {
        file,
        line: lines.parse().ok()?,
        column: columns.parse().ok()?,
        text,
    })
}

/// The message in this library's form, and what to do about it.
fn advice(text: &str) -> (String, Option<String>) {
    // The first sentence, without its full stop.
    let sentence = text.split(".  ").next().unwrap_or(text);
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut letters = sentence.chars();
    let message: String = match letters.next() {
        // An identifier in front keeps its case.
        Some(first)
            if letters
                .clone()
                .next()
                .is_some_and(|second| second.is_ascii_lowercase()) =>
        {
            first.to_lowercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    };
    if let Some((_, line)) = text.split_once("Add this line to your file: ") {
        return (
            "the file has no id".to_owned(),
            Some(format!("add this line to it: {line}")),
        );
    }
    let help = ADVICE
        .iter()
        .find(|(part, _)| text.contains(part))
        .map(|(_, help)| (*help).to_owned());
    (message, help)
}

/// How messages end that only name the other place of a conflict.
const OTHER_PLACE: &[&str] = &["previously defined here.", "originally used here."];

/// Parts of the compiler's messages, and what to do.
const ADVICE: &[(&str, &str)] = &[
    (
        "Not defined: ",
        "declare it, correct the name, or bring it in with `using import \"file.capnp\".Name;`",
    ),
    (
        "Import failed: ",
        "check the path; one that begins with `/` is looked up in the import paths (`-I`, `import_path`), others beside this file",
    ),
    (
        "Skipped ordinal",
        "number the members @0, @1, @2 ... without a gap, in the order in which they were added over time",
    ),
    (
        "Duplicate ordinal",
        "give each member a number of its own; a new member gets the next free one",
    ),
    (
        "Parse error",
        "look for a missing `;`, `)`, `}` or `@` number at or before this place",
    ),
    ("has no member named", "correct the name, or add the member"),
    ("is already defined", "rename one of the two"),
    (
        "uplicate ID",
        "give one of the two an id of its own (`capnp id` makes one)",
    ),
    (
        "generic parameters",
        "leave out the arguments in parentheses",
    ),
    (
        "cannot be applied",
        "see the annotation's declaration for what it can stand on",
    ),
    ("must begin with", "rename it"),
    ("ype mismatch", "write a value of that type"),
];
