//! Cases for `Init` and `Values`.

mod compound;
mod errors;
mod plain;

use super::report::{Failure, Outcome, Report, fails_with, holds};
use crate::conformance::{Init, InitClient, Person, TextIntPair, Values, ValuesClient};

/// All of them.
pub(super) fn cases(report: &Report, init: &InitClient) {
    report.case("Init.makeNothing", || {
        holds(init.make_nothing()?.is_none(), "null")
    });
    report.case("Init.retired", || {
        fails_with(init.retired(), "std::exception: retired: use makeValues")
    });
    let Some(values) = report.needed("Init.makeValues", || Ok::<_, Failure>(init.make_values()?))
    else {
        return;
    };
    plain::cases(report, &*values);
    compound::cases(report, &*values);
    errors::cases(report, &*values);
    report.case("Values.destroy: by drop", || {
        drop(init.make_values()?);
        holds(values.add_on_thread(1, 1)? == 2, "the others live")
    });
    report.case("Values.destroy: explicit", || destroyed(init));
}

/// A client that was destroyed says so by itself.
fn destroyed(init: &InitClient) -> Outcome {
    let values: ValuesClient = futures::executor::block_on(init.make_values_async())?;
    values.add_on_thread(1, 1)?;
    values.destroy()?;
    fails_with(values.add(1, 1), "destroyed")?;
    fails_with(values.destroy(), "destroyed")
}

/// A person with something in every field.
fn some_person() -> Person {
    Person {
        name: "Ann\u{e9}".to_owned(),
        lucky_numbers: vec![7, -1, i32::MAX, i32::MIN],
        flags: vec![true, false, true, true, false, false, false, true, true],
        age: Some(0),
        scores: vec![score("a", 1), score("b", -2)],
    }
}

fn score(first: &str, second: i32) -> TextIntPair {
    TextIntPair {
        first: first.to_owned(),
        second,
    }
}
