//! What the loop's thread sleeps at: its sockets, the next deadline, and whoever notifies it.
//!
//! One system call for each sleep, and one more where it was notified. The crate `polling` needs five: it sets a timer, and arms
//! it and its event descriptor anew, whether they are used or not.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::reading::Interest;
use crate::signal::Signal;

/// The sockets that are watched.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    notified: Signal,
}

/// A socket of which something is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) key: usize,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let notified = Signal::new()?;
        epoll::add(
            &epoll,
            &notified,
            EventData::new_u64(NOTIFIED),
            EventFlags::IN,
        )?;
        Ok(Self { epoll, notified })
    }

    /// Adds a socket, and has this told of it.
    pub(super) fn add(&self, socket: impl AsFd, key: usize, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, data(key), flags(interest))?)
    }

    /// Has this told of a socket, and nothing else, from now on.
    pub(super) fn watch(
        &self,
        socket: impl AsFd,
        key: usize,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            socket,
            data(key),
            flags(interest),
        )?)
    }

    /// Takes a socket away.
    pub(super) fn forget(&self, socket: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, socket)?)
    }

    /// Waits for something to tell, a notification, or until the time has passed, and says what there is to tell.
    pub(super) fn wait(&self, ready: &mut Vec<Ready>, time: Option<Duration>) -> io::Result<()> {
        ready.clear();
        let mut events = [Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        }; AT_A_TIME];
        let timeout = time.map(whole_milliseconds);
        let count = match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok(count) => count,
            // By a signal: whoever waits looks, and comes back.
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..count] {
            let (flags, data) = (event.flags, event.data);
            match usize::try_from(data.u64()) {
                Ok(key) if data.u64() != NOTIFIED => ready.push(Ready {
                    key,
                    readable: flags.intersects(EventFlags::IN | ENDED),
                    writable: flags.intersects(EventFlags::OUT | ENDED),
                }),
                _ => self.notified.clear(),
            }
        }
        Ok(())
    }

    /// Ends the wait that is under way, or the next one.
    pub(super) fn notify(&self) {
        self.notified.give();
    }
}

fn data(key: usize) -> EventData {
    EventData::new_u64(key as u64)
}

/// The end of a connection is told even when nothing is asked for: once is enough while another thread reads.
fn flags(interest: Interest) -> EventFlags {
    match (interest.read, interest.write) {
        (false, false) => EventFlags::ONESHOT,
        (true, false) => EventFlags::IN,
        (false, true) => EventFlags::OUT,
        (true, true) => EventFlags::IN | EventFlags::OUT,
    }
}

/// Rounded up, so that a deadline has passed when the wait for it ends. What is too long for the system is cut: the thread
/// waits again.
fn whole_milliseconds(time: Duration) -> Timespec {
    let milliseconds = time.as_nanos().div_ceil(1_000_000).min(LONGEST);
    Timespec {
        tv_sec: (milliseconds / 1000) as i64,
        tv_nsec: (milliseconds % 1000 * 1_000_000) as i64,
    }
}

const ENDED: EventFlags = EventFlags::HUP.union(EventFlags::ERR);
/// No socket has this key: they are counted from 0.
const NOTIFIED: u64 = u64::MAX;
/// How many sockets are told of at a time.
const AT_A_TIME: usize = 64;
/// A day, in milliseconds.
const LONGEST: u128 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use super::*;

    const SOON: Option<Duration> = Some(Duration::from_millis(1));
    const LATE: Option<Duration> = Some(Duration::from_secs(20));

    fn told(poller: &Poller, time: Option<Duration>) -> Vec<Ready> {
        let mut ready = Vec::new();
        poller.wait(&mut ready, time).unwrap();
        ready
    }

    #[test]
    fn a_notification_ends_one_wait() {
        let poller = Poller::new().unwrap();
        poller.notify();
        poller.notify();
        let begun = Instant::now();
        assert_eq!(told(&poller, LATE), []);
        assert!(begun.elapsed() < LATE.unwrap() / 2);
        // Nothing is left of it: this one ends with its time.
        let begun = Instant::now();
        assert_eq!(told(&poller, SOON), []);
        assert!(begun.elapsed() >= SOON.unwrap());
    }

    #[test]
    fn a_socket_is_told_of_as_it_is_asked_for() {
        let poller = Poller::new().unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let interest = |read, write| Interest { read, write };
        poller.add(&ours, 7, interest(false, false)).unwrap();
        theirs.write_all(b"x").unwrap();
        assert_eq!(told(&poller, SOON), []);
        let ready = |readable, writable| {
            let key = 7;
            vec![Ready {
                key,
                readable,
                writable,
            }]
        };
        poller.watch(&ours, 7, interest(true, false)).unwrap();
        assert_eq!(told(&poller, LATE), ready(true, false));
        poller.watch(&ours, 7, interest(true, true)).unwrap();
        assert_eq!(told(&poller, LATE), ready(true, true));
        poller.watch(&ours, 7, interest(false, false)).unwrap();
        assert_eq!(told(&poller, SOON), []);
        // The end is told without being asked for, once.
        drop(theirs);
        assert_eq!(told(&poller, LATE), ready(true, true));
        assert_eq!(told(&poller, SOON), []);
        poller.forget(&ours).unwrap();
    }

    #[test]
    fn times_are_rounded_up_and_cut() {
        let parts = |time| {
            let time = whole_milliseconds(time);
            (time.tv_sec, time.tv_nsec)
        };
        assert_eq!(parts(Duration::from_nanos(1)), (0, 1_000_000));
        assert_eq!(parts(Duration::from_millis(1500)), (1, 500_000_000));
        assert_eq!(parts(Duration::ZERO), (0, 0));
        assert_eq!(parts(Duration::MAX), (24 * 60 * 60, 0));
    }
}
