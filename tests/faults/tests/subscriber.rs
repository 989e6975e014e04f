//! A log subscriber that panics: calls fail or go on, and nothing else is harmed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use faults::faults::Site;
use faults::live::Register;
use faults::pair::{Loops, nothing_left};
use faults::patience::{eventually, soon, start, within_deadline};
use faults::site::Tracked;
use futures::executor::block_on;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Panics at every event, or at every third, or not.
struct Panics;

static ARMED: AtomicBool = AtomicBool::new(false);
static EVENTS: AtomicUsize = AtomicUsize::new(0);
static STRIDE: AtomicUsize = AtomicUsize::new(1);

impl Subscriber for Panics {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "ipc"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let number = EVENTS.fetch_add(1, Ordering::SeqCst);
        if ARMED.load(Ordering::SeqCst) && number.is_multiple_of(STRIDE.load(Ordering::SeqCst)) {
            panic!("in a log subscriber");
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_harms_no_other_call() {
    std::panic::set_hook(Box::new(|_| ()));
    tracing::subscriber::set_global_default(Panics).unwrap();
    within_deadline(|| {
        let loops = Loops::new();
        let register = Register::default();
        for stride in [1, 2, 3, 5, 7] {
            let (pair, other) = (loops.pair(), loops.pair());
            assert_eq!(other.site.work(1).unwrap(), 1);
            STRIDE.store(stride, Ordering::SeqCst);
            ARMED.store(true, Ordering::SeqCst);
            for number in 0..20 {
                // The caller's own subscriber may panic on the caller's stack: then that is the caller's panic.
                let (site, objects) = (pair.site.clone(), register.clone());
                let calls = start("calls", move || {
                    let caught = |call: &mut dyn FnMut()| {
                        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)));
                    };
                    caught(&mut || drop(site.add(1, number)));
                    caught(&mut || drop(site.work(number)));
                    caught(&mut || drop(block_on(site.work_async(number))));
                    caught(&mut || drop(site.borrow(Tracked::new(&objects, number), 1)));
                    caught(&mut || drop(site.make(number).map(|item| item.number())));
                });
                calls.join().unwrap();
            }
            ARMED.store(false, Ordering::SeqCst);
            // The other connection did not notice; this one still works, or has ended in order.
            assert_eq!(other.site.add(1, 2).unwrap(), 3);
            assert_eq!(other.site.work(2).unwrap(), 2);
            if let Err(error) = pair.site.work(3) {
                assert!(error.is_disconnected(), "{error}");
            }
            pair.client.close();
            pair.server.wait_closed(Some(soon())).unwrap();
            drop(pair.site);
            nothing_left(&pair.client, "client");
            nothing_left(&pair.server, "server");
            eventually("the objects are gone", || register.live() == 0);
            other.end();
        }
        assert!(EVENTS.load(Ordering::SeqCst) > 500);
    });
}
