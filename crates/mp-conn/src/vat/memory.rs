//! Memory of messages, which is used again: touching fresh pages was measured to cost more than everything else about a
//! large message.
//!
//! `unsafe`, because `capnp` builds messages in memory that it knows by address only.

use std::cell::RefCell;
use std::ptr::NonNull;
use std::rc::Rc;

use capnp::Word;
use capnp::message::Allocator;

/// A piece of memory.
#[derive(Default)]
pub(crate) struct Memory {
    words: Vec<Word>,
    /// Words from here on are zero.
    dirty: usize,
}

impl Memory {
    fn new(words: usize) -> Self {
        Self {
            words: vec![ZERO; words],
            dirty: 0,
        }
    }

    /// The memory to write to, of which as much counts as written.
    pub(crate) fn fill(&mut self, words: usize) -> &mut [Word] {
        self.dirty = self.dirty.max(words);
        &mut self.words[..words]
    }

    /// Adds words, so that there are as many in all.
    pub(crate) fn grow(&mut self, words: usize) {
        let more = words.saturating_sub(self.words.len());
        self.words.reserve_exact(more);
        self.words.resize(words, ZERO);
    }

    /// What is in it, which is zero or of an earlier message where nothing was written since.
    pub(crate) fn words(&self) -> &[Word] {
        &self.words
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Memory").field(&self.words.len()).finish()
    }
}

impl From<Vec<Word>> for Memory {
    fn from(words: Vec<Word>) -> Self {
        Self {
            dirty: words.len(),
            words,
        }
    }
}

/// The memory of messages that were dropped, kept for the next ones.
#[derive(Default)]
pub(crate) struct MemoryPool {
    kept: RefCell<Vec<Memory>>,
}

impl MemoryPool {
    /// Memory for as many words, with anything in it; less, but as much as is said, if it has to be allocated.
    pub(crate) fn take(&self, words: usize, allocate: usize) -> Memory {
        let mut kept = self.kept.borrow_mut();
        let fits = |memory: &Memory| {
            let size = memory.words.len();
            size >= words && size / 4 <= words.max(SMALL_WORDS)
        };
        match kept.iter().position(fits) {
            Some(index) => kept.swap_remove(index),
            None => Memory::new(words.min(allocate).max(SMALL_WORDS)),
        }
    }

    /// As many words or more, all of them zero.
    fn take_zeroed(&self, words: usize) -> Box<[Word]> {
        let mut memory = self.take(words, words);
        let dirty = memory.dirty;
        memory.words[..dirty].fill(ZERO);
        memory.words.into()
    }

    /// Takes memory back, or drops it.
    pub(crate) fn give(&self, memory: Memory) {
        if memory.words.len() > POOLED_WORDS || memory.words.is_empty() {
            return;
        }
        let mut kept = self.kept.borrow_mut();
        kept.push(memory);
        let size = |memory: &Memory| memory.words.len();
        while kept.len() > POOLED || kept.iter().map(size).sum::<usize>() > POOLED_WORDS {
            // Large ones are worth more: their pages are there already.
            let least = (0..kept.len()).min_by_key(|index| size(&kept[*index]));
            if let Some(least) = least {
                kept.swap_remove(least);
            }
        }
    }
}

/// Builds a message in memory of a pool.
pub(crate) struct PooledSegments {
    pool: Rc<MemoryPool>,
    /// The least that the next segment has, in words.
    next: u32,
}

impl PooledSegments {
    pub(crate) fn new(pool: Rc<MemoryPool>, first_segment_words: u32) -> Self {
        Self {
            pool,
            next: first_segment_words,
        }
    }
}

// SAFETY: each segment is a boxed slice of its own, as long as it is used: `Box::leak` gives it away, `deallocate_segment`
// takes it back. `take_zeroed` gives zeroes only, and a `Word` is aligned to 8 bytes.
#[expect(unsafe_code, reason = "an allocator is a promise about addresses")]
unsafe impl Allocator for PooledSegments {
    fn allocate_segment(&mut self, minimum_size: u32) -> (NonNull<u8>, u32) {
        let words = self
            .pool
            .take_zeroed(minimum_size.max(self.next.min(LARGEST_SEGMENT)) as usize);
        // As `capnp`'s own: a message that grows has few segments.
        let len = words.len() as u32;
        self.next = len;
        (NonNull::from(Box::leak(words)).cast(), len)
    }

    // SAFETY: the trait's contract is the caller's to keep.
    unsafe fn deallocate_segment(&mut self, ptr: NonNull<u8>, word_size: u32, words_used: u32) {
        let slice = NonNull::slice_from_raw_parts(ptr.cast::<Word>(), word_size as usize);
        // SAFETY: by this function's contract, address and length are those that `allocate_segment` leaked, and come back once.
        let words = unsafe { Box::from_raw(slice.as_ptr()) };
        self.pool.give(Memory {
            words: words.into(),
            dirty: words_used as usize,
        });
    }
}

const ZERO: Word = capnp::word(0, 0, 0, 0, 0, 0, 0, 0);
const SMALL_WORDS: usize = 32;
/// The most that a segment can have: its size in bytes has to fit into 32 bits.
const LARGEST_SEGMENT: u32 = (1 << 29) - 1;
const POOLED: usize = 4;
/// All of a connection's, which a peer that goes quiet keeps: one message of 4 MiB in each direction.
const POOLED_WORDS: usize = (9 << 20) / size_of::<Word>();

#[cfg(test)]
mod tests {
    use capnp::any_pointer;
    use capnp::message::Builder;

    use super::*;

    #[test]
    fn memory_is_zero_again_when_a_message_is_built_in_it() {
        let pool = Rc::new(MemoryPool::default());
        for size in [3_usize, 5000, 100, 40_000, 5000, 3] {
            let mut incoming = pool.take(size, size);
            incoming
                .fill(size)
                .fill(capnp::word(1, 2, 3, 4, 5, 6, 7, 8));
            pool.give(incoming);
            let mut message = Builder::new(PooledSegments::new(Rc::clone(&pool), 8));
            let mut root = message.init_root::<any_pointer::Builder<'_>>();
            let data = root
                .reborrow()
                .initn_as::<capnp::data::Builder<'_>>(size as u32 * 8);
            assert!(data.iter().all(|byte| *byte == 0), "{size} words");
            data.fill(0xff);
            let copy = root.into_reader().get_as::<&[u8]>().unwrap().to_vec();
            assert_eq!(copy, vec![0xff; size * 8]);
        }
        assert!(pool.kept.borrow().len() > 1, "memory was kept");
    }

    #[test]
    fn a_pool_keeps_no_more_than_it_may() {
        let pool = MemoryPool::default();
        for words in [
            100,
            POOLED_WORDS / 2,
            POOLED_WORDS + 1,
            POOLED_WORDS / 2,
            1000,
            2000,
            3000,
        ] {
            pool.give(Memory::new(words));
            let kept = pool.kept.borrow();
            assert!(kept.len() <= POOLED);
            assert!(kept.iter().map(|memory| memory.words.len()).sum::<usize>() <= POOLED_WORDS);
        }
        let large = pool.take(POOLED_WORDS / 2, 0);
        assert_eq!(large.words().len(), POOLED_WORDS / 2);
    }
}
