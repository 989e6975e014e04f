//! A small fuzzer for stable Rust: it changes messages of a corpus and feeds them to what reads messages of a peer.
//!
//! A finding is a panic outside of the RPC system, where the library contains them, and anything that hangs or leaks.

#![forbid(unsafe_code)]

pub mod corpus;
pub mod mutate;
pub mod panics;
pub mod random;
pub mod record;
pub mod targets;
