//! What the tests in `tests/` share: an object to call, two ends of a connection, streams that break, attacks, and deadlines.

#![forbid(unsafe_code)]

pub mod attack;
pub mod convert;
pub mod live;
pub mod pair;
pub mod pipe;
pub mod process;
pub mod proxy;
pub mod script;
pub mod site;

pub use patience;

multiprocess::include_proxies!();
