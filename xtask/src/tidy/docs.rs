//! The documents name only what exists: files, commands, crates, the version.

use super::Findings;
use super::files::File;
use crate::metadata::Metadata;

/// Checks the documents in the project's root, and `.ci/run`.
pub(crate) fn check(files: &[File], metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    for wanted in WANTED {
        if !files.iter().any(|file| file.path == *wanted) {
            findings.push(format!("{wanted}: missing"));
        }
    }
    for file in files
        .iter()
        .filter(|file| file.is("md") || file.path == ".ci/run")
    {
        let stale = |(number, reason)| format!("{}:{number}: {reason}", file.path);
        findings.extend(
            stale_paths(file, files)
                .into_iter()
                .chain(stale_commands(&file.text))
                .map(stale),
        );
    }
    for (document, facts) in facts(metadata) {
        let Some(file) = files.iter().find(|file| file.path == document) else {
            continue;
        };
        let missing = facts
            .iter()
            .filter(|fact| !file.text.contains(fact.as_str()));
        findings.extend(missing.map(|fact| format!("{document}: does not mention {fact}")));
    }
    findings
}

/// What each document must mention.
fn facts(metadata: &Metadata) -> [(&'static str, Vec<String>); 3] {
    let crates = metadata.packages.iter().filter(|package| {
        package
            .directory
            .parent()
            .is_some_and(|d| d.ends_with("crates"))
    });
    let crates = crates
        .map(|package| format!("`{}`", package.name))
        .collect();
    [
        (
            "README.md",
            vec!["cargo xtask example".into(), "cargo xtask test".into()],
        ),
        ("ARCHITECTURE.md", crates),
        (
            "CHANGELOG.md",
            vec![format!("## {}", env!("CARGO_PKG_VERSION"))],
        ),
    ]
}

/// Paths that are named in a document and are not there.
fn stale_paths(file: &File, files: &[File]) -> Vec<(usize, String)> {
    let directory = file
        .path
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    let mut stale = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let links = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next());
        let links = links.filter(|link| !link.is_empty() && !link.contains(':'));
        let links = links.map(|link| {
            if directory.is_empty() {
                link.to_owned()
            } else {
                format!("{directory}/{link}")
            }
        });
        let spans = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|span| is_path(span))
            .map(str::to_owned);
        for path in links.chain(spans).filter(|path| !exists(path, files)) {
            stale.push((number, format!("names {path}, which does not exist")));
        }
    }
    stale
}

/// Whether words in backticks are a path in this project.
fn is_path(span: &str) -> bool {
    let inside = ["crates/", "examples/", "xtask/", ".ci/"]
        .iter()
        .any(|top| span.starts_with(top));
    // Tests, which have `::` in them, are looked for elsewhere.
    inside && !span.contains([' ', '*', '<', '…']) && !span.contains("::")
}

fn exists(path: &str, files: &[File]) -> bool {
    let path = path.trim_end_matches('/');
    files.iter().any(|file| {
        file.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Commands that are named in a document and are not there.
fn stale_commands(text: &str) -> Vec<(usize, String)> {
    let mut stale = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for rest in line.split("cargo xtask ").skip(1) {
            let name = rest
                .split(|c: char| !c.is_ascii_alphabetic())
                .next()
                .unwrap_or_default();
            if !name.is_empty()
                && name.chars().all(|c| c.is_ascii_lowercase())
                && !crate::is_command(name)
            {
                stale.push((
                    number,
                    format!("names `cargo xtask {name}`, which does not exist"),
                ));
            }
        }
    }
    stale
}

const WANTED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "Cargo.lock",
    ".ci/run",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;

    fn metadata() -> Metadata {
        let package = Package {
            name: "mp-conn".into(),
            directory: "/w/crates/mp-conn".into(),
            dependencies: Vec::new(),
        };
        Metadata {
            target_directory: "/t".into(),
            packages: vec![package],
        }
    }

    /// A project in which nothing is wrong.
    fn good() -> Vec<File> {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
        };
        let version = format!("## {}\n", env!("CARGO_PKG_VERSION"));
        vec![
            file(
                "README.md",
                "See [how](ARCHITECTURE.md#top), cargo xtask ci.\ncargo xtask example\ncargo xtask test\n",
            ),
            file(
                "ARCHITECTURE.md",
                "`mp-conn` is in `crates/mp-conn/`, see `crates/mp-conn/src/lib.rs`.\n",
            ),
            file(
                "CONTRIBUTING.md",
                "Like `crates/*/tests` or <https://example.org/a>.\n",
            ),
            file("CHANGELOG.md", &version),
            file("LICENSE", ""),
            file("Cargo.lock", ""),
            file(".ci/run", "cargo xtask ci\n"),
            file("crates/mp-conn/src/lib.rs", ""),
        ]
    }

    /// The finding about the project after a word in a file was replaced.
    fn finding(path: &str, from: &str, to: &str) -> String {
        let mut files = good();
        let file = files.iter_mut().find(|file| file.path == path).unwrap();
        assert!(file.text.contains(from));
        file.text = file.text.replace(from, to);
        let mut found = check(&files, &metadata());
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn a_good_project_passes() {
        assert_eq!(check(&good(), &metadata()), Findings::new());
    }

    #[test]
    fn missing_documents_are_found() {
        let files: Vec<File> = good()
            .into_iter()
            .filter(|file| file.path != "LICENSE")
            .collect();
        assert_eq!(check(&files, &metadata()), ["LICENSE: missing"]);
    }

    #[test]
    fn stale_words_are_found() {
        assert!(
            finding("README.md", "ARCHITECTURE.md#top", "DESIGN.md").contains("names DESIGN.md")
        );
        assert!(finding("README.md", "xtask ci", "xtask all").contains("xtask all"));
        assert!(
            finding("ARCHITECTURE.md", "src/lib.rs", "src/vat.rs")
                .contains("crates/mp-conn/src/vat.rs")
        );
        assert!(
            finding("ARCHITECTURE.md", "`mp-conn`", "mp-conn")
                .contains("does not mention `mp-conn`")
        );
        assert!(
            finding("CHANGELOG.md", env!("CARGO_PKG_VERSION"), "9.9.9")
                .contains("does not mention ## ")
        );
        assert!(
            finding(".ci/run", "xtask ci", "xtask all")
                .starts_with(".ci/run:1: names `cargo xtask all`")
        );
    }
}
