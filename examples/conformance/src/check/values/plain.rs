//! Numbers, text and data: the edges of each.

use super::super::report::{Outcome, Report, equal, holds};
use crate::conformance::{Color, Numbers, Values, ValuesDivideResult};

pub(super) fn cases(report: &Report, values: &dyn Values) {
    report.case("Values.add", || {
        equal(values.add(1, 2)?, 3)?;
        equal(values.add(i32::MAX, 1)?, i32::MIN)?;
        equal(values.add(i32::MIN, i32::MIN)?, 0)
    });
    report.case("Values.addOnThread", || {
        equal(values.add_on_thread(-1, 2)?, 1)?;
        equal(values.add_on_thread(i32::MIN, -1)?, i32::MAX)
    });
    report.case("Values.addOut", || equal(values.add_out(3, 4)?, 7));
    report.case("Values.addInOut", || equal(values.add_in_out(3, 7)?, 10));
    report.case("Values.divide", || divide(values));
    report.case("Values.numbers", || numbers(values));
    report.case("Values.numbers: not a number", || not_a_number(values));
    report.case("Values.passBool", || {
        equal(values.pass_bool(true)?, true)?;
        equal(values.pass_bool(false)?, false)
    });
    report.case("Values.passDouble", || doubles(values));
    report.case("Values.passDuration", || {
        each(&[0, -5, 1, i64::MAX, i64::MIN], |value| {
            Ok(values.pass_duration(*value)?)
        })
    });
    report.case("Values.passEnum", || {
        each(&[1, 2], |value| Ok(values.pass_enum(*value)?))
    });
    report.case("Values.passColor", || {
        each(&[Color::Red, Color::Green, Color::Blue], |value| {
            Ok(values.pass_color(*value)?)
        })
    });
    report.case("Values.renamed", || {
        each(&[0, 5, i32::MIN], |value| Ok(values.other_name(*value)?))
    });
    text_and_data(report, values);
}

fn text_and_data(report: &Report, values: &dyn Values) {
    report.case("Values.passText", || {
        each(&TEXTS.map(|text| text.as_bytes().to_vec()), |text| {
            Ok(values.pass_text(text)?)
        })
    });
    report.case("Values.passText: not UTF-8", || {
        let bytes = [0xff, 0xfe, b'a', 0, 0xc3];
        equal(values.pass_text(&bytes)?, bytes.to_vec())
    });
    report.case("Values.passText: 1 MiB", || {
        let text = "\u{e9}".repeat(1 << 19).into_bytes();
        holds(values.pass_text(&text)? == text, "the same text")
    });
    report.case("Values.passData", || {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        equal(values.pass_data(&all)?, all)?;
        equal(values.pass_data(&[])?, Vec::new())?;
        equal(values.pass_data(&[0])?, vec![0])
    });
    report.case("Values.passData: 1 MiB", || {
        let data: Vec<u8> = (0..1 << 20)
            .map(|index: u32| index.to_le_bytes()[1] ^ 0xa5)
            .collect();
        holds(values.pass_data(&data)? == data, "the same data")
    });
}

fn divide(values: &dyn Values) -> Outcome {
    let divided = |quotient, remainder| ValuesDivideResult {
        quotient,
        remainder,
        result: true,
    };
    equal(values.divide(17, 5)?, divided(3, 2))?;
    equal(values.divide(-17, 5)?, divided(-3, -2))?;
    equal(values.divide(i32::MIN, 1)?, divided(i32::MIN, 0))?;
    equal(values.divide(17, 0)?, ValuesDivideResult::default())
}

fn numbers(values: &dyn Values) -> Outcome {
    let least = Numbers {
        i8: i8::MIN,
        i16: i16::MIN,
        i32: i32::MIN,
        i64: i64::MIN,
        u8: u8::MIN,
        u16: u16::MIN,
        u32: u32::MIN,
        u64: u64::MIN,
        f32: f32::MIN,
        f64: f64::MIN,
        flag: false,
    };
    let greatest = Numbers {
        i8: i8::MAX,
        i16: i16::MAX,
        i32: i32::MAX,
        i64: i64::MAX,
        u8: u8::MAX,
        u16: u16::MAX,
        u32: u32::MAX,
        u64: u64::MAX,
        f32: f32::INFINITY,
        f64: f64::NEG_INFINITY,
        flag: true,
    };
    let smallest = Numbers {
        f32: f32::MIN_POSITIVE / 2.0,
        f64: f64::MIN_POSITIVE / 2.0,
        ..Numbers::default()
    };
    each(&[least, greatest, smallest, Numbers::default()], |value| {
        Ok(values.numbers(value)?)
    })
}

fn not_a_number(values: &dyn Values) -> Outcome {
    let found = values.numbers(&Numbers {
        f32: f32::NAN,
        f64: f64::NAN,
        ..Numbers::default()
    })?;
    holds(found.f32.is_nan() && found.f64.is_nan(), "NaN stays NaN")?;
    holds(values.pass_double(f64::NAN)?.is_nan(), "NaN stays NaN")
}

fn doubles(values: &dyn Values) -> Outcome {
    let edges = [
        1.25,
        0.0,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    each(&edges, |value| Ok(values.pass_double(*value)?))?;
    let zero = values.pass_double(-0.0)?;
    holds(
        zero == 0.0 && zero.is_sign_negative(),
        "the sign of -0.0 stays",
    )
}

/// Passes each value, and expects it back.
fn each<T: PartialEq + std::fmt::Debug + Clone>(
    values: &[T],
    pass: impl Fn(&T) -> Result<T, super::super::report::Failure>,
) -> Outcome {
    values
        .iter()
        .try_for_each(|value| equal(pass(value)?, value.clone()))
}

const TEXTS: [&str; 6] = [
    "",
    "a",
    "h\u{e9}llo",
    "embedded\0nul",
    "\0",
    "\u{1f980}\u{10ffff}\u{fffd}",
];
