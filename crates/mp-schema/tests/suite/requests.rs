//! Models from requests that somebody else's compiler made, and from bytes that are no request.

use crate::support::{CONFORMANCE, Files, compilers};
use capnp::message::{Builder, ReaderOptions};
use capnp::schema_capnp::code_generator_request;
use mp_schema::{Error, Item, Loader, Schema};

fn request() -> Vec<u8> {
    CONFORMANCE[0].request.clone()
}

#[test]
fn a_request_gives_the_same_model() {
    let files = Files::new(&[(
        "pre/a.capnp",
        "@0xa1a1a1a1a1a1a1a1;\nstruct A {\n  b @0 :Text; # about b\n}\n",
    )]);
    for compiler in compilers() {
        let loader = Loader::new()
            .compiler(compiler)
            .src_prefix(files.path("pre"));
        let loaded = loader
            .clone()
            .file(files.path("pre/a.capnp"))
            .load()
            .unwrap();
        let read = loader.load_request(&loaded.request).unwrap();
        assert_eq!(format!("{:?}", loaded.items), format!("{:?}", read.items));
        let place = &read.items.values().next().unwrap().decl().location;
        assert_eq!(
            place.to_string(),
            format!("{}:2:8", files.path("pre/a.capnp").display())
        );
    }
}

#[test]
fn without_the_files_places_name_the_file() {
    let schema = Schema::from_request(&request()).unwrap();
    let file = schema.requested_files().next().unwrap();
    let interface = schema.interface(file.items[1]).unwrap();
    assert_eq!(
        interface.methods[1].location.to_string(),
        "conformance.capnp"
    );
    assert_eq!(interface.methods[1].name, "makeValues");
}

#[test]
fn without_source_info_there_are_no_comments() {
    let mut message = Builder::new_default();
    {
        let request = request();
        let reader = capnp::serialize::read_message(&request[..], ReaderOptions::new()).unwrap();
        message
            .set_root(
                reader
                    .get_root::<code_generator_request::Reader<'_>>()
                    .unwrap(),
            )
            .unwrap();
        message
            .get_root::<code_generator_request::Builder<'_>>()
            .unwrap()
            .init_source_info(0);
    }
    let schema = Loader::new()
        .src_prefix("tests/schema")
        .load_request(&capnp::serialize::write_message_to_words(&message))
        .unwrap();
    let file = schema.requested_files().next().unwrap();
    let method = &schema.interface(file.items[1]).unwrap().methods[4];
    assert_eq!(method.comment, None);
    assert_eq!(
        method.location.to_string(),
        "tests/schema/conformance.capnp:22:5"
    );
}

#[test]
fn garbage_is_an_error() {
    for bytes in [
        &b""[..],
        b"x",
        &[0; 8],
        &[0xff; 64],
        b"\0\0\0\0\xff\xff\xff\x7f",
        &[0; 4096],
    ] {
        match Schema::from_request(bytes) {
            // An all-zero message is an empty request.
            Ok(schema) => assert!(schema.items.is_empty()),
            Err(error) => assert!(matches!(error, Error::Request(_)), "{error}"),
        }
    }
}

#[test]
fn a_damaged_request_never_panics() {
    let request = request();
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..ROUNDS {
        let mut damaged = request.clone();
        for _ in 0..=random() % 4 {
            let at = random() % damaged.len();
            damaged[at] = match random() % 3 {
                0 => u8::try_from(random() % 256).unwrap(),
                1 => damaged[at] ^ 1 << (random() % 8),
                _ => 0,
            };
        }
        damaged.truncate(
            damaged.len()
                - if random() % 8 == 0 {
                    random() % damaged.len()
                } else {
                    0
                },
        );
        drop(Schema::from_request(&damaged));
    }
}

#[test]
fn imports_are_found() {
    let text = "@0xa1a1a1a1a1a1a1a1;\nusing Rust = import \"/capnp/rust.capnp\";\n$Rust.parentModule(\"a\");\nusing B = import \"/lib/b.capnp\".B;\nusing C = import \"../c.capnp\".C;\n\
                struct A { b @0 :B; c @1 :C; }\ninterface S { s @0 () -> stream; }\n";
    let files = Files::new(&[
        ("x/a.capnp", text),
        ("inc/lib/b.capnp", "@0xa1a1a1a1a1a1a1a2;\nstruct B {}\n"),
        (
            "c.capnp",
            "@0xa1a1a1a1a1a1a1a3;\n\n  struct C { union { a @0 :Void; b :group { c @1 :Int8; } } }\n",
        ),
    ]);
    for compiler in compilers() {
        let loader = Loader::new()
            .compiler(compiler)
            .file(files.path("x/a.capnp"))
            .import_path(files.path("inc"));
        let schema = loader.load().unwrap();
        let place =
            |file: u64, path: &str| schema.find(file, path).unwrap().decl().location.clone();
        assert_eq!(
            *place(0xa1a1_a1a1_a1a1_a1a2, "B").file,
            *files.path("inc/lib/b.capnp").to_string_lossy()
        );
        assert_eq!(
            (
                place(0xa1a1_a1a1_a1a1_a1a3, "C").line,
                place(0xa1a1_a1a1_a1a1_a1a3, "C").column
            ),
            (3, 10)
        );
        assert_eq!(place(0xa1a1_a1a1_a1a1_a1a3, "C.b").column, 34);
        assert_eq!(schema.sources.len(), 3);
    }
}

#[test]
fn declarations_of_every_form_have_places() {
    let text = r#"@0xa1a1a1a1a1a1a1a1; # interface Not {
const text :Text = "} interface Not { \" ; #";
const pair :A = (b = "x;{", c = (d = [1, 2]));
struct A(T, U) { b @0 :Text = "(;"; c :group { d @1 :List(Int8) = [3]; }
  union { e @2 :Void; f @3 :Text; }
  g :union { h @4 :Void; i @5 :Int8; } struct N { o @0 :T; } enum M { p @0; } }
using B = A(Text, Data);
interface C { q @0 [V, W] (r :V, s :List(List(Int8)), w :W, t :Int8 = 3) -> (u :V); v @1 B -> (w :Int8);
  x @2 (y :B) -> B; }
"#;
    let files = Files::new(&[("a.capnp", text)]);
    for compiler in compilers() {
        let schema = files.load(compiler, &["a.capnp"]).unwrap();
        let mut found = Vec::new();
        for item in schema.items.values() {
            found.push((item.decl().path.join("."), &item.decl().location));
            match item {
                Item::Struct(item) => found.extend(
                    item.fields
                        .iter()
                        .map(|field| (field.name.clone(), &field.location)),
                ),
                Item::Enum(item) => found.extend(
                    item.enumerants
                        .iter()
                        .map(|value| (value.name.clone(), &value.location)),
                ),
                Item::Interface(item) => found.extend(
                    item.methods
                        .iter()
                        .map(|method| (method.name.clone(), &method.location)),
                ),
                _ => {}
            }
        }
        for (name, location) in found {
            // A location points to the name; that of unnamed params and results to the method's.
            let last = name.split('$').next().unwrap().rsplit('.').next().unwrap();
            let line = text
                .lines()
                .nth(usize::try_from(location.line).unwrap() - 1)
                .unwrap();
            let rest = &line[usize::try_from(location.column).unwrap() - 1..];
            assert!(rest.starts_with(last), "{name} at {location}: {rest}");
        }
    }
}

#[test]
fn file_names_do_not_depend_on_the_compiler() {
    let file = "tests/schema/calculator.capnp";
    let absolute = std::env::current_dir().unwrap().join(file);
    let cases = [
        (Loader::new().file(file), file),
        (Loader::new().file(&absolute), file),
        (
            Loader::new().file(file).src_prefix("tests/schema"),
            "calculator.capnp",
        ),
        (
            Loader::new().file(file).src_prefix("tests"),
            "schema/calculator.capnp",
        ),
        (
            Loader::new().file(file).src_prefix(".."),
            "mp-schema/tests/schema/calculator.capnp",
        ),
    ];
    for compiler in compilers() {
        for (loader, name) in &cases {
            let schema = loader.clone().compiler(compiler.clone()).load().unwrap();
            assert_eq!(schema.files[0].name, *name, "{compiler:?}");
        }
    }
}

#[cfg(feature = "embedded")]
#[test]
fn the_tool_on_path_or_the_embedded_one_is_used() {
    let schema = Loader::new()
        .file("tests/schema/calculator.capnp")
        .load()
        .unwrap();
    assert_eq!(schema.requested_files().count(), 1);
}

/// Each takes about a millisecond unoptimized.
const ROUNDS: usize = 2_000;
