//! Leader and followers: a thread that waits for an answer, or for work, reads the socket itself.
//!
//! Handing an answer from the thread that reads to the thread that waits costs two context switches. A lone waiter saves
//! them: it takes the socket from the event loop's thread, waits for bytes without the connection's lock, and handles what
//! comes, for itself and for others. It gives the socket back by arming the poller, before it runs anything of the user's.
//! Where several threads wait, the event loop's thread reads for all: handing leadership around was measured to be slower.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::connection::Connection;
use crate::inner::Inner;
use crate::signal::Signal;
use crate::vat::arrivals::Arrivals;

/// The thread that reads a connection's socket. Dropping it gives the socket back to the event loop's thread.
#[derive(Debug)]
pub struct Leader {
    inner: Arc<Inner>,
}

impl Connection {
    /// Counts the calling thread among those that wait for something on this connection.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let inner = Arc::clone(self.inner());
        inner.waiters.fetch_add(1, Ordering::SeqCst);
        Waiting { inner }
    }

    /// Who is about to enter.
    #[must_use]
    pub fn arrivals(&self) -> &Arc<Arrivals> {
        &self.inner().arrivals
    }

    /// Writes what was left to the calling thread, which has arrived, to write.
    pub fn write_held(&self) {
        let inner = self.inner();
        if inner.arrivals.is_due() {
            // Fails only from inside, and whoever is inside writes when it leaves.
            drop(inner.enter(|_| ()));
        }
    }

    /// Makes the calling thread, which is counted as waiting, the connection's leader if it is the only one that waits.
    #[must_use]
    pub fn lead(&self) -> Option<Leader> {
        Leader::new(self.inner(), 1)
    }

    /// Makes the calling thread, which is about to send something and then to wait, the leader if nobody waits and no other
    /// call of the peer is running than the given number. Taken before sending, the socket cannot wake the event loop's
    /// thread for what comes back.
    #[must_use]
    pub fn lead_ahead(&self, running: usize) -> Option<Leader> {
        if self.inner().requests.load(Ordering::SeqCst) > running {
            return None;
        }
        Leader::new(self.inner(), 0)
    }

    /// Makes the calling thread, which has nothing to do, the leader if nobody waits and no call of the peer is running.
    #[must_use]
    pub fn lead_idle(&self) -> Option<Leader> {
        self.lead_ahead(0)
    }
}

impl Leader {
    fn new(inner: &Arc<Inner>, waiters: usize) -> Option<Self> {
        if inner.waiters.load(Ordering::SeqCst) != waiters {
            return None;
        }
        // The peer does not read. A thread that read what it sends all the same would compete for the lock with the event
        // loop's thread, which answers some of it, and other connections would wait for that.
        if inner.congested.load(Ordering::SeqCst) {
            return None;
        }
        inner.registration.as_ref()?.lead().then(|| Self {
            inner: Arc::clone(inner),
        })
    }

    /// The connection that is led.
    #[must_use]
    pub fn connection_id(&self) -> u64 {
        self.inner.id
    }

    /// Waits until the socket can be read, the signal is given, or the deadline passes.
    pub fn wait(&self, signal: &Signal, deadline: Option<Instant>) {
        let Some(registration) = &self.inner.registration else {
            return;
        };
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, so that a thread does not come back just before its deadline.
            to_timespec(left + Duration::from_micros(1))
        });
        let mut descriptors = [
            PollFd::new(registration.socket(), PollFlags::IN),
            PollFd::new(signal, PollFlags::IN),
        ];
        let spin = self.inner.limits.spin;
        if !spin.is_zero() {
            let begun = Instant::now();
            while poll(&mut descriptors, Some(&Timespec::default())) == Ok(0) {
                if begun.elapsed() >= spin {
                    break;
                }
                std::hint::spin_loop();
            }
        }
        match poll(&mut descriptors, timeout.as_ref()) {
            // Interrupted by a signal handler: the caller looks, and comes back.
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => tracing::error!(target: "ipc", "cannot wait for a socket: {error}"),
        }
        if descriptors[1].revents().contains(PollFlags::IN) {
            signal.clear();
        }
    }

    /// Whether no call of the peer is running.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.inner.requests.load(Ordering::SeqCst) == 0
    }

    /// Reads what is there and handles it. False: the connection has ended.
    #[must_use]
    pub fn read(&self) -> bool {
        self.inner.read_all();
        self.inner.lifecycle().end.is_none()
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if let Some(registration) = &self.inner.registration {
            registration.give_back();
        }
    }
}

/// A thread that waits for something on a connection.
#[derive(Debug)]
pub struct Waiting {
    inner: Arc<Inner>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.inner.waiters.fetch_sub(1, Ordering::SeqCst);
    }
}

fn to_timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
