//! A pipe in memory that delivers in odd pieces, and breaks after a chosen byte.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};
use multiprocess::Stream;

use crate::site::lock;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// How a stream breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests name them all")]
pub enum How {
    /// What was written arrives, then both ways end.
    End,
    /// What was written arrives, then this way ends; the other goes on.
    Half,
    /// What is under way is lost, and both ends get errors.
    Error,
}

/// Where and how a stream breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Fault {
    /// The way whose bytes count.
    pub way: Way,
    /// So many bytes get through.
    pub after: usize,
    /// How it breaks then.
    pub how: How,
}

/// Watches a pipe.
#[derive(Clone, Debug)]
pub struct Pipe {
    shared: Arc<Mutex<Shared>>,
}

impl Pipe {
    /// A pipe's two ends, the client's first.
    #[must_use]
    pub fn new(fault: Option<Fault>) -> (Self, Stream, Stream) {
        let mut shared = Shared {
            fault,
            ..Shared::default()
        };
        shared.look();
        let shared = Arc::new(Mutex::new(shared));
        let end = |reads| End {
            shared: Arc::clone(&shared),
            reads,
        };
        let (client, server) = (end(Way::ToClient), end(Way::ToServer));
        (Self { shared }, Stream::new(client), Stream::new(server))
    }

    /// How many bytes went one way.
    #[must_use]
    pub fn written(&self, way: Way) -> usize {
        lock(&self.shared).lanes[way as usize].written
    }
}

#[derive(Debug, Default)]
struct Shared {
    lanes: [Lane; 2],
    fault: Option<Fault>,
    failed: bool,
    turns: usize,
}

/// One way.
#[derive(Debug, Default)]
struct Lane {
    bytes: VecDeque<u8>,
    written: usize,
    ended: bool,
    reader: Option<Waker>,
}

impl Shared {
    /// Breaks if it is time to.
    fn look(&mut self) {
        let Some(fault) = self.fault else { return };
        if self.lanes[fault.way as usize].written < fault.after {
            return;
        }
        match fault.how {
            How::Half => self.lanes[fault.way as usize].ended = true,
            How::End => self.end(),
            How::Error => {
                self.failed = true;
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.ended = true);
    }

    /// Those who can go on now. To be woken without the lock.
    fn awake(&mut self) -> Vec<Waker> {
        let failed = self.failed;
        let readers = self.lanes.iter_mut().filter_map(|lane| {
            let ready = failed || lane.ended || !lane.bytes.is_empty();
            if ready { lane.reader.take() } else { None }
        });
        readers.collect()
    }

    /// The size of the next piece. Nothing: come back at once.
    fn piece(&mut self) -> Option<usize> {
        self.turns += 1;
        PIECES[self.turns % PIECES.len()]
    }
}

/// One end of a pipe.
struct End {
    shared: Arc<Mutex<Shared>>,
    reads: Way,
}

impl End {
    fn writes(&self) -> usize {
        1 - self.reads as usize
    }

    fn close(&self) {
        let mut shared = lock(&self.shared);
        shared.end();
        let awake = shared.awake();
        drop(shared);
        awake.into_iter().for_each(Waker::wake);
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut shared = lock(&self.shared);
        if shared.failed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let Some(piece) = shared.piece() else {
            drop(shared);
            context.waker().wake_by_ref();
            return Poll::Pending;
        };
        let lane = &mut shared.lanes[self.reads as usize];
        if lane.bytes.is_empty() && !lane.ended {
            lane.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = piece.min(buffer.len()).min(lane.bytes.len());
        for (to, from) in buffer.iter_mut().zip(lane.bytes.drain(..count)) {
            *to = from;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut shared = lock(&self.shared);
        let Some(piece) = shared.piece() else {
            drop(shared);
            context.waker().wake_by_ref();
            return Poll::Pending;
        };
        let left = match shared.fault {
            Some(fault) if fault.way as usize == self.writes() => fault.after,
            _ => usize::MAX,
        };
        let lane = &mut shared.lanes[self.writes()];
        if lane.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = piece.min(bytes.len()).min(left - lane.written);
        lane.bytes.extend(&bytes[..count]);
        lane.written += count;
        shared.look();
        let awake = shared.awake();
        drop(shared);
        awake.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

/// Single bytes, pieces of words, whole messages, and now and then a stream that is not ready.
const PIECES: [Option<usize>; 9] = [
    Some(1),
    Some(4096),
    Some(7),
    None,
    Some(64),
    Some(8),
    Some(300),
    Some(3),
    Some(9000),
];
