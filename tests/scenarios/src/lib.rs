//! What must hold between two ends of a connection, scenario by scenario: the tests in `tests/`, and what they share.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "helpers of tests fail by panicking"
)]

pub mod adds;
pub mod convert;
pub mod frames;
pub mod pair;
pub mod party;
pub mod process;
pub mod raw;
pub mod raw_calls;
pub mod record;

multiprocess::include_proxies!();
