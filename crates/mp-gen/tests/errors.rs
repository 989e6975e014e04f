//! What is wrong with a schema or a setting is reported all at once, with its place and a way out, before anything is written.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;

use mp_gen::{Builder, Collection};

#[test]
fn types_that_cannot_be_carried() {
    let report = fails(BAD, |builder| builder);
    for &(place, text, help) in CANNOT_BE_CARRIED {
        let found = entry(&report, text).is_some_and(|entry| entry.contains(help));
        assert!(found, "no `{text}` with `{help}` in:\n{report}");
        let line = report.lines().find(|line| line.contains(text)).unwrap();
        assert!(line.contains(place), "not at {place}: {report}");
    }
}

#[test]
fn settings_that_match_nothing() {
    let report = fails(GOOD, |builder| {
        builder
            .optional("Values.pass.valeu")
            .optional("Values.pass.number")
            .map_type("Values.pass.value", Collection::BTreeMap)
            .map_type("Values.pass.floats", Collection::BTreeSet)
            .bytes("Values.pass.number")
            .extern_type("Values.pass.number", "not a type")
            .type_attribute("Values.pass.number", "#[x]")
            .type_derive("Persn", "Eq")
            .optional("Person")
    });
    let expected = [
        (
            "`Values.pass.valeu` is the path of nothing",
            "did you mean `Values.pass.value`?",
        ),
        ("`Values.pass.number` cannot be null", "hasX"),
        (
            "`Values.pass.value` is not a list",
            "maps and sets are for lists",
        ),
        (
            "`Values.pass.floats` is a list of elements that cannot be compared",
            "integers",
        ),
        ("`Persn` is the path of nothing", "did you mean `Person`?"),
        (
            "`Person` is a type, to which this setting does not apply",
            "Struct.field",
        ),
    ];
    each_is_said(&report, &expected);
}

#[test]
fn settings_for_elements_that_do_not_fit() {
    let report = fails(GOOD, |builder| {
        builder
            .optional("Values.both.more[]")
            .extern_type("Values.pass.value[]", "crate::X")
            .map_type("Values.both.lists[]", Collection::BTreeMap)
            .extern_type("Values.both.texts", "crate::X")
            .extern_type("Values.both.texts[]", "crate::X")
            .map_type("Values.both.pairs", Collection::BTreeMap)
            .extern_type("Values.both.pairs[]", "crate::X")
    });
    let expected = [
        (
            "`Values.both.more[]` is not an object, and cannot be null in a list",
            "extern_type",
        ),
        (
            "`Values.pass.value[]` is the path of nothing",
            "did you mean `Values.pass.value`?",
        ),
        ("`Values.both.lists[]` is a map in a list", "extern_type"),
        (
            "`Values.both.texts` has a conversion, and so have its elements",
            "remove one",
        ),
        (
            "`Values.both.pairs` has elements with a conversion",
            "`Values.both.pairs[key]`",
        ),
    ];
    each_is_said(&report, &expected);
}

#[test]
fn settings_of_types_that_no_interface_uses() {
    let schema = r#"struct Unused { any @0 :AnyPointer; text @1 :Text; more @2 :List(Text); struct Inner { number @0 :Int32; } }
struct UsesUnused { unused @0 :Unused; text @1 :Text; }
struct Spare { number @0 :Int32; texts @1 :List(Text); }
"#;
    // Nothing is said of them: what cannot be carried is left out.
    let report = fails(schema, |builder| builder.optional("Unused.Inner.number"));
    assert!(!report.contains("AnyPointer"), "{report}");
    let report = fails(schema, |builder| {
        builder
            .optional("Unused.text")
            .extern_type("Unused.more[]", "crate::X")
            .type_derive("Unused", "Eq")
            .bytes("UsesUnused.text")
            .optional("Spare.number")
            .bytes("Spare.text[]")
    });
    for (text, help) in [
        ("`Unused.any` is of type AnyPointer", "declare the type"),
        (
            "`UsesUnused` is left out, for `Unused` is",
            "remove its settings",
        ),
        ("`Spare.number` cannot be null", "hasX"),
        (
            "`Spare.text[]` is the path of nothing",
            "did you mean `Spare.texts[]`?",
        ),
    ] {
        let found = entry(&report, text).is_some_and(|entry| entry.contains(help));
        assert!(found, "not found: {text}, {help}\n{report}");
    }
    let errors = report.matches("\n  help: ").count();
    assert_eq!(errors, 4, "{report}");
}

/// Each of the texts is in the report, with the line of the setting and with this help.
fn each_is_said(report: &str, expected: &[(&str, &str)]) {
    for &(text, help) in expected {
        let entry = entry(report, text).unwrap_or_else(|| panic!("no `{text}` in:\n{report}"));
        assert!(entry.contains(help), "no `{help}` in {entry}");
        assert!(
            entry.contains("tests/errors.rs:"),
            "not the line of the setting: {entry}"
        );
    }
}

#[test]
fn one_error_at_a_field_does_not_hide_the_next() {
    for (setting, text) in [
        ("bytes", "is not Text"),
        ("extern", "cannot be `not a type`"),
        ("attribute", "is not a type"),
    ] {
        let report = fails(GOOD, |builder| match setting {
            "bytes" => builder.bytes("Values.pass.number"),
            "extern" => builder.extern_type("Values.pass.number", "not a type"),
            _ => builder.type_attribute("Values.pass.number", "#[x]"),
        });
        assert!(report.contains(text), "no `{text}` in:\n{report}");
    }
}

#[test]
fn modules_that_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a/x.capnp", "b/x.capnp", "1st.capnp"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let id = 0x9000_0000_0000_0000_u64
            + u64::try_from(name.len()).unwrap() * 17
            + u64::from(name.as_bytes()[0]);
        fs::write(&path, format!("@0x{id:x};\nstruct S {{}}\n")).unwrap();
    }
    let builder = Builder::new()
        .src_prefix(dir.path())
        .out_dir(dir.path().join("out"));
    let clash = builder
        .clone()
        .file(dir.path().join("a/x.capnp"))
        .file(dir.path().join("b/x.capnp"))
        .compile();
    assert!(
        clash
            .unwrap_err()
            .to_string()
            .contains("would both be the module `x`")
    );
    let digit = builder.clone().file(dir.path().join("1st.capnp")).compile();
    assert!(
        digit
            .unwrap_err()
            .to_string()
            .contains("does not make a module name")
    );
    let elsewhere = builder
        .file(dir.path().join("a/x.capnp"))
        .file(dir.path().join("b/x.capnp"))
        .extern_module("b/x.capnp", "::other::y");
    assert!(
        elsewhere
            .compile()
            .unwrap_err()
            .to_string()
            .contains("must end in `::x`")
    );
    assert!(!dir.path().join("out").exists());
}

#[test]
fn asynchronous_traits_that_cannot_be() {
    let schema = r#"interface Base $Proxy.wrap("Base") { name @0 () -> (result :Text); }
interface Derived extends(Base) $Proxy.wrap("Derived") { pass @0 (value :Int32) -> (); }
struct Person { name @0 :Text; }
"#;
    let report = fails(schema, |builder| {
        builder
            .async_trait("Derived")
            .async_trait("Derived.pass.value")
            .async_trait("Person")
            .async_trait("Drived")
    });
    for (text, help) in [
        (
            "`Derived` cannot be asynchronous, as `Base`, which it extends, is not",
            "add `.async_trait(\"Base\")`",
        ),
        (
            "`Derived.pass.value` is not an interface",
            "`async_trait` is for interfaces",
        ),
        (
            "`Person` is a type, to which this setting does not apply",
            "name a field",
        ),
        ("`Drived` is the path of nothing", "did you mean `Derived`?"),
    ] {
        let found = entry(&report, text).is_some_and(|entry| entry.contains(help));
        assert!(found, "not found: {text}, {help}\n{report}");
    }
}

/// Where, what, and what to do about it, in [`BAD`].
const CANNOT_BE_CARRIED: &[(&str, &str, &str)] = &[
    (
        ":5:13: ",
        "`Bad.any.value` is of type AnyPointer, which has no Rust type",
        "$Proxy.skip",
    ),
    (
        ":6:17: ",
        "`Bad.objects.box` has a `Bad` for a generic argument",
        "declare a struct",
    ),
    (
        ":6:36: ",
        "`Bad.objects.result` is a `Plain`, which has no $Proxy.wrap",
        "$Proxy.wrap(\"...\")",
    ),
    (
        ":7:17: ",
        "`Bad.counted.money` stands for 2 C++ arguments",
        ".extern_type(\"Bad.counted.money\"",
    ),
    (
        ":8:15: ",
        "`Bad.wrong.number` is of type Capability",
        "declare the type",
    ),
    (
        ":9:5: ",
        "`Bad.generic` has generic parameters",
        "one method for each type",
    ),
    (
        ":10:5: ",
        "`Bad.either` has a union for params or results",
        "make the struct with the union",
    ),
    (
        ":11:20: ",
        "`Bad.flag.error` is an exception that is always there",
        "hasX",
    ),
    (
        ":16:86: ",
        "`Async.count` has $Rust.option but cannot be null",
        "hasX",
    ),
    (
        ":17:8: ",
        "`Mine` has a $Rust.name that is no name in Rust",
        "letters",
    ),
    (
        ":17:54: ",
        "`Mine.x` has a $Rust.name that is no name in Rust",
        "letters",
    ),
    (
        ":20:11: ",
        "`Generic` is generic, which proxies cannot be",
        "one interface for each type",
    ),
    (":21:7: ", "`any` is of type AnyPointer", "declare the type"),
    (
        ":18:7: ",
        "`nothing` is a constant of a type that holds objects",
        "remove it",
    ),
    (
        ":16:37: ",
        "`Async.any` is of type AnyPointer",
        "$Proxy.skip",
    ),
];

const BAD: &str = r#"interface Bad $Proxy.wrap("Bad") {
    any @0 (value :AnyPointer) -> ();
    objects @1 (box :Box(Bad)) -> (result :Plain);
    counted @2 (money :Money) -> ();
    wrong @3 (number :Capability) -> ();
    generic @4 [T] (value :T) -> ();
    either @5 Either -> ();
    flag @6 () -> (error :Bool $Proxy.exception("E"));
}
interface Plain {}
struct Money $Proxy.count(2) { amount @0 :Int64; }
struct Either { union { left @0 :Text; self @1 :Int32; } }
struct Async $Proxy.wrap("Async") { any @0 :AnyPointer; context @1 :Box(AnyPointer); count @2 :Int32 $Rust.option; }
struct Mine $Proxy.wrap("Mine") $Rust.name("a::b") { x @0 :Int32 $Rust.name("1"); }
const nothing :Holder = ();
struct Holder { bad @0 :Bad; }
interface Generic(T) $Proxy.wrap("Generic") {}
const any :AnyPointer = .nothing;
struct Box(T) { value @0 :T; }
"#;

const GOOD: &str = r#"interface Values $Proxy.wrap("Values") {
    pass @0 (value :Person, number :Int32, floats :List(Float64)) -> ();
    both @1 (texts :List(Text), pairs :List(Pair), lists :List(List(Pair)), more :List(Text)) -> ();
}
struct Person { name @0 :Text; }
struct Pair { first @0 :Text; second @1 :Text; }
"#;

/// The text of the error for a schema; nothing may have been written.
fn fails(schema: &str, configure: impl FnOnce(Builder) -> Builder) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test.capnp");
    fs::write(
        &path,
        format!("@0xb3c1d2e4f5a60718;\nusing Proxy = import \"/mp/proxy.capnp\";\nusing Rust = import \"/capnp/rust.capnp\";\n{schema}"),
    )
    .unwrap();
    let out = dir.path().join("out");
    let builder = configure(
        Builder::new()
            .src_prefix(dir.path())
            .file(&path)
            .out_dir(&out),
    );
    let error = builder.compile().unwrap_err();
    assert!(!out.exists(), "files were written in spite of errors");
    assert_eq!(format!("{error:?}").trim_start(), error.to_string());
    error.to_string()
}

/// The error with this text, and its help.
fn entry<'r>(report: &'r str, text: &str) -> Option<&'r str> {
    let start = report.find(text)?;
    let line = report[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = report[start..]
        .find("\n  help: ")
        .map(|at| start + at + 9)?;
    let stop = report[end..].find('\n').map_or(report.len(), |at| end + at);
    Some(&report[line..stop])
}
