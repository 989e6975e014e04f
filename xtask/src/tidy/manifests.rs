//! Versions, lints and the like stand once, in the root manifest; the members' manifests refer to it.

use super::Findings;
use super::files::File;

/// Checks the `Cargo.toml` of each member.
pub(crate) fn check(files: &[File]) -> Findings {
    let members = files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    members
        .filter(|file| file.text.contains("[package]"))
        .flat_map(check_manifest)
        .collect()
}

fn check_manifest(file: &File) -> Findings {
    let path = &file.path;
    let mut findings = Findings::new();
    let mut table = String::new();
    let mut inherited = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
        } else if inherits(line) {
            let (key, _) = line.split_once([' ', '.', '=']).unwrap_or_default();
            inherited.push(format!("{table}.{key}"));
        } else if is_dependency(&table, line) {
            findings.push(format!(
                "{path}:{number}: write `workspace = true`; versions stand in the root manifest"
            ));
        }
    }
    for wanted in WANTED
        .iter()
        .filter(|wanted| !inherited.iter().any(|found| found == *wanted))
    {
        findings.push(format!(
            "{path}: `{wanted}` is not inherited from the workspace"
        ));
    }
    findings
}

fn inherits(line: &str) -> bool {
    line.replace(' ', "").contains("workspace=true")
}

fn is_dependency(table: &str, line: &str) -> bool {
    let is_entry = line.contains('=') && !line.starts_with('#');
    is_entry && (table.ends_with("dependencies"))
}

const WANTED: &[&str] = &[
    "package.version",
    "package.edition",
    "package.rust-version",
    "package.license",
    "lints.workspace",
];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition = { workspace = true }\n\
        rust-version.workspace = true\nlicense.workspace = true\n[lints]\nworkspace = true\n\
        [dependencies]\n# A reason.\ncapnp.workspace = true\nfutures = { workspace = true, features = [\"x\"] }  # why\n";

    fn findings(text: &str) -> Findings {
        check(&[File {
            path: "crates/a/Cargo.toml".into(),
            text: text.into(),
        }])
    }

    #[test]
    fn a_manifest_that_inherits_passes() {
        assert_eq!(findings(GOOD), Findings::new());
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        for table in [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(loom)'.dev-dependencies",
        ] {
            let found = findings(&format!("{GOOD}[{table}]\nloom = \"0.7\"\n"));
            assert!(
                found.len() == 1 && found[0].contains(":14: write"),
                "{table}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_not_inherited_is_found() {
        let found = findings(&GOOD.replace("edition = { workspace = true }", "edition = \"2021\""));
        assert_eq!(
            found,
            ["crates/a/Cargo.toml: `package.edition` is not inherited from the workspace"]
        );
        let found = findings(&GOOD.replace("[lints]\nworkspace = true\n", ""));
        assert!(found[0].contains("lints.workspace"), "{found:?}");
    }
}
