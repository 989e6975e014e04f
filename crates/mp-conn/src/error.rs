//! The one error type of the run-time, shared by all layers above this crate.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

/// What went wrong with a call, a connection or an address.
///
/// The texts that the C++ library has too are the same here, because people search logs for them.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection had been closed at this end before the call was made.
    #[error("IPC client method called after disconnect.")]
    CalledAfterDisconnect,
    /// The connection ended before the answer came: the peer went away, or broke the protocol.
    #[error("IPC client method call interrupted by disconnect.")]
    Disconnected,
    /// The peer answered with a failure. The text is the peer's, with `remote exception: ` before it.
    #[error("{text}")]
    Remote {
        /// What kind of failure the peer said it was.
        kind: RemoteKind,
        /// The text, as the C++ library would show it.
        text: String,
    },
    /// The peer does not have the method or the interface. The text is the peer's.
    #[error("not implemented: {0}")]
    NotImplemented(String),
    /// An object was null where the schema's configuration does not allow it.
    #[error("null object in {field}")]
    NullObject {
        /// The field that was null.
        field: String,
    },
    /// A value could not be carried: text that is not UTF-8, an enumerant nobody knows, a failed conversion.
    #[error("bad value in {field}: {reason}")]
    BadValue {
        /// The field that held the value.
        field: String,
        /// Why it could not be carried.
        reason: String,
    },
    /// A message did not have the shape that its schema says.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// The calling thread is an event loop's own: waiting there would stop every connection of the loop.
    #[error("blocking IPC call from the event loop thread \"{0}\"")]
    WouldBlockEventLoop(String),
    /// The deadline passed before the answer came. The call was cancelled.
    #[error("IPC call timed out")]
    TimedOut,
    /// The call was cancelled before it was answered.
    #[error("IPC call canceled")]
    Cancelled,
    /// The object had been destroyed before the call reached it.
    #[error("{interface} object called after it was destroyed")]
    Destroyed {
        /// The object's interface.
        interface: String,
    },
    /// A limit of this process was reached.
    #[error("limit exceeded: {limit} is {value}")]
    LimitExceeded {
        /// The name of the limit, as in [`Limits`](crate::Limits).
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The connection ended because the program at its other end did.
    #[error("{error} ({program} ended with {status})")]
    ProcessEnded {
        /// The program, without its directory.
        program: String,
        /// How it ended.
        status: String,
        /// What failed.
        error: Box<Self>,
    },
    /// A system call failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done, and to what.
        context: String,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// An address that could not be understood, or a path that cannot be used.
    #[error("{0}")]
    Address(String),
    /// What a method's own code said was wrong.
    #[error("{0}")]
    Failed(String),
}

/// The kinds of failure that Cap'n Proto RPC knows, besides "disconnected" and "unimplemented".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteKind {
    /// The method failed. The C++ library sends every `std::exception` as this.
    Failed,
    /// The peer lacks a resource, such as memory.
    Overloaded,
}

impl Error {
    /// An error of a method's own, with a text for the caller.
    pub fn failed(text: impl Display) -> Self {
        Self::Failed(text.to_string())
    }

    /// A value that could not be carried, and the field that held it.
    pub fn bad_value(field: impl Into<String>, reason: impl Display) -> Self {
        Self::BadValue {
            field: field.into(),
            reason: reason.to_string(),
        }
    }

    /// A failed system call, and what was being done.
    pub fn io(context: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io {
            context: context.into(),
            source: Arc::new(source.into()),
        }
    }

    /// A limit that was reached, by the name that it has in [`Limits`](crate::Limits).
    #[must_use]
    pub fn limit(limit: &'static str, value: usize) -> Self {
        Self::LimitExceeded {
            limit,
            value: value as u64,
        }
    }

    /// Whether so many bytes wait to be written that a call was not sent. It can be when the peer has read some.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::LimitExceeded { limit, .. } if *limit == QUEUED_BYTES)
    }

    /// Whether the connection is gone, so that the same call cannot succeed on it later.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        matches!(
            self,
            Self::CalledAfterDisconnect | Self::Disconnected | Self::ProcessEnded { .. }
        )
    }

    /// This error as it goes over the wire when a method ends with it.
    ///
    /// The C++ library sends what a method throws as kind "failed" with `std::exception: ` before its text, and its
    /// client throws away the text of kind "disconnected": an application's error never has that kind.
    pub fn to_wire(&self) -> capnp::Error {
        match self {
            Self::NotImplemented(text) => capnp::Error::unimplemented(text.clone()),
            other => capnp::Error::failed(format!("std::exception: {other}")),
        }
    }

    /// The error that a call's answer, or its absence, means.
    #[must_use]
    pub fn from_wire(error: capnp::Error) -> Self {
        match error.kind {
            capnp::ErrorKind::Disconnected => Self::Disconnected,
            capnp::ErrorKind::Unimplemented => Self::NotImplemented(error.extra),
            capnp::ErrorKind::Failed => Self::Remote {
                kind: RemoteKind::Failed,
                text: error.extra,
            },
            capnp::ErrorKind::Overloaded => Self::Remote {
                kind: RemoteKind::Overloaded,
                text: error.extra,
            },
            _ => Self::from(error),
        }
    }
}

impl From<capnp::Error> for Error {
    fn from(error: capnp::Error) -> Self {
        Self::Malformed(match error.kind {
            capnp::ErrorKind::NestingLimitExceeded
            | capnp::ErrorKind::MessageIsTooDeeplyNested
            | capnp::ErrorKind::MessageIsTooDeeplyNestedOrContainsCycles => TOO_DEEP.to_owned(),
            capnp::ErrorKind::ReadLimitExceeded => READ_TOO_OFTEN.to_owned(),
            _ => error.to_string(),
        })
    }
}

impl From<capnp::NotInSchema> for Error {
    fn from(error: capnp::NotInSchema) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self::failed(text)
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::io("I/O error", error)
    }
}

/// Says that a message is nested deeper than its connection allows, where the connection is not known.
pub(crate) const TOO_DEEP: &str = "nested deeper than the limit `nesting` allows";
/// Says that a message refers to the same bytes again and again, where the connection is not known.
pub(crate) const READ_TOO_OFTEN: &str =
    "larger than the limit `message_bytes` allows when it is read";
/// The limit that passes by itself.
pub(crate) const QUEUED_BYTES: &str = "queued_bytes";
