//! What the tests in `tests/` share: a desk with asynchronous methods, one whose methods block threads, and connections to them.

#![forbid(unsafe_code)]

pub mod async_desk;
pub mod blocking_desk;
pub mod pair;
pub mod plain_peer;

multiprocess::include_proxies!();
