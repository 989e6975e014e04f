//! The gate of a vat in every order: no wake-up is lost between threads that enter, leave and wake.

#![cfg(loom)]

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use mp_conn::model::Gate;

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
