//! What is wrong with schema files is reported together, each with its place.

use crate::support::{Files, compilers};
use mp_schema::{Compiler, Error, Loader};

const BROKEN: &str = r#"@0xa1a1a1a1a1a1a1a1;
using import "/nowhere/gone.capnp".Foo;
interface A {
    first @0 (x :Nope) -> (result :Bogus);
    second @2 ();
}
"#;

#[test]
fn of_all_files_at_once() {
    let files = Files::new(&[
        ("a.capnp", BROKEN),
        ("b.capnp", "struct B { a @0 :Int32; }\n"),
        (
            "c.capnp",
            "@0xa1a1a1a1a1a1a1a2;\nstruct C { a @0 :Missing; }\n",
        ),
    ]);
    for compiler in compilers() {
        assert_eq!(
            files.errors(compiler, &["a.capnp", "b.capnp", "c.capnp"]),
            [
                "a.capnp:2:14: error: import failed: /nowhere/gone.capnp",
                "a.capnp:4:18: error: not defined: Nope",
                "a.capnp:4:36: error: not defined: Bogus",
                "a.capnp:5:13: error: skipped ordinal @1",
                "b.capnp:1:1: error: the file has no id",
                "c.capnp:2:18: error: not defined: Missing",
            ]
        );
    }
}

#[test]
fn say_what_to_do() {
    let files = Files::new(&[(
        "a.capnp",
        "@0xa1a1a1a1a1a1a1a1;\nstruct A {\n  a @0 :Int32;\n  a @1 :Text;\n}\n",
    )]);
    for compiler in compilers() {
        let text = files.load(compiler, &["a.capnp"]).unwrap_err();
        assert_eq!(
            text,
            "a.capnp:4:3: error: 'a' is already defined in this scope\n  help: change one of the two; the other is at a.capnp:3:3"
        );
    }
}

#[test]
fn in_an_imported_file_name_that_file() {
    let files = Files::new(&[
        (
            "a.capnp",
            "@0xa1a1a1a1a1a1a1a1;\nusing B = import \"sub/b.capnp\";\nstruct A { b @0 :B.B; }\n",
        ),
        (
            "sub/b.capnp",
            "@0xa1a1a1a1a1a1a1a2;\nstruct B { z @0 :Zed; }\n",
        ),
    ]);
    for compiler in compilers() {
        assert_eq!(
            files.errors(compiler, &["a.capnp"]),
            ["sub/b.capnp:2:18: error: not defined: Zed"]
        );
    }
}

#[test]
fn paths_are_as_given() {
    let loader = Loader::new()
        .src_prefix("tests/schema")
        .file("tests/schema/broken.capnp");
    for compiler in compilers() {
        let error = loader.clone().compiler(compiler).load().unwrap_err();
        assert_eq!(
            error.diagnostics()[0].location.to_string(),
            "tests/schema/broken.capnp:3:18"
        );
    }
}

#[test]
fn missing_paths_are_all_named() {
    let loader = Loader::new()
        .file("x.capnp")
        .file("y.capnp")
        .src_prefix("no/prefix")
        .import_path("no/imports");
    let error = loader.load().unwrap_err();
    let places: Vec<_> = error
        .diagnostics()
        .iter()
        .map(|d| d.location.to_string())
        .collect();
    assert_eq!(places, ["no/imports", "no/prefix", "x.capnp", "y.capnp"]);
    assert!(error.to_string().contains("no such schema file"), "{error}");
    assert!(matches!(Loader::new().load(), Err(Error::Compiler(_))));
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let files = Files::new(&[("a.capnp", "@0xa1a1a1a1a1a1a1a1;\n")]);
    let error = files
        .load(Compiler::Tool("/nowhere/capnp".into()), &["a.capnp"])
        .unwrap_err();
    assert!(error.starts_with("cannot run /nowhere/capnp: "), "{error}");
}

const MISUSED: &str = r#"@0xa1a1a1a1a1a1a1a1;
using Proxy = import "/mp/proxy.capnp";
interface A $Proxy.wrap("") {
    destroy @0 (context :Proxy.Context, force :Bool) -> ();
    b @1 (x :Int32 $Proxy.exception("E"), one :Proxy.Context, two :Proxy.Context) -> ();
    c @2 () -> (result :Int32, error :Text $Proxy.exception("E"));
    d @3 () -> (error :Text $Proxy.exception(""));
    e @4 (x :Int32, wantX :Bool) -> ();
    f @5 (wantX :Int32) -> (x :Int32);
    g @6 (result :Int32) -> (result :Int32) $Proxy.name("");
    h @7 (x :Int32 $Proxy.count(-1)) -> (x :Int32, hasX :Text);
}
interface B $Proxy.wrap("ProxyCallback<std::function<void()>>") {
}
interface C $Proxy.wrap("ProxyCallback<int()>") {
    call @0 ();
}
struct D {
    x @0 :Int32;
    hasX @1 :Int32;
}
interface E $Proxy.wrap("E") {
    destroy @0 () -> ();
    construct @1 () -> (status :Int32);
}
"#;

#[test]
fn of_annotations_and_companions() {
    let files = Files::new(&[("a.capnp", MISUSED)]);
    for compiler in compilers() {
        assert_eq!(
            files.errors(compiler, &["a.capnp"]),
            [
                "a.capnp:3:11: error: the text of $Proxy.wrap is empty",
                "a.capnp:4:41: error: `destroy` is called by the library, which has no use for `force`",
                "a.capnp:5:11: error: $Proxy.exception stands on the param `x`",
                "a.capnp:5:63: error: a method has one Context only",
                "a.capnp:6:32: error: `error` carries an exception but stands after `result`",
                "a.capnp:7:17: error: the text of $Proxy.exception is empty",
                "a.capnp:8:21: error: `wantX` asks for `x`, which is not a result",
                "a.capnp:9:11: error: `wantX` is the companion of another field, but not a Bool",
                "a.capnp:10:5: error: the text of $Proxy.name is empty",
                "a.capnp:10:11: error: `result` is a param and the return value",
                "a.capnp:11:11: error: $Proxy.count is -1",
                "a.capnp:11:52: error: `hasX` is the companion of another field, but not a Bool",
                "a.capnp:13:11: error: `B` wraps a function but has no method `call`",
                "a.capnp:15:11: error: `ProxyCallback<int()>` is not a function that can be wrapped",
                "a.capnp:20:5: error: `hasX` is the companion of another field, but not a Bool",
                "a.capnp:24:25: error: `construct` is called by the library, which has no use for `status`",
            ]
        );
    }
}

#[test]
fn a_proxy_file_with_other_ids_is_refused() {
    let files = Files::new(&[
        (
            "a.capnp",
            "@0xa1a1a1a1a1a1a1a1;\nusing Proxy = import \"/mp/proxy.capnp\";\ninterface A $Proxy.wrap(\"A\") {}\n",
        ),
        (
            "other/mp/proxy.capnp",
            "@0xa1a1a1a1a1a1a1a2;\nannotation wrap(interface) :Text;\n",
        ),
    ]);
    for compiler in compilers() {
        let loader = Loader::new()
            .compiler(compiler)
            .file(files.path("a.capnp"))
            .import_path(files.path("other"));
        let error = loader.load().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("has the id 0xa1a1a1a1a1a1a1a2 instead of 0xcc316e3f71a040fb"),
            "{error}"
        );
    }
}
