//! What is written where: files of other crates, unchanged files, and how much code there is.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mp_gen::Builder;
use mp_schema::{Item, Schema};
use rustix::time::{ClockId, clock_gettime};

#[test]
fn a_file_of_another_crate_is_referred_to_and_not_generated() {
    let out = tempfile::tempdir().unwrap();
    shapes()
        .extern_module("base.capnp", "::shared::ipc::base")
        .extern_type("Studio.pay.amount", "crate::Money")
        .out_dir(out.path())
        .compile()
        .unwrap();
    let mut names: Vec<String> = fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["multiprocess.rs", "shapes_capnp.rs", "shapes_proxy.rs"]
    );
    let proxies = fs::read_to_string(out.path().join("shapes_proxy.rs")).unwrap();
    assert!(proxies.contains("use ::shared::ipc::base::{"), "{proxies}");
    let accessors = fs::read_to_string(out.path().join("shapes_capnp.rs")).unwrap();
    assert!(
        accessors.contains("::shared::ipc::base_capnp::point::"),
        "{accessors}"
    );
    assert!(accessors.contains("::multiprocess::codegen::proxy_capnp::context::"));
}

/// What another crate configured for its structs is not known: one of their fields may have a type without a default.
#[test]
fn a_struct_of_another_crate_may_have_no_default() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let text = format!("{text}using Proxy = import \"/mp/proxy.capnp\";\n");
        fs::write(directory.path().join(name), text).unwrap();
    };
    write(
        "there.capnp",
        "@0xd3c5a8e4f1b20968;\nstruct Tip { hash @0 :Data; height @1 :Int32; }\n",
    );
    write(
        "here.capnp",
        "@0xd3c5a8e4f1b20969;\nusing There = import \"there.capnp\";\n\
         struct Direct { tip @0 :There.Tip; }\n\
         struct Many { tips @0 :List(There.Tip); maybe @1 :There.Tip; }\n\
         struct Asked { tip @0 :There.Tip; }\n",
    );
    let out = directory.path().join("out");
    let builder = Builder::new()
        .src_prefix(directory.path())
        .file(directory.path().join("here.capnp"))
        .extern_module("there.capnp", "::shared::there")
        .extern_type("Tip.hash", "shared::Hash")
        .optional("Many.maybe")
        .type_derive("Asked", "Default")
        .out_dir(&out);
    builder.compile().unwrap();
    let text = fs::read_to_string(out.join("here_proxy.rs")).unwrap();
    for (name, derives) in [
        ("Direct", "#[derive(Clone, Debug, PartialEq)]\n"),
        ("Many", "#[derive(Clone, Debug, Default, PartialEq)]\n"),
        (
            "Asked",
            "#[derive(Clone, Debug, PartialEq)]\n#[derive(Default)]\n",
        ),
    ] {
        let declared = format!("{derives}pub struct {name} {{");
        assert!(text.contains(&declared), "{name}: {text}");
    }
    let error = builder.extern_type("Tip.hsh", "shared::Hash").compile();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("did you mean `Tip.hash`?"), "{error}");
}

#[test]
fn a_copy_of_proxy_capnp_beside_the_schema_is_the_librarys_own() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write(
        "proxy.capnp",
        include_str!("../../mp-schema/schema/mp/proxy.capnp"),
    );
    write(
        "clock.capnp",
        "@0xd3c5a8e4f1b20967;\nusing Proxy = import \"proxy.capnp\";\n\
         interface Clock $Proxy.wrap(\"Clock\") {\n    \
         now @0 (context :Proxy.Context) -> (result :UInt64);\n}\n",
    );
    let out = directory.path().join("out");
    Builder::new()
        .src_prefix(directory.path())
        .file(directory.path().join("clock.capnp"))
        .out_dir(&out)
        .compile()
        .unwrap();
    let accessors = fs::read_to_string(out.join("clock_capnp.rs")).unwrap();
    assert!(accessors.contains("::multiprocess::codegen::proxy_capnp::context::"));
    assert!(!accessors.contains("crate::proxy_capnp"), "{accessors}");
}

#[test]
fn unchanged_files_are_not_written_again() {
    let out = tempfile::tempdir().unwrap();
    let builder = calculator().out_dir(out.path());
    builder.compile().unwrap();
    let paths =
        ["multiprocess.rs", "init_proxy.rs", "init_capnp.rs"].map(|name| out.path().join(name));
    fs::write(&paths[1], "// something else\n").unwrap();
    let before = paths
        .each_ref()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap());
    // A read-only file cannot be written: one that is unchanged must not be.
    let mut permissions = fs::metadata(&paths[0]).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&paths[0], permissions).unwrap();
    builder.compile().unwrap();
    let after = paths
        .each_ref()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap());
    assert_eq!(before[0], after[0]);
    assert_eq!(before[2], after[2]);
    assert!(
        fs::read_to_string(&paths[1])
            .unwrap()
            .contains("pub trait Init")
    );
}

/// Counts everything in the files with proxies but the plain data types, whose size is the schema's.
#[test]
fn generated_code_is_short() {
    for (name, builder) in [("calculator", calculator()), ("conformance", conformance())] {
        let out = tempfile::tempdir().unwrap();
        let schema = builder.load().unwrap();
        builder.compile_schema(&schema, out.path()).unwrap();
        let mut lines = 0;
        for entry in fs::read_dir(out.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with("_proxy.rs") {
                lines += lines_for_interfaces(&fs::read_to_string(path).unwrap());
            }
        }
        let (interfaces, methods) = count(&schema);
        let allowed = 45 * interfaces + 35 * methods;
        assert!(
            lines <= allowed,
            "{name}: {lines} lines, allowed are {allowed} for {interfaces} interfaces and {methods} methods"
        );
    }
}

#[test]
fn generating_takes_milliseconds() {
    let out = tempfile::tempdir().unwrap();
    let builder = conformance();
    let schema = builder.load().unwrap();
    // The processor's time, and the fastest of a few: other tests run at the same time.
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let times = (0..5).map(|_| {
        let start = now();
        builder.compile_schema(&schema, out.path()).unwrap();
        now() - start
    });
    let fastest = times.min().unwrap();
    // Without optimization it takes about ten times as long.
    let limit = if cfg!(debug_assertions) { 2000 } else { 200 };
    assert!(fastest.as_millis() < limit, "{fastest:?}");
}

fn calculator() -> Builder {
    let schema = root().join("../../examples/calculator/schema");
    Builder::new()
        .src_prefix(&schema)
        .file(schema.join("init.capnp"))
}

fn conformance() -> Builder {
    let schema = root().join("tests/schema");
    Builder::new()
        .src_prefix(&schema)
        .file(schema.join("conformance.capnp"))
}

fn shapes() -> Builder {
    let schema = root().join("tests/schema");
    Builder::new()
        .src_prefix(&schema)
        .file(schema.join("shapes.capnp"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The number of wrapped interfaces, and of the methods they declare.
fn count(schema: &Schema) -> (usize, usize) {
    let interfaces = schema.items.values().filter_map(|item| match item {
        Item::Interface(interface) if interface.wrap.is_some() => Some(interface.methods.len()),
        _ => None,
    });
    let methods: Vec<usize> = interfaces.collect();
    (methods.len(), methods.iter().sum())
}

/// The lines of a file without those of the items that a struct, enum or constant of the schema became.
fn lines_for_interfaces(text: &str) -> usize {
    let items = text.split("\n\n").filter(|item| !is_data(item));
    items.map(|item| item.lines().count() + 1).sum()
}

fn is_data(item: &str) -> bool {
    let first = item
        .lines()
        .find(|line| !line.starts_with("//") && !line.starts_with("#["))
        .unwrap_or_default();
    let is_type = first.starts_with("pub struct ")
        && !first.contains("Client(mp::ProxyClient)")
        && !item.contains(" gives back.");
    let is_conversion = [
        "impl mp::Build<",
        "impl mp::Read<",
        "impl<",
        "impl Default for",
        "impl From<",
    ];
    is_type
        || first.starts_with("pub const ")
        || first.starts_with("pub static ")
        || (first.starts_with("pub enum ") && !item.contains("can fail."))
        || (is_conversion.iter().any(|start| first.starts_with(start))
            && !first.starts_with("impl<F>"))
}
