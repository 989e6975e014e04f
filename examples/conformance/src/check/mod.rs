//! The client: cases for every method, against whatever serves them.

mod objects;
mod report;
mod threads;
mod values;

use multiprocess::{Error, EventLoop, Peers};

use self::report::Report;
use crate::conformance::{Init, InitClient};

/// Runs the cases whose name contains `part` against whoever serves at an address. Prints a line for each, and how many
/// passed.
///
/// `false`: a case failed.
///
/// # Errors
///
/// [`Error::Address`]; [`Error::Io`] when nobody listens there.
pub fn check(address: &str, part: &str) -> Result<bool, Error> {
    let event_loop = EventLoop::new("conformance")?;
    let stream = crate::address(address)?.connect(Peers::SameUser)?;
    let init = multiprocess::connect::<dyn Init>(&event_loop, stream)?;
    report::run(part, move |report| cases(report, &init))
}

fn cases(report: &Report, init: &InitClient) {
    values::cases(report, init);
    objects::cases(report, init);
    threads::cases(report, init);
}
