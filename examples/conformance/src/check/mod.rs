//! The client: cases for every method, against whatever serves them.

mod objects;
mod report;
mod threads;
mod values;

use std::path::Path;

use multiprocess::{Error, EventLoop, Stream};

use self::report::Report;
use crate::conformance::InitClient;

/// Runs the cases whose name contains `part` against whoever serves at the path. Prints a line for each, and how many passed.
///
/// `false`: a case failed.
///
/// # Errors
///
/// [`Error::Io`] when nobody listens at the path.
pub fn check(path: &Path, part: &str) -> Result<bool, Error> {
    let event_loop = EventLoop::new("conformance")?;
    let init: InitClient =
        multiprocess::connect::<dyn crate::conformance::Init>(&event_loop, Stream::unix(path)?)?;
    report::run(part, move |report| cases(report, &init))
}

fn cases(report: &mut Report, init: &InitClient) {
    values::cases(report, init);
    objects::cases(report, init);
    threads::cases(report, init);
}
