//! Which crate may use which: the layers, as `ARCHITECTURE.md` draws them.
//!
//! Tests may use more (a run-time crate's tests may generate code), so `[dev-dependencies]` do not count.

use super::Findings;
use crate::metadata::{Kind, Metadata, Package};

/// Checks the dependencies of all members on one another.
pub(crate) fn check(metadata: &Metadata) -> Findings {
    let members: Vec<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    metadata
        .packages
        .iter()
        .flat_map(|package| check_package(package, &members))
        .collect()
}

fn check_package(package: &Package, members: &[&str]) -> Findings {
    let name = &package.name;
    let Some(layer) = layer(package) else {
        return vec![format!(
            "{name}: in no layer; xtask/src/tidy/layers.rs says what each crate may use"
        )];
    };
    let mut findings = Findings::new();
    for dependency in package
        .dependencies
        .iter()
        .filter(|dependency| members.contains(&dependency.name.as_str()))
    {
        let allowed = match dependency.kind {
            Kind::Normal => layer.uses,
            Kind::Build => layer.builds_with,
            Kind::Dev => continue,
        };
        if !allowed.contains(&dependency.name.as_str()) {
            findings.push(format!(
                "{name}: may not depend on {} ({})",
                dependency.name, layer.reason
            ));
        }
    }
    findings
}

/// What a crate may use of the others.
struct Layer {
    name: &'static str,
    uses: &'static [&'static str],
    builds_with: &'static [&'static str],
    reason: &'static str,
}

fn layer(package: &Package) -> Option<&'static Layer> {
    let is_in = |directory: &str| {
        let parent = package.directory.parent();
        parent.is_some_and(|parent| parent.ends_with(directory))
    };
    let name = if is_in("examples") {
        "examples/*"
    } else if is_in("tests") {
        "tests/*"
    } else {
        package.name.as_str()
    };
    LAYERS.iter().find(|layer| layer.name == name)
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "mp-schema",
        uses: &[],
        builds_with: &[],
        reason: BUILD_TIME,
    },
    Layer {
        name: "mp-gen",
        uses: &["mp-schema"],
        builds_with: &[],
        reason: BUILD_TIME,
    },
    Layer {
        name: "mp-conn",
        uses: &[],
        builds_with: &[],
        reason: RUN_TIME,
    },
    Layer {
        name: "mp-thread",
        uses: &["mp-conn"],
        builds_with: &[],
        reason: RUN_TIME,
    },
    Layer {
        name: "mp-callback",
        uses: &["mp-conn", "mp-thread"],
        builds_with: &[],
        reason: RUN_TIME,
    },
    Layer {
        name: "multiprocess",
        uses: &["mp-conn", "mp-thread", "mp-callback"],
        builds_with: &[],
        reason: RUN_TIME,
    },
    Layer {
        name: "examples/*",
        uses: &["multiprocess"],
        builds_with: &["mp-gen"],
        reason: "an example names what a user's program names: multiprocess, and mp-gen in its build script",
    },
    Layer {
        name: "tests/*",
        uses: &[
            "mp-conn",
            "mp-thread",
            "mp-callback",
            "multiprocess",
            "patience",
        ],
        builds_with: &["mp-gen"],
        reason: "a test package looks at every layer of the run-time, and generates its proxies in its build script",
    },
    Layer {
        name: "fuzz",
        uses: &[
            "mp-schema",
            "mp-conn",
            "mp-thread",
            "mp-callback",
            "multiprocess",
            "faults",
        ],
        builds_with: &["mp-gen"],
        reason: "every reader of foreign bytes is fuzzed",
    },
    Layer {
        name: "bench",
        uses: &["multiprocess"],
        builds_with: &["mp-gen"],
        reason: "what is measured is what a user's program uses",
    },
    Layer {
        name: "xtask",
        uses: &[],
        builds_with: &[],
        reason: "every command waits until xtask is built",
    },
    Layer {
        name: "xtask-codegen",
        uses: &["mp-schema", "mp-gen"],
        builds_with: &[],
        reason: "what it generates goes into the run-time crates",
    },
];

const BUILD_TIME: &str = "build time: mp-schema <- mp-gen, and nothing that a program links";
const RUN_TIME: &str =
    "run time: mp-conn <- mp-thread <- mp-callback <- multiprocess, and no generator";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(path: &str, dependencies: &[(&str, Kind)]) -> Package {
        let (_, name) = path.rsplit_once('/').unwrap();
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).to_owned(),
                kind: *kind,
            })
            .collect();
        Package {
            name: name.to_owned(),
            directory: path.into(),
            dependencies,
        }
    }

    /// The findings about one package in a workspace that has all crates.
    fn findings(path: &str, dependencies: &[(&str, Kind)]) -> Findings {
        let mut members: Vec<&str> = LAYERS.iter().map(|layer| layer.name).collect();
        members.push("calculator");
        check_package(&package(path, dependencies), &members)
    }

    #[test]
    fn downward_is_allowed() {
        assert_eq!(
            findings(
                "/w/crates/mp-thread",
                &[("mp-conn", Kind::Normal), ("capnp", Kind::Normal)]
            ),
            Findings::new()
        );
        let example = [("multiprocess", Kind::Normal), ("mp-gen", Kind::Build)];
        assert_eq!(
            findings("/w/examples/calculator", &example),
            Findings::new()
        );
    }

    #[test]
    fn tests_may_use_more() {
        assert_eq!(
            findings("/w/crates/mp-conn", &[("mp-gen", Kind::Dev)]),
            Findings::new()
        );
    }

    #[test]
    fn upward_and_across_are_found() {
        for (path, dependency, kind) in [
            ("/w/crates/mp-conn", "mp-thread", Kind::Normal),
            ("/w/crates/mp-conn", "mp-schema", Kind::Normal),
            ("/w/crates/multiprocess", "mp-gen", Kind::Build),
            ("/w/crates/mp-gen", "multiprocess", Kind::Normal),
            ("/w/crates/mp-schema", "mp-gen", Kind::Normal),
            ("/w/examples/calculator", "mp-callback", Kind::Normal),
            ("/w/examples/calculator", "mp-gen", Kind::Normal),
            ("/w/xtask", "mp-schema", Kind::Normal),
        ] {
            let found = findings(path, &[(dependency, kind)]);
            assert!(
                found.len() == 1 && found[0].contains(dependency),
                "{path} {dependency}: {found:?}"
            );
        }
    }

    #[test]
    fn a_crate_in_no_layer_is_found() {
        assert!(findings("/w/crates/mp-new", &[])[0].contains("in no layer"));
    }
}
