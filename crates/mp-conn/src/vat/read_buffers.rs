//! Memory that small messages are read into: an idle connection has none.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Buffers that no connection uses at the moment, shared by those of an event loop.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffers {
    spare: Mutex<Vec<Vec<u8>>>,
}

impl ReadBuffers {
    /// A buffer with anything in it.
    pub(crate) fn take(&self) -> Vec<u8> {
        let spare = self.spare().pop();
        spare.unwrap_or_else(|| vec![0; BUFFER_BYTES])
    }

    /// Takes a buffer back, or drops it.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        let mut spare = self.spare();
        if spare.len() < SPARE && !buffer.is_empty() {
            spare.push(buffer);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for the largest segment table and for a batch of small messages.
const BUFFER_BYTES: usize = 16 << 10;
/// As many as threads can read at a time on a usual machine.
const SPARE: usize = 16;
