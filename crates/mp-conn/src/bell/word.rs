//! A word of memory that up to 32 threads sleep at, each with a bit of its own.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::sleepers::Sleepers;

/// Sleepers of a word.
pub(super) type Bits = NonZeroU32;

/// What the threads sleep at.
#[derive(Debug, Default)]
pub(super) struct Word {
    sleepers: Sleepers,
    /// The bits that belong to somebody.
    taken: AtomicU32,
}

impl Word {
    /// A bit that is nobody else's, of one of the words, or of one more.
    pub(super) fn place(words: &Mutex<Vec<Arc<Self>>>) -> (Arc<Self>, Bits) {
        // Under the lock bits are taken; they may be given back at any time.
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        for word in &*words {
            if let Some(bit) = word.take() {
                return (Arc::clone(word), bit);
            }
        }
        let word = Self::default();
        word.taken.store(FIRST.get(), Ordering::Relaxed);
        let word = Arc::new(word);
        words.push(Arc::clone(&word));
        (word, FIRST)
    }

    fn take(&self) -> Option<Bits> {
        let taken = self.taken.load(Ordering::Relaxed);
        let bit = 1_u32.checked_shl(taken.trailing_ones())?;
        self.taken.fetch_or(bit, Ordering::Relaxed);
        NonZeroU32::new(bit)
    }

    /// Gives a bit up that [`place`](Self::place) gave.
    pub(super) fn give_back(&self, bit: Bits) {
        self.taken.fetch_and(!bit.get(), Ordering::Relaxed);
    }

    /// How often it was rung here.
    pub(super) fn rung(&self) -> u32 {
        self.sleepers.rung()
    }

    /// Sleeps until one of the bits is rung, unless something was since that many times, or until the deadline.
    pub(super) fn sleep(&self, since: u32, bits: Bits, deadline: Option<Instant>) {
        self.sleepers.sleep(since, bits, deadline);
    }

    /// Wakes the sleepers of those bits.
    pub(super) fn ring(&self, bits: Bits) {
        self.sleepers.ring(bits);
    }
}

const FIRST: Bits = NonZeroU32::MIN;
