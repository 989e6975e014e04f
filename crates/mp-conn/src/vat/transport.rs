//! The byte stream under a connection: a socket that is read and written directly, or any asynchronous stream.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

/// A byte stream that can carry a connection, such as TLS over TCP or a pipe in memory.
pub trait ByteStream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> ByteStream for T {}

/// What a connection reads from and writes to.
pub(crate) enum Transport {
    /// A connected stream socket. System calls on it never block, whatever its own flags say.
    Socket(Arc<OwnedFd>),
    /// A stream of the user's, polled with the vat's waker.
    Stream(Pin<Box<dyn ByteStream>>),
}

impl Transport {
    /// Reads what is there. `Ready(Ok(0))` is the end of the stream.
    pub(crate) fn read(&mut self, waker: &Waker, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => ready(|| {
                Ok(rustix::net::recv(socket.as_fd(), &mut *buffer, RecvFlags::DONTWAIT)?.0)
            }),
            Self::Stream(stream) => stream
                .as_mut()
                .poll_read(&mut Context::from_waker(waker), buffer),
        }
    }

    /// Writes as much as the stream takes.
    pub(crate) fn write(
        &mut self,
        waker: &Waker,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => ready(|| {
                rustix::net::sendmsg(
                    socket.as_fd(),
                    bytes,
                    &mut SendAncillaryBuffer::default(),
                    SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
                )
            }),
            Self::Stream(stream) => stream
                .as_mut()
                .poll_write_vectored(&mut Context::from_waker(waker), bytes),
        }
    }

    /// Pushes out what a stream of the user's may have kept back.
    pub(crate) fn flush(&mut self, waker: &Waker) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(_) => Poll::Ready(Ok(())),
            Self::Stream(stream) => stream.as_mut().poll_flush(&mut Context::from_waker(waker)),
        }
    }

    /// Ends both directions, so that the peer sees the end of the stream and nobody waits on this end.
    pub(crate) fn shutdown(&mut self, waker: &Waker) {
        match self {
            Self::Socket(socket) => {
                // The peer may have gone already: then there is nothing left to end.
                rustix::net::shutdown(&*socket, Shutdown::Both).ok();
            }
            Self::Stream(stream) => {
                // An error, or a close that would have to wait: dropping the stream is the end of it either way.
                drop(stream.as_mut().poll_close(&mut Context::from_waker(waker)));
            }
        }
    }

    /// Whether the poller tells, again and again, that there is something to read.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    pub(crate) fn socket(&self) -> Option<&Arc<OwnedFd>> {
        match self {
            Self::Socket(socket) => Some(socket),
            Self::Stream(_) => None,
        }
    }
}

/// One system call, repeated when a signal interrupted it.
fn ready<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Poll<io::Result<T>> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error.into())),
            Ok(value) => return Poll::Ready(Ok(value)),
        }
    }
}
