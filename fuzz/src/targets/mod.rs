//! What is fuzzed.

pub mod connection;
mod schema;

use crate::mutate::Kind;

/// Something that reads bytes that it must not trust.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its name, and that of its directory in the corpus.
    pub name: &'static str,
    /// What its inputs are.
    pub kind: Kind,
    /// Makes what one input after the other is given to.
    pub start: fn() -> Run,
}

/// What takes one input after the other.
pub type Run = Box<dyn FnMut(&[u8])>;

/// The target of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "schema",
        kind: Kind::Bytes,
        start: schema::start,
    },
    Target {
        name: "server",
        kind: Kind::Frames,
        start: connection::server,
    },
    Target {
        name: "client",
        kind: Kind::Frames,
        start: connection::client,
    },
    Target {
        name: "readers",
        kind: Kind::Frames,
        start: connection::readers,
    },
];
