//! What `cargo metadata` says about the workspace.

use std::path::PathBuf;

use serde_json::Value;

use crate::cargo;
use crate::failure::Failure;
use crate::process;

/// The workspace: its members and where they are built.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Where cargo builds, whoever has configured it.
    pub(crate) target_directory: PathBuf,
    /// The members of the workspace.
    pub(crate) packages: Vec<Package>,
}

impl Metadata {
    /// Asks cargo. Dependencies from outside the workspace are not resolved: this is quick, and needs no network.
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut command = cargo::command(["metadata", "--format-version", "1", "--no-deps"]);
        Self::parse(&process::output(&mut command)?)
    }

    pub(crate) fn parse(json: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| Failure::message(format!("`cargo metadata` gave no JSON: {error}")))?;
        Ok(Self {
            target_directory: text(&value, "target_directory")?.into(),
            packages: list(&value, "packages")?
                .iter()
                .map(Package::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The directory of its `Cargo.toml`.
    pub(crate) directory: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Package {
    fn parse(value: &Value) -> Result<Self, Failure> {
        let mut directory = PathBuf::from(text(value, "manifest_path")?);
        directory.pop();
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            directory,
            dependencies: list(value, "dependencies")?
                .iter()
                .map(Dependency::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A line of a `[dependencies]` table.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Dependency {
    fn parse(value: &Value) -> Result<Self, Failure> {
        let kind = match value.get("kind").and_then(Value::as_str) {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        };
        Ok(Self {
            name: text(value, "name")?.to_owned(),
            kind,
        })
    }
}

/// Which table a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| missing(key))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, Failure> {
    value
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| missing(key))
}

fn missing(key: &str) -> Failure {
    Failure::message(format!("`cargo metadata` names no `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_their_dependencies_are_read() {
        let metadata = Metadata::parse(
            r#"{"target_directory": "/t", "packages": [{"name": "a", "manifest_path": "/w/a/Cargo.toml",
                "dependencies": [{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}, {"name": "d", "kind": "build"}]}]}"#,
        )
        .unwrap();
        assert_eq!(metadata.target_directory, PathBuf::from("/t"));
        let package = &metadata.packages[0];
        assert_eq!(package.directory, PathBuf::from("/w/a"));
        let kinds: Vec<_> = package
            .dependencies
            .iter()
            .map(|d| (d.name.as_str(), d.kind))
            .collect();
        assert_eq!(
            kinds,
            [("b", Kind::Normal), ("c", Kind::Dev), ("d", Kind::Build)]
        );
    }

    #[test]
    fn what_is_not_metadata_is_an_error() {
        assert!(
            matches!(Metadata::parse("{}"), Err(Failure::Message(text)) if text.contains("target_directory"))
        );
        assert!(matches!(Metadata::parse("error"), Err(Failure::Message(_))));
    }
}
