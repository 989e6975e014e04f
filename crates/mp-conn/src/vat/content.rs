//! Messages whose pointers lead to the same bytes again and again.

use capnp::{ErrorKind, any_pointer};

use crate::Error;

/// The error of content that is larger than the message that it came in when every pointer is followed. `None`: it is not.
///
/// Who reads or copies it would use any multiple of what was sent, and limits count what was sent. Honest peers lead one pointer to
/// each thing. Content that cannot be followed to its end is left to who reads it.
pub(crate) fn repeats(content: any_pointer::Reader<'_>, bytes: usize) -> Option<Error> {
    let repeats = match content.target_size() {
        Ok(size) => size.word_count.saturating_mul(8) > bytes as u64,
        Err(error) => error.kind == ErrorKind::ReadLimitExceeded,
    };
    repeats.then(|| Error::limit("bytes read of a message", bytes))
}
