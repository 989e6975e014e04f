//! A vat's gate and its arrivals in every order: no wake-up is lost between threads that enter, leave and wake, and nothing is
//! left unwritten. And the hand-over of its socket: no bytes are left unread between threads that lead and the event loop's.

#![cfg(loom)]

use std::io;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use mp_conn::Arrivals;
use mp_conn::model::{Gate, Interest, Reading, Watcher};

/// A vat with futures that do nothing but count that they were polled after they were woken.
struct Vat {
    gate: Gate,
    lock: Mutex<()>,
    /// Wake-ups that no poll has seen yet.
    woken: AtomicUsize,
    /// The event loop's thread was asked to enter.
    scheduled: AtomicUsize,
}

impl Vat {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            gate: Gate::new(),
            lock: Mutex::new(()),
            woken: AtomicUsize::new(0),
            scheduled: AtomicUsize::new(0),
        })
    }

    /// What `Inner::enter` does with the gate.
    fn enter(&self) {
        let turn = self.lock.lock().unwrap();
        self.gate.enter();
        loop {
            self.gate.take_woken();
            self.woken.store(0, Ordering::SeqCst);
            if self.gate.leave() {
                break;
            }
        }
        drop(turn);
    }

    /// What the vat's waker does.
    fn wake(&self) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        if self.gate.wake() {
            self.scheduled.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// What the event loop's thread does in the end.
    fn run_scheduled(&self) {
        while self.scheduled.swap(0, Ordering::SeqCst) > 0 {
            self.enter();
        }
    }
}

#[test]
fn a_wake_up_meets_a_holder_or_schedules_the_event_loop() {
    loom::model(|| {
        let vat = Vat::new();
        let holder = {
            let vat = Arc::clone(&vat);
            thread::spawn(move || vat.enter())
        };
        vat.wake();
        holder.join().unwrap();
        vat.run_scheduled();
        assert_eq!(vat.woken.load(Ordering::SeqCst), 0, "a wake-up was lost");
    });
}

#[test]
fn two_holders_and_two_wake_ups() {
    loom::model(|| {
        let vat = Vat::new();
        let first = {
            let vat = Arc::clone(&vat);
            thread::spawn(move || vat.enter())
        };
        let second = {
            let vat = Arc::clone(&vat);
            thread::spawn(move || {
                vat.wake();
                vat.enter();
            })
        };
        vat.wake();
        first.join().unwrap();
        second.join().unwrap();
        vat.run_scheduled();
        assert_eq!(vat.woken.load(Ordering::SeqCst), 0, "a wake-up was lost");
    });
}

#[test]
fn the_event_loop_is_asked_once_while_nobody_enters() {
    loom::model(|| {
        let vat = Vat::new();
        let other = {
            let vat = Arc::clone(&vat);
            thread::spawn(move || vat.wake())
        };
        vat.wake();
        other.join().unwrap();
        assert_eq!(vat.scheduled.load(Ordering::SeqCst), 1);
        vat.run_scheduled();
        assert_eq!(vat.woken.load(Ordering::SeqCst), 0);
    });
}

/// A socket, and the poller that tells the event loop's thread about it.
#[derive(Default)]
struct Socket {
    state: Mutex<Bytes>,
    changed: Condvar,
}

#[derive(Default)]
struct Bytes {
    unread: usize,
    read: usize,
    interest: Option<Interest>,
}

impl Socket {
    fn arrive(&self) {
        self.state.lock().unwrap().unread += 1;
        self.changed.notify_all();
    }

    /// Waits for bytes and reads them, unless others have read all that will ever come.
    fn read(&self, may_read: impl Fn(&Bytes) -> bool) {
        let mut bytes = self.state.lock().unwrap();
        while bytes.read < ALL && !(bytes.unread > 0 && may_read(&bytes)) {
            bytes = self.changed.wait(bytes).unwrap();
        }
        bytes.read += std::mem::take(&mut bytes.unread);
        drop(bytes);
        self.changed.notify_all();
    }

    fn is_done(&self) -> bool {
        self.state.lock().unwrap().read == ALL
    }
}

/// The poller's side.
struct Told(Arc<Socket>);

impl Watcher for Told {
    fn start(&self, interest: Interest) -> io::Result<()> {
        self.watch(interest);
        Ok(())
    }

    fn watch(&self, interest: Interest) {
        self.0.state.lock().unwrap().interest = Some(interest);
        self.0.changed.notify_all();
    }

    fn forget(&self) {
        self.0.state.lock().unwrap().interest = None;
    }
}

/// So many bytes come.
const ALL: usize = 2;

#[test]
fn bytes_find_a_reader_when_a_leader_gives_the_socket_back() {
    loom::model(|| {
        let socket = Arc::new(Socket::default());
        let reading = Arc::new(Reading::new(Told(Arc::clone(&socket))));
        reading.start().unwrap();
        let event_loop = {
            let socket = Arc::clone(&socket);
            thread::spawn(move || {
                while !socket.is_done() {
                    socket.read(|bytes| bytes.interest.is_some_and(|interest| interest.read));
                }
            })
        };
        let leader = {
            let (socket, reading) = (Arc::clone(&socket), Arc::clone(&reading));
            thread::spawn(move || {
                if reading.lead() {
                    socket.read(|_| true);
                    reading.give_back();
                }
            })
        };
        (0..ALL).for_each(|_| socket.arrive());
        // The model finds a deadlock if somebody waits for ever.
        leader.join().unwrap();
        event_loop.join().unwrap();
        assert!(socket.is_done());
    });
}

#[test]
fn one_thread_leads_at_a_time_and_the_poller_knows_the_last_decision() {
    loom::model(|| {
        let socket = Arc::new(Socket::default());
        let reading = Arc::new(Reading::new(Told(Arc::clone(&socket))));
        reading.start().unwrap();
        let leading = Arc::new(AtomicUsize::new(0));
        let lead = |write: bool| {
            let (reading, leading) = (Arc::clone(&reading), Arc::clone(&leading));
            move || {
                if reading.lead() {
                    assert_eq!(leading.fetch_add(1, Ordering::SeqCst), 0, "two lead");
                    reading.set_write(write);
                    leading.fetch_sub(1, Ordering::SeqCst);
                    reading.give_back();
                }
            }
        };
        let other = thread::spawn(lead(true));
        lead(true)();
        other.join().unwrap();
        let told = socket.state.lock().unwrap().interest;
        // At least one of them has led.
        let last = Interest {
            read: true,
            write: true,
        };
        assert_eq!(told, Some(last));
        reading.remove();
        assert!(!reading.lead(), "nothing to lead any more");
        assert_eq!(socket.state.lock().unwrap().interest, None);
    });
}

/// An outbox, and threads that enter, write or leave that to others, and arrive.
struct Crowd {
    arrivals: Arrivals,
    unwritten: Mutex<usize>,
}

impl Crowd {
    /// What `Inner::enter` does for a thread that has something to send, or nothing.
    fn enter(&self, sends: usize) {
        let mut unwritten = self.unwritten.lock().unwrap();
        *unwritten += sends;
        if *unwritten >= LARGE {
            self.arrivals.write_now();
            *unwritten = 0;
        } else if *unwritten > 0 && !self.arrivals.hold() {
            *unwritten = 0;
        }
    }

    /// What a worker does that was woken for a job which may take for ever.
    fn arrive(&self) {
        self.arrivals.arrive();
        if self.arrivals.is_due() {
            self.enter(0);
        }
    }
}

/// So much is not left to others.
const LARGE: usize = 10;

#[test]
fn what_is_left_to_others_is_written_by_the_last_of_them() {
    left_to_others(1);
}

#[test]
fn what_is_left_to_others_is_written_with_something_large() {
    left_to_others(LARGE);
}

fn left_to_others(sends: usize) {
    loom::model(move || {
        let crowd = Arc::new(Crowd {
            arrivals: Arrivals::new(),
            unwritten: Mutex::new(0),
        });
        crowd.arrivals.expect();
        let woken = {
            let crowd = Arc::clone(&crowd);
            thread::spawn(move || crowd.arrive())
        };
        let sender = {
            let crowd = Arc::clone(&crowd);
            thread::spawn(move || crowd.enter(1))
        };
        crowd.enter(sends);
        woken.join().unwrap();
        sender.join().unwrap();
        assert_eq!(*crowd.unwritten.lock().unwrap(), 0, "nobody wrote");
        assert!(!crowd.arrivals.is_due(), "somebody would enter for nothing");
    });
}
