//! Messages on their way to the socket: written at once while it takes them, several to a system call, without a copy.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Poll, Waker};

use capnp::OutputSegments;

use super::outgoing::Output;
use super::transport::Transport;

/// Messages that were sent but not yet written.
#[derive(Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that were written already.
    written: usize,
    /// Bytes that wait, over all frames.
    queued: usize,
    /// Whether bytes may be held back by a stream that buffers.
    unflushed: bool,
}

impl Outbox {
    #[inline(never)]
    pub(crate) fn push(&mut self, message: Rc<dyn Output>) {
        let frame = Frame::new(message);
        self.queued += frame.len;
        self.frames.push_back(frame);
    }

    /// Bytes that wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Throws away what was not written.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes until everything is out (`Ready`) or the stream takes no more (`Pending`).
    pub(crate) fn write(
        &mut self,
        transport: &mut Transport,
        waker: &Waker,
    ) -> Poll<io::Result<()>> {
        while !self.frames.is_empty() {
            let pieces = |frame: &Frame| 1 + frame.message.segments().len();
            let few = self.frames.len() <= FEW_SLICES / 2
                && self.frames.iter().map(pieces).sum::<usize>() <= FEW_SLICES;
            let result = if few {
                self.write_once::<FEW_SLICES>(transport, waker)
            } else {
                self.write_once::<MAX_SLICES>(transport, waker)
            };
            match result {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(bytes)) => self.advance(bytes),
            }
        }
        if self.unflushed {
            match transport.flush(waker) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                other => return other,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes so many pieces, or fewer. Apart, so that only the stacks of threads that write many have room for many.
    #[inline(never)]
    fn write_once<const SLICES: usize>(
        &self,
        transport: &mut Transport,
        waker: &Waker,
    ) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut segments = [const { None }; SLICES];
        // Each frame has two pieces at least.
        let frames = self.frames.iter().take(SLICES / 2);
        for (segments, frame) in segments.iter_mut().zip(frames) {
            *segments = Some(frame.message.segments());
        }
        let count = gather(&self.frames, &segments, self.written, &mut slices);
        transport.write(waker, &slices[..count])
    }

    fn advance(&mut self, bytes: usize) {
        self.unflushed = true;
        self.queued -= bytes;
        self.written += bytes;
        while let Some(frame) = self.frames.front() {
            if self.written < frame.len {
                break;
            }
            self.written -= frame.len;
            self.frames.pop_front();
        }
    }
}

/// One message, with the table of segment sizes that goes before it.
struct Frame {
    header: Header,
    message: Rc<dyn Output>,
    /// Header and segments, in bytes.
    len: usize,
}

/// The sizes of a message's segments, as they go before it. Nearly all messages have one.
enum Header {
    Short([u8; 8]),
    Long(Vec<u8>),
}

impl Header {
    fn new(segments: &[&[u8]]) -> Self {
        let words = |segment: &&[u8]| ((segment.len() / 8) as u32).to_le_bytes();
        let more = (segments.len() as u32 - 1).to_le_bytes();
        if let [segment] = segments {
            let [[a, b, c, d], [e, f, g, h]] = [more, words(segment)];
            return Self::Short([a, b, c, d, e, f, g, h]);
        }
        let mut bytes = Vec::with_capacity((segments.len() / 2 + 1) * 8);
        bytes.extend_from_slice(&more);
        bytes.extend(segments.iter().flat_map(words));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Self::Long(bytes)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(bytes) => bytes,
        }
    }
}

impl Frame {
    fn new(message: Rc<dyn Output>) -> Self {
        let segments = message.segments();
        let header = Header::new(&segments);
        let content: usize = segments.iter().map(|segment| segment.len()).sum();
        let len = header.bytes().len() + content;
        drop(segments);
        Self {
            header,
            message,
            len,
        }
    }
}

/// Fills `slices` with the bytes that come next, and says how many were used.
fn gather<'a>(
    frames: &'a VecDeque<Frame>,
    segments: &'a [Option<OutputSegments<'a>>],
    mut skip: usize,
    slices: &mut [IoSlice<'a>],
) -> usize {
    let mut count = 0;
    for (frame, segments) in frames.iter().zip(segments.iter().flatten()) {
        let header = [frame.header.bytes()];
        for part in header.into_iter().chain(segments.iter().copied()) {
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            if count == slices.len() {
                return count;
            }
            slices[count] = IoSlice::new(&part[skip..]);
            skip = 0;
            count += 1;
        }
    }
    count
}

/// How many pieces go into one system call. Linux takes up to 1024.
const MAX_SLICES: usize = 64;
/// The same for what most calls need: the headers and segments of a few messages.
const FEW_SLICES: usize = 8;
