//! The bounds on what one peer can make this process spend.

/// The limits of a connection, each with its default.
///
/// A peer that goes beyond one gets an error that names it, or loses its connection where the protocol has no way to
/// answer; other connections do not notice.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest message that is read, in bytes. Default: 64 MiB, as in the C++ library.
    pub message_bytes: usize,
    /// How deep structs and lists may be nested in a message. Default: 64.
    pub nesting: u32,
    /// Calls of the peer that have not been answered yet. Default: 10,000.
    pub calls_in_flight: usize,
    /// Bytes of the peer's calls that have not been answered yet, and of answers with objects that it has not finished.
    /// Default: 256 MiB.
    pub request_bytes: usize,
    /// Objects of this process that the peer holds. Default: 100,000.
    pub exports: usize,
    /// Objects of the peer that this process refers to. Default: 100,000.
    pub imports: usize,
    /// Threads that the peer may have made with `makeThread` at one time. Default: 1,000.
    pub threads: usize,
    /// Threads of the pool that the peer may make with `makePool`. Default: 64.
    pub pool_threads: usize,
    /// Bytes that wait to be written because the peer does not read. Beyond it, new calls wait. Default: 16 MiB.
    pub queued_bytes: usize,
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
            queued_bytes: 16 << 20,
        }
    }
}
