//! Bytes of a message that are lent to whoever reads it, instead of copied.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, Weak};

use capnp::Word;

use crate::vat::memory::Memory;

/// Bytes in the memory of a message that was read. The memory is there as long as they are.
#[derive(Clone)]
pub struct LentBytes {
    memory: Arc<Memory>,
    range: Range<usize>,
}

/// Lends the bytes of one message, if it is large: small ones are not worth it.
#[derive(Clone, Debug, Default)]
pub struct Lender {
    memory: Option<Arc<Memory>>,
}

impl Lender {
    pub(crate) fn of(memory: Option<&Weak<Memory>>) -> Self {
        Self {
            memory: memory.and_then(Weak::upgrade),
        }
    }

    /// The same bytes, for longer than they can be borrowed. `None`: they are not of the message, or it does not lend.
    #[must_use]
    pub fn lend(&self, bytes: &[u8]) -> Option<LentBytes> {
        let memory = self.memory.as_ref()?;
        let whole = Word::words_to_bytes(memory.words());
        // What lies at addresses of the memory is in it, as both are borrowed.
        let start = bytes.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let range = start..start.checked_add(bytes.len())?;
        whole.get(range.clone())?;
        Some(LentBytes {
            memory: Arc::clone(memory),
            range,
        })
    }
}

impl Deref for LentBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &Word::words_to_bytes(self.memory.words())[self.range.clone()]
    }
}

impl fmt::Debug for LentBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LentBytes").field(&self.range.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_lent_by_the_message_that_they_are_in() {
        let words: Vec<Word> = (0..64)
            .map(|n| capnp::word(n, 0, 0, 0, 0, 0, 0, n))
            .collect();
        let [memory, other] = [words.clone(), words].map(|words| Arc::new(Memory::from(words)));
        let bytes = |memory: &Memory| Word::words_to_bytes(memory.words()).to_vec();
        let whole = bytes(&memory);
        let weak = Arc::downgrade(&memory);
        let lender = Lender::of(Some(&weak));
        for range in [0..512, 8..9, 505..512, 512..512] {
            let lent = lender
                .lend(&Word::words_to_bytes(memory.words())[range.clone()])
                .unwrap();
            assert_eq!(*lent, whole[range]);
        }
        assert!(lender.lend(Word::words_to_bytes(other.words())).is_none());
        let kept = lender
            .lend(&Word::words_to_bytes(memory.words())[3..12])
            .unwrap();
        drop((lender, memory));
        assert_eq!(
            *kept,
            whole[3..12],
            "the memory stays as long as what was lent"
        );
        drop(kept);
        assert!(Lender::of(Some(&weak)).lend(&whole).is_none());
        assert!(Lender::of(None).lend(&whole).is_none());
    }
}
