//! Messages that no program of this library sends: fields left out, null elements, text that is not text, unknown enumerants.

use std::collections::BTreeSet;

use conformance::conformance::{Color, Numbers, Options, Person, TextIntPair, Tree};
use conformance::conformance_capnp as wire;
use multiprocess::Error;
use multiprocess::codegen::capnp::any_pointer;
use multiprocess::codegen::capnp::message::{Builder, HeapAllocator, ReaderOptions, TypedBuilder};
use multiprocess::codegen::capnp::{serialize, text};
use multiprocess::codegen::{self, Objects, Read};

#[test]
fn an_empty_message_reads_as_the_defaults() {
    let mut empty = Builder::new_default();
    empty.init_root::<wire::empty::Builder<'_>>();
    let empty = empty.into_reader();
    let person: wire::person::Reader<'_> = empty.get_root().unwrap();
    assert_eq!(
        Person::read(person, "root", &Objects::default()).unwrap(),
        Person::default()
    );
    let numbers: wire::numbers::Reader<'_> = empty.get_root().unwrap();
    assert_eq!(
        Numbers::read(numbers, "root", &Objects::default()).unwrap(),
        Numbers::default()
    );
    let options: wire::options::Reader<'_> = empty.get_root().unwrap();
    let expected = Options {
        use_cache: true,
        limit: wire::DEFAULT_LIMIT,
        label: "none".to_owned(),
    };
    assert_eq!(
        Options::read(options, "root", &Objects::default()).unwrap(),
        expected
    );
    assert_eq!(Options::default(), expected);
    assert_eq!(
        codegen::schema_default::<wire::options::Owned, Options>(),
        expected
    );
}

#[test]
fn elements_that_were_left_null() {
    let mut people = TypedBuilder::<wire::values::pass_people_params::Owned>::new_default();
    people.init_root().init_value(2).get(1).init_scores(1);
    let people = people.into_reader();
    let people: Vec<Person> = codegen::read(people.get().unwrap().get_value(), "value").unwrap();
    let one = Person {
        scores: vec![TextIntPair::default()],
        ..Person::default()
    };
    assert_eq!(people, [Person::default(), one]);

    let mut nested = TypedBuilder::<wire::values::pass_nested_params::Owned>::new_default();
    nested.init_root().init_value(2).init(1, 2);
    let nested = nested.into_reader();
    let nested: Vec<Vec<String>> =
        codegen::read(nested.get().unwrap().get_value(), "value").unwrap();
    assert_eq!(nested, [vec![], vec![String::new(); 2]]);

    let mut blobs = TypedBuilder::<wire::values::pass_blobs_params::Owned>::new_default();
    blobs.init_root().init_value(2);
    let blobs = blobs.into_reader();
    let blobs: Vec<Vec<u8>> = codegen::read(blobs.get().unwrap().get_value(), "value").unwrap();
    assert_eq!(blobs, vec![Vec::new(); 2]);

    let mut set = TypedBuilder::<wire::values::pass_set_params::Owned>::new_default();
    set.init_root().init_value(3);
    let set = set.into_reader();
    let set: BTreeSet<String> = codegen::read(set.get().unwrap().get_value(), "value").unwrap();
    assert_eq!(set, BTreeSet::from([String::new()]));
}

#[test]
fn text_that_is_not_utf_8_names_its_field() {
    let mut person = TypedBuilder::<wire::person::Owned>::new_default();
    person.init_root().set_name(text::Reader(b"\xff"));
    let error = read_person(person).unwrap_err();
    assert!(
        matches!(&error, Error::BadValue { field, .. } if field == "Person.name"),
        "{error}"
    );

    let mut person = TypedBuilder::<wire::person::Owned>::new_default();
    person
        .init_root()
        .init_scores(1)
        .get(0)
        .set_first(text::Reader(b"\xc3"));
    let error = read_person(person).unwrap_err();
    assert!(
        matches!(&error, Error::BadValue { field, .. } if field == "TextIntPair.first"),
        "{error}"
    );
}

#[test]
fn text_without_its_final_zero_names_its_field() {
    let mut message = Builder::new_default();
    // A struct with a pointer to bytes in the place of the name.
    let mut root: any_pointer::Builder<'_> = message.init_root();
    let mut pretender: wire::values::pass_data_params::Builder<'_> = root.reborrow().init_as();
    pretender.set_value(b"abc");
    let message = message.into_reader();
    let note: wire::note::Reader<'_> = message.get_root().unwrap();
    let error =
        conformance::conformance::Note::read(note, "root", &Objects::default()).unwrap_err();
    assert!(
        matches!(&error, Error::BadValue { field, .. } if field == "Note.message"),
        "{error}"
    );
}

#[test]
fn enumerants_that_nobody_knows_name_their_field() {
    let mut message = Builder::new_default();
    // The number is where the enum would be.
    let mut pretender: wire::values::pass_enum_params::Builder<'_> = message.init_root();
    pretender.set_value(77);
    let message = message.into_reader();
    let params: wire::values::pass_color_params::Reader<'_> = message.get_root().unwrap();
    let error = codegen::enumerant::<Color, _>(params.get_value(), "value").unwrap_err();
    assert_eq!(
        error.to_string(),
        "bad value in value: unknown enum value 77"
    );
}

#[test]
fn a_tree_deeper_than_the_limit_is_an_error() {
    let mut message = TypedBuilder::<wire::tree::Owned>::new_default();
    let mut tree = message.init_root();
    for _ in 0..100 {
        tree = tree.init_children(1).get(0);
    }
    tree.set_label("bottom");
    let bytes = serialize::write_message_to_words(message.borrow_inner());
    let message = serialize::read_message(&mut bytes.as_slice(), ReaderOptions::new()).unwrap();
    let error = Tree::read(message.get_root().unwrap(), "root", &Objects::default()).unwrap_err();
    assert!(
        matches!(&error, Error::BadValue { field, .. } if field == "Tree.children"),
        "{error}"
    );
}

fn read_person(message: TypedBuilder<wire::person::Owned, HeapAllocator>) -> Result<Person, Error> {
    Person::read(message.into_reader().get()?, "root", &Objects::default())
}
