//! Whole generated files against committed ones. `MP_GEN_BLESS=1 cargo test -p mp-gen --test golden` accepts what is
//! generated now.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use mp_gen::{Builder, Collection};

#[test]
fn calculator() {
    let schema = root().join("../../examples/calculator/schema");
    check(
        "calculator",
        Builder::new()
            .src_prefix(&schema)
            .file(schema.join("init.capnp")),
    );
}

#[test]
fn conformance() {
    let schema = root().join("tests/schema");
    check(
        "conformance",
        configured(
            Builder::new()
                .src_prefix(&schema)
                .file(schema.join("conformance.capnp")),
        ),
    );
}

#[test]
fn shapes() {
    let schema = root().join("tests/schema");
    let builder = Builder::new()
        .src_prefix(&schema)
        .file(schema.join("shapes.capnp"))
        .module("generated")
        .extern_type("Studio.pay.amount", "crate::Money")
        .extern_type("Studio.hash.hash", "crate::Hash")
        .extern_type("Studio.hash.number", "crate::Number")
        .extern_type("Studio.hash.text", "crate::Name")
        .extern_type("Studio.hash.list", "Vec<crate::Hash>")
        .extern_type("Studio.hash.result", "crate::Hash")
        .extern_type("Option.hash", "crate::Hash")
        .bytes("Studio.raw.text")
        .bytes("Studio.raw.list")
        .bytes("Studio.raw.result")
        .bytes("Option.loose")
        .optional("Studio.attach.other")
        .optional("Studio.attach.result")
        .optional("Studio.draw.result")
        .map_type("Studio.counts.value", Collection::HashMap)
        .map_type("Studio.counts.result", Collection::BTreeMap)
        .map_type("Studio.set.value", Collection::HashSet)
        .map_type("Studio.set.result", Collection::BTreeSet)
        .type_derive("Outer", "Eq, Hash")
        .type_derive("Outer.Inner", "Eq, Hash")
        .type_derive("Box", "Eq, Hash")
        .type_attribute("Studio.find", "#[must_use]")
        .async_trait("Listener");
    check("shapes", builder);
}

/// What the conformance program configures.
fn configured(builder: Builder) -> Builder {
    builder
        .optional("Init.makeNothing.result")
        .optional("Values.passOptionalStruct.value")
        .optional("Values.passOptionalStruct.result")
        .optional("Objects.saveCallback.callback")
        .optional("Objects.isNull.callback")
        .map_type("Values.passMap.value", Collection::BTreeMap)
        .map_type("Values.passMap.result", Collection::BTreeMap)
        .map_type("Values.mapSize.value", Collection::BTreeMap)
        .map_type("Values.passSet.value", Collection::BTreeSet)
        .map_type("Values.passSet.result", Collection::BTreeSet)
}

/// Generates into a temporary directory and compares the proxies and the index with the committed files.
fn check(name: &str, builder: Builder) {
    let out = tempfile::tempdir().unwrap();
    builder.out_dir(out.path()).compile().unwrap();
    let golden = root().join("tests/golden").join(name);
    let bless = std::env::var_os("MP_GEN_BLESS").is_some();
    let mut differences = Vec::new();
    for file in files(out.path()) {
        let text = fs::read_to_string(out.path().join(&file)).unwrap();
        let committed = golden.join(&file);
        if bless {
            fs::create_dir_all(&golden).unwrap();
            fs::write(&committed, &text).unwrap();
        }
        let expected = fs::read_to_string(&committed).unwrap_or_default();
        if text != expected {
            differences.push(format!(
                "--- {}\n{}",
                committed.display(),
                difference(&expected, &text)
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "generated code differs from the golden files:\n{}\nIf that is what you want: MP_GEN_BLESS=1 cargo test -p mp-gen --test golden",
        differences.join("\n")
    );
}

/// The generated files but for the accessors, which are `capnpc`'s.
fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| !name.ends_with("_capnp.rs"));
    names.sort();
    names
}

/// The lines around the first difference.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let same = expected
        .iter()
        .zip(&found)
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("first difference in line {}:\n", same + 1);
    for line in &expected[same.saturating_sub(3)..same] {
        text.extend(["  ", line, "\n"]);
    }
    let excerpt = |lines: &[&str], sign: char| {
        lines
            .iter()
            .skip(same)
            .take(8)
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    text + &excerpt(&expected, '-') + &excerpt(&found, '+')
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
