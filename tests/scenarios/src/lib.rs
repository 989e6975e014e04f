//! What must hold between two ends of a connection, scenario by scenario: the tests in `tests/`, and what they share.

#![forbid(unsafe_code)]

pub mod convert;
pub mod foo;
pub mod frames;
pub mod pair;
pub mod patience;
pub mod raw;
pub mod raw_calls;
pub mod record;

multiprocess::include_proxies!();
