//! The bounds on what one peer can make this process spend.

use std::time::Duration;

use crate::Error;
use crate::error::{READ_TOO_OFTEN, TOO_DEEP};

/// The limits of a connection, each with its default.
///
/// A peer that goes beyond one gets an error that names it, or loses its connection where the protocol has no way to
/// answer; other connections do not notice.
///
/// | limit | default | what it counts | beyond it |
/// |---|---|---|---|
/// | [`max_connections`](crate::ListenOptions::max_connections) | 1,000 | connections of one listener | clients wait in the system's queue |
/// | [`handshake_timeout`](crate::ListenOptions::handshake_timeout) | 30 s | time from a client's connecting to its first message | the connection ends |
/// | [`message_bytes`](Self::message_bytes) | 64 MiB | one message, read or sent | the peer's: the connection ends; a call of this process, or an answer: it fails |
/// | [`nesting`](Self::nesting) | 64 | structs and lists within each other | the call fails |
/// | [`calls_in_flight`](Self::calls_in_flight) | 10,000 | the peer's calls that are not answered, and answers with objects that it has not finished | the call fails |
/// | [`request_bytes`](Self::request_bytes) | 256 MiB | bytes of the same | the call fails |
/// | [`exports`](Self::exports) | 100,000 | objects of this process that the peer holds | the call that would send one more fails |
/// | [`imports`](Self::imports) | 100,000 | objects of the peer that this process holds | the peer's call fails; with an answer, the connection ends |
/// | [`threads`](Self::threads) | 1,000 | threads made by `makeThread` that run, and those for asynchronous calls of a peer of this library | `makeThread` fails; asynchronous calls wait for a thread, and fail where there is none |
/// | [`pool_threads`](Self::pool_threads) | 64 | threads made by `makePool`, and those for callbacks that name none | `makePool` fails; callbacks wait for a thread |
/// | [`async_threads`](Self::async_threads) | 256 | asynchronous calls of this process that are under way, each of which may occupy a thread of the peer | calls wait here, in their order |
/// | [`queued_bytes`](Self::queued_bytes) | 16 MiB | bytes that wait because the peer does not read | threads that call or answer wait; asynchronous calls fail; beyond it by four messages of the greatest size, the connection ends |
/// | [`spin`](Self::spin) | 0 | time for which a thread looks at a socket again and again | it sleeps |
/// | (the message's size) | | bytes of one message with every pointer followed, as pointers may lead to the same bytes many times | the call fails; with an answer, the connection ends |
/// | (four times `message_bytes`) | 256 MiB | bytes that are read of one message in all, by whoever reads or looks at it | the call fails |
/// | (fixed) | 64 | calls on the answers of calls on the answers of … that are not there yet | the call fails |
/// | (fixed) | 511 | segments of a message | the connection ends |
/// | (fixed) | 9 MiB | memory of messages that is kept for the next ones | it is freed |
///
/// An error says for example `limit exceeded: exports is 100000`, and is an [`Error::LimitExceeded`](crate::Error::LimitExceeded)
/// on the side whose limit it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest message that is read or sent, in bytes. Default: 64 MiB, as in the C++ library.
    pub message_bytes: usize,
    /// How deep structs and lists may be nested in a message. Default: 64.
    pub nesting: u32,
    /// Calls of the peer that have not been answered yet, and answers with objects that it has not finished. Default: 10,000.
    pub calls_in_flight: usize,
    /// Bytes of the peer's calls that have not been answered yet, and of answers with objects that it has not finished.
    /// Default: 256 MiB.
    pub request_bytes: usize,
    /// Objects of this process that the peer holds. Default: 100,000.
    pub exports: usize,
    /// Objects of the peer that this process refers to. Default: 100,000.
    pub imports: usize,
    /// Threads that the peer may have made with `makeThread` at one time, with those that run its asynchronous calls if it is of
    /// this library. Default: 1,000.
    pub threads: usize,
    /// Threads of the pool that the peer may make with `makePool`. Default: 64.
    pub pool_threads: usize,
    /// Asynchronous calls of this process that may be under way, each of which may occupy a thread of the peer. Calls beyond it wait
    /// in this process, in their order, until one of those that run has ended: more calls than this that wait for something at
    /// the peer hold up all others. Default: 256; at least 1.
    pub async_threads: usize,
    /// Bytes that wait to be written because the peer does not read. Beyond it, new calls wait. Default: 16 MiB.
    pub queued_bytes: usize,
    /// How long a thread that reads the socket itself looks again and again before it sleeps. Spends processor time to save
    /// the time that a processor takes to wake up, where each end has one of its own. Default: not at all.
    pub spin: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            nesting: 64,
            calls_in_flight: 10_000,
            request_bytes: 256 << 20,
            exports: 100_000,
            imports: 100_000,
            threads: 1_000,
            pool_threads: 64,
            async_threads: 256,
            queued_bytes: 16 << 20,
            spin: Duration::ZERO,
        }
    }
}

impl Limits {
    /// How many words of one message may be read. Params are looked at, read and perhaps copied.
    pub(crate) fn read_words(&self) -> usize {
        (self.message_bytes / 8).saturating_mul(READ_TIMES)
    }

    /// What reading a message failed with: names the limit if it was one that stopped it.
    pub(crate) fn reading(&self, error: Error) -> Error {
        match error {
            Error::Malformed(text) if text == TOO_DEEP => Error::limit(
                "nesting",
                usize::try_from(self.nesting).unwrap_or(usize::MAX),
            ),
            Error::Malformed(text) if text == READ_TOO_OFTEN => Error::limit(
                "bytes read of a message",
                self.read_words().saturating_mul(8),
            ),
            other => other,
        }
    }
}

/// How often a message of the greatest size may be read.
const READ_TIMES: usize = 4;
