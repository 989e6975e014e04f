//! For every struct of the schema: what is built is what is read.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use conformance::conformance::{
    Color, Empty, Note, Numbers, Options, Pair, Person, TextIntPair, Tree,
};
use conformance::conformance_capnp as wire;
use multiprocess::codegen::capnp::traits::Owned;
use multiprocess::codegen::capnp::{data, message, serialize, text};
use multiprocess::codegen::{Build, Objects, Read};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn numbers(value in numbers_strategy()) {
        // By bits: NaN is not equal to itself.
        prop_assert_eq!(bits(&round_trip::<wire::numbers::Owned, _>(&value)), bits(&value));
    }

    #[test]
    fn person(value in person_strategy()) {
        prop_assert_eq!(round_trip::<wire::person::Owned, _>(&value), value);
    }

    #[test]
    fn note(message in any::<String>()) {
        let value = Note { message };
        prop_assert_eq!(round_trip::<wire::note::Owned, _>(&value), value);
    }

    #[test]
    fn options((use_cache, limit, label) in any::<(bool, u32, String)>()) {
        let value = Options { use_cache, limit, label };
        prop_assert_eq!(round_trip::<wire::options::Owned, _>(&value), value);
    }

    #[test]
    fn tree(value in tree_strategy()) {
        prop_assert_eq!(round_trip::<wire::tree::Owned, _>(&value), value);
    }

    #[test]
    fn pair_of_texts((first, second) in any::<(String, String)>()) {
        let value = Pair { first, second };
        prop_assert_eq!(round_trip::<wire::pair::Owned<text::Owned, text::Owned>, _>(&value), value);
    }

    #[test]
    fn pair_of_data_and_struct((first, second) in (any::<Vec<u8>>(), person_strategy())) {
        let value = Pair { first, second };
        prop_assert_eq!(round_trip::<wire::pair::Owned<data::Owned, wire::person::Owned>, _>(&value), value);
    }

    #[test]
    fn text_int_pair((first, second) in any::<(String, i32)>()) {
        let value = TextIntPair { first, second };
        prop_assert_eq!(round_trip::<wire::text_int_pair::Owned, _>(&value), value);
    }
}

#[test]
fn empty() {
    assert_eq!(
        round_trip::<wire::empty::Owned, _>(&Empty::default()),
        Empty::default()
    );
}

#[test]
fn colors() {
    for color in [Color::Red, Color::Green, Color::Blue] {
        assert_eq!(Color::from(wire::Color::from(color)), color);
    }
}

#[test]
fn every_struct_of_the_schema_is_here() {
    let schema = include_str!("../schema/conformance.capnp");
    let tests = include_str!("read_build.rs");
    for line in schema.lines() {
        if let Some(declared) = line.strip_prefix("struct ") {
            let name = declared.split([' ', '(']).next().unwrap();
            assert!(
                tests.contains(&format!(", {name}")) || tests.contains(&format!("{{{name}")),
                "no test of {name}"
            );
        }
    }
}

/// The value after it was built into a message, written to bytes, and read again.
fn round_trip<W: Owned, T>(value: &T) -> T
where
    T: for<'a> Build<W::Builder<'a>> + for<'a> Read<W::Reader<'a>>,
{
    let mut message = message::Builder::new_default();
    let mut objects = Objects::default();
    value
        .build(message.init_root::<W::Builder<'_>>(), &mut objects)
        .unwrap();
    let bytes = serialize::write_message_to_words(&message);
    let message =
        serialize::read_message(&mut bytes.as_slice(), message::ReaderOptions::new()).unwrap();
    T::read(
        message.get_root::<W::Reader<'_>>().unwrap(),
        "root",
        &objects,
    )
    .unwrap()
}

fn numbers_strategy() -> impl Strategy<Value = Numbers> {
    let signed = any::<(i8, i16, i32, i64)>();
    let unsigned = any::<(u8, u16, u32, u64)>();
    // Every pattern of bits: NaN of all kinds, infinities, subnormal numbers.
    let floats = (any::<u32>(), any::<u64>())
        .prop_map(|(single, double)| (f32::from_bits(single), f64::from_bits(double)));
    (signed, unsigned, floats, any::<bool>()).prop_map(|(signed, unsigned, floats, flag)| Numbers {
        i8: signed.0,
        i16: signed.1,
        i32: signed.2,
        i64: signed.3,
        u8: unsigned.0,
        u16: unsigned.1,
        u32: unsigned.2,
        u64: unsigned.3,
        f32: floats.0,
        f64: floats.1,
        flag,
    })
}

fn person_strategy() -> impl Strategy<Value = Person> {
    let scores = vec(
        any::<(String, i32)>().prop_map(|(first, second)| TextIntPair { first, second }),
        0..5,
    );
    let plain = (
        any::<String>(),
        vec(any::<i32>(), 0..20),
        vec(any::<bool>(), 0..70),
        any::<Option<i32>>(),
    );
    (plain, scores).prop_map(|((name, lucky_numbers, flags, age), scores)| Person {
        name,
        lucky_numbers,
        flags,
        age,
        scores,
    })
}

fn tree_strategy() -> impl Strategy<Value = Tree> {
    let leaf = any::<String>().prop_map(|label| Tree {
        label,
        children: Vec::new(),
    });
    leaf.prop_recursive(6, 64, 5, |inner| {
        (any::<String>(), vec(inner, 0..5)).prop_map(|(label, children)| Tree { label, children })
    })
}

fn bits(value: &Numbers) -> (Numbers, u32, u64) {
    let (single, double) = (value.f32.to_bits(), value.f64.to_bits());
    (
        Numbers {
            f32: 0.0,
            f64: 0.0,
            ..value.clone()
        },
        single,
        double,
    )
}
