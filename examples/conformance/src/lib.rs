//! The conformance suite: a server with every feature of the library, and a client that checks whoever serves the same.
//!
//! Both follow the comments of `schema/conformance.capnp` to the letter, so that either can be put against a program that was
//! written with another library.

#![forbid(unsafe_code)]

pub mod check;
pub mod serve;

multiprocess::include_proxies!();

use std::path::PathBuf;

use multiprocess::Error;

/// The path in an address of the form `unix:PATH`.
///
/// # Errors
///
/// [`Error::Address`] for anything else.
pub fn socket_path(address: &str) -> Result<PathBuf, Error> {
    match address.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err(Error::Address(format!(
            "not of the form unix:PATH: '{address}'"
        ))),
    }
}
