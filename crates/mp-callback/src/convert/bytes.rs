//! Bytes into and out of messages: lent where that is possible, or copied in pieces.
//!
//! For long copies the C library uses the processor's `rep movsb`, which on AMD's is 15 times slower where the target lies a few
//! bytes after the source, modulo the size of a page. Data in a message lies 8 bytes from where an allocation starts more
//! often than not: echoing 64 KiB took 25 us longer. Pieces of this size are copied with vector instructions, which was
//! measured to be as fast as the best of the other.

use std::ops::Deref;

use capnp::data;
use mp_conn::LentBytes;

/// An argument of type `Data`, as a server's method borrows it: the bytes in the params' own memory, or a copy of a few.
#[derive(Debug)]
pub struct Bytes(Repr);

#[derive(Debug)]
enum Repr {
    Lent(LentBytes),
    Copied(Vec<u8>),
}

impl Bytes {
    pub(crate) fn lent(bytes: LentBytes) -> Self {
        Self(Repr::Lent(bytes))
    }

    pub(crate) fn copied(bytes: &[u8]) -> Self {
        Self(Repr::Copied(copy_out(bytes)))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Lent(bytes) => bytes,
            Repr::Copied(bytes) => bytes,
        }
    }
}

/// Bytes of a message, copied out.
pub(super) fn copy_out(bytes: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(bytes.len());
    for piece in bytes.chunks(PIECE) {
        copy.extend_from_slice(piece);
    }
    copy
}

/// Bytes, copied into a message.
pub(super) fn copy_in(bytes: &[u8], target: data::Builder<'_>) {
    for (target, piece) in target.chunks_mut(PIECE).zip(bytes.chunks(PIECE)) {
        target.copy_from_slice(piece);
    }
}

/// Shorter than what the C library takes to be long, and a multiple of a cache line.
const PIECE: usize = 1 << 10;
