//! Somebody in the middle of a socket connection, who breaks it after a chosen byte.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::patience::start;
use crate::pipe::{Fault, How, Way};

/// Passes bytes on between two sockets, on two threads, until one of the ends is gone.
#[derive(Debug)]
pub struct Proxy {
    written: [Arc<AtomicUsize>; 2],
    threads: [JoinHandle<()>; 2],
}

impl Proxy {
    /// A socket for the client and one for the server, connected through the proxy.
    ///
    /// # Panics
    ///
    /// When the system has no sockets left.
    #[must_use]
    pub fn new(fault: Option<Fault>) -> (Self, UnixStream, UnixStream) {
        let pair = || UnixStream::pair().expect("sockets can be made");
        let ((client, near), (server, far)) = (pair(), pair());
        let to_server = Lane::new(&near, &far, Way::ToServer, fault);
        let to_client = Lane::new(&far, &near, Way::ToClient, fault);
        let proxy = Self {
            written: [
                Arc::clone(&to_server.written),
                Arc::clone(&to_client.written),
            ],
            threads: [
                start("to server", move || to_server.run()),
                start("to client", move || to_client.run()),
            ],
        };
        (proxy, client, server)
    }

    /// How many bytes went one way.
    #[must_use]
    pub fn written(&self, way: Way) -> usize {
        self.written[way as usize].load(Ordering::SeqCst)
    }

    /// Waits until both ends are gone.
    ///
    /// # Panics
    ///
    /// When a thread of the proxy's did.
    pub fn join(self) {
        for thread in self.threads {
            thread.join().expect("the proxy does not panic");
        }
    }
}

/// One way.
struct Lane {
    from: UnixStream,
    to: UnixStream,
    left: Option<(usize, How)>,
    written: Arc<AtomicUsize>,
}

impl Lane {
    fn new(from: &UnixStream, to: &UnixStream, way: Way, fault: Option<Fault>) -> Self {
        let copy = |stream: &UnixStream| stream.try_clone().expect("descriptors can be copied");
        let fault = fault.filter(|fault| fault.way == way);
        Self {
            from: copy(from),
            to: copy(to),
            left: fault.map(|fault| (fault.after, fault.how)),
            written: Arc::default(),
        }
    }

    fn run(mut self) {
        let mut buffer = [0; 4096];
        let mut how = How::End;
        loop {
            let room = self
                .left
                .map_or(buffer.len(), |(left, _)| left.min(buffer.len()));
            if room == 0 {
                how = self.left.map_or(How::End, |(_, how)| how);
                break;
            }
            let count = match self.from.read(&mut buffer[..room]) {
                Ok(0) | Err(_) => break,
                Ok(count) => count,
            };
            if self.to.write_all(&buffer[..count]).is_err() {
                break;
            }
            self.written.fetch_add(count, Ordering::SeqCst);
            if let Some((left, _)) = &mut self.left {
                *left -= count;
            }
        }
        // Errors: it is gone already.
        if how == How::Half {
            self.to.shutdown(Shutdown::Write).ok();
        } else {
            self.to.shutdown(Shutdown::Both).ok();
            self.from.shutdown(Shutdown::Both).ok();
        }
    }
}
