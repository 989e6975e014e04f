//! Failures: typed errors, plain ones, and that the object lives on.

use super::super::report::{Failure, Outcome, Report, equal, fails_with};
use super::some_person;
use crate::conformance::{Person, Values, ValuesRaiseError, ValuesRaiseIfError};

pub(super) fn cases(report: &Report, values: &dyn Values) {
    report.case("Values.raise", || {
        for person in [some_person(), Person::default()] {
            match values.raise(&person) {
                Err(ValuesRaiseError::PersonError(raised)) => equal(*raised, person)?,
                Err(other) => return Err(other.into()),
                Ok(()) => return Err(Failure::new("nothing raised")),
            }
        }
        Ok(())
    });
    report.case("Values.raiseIf", || raise_if(values));
    report.case("Values.fail", || {
        fails_with(
            values.fail("on purpose"),
            "remote exception: std::exception: on purpose",
        )?;
        fails_with(values.fail(""), "remote exception: std::exception: ")?;
        fails_with(
            values.fail("h\u{e9}llo\nworld"),
            "std::exception: h\u{e9}llo\nworld",
        )?;
        equal(values.add_on_thread(1, 1)?, 2)
    });
    report.case("Values.failInline", || {
        fails_with(
            values.fail_inline("inline"),
            "remote exception: std::exception: inline",
        )?;
        equal(values.add(1, 1)?, 2)
    });
}

fn raise_if(values: &dyn Values) -> Outcome {
    for even in [4, 0, -2, i32::MIN] {
        equal(values.raise_if(even)?, even)?;
    }
    for odd in [3, -1, i32::MAX] {
        match values.raise_if(odd) {
            Err(ValuesRaiseIfError::PersonError(person)) => equal(person.name, "odd".to_owned())?,
            Err(other) => return Err(other.into()),
            Ok(value) => return Err(Failure::new(format!("{value} raised nothing"))),
        }
    }
    Ok(())
}
