//! How many crates a program takes in with this library, its own build scripts aside.

use std::collections::BTreeSet;

use super::Findings;
use crate::cargo;
use crate::failure::Failure;
use crate::process;

/// Counts the crates that `multiprocess` links, itself included.
pub(crate) fn check() -> Result<Findings, Failure> {
    let mut command = cargo::command([
        "tree",
        "--package",
        FACADE,
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    Ok(judge(&process::output(&mut command)?))
}

/// Reads the output of `cargo tree`, where a crate that was listed before stands again.
fn judge(tree: &str) -> Findings {
    let name_and_version = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let crates: BTreeSet<String> = tree
        .lines()
        .filter(|line| !line.is_empty())
        .map(name_and_version)
        .collect();
    if crates.len() < LIMIT {
        return Findings::new();
    }
    vec![format!(
        "{FACADE}: takes in {} crates, {LIMIT} or more; see `cargo tree -p {FACADE} -e normal`",
        crates.len()
    )]
}

const FACADE: &str = "multiprocess";
const LIMIT: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_counted_once() {
        let few = "a v1.0.0 (/w/a)\nb v1.0.0\nb v1.0.0 (*)\n".repeat(100);
        assert_eq!(judge(&few), Findings::new());
    }

    #[test]
    fn too_many_are_found() {
        let tree = |count: usize| {
            (0..count)
                .map(|n| format!("c{n} v1.0.0\n"))
                .collect::<String>()
        };
        assert_eq!(judge(&tree(LIMIT - 1)), Findings::new());
        assert!(judge(&tree(LIMIT))[0].contains("takes in 60 crates"));
    }
}
