//! The conformance suite: a server with every feature of the library, and a client that checks whoever serves the same.
//!
//! Both follow the comments of `schema/conformance.capnp` to the letter, so that either can be put against a program that was
//! written with another library.

#![forbid(unsafe_code)]

pub mod check;
pub mod serve;

multiprocess::include_proxies!();

use multiprocess::{Address, Error};

/// Takes an address of the form `unix:PATH`. A relative path is one of the current directory.
///
/// # Errors
///
/// [`Error::Address`] for anything else.
pub fn address(text: &str) -> Result<Address, Error> {
    Address::parse(text, ".", "conformance")
}
