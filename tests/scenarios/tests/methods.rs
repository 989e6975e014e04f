//! Methods of every kind, over a connection in both directions.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use multiprocess::Error;
use patience::within_deadline;
use scenarios::convert::{Pointers, Size, Temperature, Trail};
use scenarios::pair::Pair;
use scenarios::scenarios::{Basket, Callback, Empty, ExtendedCallback, Party, PartyRaiseError};

/// "compile time": the version's numbers are constants.
#[test]
fn compile_time() {
    const VERSION: (u32, u32) = (multiprocess::VERSION_MAJOR, multiprocess::VERSION_MINOR);
    let version = format!("{}.{}.", VERSION.0, VERSION.1);
    assert!(env!("CARGO_PKG_VERSION").starts_with(&version));
}

/// "Call FooInterface methods": values.
#[test]
fn call_foo_interface_methods_with_values() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        let party = &pair.party;
        assert_eq!(party.add(1, 2).unwrap(), 3);
        assert_eq!(party.add_out(3, 4).unwrap(), 7);
        assert_eq!(party.add_in_out(3, 7).unwrap(), 10);
        let map = BTreeMap::from([("a".into(), "b".into()), ("c".into(), "d".into())]);
        assert_eq!(party.map_size(&map).unwrap(), 2);
        assert_eq!(party.pass_enum(&Size::Large).unwrap(), Size::Large);
        assert_eq!(
            party.pass_empty(&Empty::default()).unwrap(),
            Empty::default()
        );
        assert_eq!(party.pass_data(&[]).unwrap(), Vec::<u8>::new());
        assert_eq!(party.pass_data(&[0, 255]).unwrap(), [0, 255]);
        // From a few pages on the method borrows it from the message.
        for size in [4000, 4095, 4096, 70_001, 1 << 20] {
            let data: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            assert_eq!(party.pass_data(&data).unwrap(), data);
        }
        assert!((party.pass_double(1.25).unwrap() - 1.25).abs() < f64::EPSILON);
        let blobs = Pointers(vec![Some(b"Hi".to_vec()), None]);
        assert_eq!(party.pass_blobs(&blobs).unwrap(), blobs);
    });
}

/// "Call FooInterface methods": a structure comes back as it was, with and without its optional field.
#[test]
fn call_foo_interface_methods_with_structures() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        let mut basket = basket();
        assert_eq!(pair.party.pass(&basket).unwrap(), basket);
        assert_eq!(pair.party.pass(&basket).unwrap().age, Some(3));
        basket.age = None;
        assert_eq!(pair.party.pass(&basket).unwrap(), basket);
    });
}

/// "Call FooInterface methods": a typed exception arrives as itself.
#[test]
fn call_foo_interface_methods_that_raise() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        let basket = basket();
        match pair.party.raise(&basket) {
            Err(PartyRaiseError::BasketError(raised)) => assert_eq!(*raised, basket),
            other => panic!("{other:?}"),
        }
        assert_eq!(pair.party.add(1, 2).unwrap(), 3, "the connection lives on");
    });
}

/// "Call FooInterface methods": conversions of the user's run once for each crossing.
#[test]
fn call_foo_interface_methods_with_custom_conversions() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        let temperature = Temperature { degrees: -5 };
        assert_eq!(pair.party.pass_custom(&temperature).unwrap(), temperature);
        let seen = pair.party.pass_message(&Trail("init".into())).unwrap();
        assert_eq!(seen.0, "init build read call build read");
        let seen = pair.party.pass_mutable(&Trail("init".into())).unwrap();
        assert_eq!(seen.0, "init build read call build read");
    });
}

/// "Call FooInterface methods": callbacks, saved and not, and inherited ones.
#[test]
fn call_foo_interface_methods_with_callbacks() {
    within_deadline(|| {
        let pair = Pair::new();
        let party = &pair.party;
        assert_eq!(party.callback(expect(1, 2), 1).unwrap(), 2);
        assert_eq!(party.callback(expect(3, 4), 3).unwrap(), 4);
        let saved = expect(7, 8);
        assert_eq!(Arc::strong_count(&saved), 1);
        party
            .save_callback(Some(Arc::<Expect>::clone(&saved)))
            .unwrap();
        assert_eq!(Arc::strong_count(&saved), 2);
        assert_eq!(party.callback_saved(7).unwrap(), 8);
        assert_eq!(party.callback_saved(7).unwrap(), 8);
        party.save_callback(None).unwrap();
        assert_eq!(Arc::strong_count(&saved), 1, "gone before the call returns");
        assert_eq!(party.callback_extended(expect(1, 2), 11).unwrap(), 12);
    });
}

/// "Call FooInterface methods": functions, and functions that call again.
#[test]
fn call_foo_interface_methods_with_functions() {
    within_deadline(|| {
        let pair = Pair::new();
        assert_eq!(pair.party.pass_fn(Arc::new(|| Ok(10))).unwrap(), 10);
        let party = pair.party.clone();
        let nested = move || party.pass_fn(Arc::new(|| Ok(1)));
        assert_eq!(pair.party.pass_fn(Arc::new(nested)).unwrap(), 1);
    });
}

fn basket() -> Basket {
    Basket {
        name: "name".into(),
        numbers: BTreeSet::from([2, 1]),
        flags: vec![false, true, false],
        age: Some(3),
        others: HashSet::from([2, 1]),
        prices: BTreeMap::from([("a".into(), 1), ("b".into(), 2)]),
    }
}

/// A callback that expects one argument, and ten more when it is called as the extended one.
struct Expect {
    argument: AtomicI32,
    result: i32,
}

fn expect(argument: i32, result: i32) -> Arc<Expect> {
    Arc::new(Expect {
        argument: argument.into(),
        result,
    })
}

impl Expect {
    fn check(&self, argument: i32) -> Result<i32, Error> {
        let expected = self.argument.load(Ordering::SeqCst);
        if argument == expected {
            Ok(self.result)
        } else {
            Err(Error::failed(format!("{argument} is not {expected}")))
        }
    }
}

impl Callback for Expect {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        self.check(arg)
    }
}

impl ExtendedCallback for Expect {
    fn call_extended(&self, arg: i32) -> Result<i32, Error> {
        Ok(self.check(arg - 10)? + 10)
    }
}
