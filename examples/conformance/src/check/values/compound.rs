//! Optional values, structs, lists, maps and sets.

use std::collections::{BTreeMap, BTreeSet};

use super::super::report::{Outcome, Report, equal};
use super::some_person;
use crate::conformance::{
    Empty, Note, Options, Person, Tree, Values, ValuesStatsResult, ValuesWithDefaultResult,
};

pub(super) fn cases(report: &Report, values: &dyn Values) {
    report.case("Values.passOptional", || {
        for value in [Some(0), Some(i32::MIN), Some(i32::MAX), None] {
            equal(values.pass_optional(value)?, value)?;
        }
        Ok(())
    });
    report.case("Values.passOptionalStruct", || {
        for value in [Some(some_person()), Some(Person::default()), None] {
            equal(values.pass_optional_struct(value.as_ref())?, value)?;
        }
        Ok(())
    });
    report.case("Values.passPerson", || people(values));
    report.case("Values.passEmpty", || {
        equal(values.pass_empty(&Empty::default())?, Empty::default())
    });
    report.case("Values.appendMutable", || {
        let note = |message: &str| Note {
            message: message.to_owned(),
        };
        equal(values.append_mutable(&note("it"))?, note("it seen"))?;
        equal(values.append_mutable(&note(""))?, note(" seen"))
    });
    report.case("Values.withDefault", || with_default(values));
    report.case("Values.passTree", || trees(values));
    report.case("Values.stats", || stats(values));
    lists(report, values);
    collections(report, values);
}

fn lists(report: &Report, values: &dyn Values) {
    report.case("Values.passList", || {
        for list in [
            vec![3, 1, 2],
            vec![],
            vec![i32::MIN, i32::MAX],
            vec![7; 100_000],
        ] {
            equal(values.pass_list(&list)?, list)?;
        }
        Ok(())
    });
    report.case("Values.passNested", || {
        for list in [
            vec![texts(&["a", ""]), vec![], texts(&["c\0d", "\u{e9}"])],
            vec![],
            vec![vec![]],
        ] {
            equal(values.pass_nested(&list)?, list)?;
        }
        Ok(())
    });
    report.case("Values.passBlobs", || {
        for list in [
            vec![vec![1, 255], vec![], vec![0]],
            vec![],
            vec![vec![0xff; 100_000]; 3],
        ] {
            equal(values.pass_blobs(&list)?, list)?;
        }
        Ok(())
    });
    report.case("Values.passPeople", || {
        for list in [
            vec![some_person(), Person::default()],
            vec![],
            vec![some_person(); 1000],
        ] {
            equal(values.pass_people(&list)?, list)?;
        }
        Ok(())
    });
}

fn collections(report: &Report, values: &dyn Values) {
    let map: BTreeMap<String, String> = [("a", "1"), ("b", ""), ("", "c"), ("\u{e9}\0", "a")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    report.case("Values.passMap", || {
        equal(values.pass_map(&map)?, map.clone())?;
        equal(values.pass_map(&BTreeMap::new())?, BTreeMap::new())
    });
    report.case("Values.mapSize", || {
        equal(values.map_size(&map)?, 4)?;
        equal(values.map_size(&BTreeMap::new())?, 0)
    });
    report.case("Values.passSet", || {
        let set: BTreeSet<String> = texts(&["b", "a", ""]).into_iter().collect();
        equal(values.pass_set(&set)?, set)?;
        equal(values.pass_set(&BTreeSet::new())?, BTreeSet::new())
    });
}

fn people(values: &dyn Values) -> Outcome {
    let old = Person {
        age: Some(i32::MIN),
        name: "\0".to_owned(),
        ..Person::default()
    };
    for person in [some_person(), Person::default(), old] {
        equal(values.pass_person(&person)?, person)?;
    }
    Ok(())
}

fn with_default(values: &dyn Values) -> Outcome {
    let zeros = Options {
        use_cache: false,
        limit: 0,
        label: String::new(),
    };
    let extremes = Options {
        use_cache: true,
        limit: u32::MAX,
        label: "\u{e9}".to_owned(),
    };
    for (result, flag) in [
        (zeros, false),
        (Options::default(), true),
        (extremes, false),
    ] {
        let expected = ValuesWithDefaultResult {
            flag,
            result: result.clone(),
        };
        equal(values.with_default(&result, flag)?, expected)?;
    }
    Ok(())
}

fn trees(values: &dyn Values) -> Outcome {
    let leaf = |label: &str| Tree {
        label: label.to_owned(),
        children: Vec::new(),
    };
    let fork = Tree {
        label: "root".to_owned(),
        children: vec![
            leaf("a"),
            Tree {
                label: "b".to_owned(),
                children: vec![leaf("c"), leaf("")],
            },
        ],
    };
    let wide = Tree {
        label: "wide".to_owned(),
        children: vec![leaf("x"); 1000],
    };
    let deep = (0..20).fold(leaf("bottom"), |tree, depth| Tree {
        label: depth.to_string(),
        children: vec![tree],
    });
    for tree in [Tree::default(), fork, wide, deep] {
        equal(values.pass_tree(&tree)?, tree)?;
    }
    Ok(())
}

fn stats(values: &dyn Values) -> Outcome {
    let expected = |result, max, min| ValuesStatsResult { max, min, result };
    equal(
        values.stats(&[4, -2, 9], true, true)?,
        expected(3, Some(9), Some(-2)),
    )?;
    equal(
        values.stats(&[4, 5], true, false)?,
        expected(2, Some(5), None),
    )?;
    equal(
        values.stats(&[4, 5], false, true)?,
        expected(2, None, Some(4)),
    )?;
    equal(values.stats(&[4], false, false)?, expected(1, None, None))?;
    equal(
        values.stats(&[], true, true)?,
        expected(0, Some(0), Some(0)),
    )
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
