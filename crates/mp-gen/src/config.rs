//! What the builder was told about items of the schema, by their path.

use std::cell::Cell;
use std::panic;

use mp_schema::{Diagnostic, Diagnostics, Location};

/// A standard collection that a list can be shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Collection {
    /// `BTreeMap<K, V>`, for a list of structs with two fields.
    BTreeMap,
    /// `HashMap<K, V>`, for a list of structs with two fields.
    HashMap,
    /// `BTreeSet<T>`.
    BTreeSet,
    /// `HashSet<T>`.
    HashSet,
}

/// One setting of the builder.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    /// A pointer that may be null: `Option`.
    Optional,
    /// A list as a map or set.
    Collection(Collection),
    /// `Text` as bytes.
    Bytes,
    /// A type of the user's, converted.
    Extern(String),
    /// An attribute on a generated type.
    Attribute(String),
    /// An interface with a second trait, whose methods are futures.
    AsyncTrait,
}

/// All settings, and which of them were used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    entries: Vec<Entry>,
}

impl Config {
    /// Adds a setting. `caller` is the line of the build script that made it.
    pub(crate) fn add(&mut self, path: String, setting: Setting, caller: &panic::Location<'_>) {
        let location = Location::file(caller.file()).at(caller.line(), caller.column());
        self.entries.push(Entry {
            path,
            setting,
            location,
            used: Cell::new(false),
        });
    }

    /// The settings for the item with this path, marked as used.
    pub(crate) fn of(&self, path: &str) -> impl Iterator<Item = (&Setting, &Location)> {
        self.entries
            .iter()
            .filter(move |entry| entry.path == path)
            .map(|entry| {
                entry.used.set(true);
                (&entry.setting, &entry.location)
            })
    }

    /// Marks the settings for an item, and for what is in it, as used.
    pub(crate) fn accept(&self, path: &str) {
        let about = self.entries.iter().filter(|entry| entry.is_about(path));
        about.for_each(|entry| entry.used.set(true));
    }

    /// Whether there are settings for an item, or for what is in it.
    pub(crate) fn is_about(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| entry.is_about(path))
    }

    /// Whether an interface is to have an asynchronous trait, too. The setting is marked as used.
    pub(crate) fn is_async(&self, path: &str) -> bool {
        let is_it =
            |entry: &&Entry| entry.path == path && matches!(entry.setting, Setting::AsyncTrait);
        let found = self.entries.iter().filter(is_it);
        found.map(|entry| entry.used.set(true)).count() > 0
    }

    /// Whether any conversion is configured.
    pub(crate) fn has_conversions(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.setting, Setting::Extern(_)))
    }

    /// Whether a conversion is configured for this path, or for the elements, keys or values of what is there.
    pub(crate) fn is_converted(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| {
            let rest = entry.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
                && matches!(entry.setting, Setting::Extern(_))
        })
    }

    /// Whether a conversion is configured for this path itself.
    pub(crate) fn is_extern(&self, path: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.path == path && matches!(entry.setting, Setting::Extern(_)))
    }

    /// Whether this path is configured to be optional.
    pub(crate) fn is_optional(&self, path: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.path == path && matches!(entry.setting, Setting::Optional))
    }

    /// Reports every setting that was never asked for; `known` are the paths that could have been.
    pub(crate) fn report_unused(&self, known: &[String], diagnostics: &mut Diagnostics) {
        for entry in self.entries.iter().filter(|entry| !entry.used.get()) {
            let message = format!(
                "`{}` is the path of nothing in the schema that this setting can apply to",
                entry.path
            );
            let help = match nearest(&entry.path, known) {
                Some(path) => format!("did you mean `{path}`?"),
                None => "paths are `Struct.field`, `Interface.method.param`, `...[]` for a list's elements, `...[key]` and \
                         `...[value]` for a map's, or a type's name"
                    .to_owned(),
            };
            diagnostics.push(Diagnostic::new(&entry.location, message).help(help));
        }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    path: String,
    setting: Setting,
    location: Location,
    used: Cell<bool>,
}

impl Entry {
    /// Whether the path is that of the item, or leads into it. Types have names with a capital letter: those that are declared
    /// in an item are others.
    fn is_about(&self, path: &str) -> bool {
        let Some(rest) = self.path.strip_prefix(path) else {
            return false;
        };
        let is_within = |rest: &str| rest.starts_with(|first: char| first.is_lowercase());
        rest.is_empty() || rest.starts_with('[') || rest.strip_prefix('.').is_some_and(is_within)
    }
}

/// The known path with the fewest differences, if it is not a wholly different one.
fn nearest<'k>(path: &str, known: &'k [String]) -> Option<&'k String> {
    let (distance, found) = known.iter().map(|k| (distance(path, k), k)).min()?;
    (distance <= path.len().div_ceil(3)).then_some(found)
}

/// Edit distance, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let replace = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
