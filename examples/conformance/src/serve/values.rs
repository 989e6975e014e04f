//! Values: almost every method gives its argument back.

use std::collections::{BTreeMap, BTreeSet};

use multiprocess::Error;

use crate::conformance::{
    Color, Empty, Note, Numbers, Options, Person, Tree, Values, ValuesDivideResult,
    ValuesRaiseError, ValuesRaiseIfError, ValuesStatsResult, ValuesWithDefaultResult,
};

/// Gives back what it gets.
pub(super) struct Echo;

impl Values for Echo {
    fn add(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a.wrapping_add(b))
    }

    fn add_on_thread(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a.wrapping_add(b))
    }

    fn add_out(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a.wrapping_add(b))
    }

    fn add_in_out(&self, x: i32, sum: i32) -> Result<i32, Error> {
        Ok(sum.wrapping_add(x))
    }

    fn divide(&self, dividend: i32, divisor: i32) -> Result<ValuesDivideResult, Error> {
        if divisor == 0 {
            return Ok(ValuesDivideResult::default());
        }
        Ok(ValuesDivideResult {
            quotient: dividend.wrapping_div(divisor),
            remainder: dividend.wrapping_rem(divisor),
            result: true,
        })
    }

    fn numbers(&self, value: &Numbers) -> Result<Numbers, Error> {
        Ok(value.clone())
    }

    fn pass_bool(&self, value: bool) -> Result<bool, Error> {
        Ok(value)
    }

    fn pass_text(&self, value: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(value.to_vec())
    }

    fn pass_data(&self, value: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(value.to_vec())
    }

    fn pass_double(&self, value: f64) -> Result<f64, Error> {
        Ok(value)
    }

    fn pass_duration(&self, value: i64) -> Result<i64, Error> {
        Ok(value)
    }

    fn pass_enum(&self, value: i32) -> Result<i32, Error> {
        Ok(value)
    }

    fn pass_color(&self, value: Color) -> Result<Color, Error> {
        Ok(value)
    }

    fn pass_optional(&self, value: Option<i32>) -> Result<Option<i32>, Error> {
        Ok(value)
    }

    fn pass_optional_struct(&self, value: Option<&Person>) -> Result<Option<Person>, Error> {
        Ok(value.cloned())
    }

    fn pass_person(&self, value: &Person) -> Result<Person, Error> {
        Ok(value.clone())
    }

    fn pass_empty(&self, value: &Empty) -> Result<Empty, Error> {
        Ok(value.clone())
    }

    fn pass_list(&self, value: &[i32]) -> Result<Vec<i32>, Error> {
        Ok(value.to_vec())
    }

    fn pass_nested(&self, value: &[Vec<String>]) -> Result<Vec<Vec<String>>, Error> {
        Ok(value.to_vec())
    }

    fn pass_blobs(&self, value: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(value.to_vec())
    }

    fn pass_people(&self, value: &[Person]) -> Result<Vec<Person>, Error> {
        Ok(value.to_vec())
    }

    fn pass_map(
        &self,
        value: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        Ok(value.clone())
    }

    fn map_size(&self, value: &BTreeMap<String, String>) -> Result<i32, Error> {
        count(value.len())
    }

    fn append_mutable(&self, value: &Note) -> Result<Note, Error> {
        Ok(Note {
            message: format!("{} seen", value.message),
        })
    }

    fn other_name(&self, value: i32) -> Result<i32, Error> {
        Ok(value)
    }

    fn with_default(
        &self,
        options: &Options,
        flag: bool,
    ) -> Result<ValuesWithDefaultResult, Error> {
        Ok(ValuesWithDefaultResult {
            flag,
            result: options.clone(),
        })
    }

    fn raise(&self, value: &Person) -> Result<(), ValuesRaiseError> {
        Err(value.clone().into())
    }

    fn raise_if(&self, value: i32) -> Result<i32, ValuesRaiseIfError> {
        if value % 2 == 0 {
            return Ok(value);
        }
        let odd = Person {
            name: "odd".to_owned(),
            ..Person::default()
        };
        Err(odd.into())
    }

    fn fail(&self, message: &str) -> Result<(), Error> {
        Err(Error::failed(message))
    }

    fn fail_inline(&self, message: &str) -> Result<(), Error> {
        Err(Error::failed(message))
    }

    fn stats(
        &self,
        value: &[i32],
        want_max: bool,
        want_min: bool,
    ) -> Result<ValuesStatsResult, Error> {
        let max = value.iter().max().copied().unwrap_or_default();
        let min = value.iter().min().copied().unwrap_or_default();
        Ok(ValuesStatsResult {
            max: want_max.then_some(max),
            min: want_min.then_some(min),
            result: count(value.len())?,
        })
    }

    fn pass_tree(&self, value: &Tree) -> Result<Tree, Error> {
        Ok(value.clone())
    }

    fn pass_set(&self, value: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        Ok(value.clone())
    }
}

fn count(length: usize) -> Result<i32, Error> {
    i32::try_from(length).map_err(Error::failed)
}
