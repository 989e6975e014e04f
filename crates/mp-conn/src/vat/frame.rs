//! Cap'n Proto's stream framing: bytes of the socket in, messages out.
//!
//! A frame is a table of segment sizes and then the segments. Small messages come through one buffer, many to a read;
//! what is missing of a large one is read straight into its own memory.

use std::rc::Rc;
use std::sync::{Arc, Weak};

use capnp::Word;
use capnp::message::{Builder, HeapAllocator, ReaderSegments};

use super::memory::{Memory, MemoryPool};
use super::read_buffers::ReadBuffers;

/// Collects bytes and cuts them into messages.
pub(crate) struct FrameReader {
    /// Where the buffer comes from, and goes to.
    buffers: Arc<ReadBuffers>,
    /// Empty while nothing is read.
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not yet consumed.
    start: usize,
    end: usize,
    partial: Option<Partial>,
    limit_words: usize,
    pool: Rc<MemoryPool>,
}

impl FrameReader {
    pub(crate) fn new(limit_bytes: usize, pool: Rc<MemoryPool>, buffers: Arc<ReadBuffers>) -> Self {
        Self {
            buffers,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            partial: None,
            limit_words: limit_bytes / BYTES_PER_WORD,
            pool,
        }
    }

    /// Where the next bytes of the stream go. Never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if let Some(partial) = &mut self.partial
            && self.start == self.end
            && partial.missing() >= DIRECT_BYTES
        {
            return partial.space();
        }
        if self.buffer.is_empty() {
            self.buffer = self.buffers.take();
        } else if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.buffer[self.end..]
    }

    /// Says that nothing is read for now: the buffer is lent to others if there is nothing in it.
    pub(crate) fn rest(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.buffers.give(std::mem::take(&mut self.buffer));
        }
    }

    /// Says that `count` bytes were put where [`space`](Self::space) said.
    pub(crate) fn filled(&mut self, count: usize) {
        if let Some(partial) = &mut self.partial
            && self.start == self.end
            && partial.missing() >= DIRECT_BYTES
        {
            partial.filled += count;
            return;
        }
        self.end += count;
    }

    /// The next complete message, if there is one.
    pub(crate) fn next_message(&mut self) -> Result<Option<Segments>, capnp::Error> {
        if self.partial.is_none() && !self.begin()? {
            return Ok(None);
        }
        let Some(mut partial) = self.partial.take() else {
            return Ok(None);
        };
        while self.start < self.end && partial.missing() > 0 {
            let bytes = &self.buffer[self.start..self.end];
            let space = partial.space();
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            partial.filled += count;
            self.start += count;
        }
        if partial.missing() > 0 {
            self.partial = Some(partial);
            return Ok(None);
        }
        Ok(Some(partial.finish(&self.pool)))
    }

    /// Whether the stream could end here without cutting a message in two.
    pub(crate) fn at_boundary(&self) -> bool {
        self.partial.is_none() && self.start == self.end
    }

    /// Reads the segment table if all of it is there.
    fn begin(&mut self) -> Result<bool, capnp::Error> {
        let bytes = &self.buffer[self.start..self.end];
        let Some(count) = read_u32(bytes, 0) else {
            return Ok(false);
        };
        let count = (count as usize).wrapping_add(1);
        if count == 0 || count >= MAX_SEGMENTS {
            return Err(capnp::Error::failed(format!(
                "Message has too many segments: {count}"
            )));
        }
        let header = (1 + count).div_ceil(2) * BYTES_PER_WORD;
        if bytes.len() < header {
            return Ok(false);
        }
        let mut total: usize = 0;
        let mut ends = Vec::new();
        for index in 0..count {
            let words = read_u32(bytes, 4 + 4 * index).unwrap_or(0) as usize;
            total = total.saturating_add(words);
            if total > self.limit_words {
                return Err(capnp::Error::failed(format!(
                    "Message is too large: {total} words or more; limit message_bytes is {}",
                    self.limit_words * BYTES_PER_WORD
                )));
            }
            if count > 1 {
                ends.push(total);
            }
        }
        self.start += header;
        self.partial = Some(Partial {
            memory: self.pool.take(total, UNSEEN_WORDS),
            len: total,
            ends,
            filled: 0,
        });
        Ok(true)
    }
}

/// The segments of one message that was read.
pub(crate) struct Segments {
    /// At least `len` words; what is beyond belongs to an earlier message and is never shown.
    memory: Held,
    len: usize,
    /// Where each segment ends, in words. Empty: there is one segment.
    ends: Vec<usize>,
    pool: Rc<MemoryPool>,
}

/// The memory of a message that was read.
enum Held {
    Alone(Memory),
    /// Parts of it may be [lent](crate::Lender).
    Lendable(Arc<Memory>),
}

impl Segments {
    /// The memory, if parts of it may be lent.
    pub(crate) fn lendable(&self) -> Option<Weak<Memory>> {
        match &self.memory {
            Held::Alone(_) => None,
            Held::Lendable(memory) => Some(Arc::downgrade(memory)),
        }
    }

    /// The segments of a message of this process, as if they had been read.
    pub(crate) fn copied(message: &Builder<HeapAllocator>) -> Self {
        let mut words = Vec::new();
        let mut ends = Vec::new();
        for segment in &*message.get_segments_for_output() {
            for word in segment.chunks_exact(BYTES_PER_WORD) {
                let mut bytes = [0; BYTES_PER_WORD];
                bytes.copy_from_slice(word);
                let [a, b, c, d, e, f, g, h] = bytes;
                words.push(capnp::word(a, b, c, d, e, f, g, h));
            }
            ends.push(words.len());
        }
        Self {
            len: words.len(),
            memory: Held::Alone(words.into()),
            ends,
            pool: Rc::default(),
        }
    }
}

impl ReaderSegments for Segments {
    fn get_segment(&self, index: u32) -> Option<&[u8]> {
        let index = index as usize;
        let range = if self.ends.is_empty() {
            (index == 0).then_some(0..self.len)?
        } else {
            let end = *self.ends.get(index)?;
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            start..end
        };
        let memory = match &self.memory {
            Held::Alone(memory) => memory,
            Held::Lendable(memory) => memory,
        };
        Some(Word::words_to_bytes(&memory.words()[range]))
    }

    fn len(&self) -> usize {
        self.ends.len().max(1)
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.memory, Held::Alone(Memory::default())) {
            Held::Alone(memory) => self.pool.give(memory),
            // Else it goes with the last that was lent of it.
            Held::Lendable(memory) => {
                if let Some(memory) = Arc::into_inner(memory) {
                    self.pool.give(memory);
                }
            }
        }
    }
}

/// A message of which some bytes are still to come.
struct Partial {
    /// At least `len` words when all have come.
    memory: Memory,
    len: usize,
    ends: Vec<usize>,
    /// Bytes that have come.
    filled: usize,
}

impl Partial {
    fn missing(&self) -> usize {
        self.len * BYTES_PER_WORD - self.filled
    }

    /// Room for what comes next. Grows with what came: what was only announced costs little.
    fn space(&mut self) -> &mut [u8] {
        let Self { memory, len, .. } = self;
        let there = memory.words().len();
        if there < *len && there * BYTES_PER_WORD == self.filled {
            memory.grow((there * 2).min(*len));
        }
        let there = memory.words().len().min(*len);
        &mut Word::words_to_bytes_mut(memory.fill(there))[self.filled..]
    }

    /// The message, all of which has come.
    fn finish(self, pool: &Rc<MemoryPool>) -> Segments {
        let memory = if self.len >= LENDABLE_WORDS {
            Held::Lendable(Arc::new(self.memory))
        } else {
            Held::Alone(self.memory)
        };
        Segments {
            memory,
            len: self.len,
            ends: self.ends,
            pool: Rc::clone(pool),
        }
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

const BYTES_PER_WORD: usize = 8;
/// As the C++ library: a message of 512 segments or more is refused.
const MAX_SEGMENTS: usize = 512;
/// A rest of this size is worth a read of its own, without a copy.
const DIRECT_BYTES: usize = 8 << 10;
/// Less is copied faster than it is lent.
const LENDABLE_WORDS: usize = (4 << 10) / BYTES_PER_WORD;
/// What is allocated for a message of which nothing has come yet.
const UNSEEN_WORDS: usize = (128 << 10) / BYTES_PER_WORD;

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(reader: &mut FrameReader, mut bytes: &[u8], step: usize) -> Vec<Vec<Vec<u8>>> {
        let mut messages = Vec::new();
        while !bytes.is_empty() {
            let space = reader.space();
            let count = space.len().min(step).min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            reader.filled(count);
            bytes = &bytes[count..];
            while let Some(segments) = reader.next_message().unwrap() {
                messages.push(
                    (0..segments.len())
                        .map(|index| segments.get_segment(index as u32).unwrap().to_vec())
                        .collect(),
                );
            }
        }
        messages
    }

    #[test]
    fn messages_are_the_same_however_the_bytes_arrive() {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for sizes in [
            &[1_usize][..],
            &[2, 0, 3],
            &[5000],
            &[0],
            &[1; 20],
            &[40_000, 30_000],
        ] {
            stream.extend_from_slice(&(sizes.len() as u32 - 1).to_le_bytes());
            for size in sizes {
                stream.extend_from_slice(&(*size as u32).to_le_bytes());
            }
            if sizes.len() % 2 == 0 {
                stream.extend_from_slice(&[0; 4]);
            }
            let mut segments = Vec::new();
            for size in sizes {
                let bytes: Vec<u8> = (0..size * 8).map(|i| (i % 251) as u8).collect();
                stream.extend_from_slice(&bytes);
                segments.push(bytes);
            }
            expected.push(segments);
        }
        for step in [1, 7, 4096, usize::MAX] {
            let mut reader = FrameReader::new(1 << 20, Rc::default(), Arc::default());
            assert_eq!(feed(&mut reader, &stream, step), expected, "step {step}");
            assert!(reader.at_boundary());
        }
    }

    #[test]
    fn what_is_announced_costs_little_before_it_comes() {
        let mut reader = FrameReader::new(64 << 20, Rc::default(), Arc::default());
        let announced = ((64_usize << 20) / BYTES_PER_WORD) as u32;
        let mut bytes = [[0; 4], announced.to_le_bytes()].concat();
        let allocated = |reader: &FrameReader| {
            let partial = reader.partial.as_ref().unwrap();
            partial.memory.words().len() * BYTES_PER_WORD
        };
        assert!(feed(&mut reader, &bytes, usize::MAX).is_empty());
        assert_eq!(allocated(&reader), 128 << 10);
        bytes = vec![1; 1 << 20];
        assert!(feed(&mut reader, &bytes, usize::MAX).is_empty());
        assert!(allocated(&reader) <= 2 << 20);
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused_before_its_bytes_come() {
        let mut reader = FrameReader::new(64, Rc::default(), Arc::default());
        reader.space()[..8].copy_from_slice(&[0, 0, 0, 0, 8, 0, 0, 0]);
        reader.filled(8);
        assert!(
            reader.next_message().unwrap().is_none(),
            "64 bytes are allowed"
        );

        let mut reader = FrameReader::new(64, Rc::default(), Arc::default());
        reader.space()[..8].copy_from_slice(&[0, 0, 0, 0, 9, 0, 0, 0]);
        reader.filled(8);
        let error = reader.next_message().err().unwrap();
        assert!(
            error.to_string().contains("limit message_bytes is 64"),
            "{error}"
        );

        let mut reader = FrameReader::new(64, Rc::default(), Arc::default());
        reader.space()[..8].copy_from_slice(&[0xff; 8]);
        reader.filled(8);
        assert!(reader.next_message().is_err());
    }
}
