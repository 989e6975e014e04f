//! What is alive at each end, and that it goes.

use std::sync::{Arc, Mutex};

use multiprocess::{Error, Stats};
use patience::{eventually, start, stress};
use scenarios::pair::{Pair, connection};
use scenarios::scenarios::{Callback, Party, PartyClient, Thing};

/// A ring of three: the first one's object is held by the second, given to the third, called from there, and calls back into
/// the first on its blocked thread. Nothing is left afterwards.
#[test]
fn three_in_a_ring_stress() {
    stress(|| {
        // first -> second -> third, each with its own ends.
        let (first, second) = (Pair::new(), Pair::new());
        let third = second.party.clone();
        let held: Arc<Mutex<Option<Arc<dyn Callback>>>> = Arc::default();
        // Weak: the object holds what it is to do.
        let (from_first, to_third) = (Arc::downgrade(&first.object), Arc::clone(&held));
        first.object.on_int(move |number| {
            // The second gives what it holds of the first to the third, which calls it.
            let object = from_first.upgrade().unwrap().saved().unwrap();
            *to_third.lock().unwrap() = Some(Arc::clone(&object));
            third.callback(object, number)
        });
        /// Runs on the first's thread, and goes around once more.
        struct Again(PartyClient, std::thread::ThreadId);
        impl Callback for Again {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                assert_eq!(std::thread::current().id(), self.1);
                match arg {
                    0 => Ok(100),
                    _ => Ok(self.0.call_int_fn(arg - 1)? + 1),
                }
            }
        }
        let again = Arc::new(Again(first.party.clone(), std::thread::current().id()));
        first
            .party
            .save_callback(Some(Arc::<Again>::clone(&again)))
            .unwrap();
        assert_eq!(first.party.call_int_fn(3).unwrap(), 103);
        first.party.save_callback(None).unwrap();
        held.lock().unwrap().take();
        eventually("the object is let go of", || Arc::strong_count(&again) == 1);
        let idle =
            |stats: Stats| stats.calls == 0 && stats.requests == 0 && stats.queued_bytes == 0;
        for pair in [&first, &second] {
            eventually("all is answered", || {
                idle(pair.client.stats()) && idle(pair.server.stats())
            });
        }
        drop(again);
        for pair in [first, second] {
            let (client, server) = (pair.client.clone(), pair.server.clone());
            pair.end();
            for end in [client, server] {
                eventually("nothing is left", || end.stats() == Stats::default());
            }
        }
    });
}

/// What an end counts: objects that the peer holds, references, calls and requests; and back to where it was.
#[test]
fn live_counts_come_back_stress() {
    stress(|| {
        let pair = Pair::new();
        pair.object.on_int(Ok);
        pair.party.call_int_fn(1).unwrap();
        let settled = |pair: &Pair| (pair.client.stats(), pair.server.stats());
        eventually("both ends are idle", || {
            let (client, server) = settled(&pair);
            client.calls + server.requests + server.calls + client.requests == 0
        });
        eventually("the callback thread is let go of", || {
            settled(&pair).1.references <= 1
        });
        let before = settled(&pair);
        let things: Vec<_> = (0..5).map(|_| pair.party.make_thing().unwrap()).collect();
        assert_eq!(pair.client.stats().references, before.0.references + 5);
        assert_eq!(pair.server.stats().objects, before.1.objects + 5);
        let connected = connection::<dyn Thing>(&*things[0]).id();
        assert_eq!(connected, pair.client.id());
        drop(things);
        pair.party.callback(Arc::new(Plus(1)), 1).unwrap();
        eventually("all are back", || {
            settled(&pair).1 == before.1 && pair.object.live() == 0
        });
    });
}

/// A reference in a thread-local variable goes with its thread, whichever of the thread's variables go first.
#[test]
fn a_reference_in_a_thread_local_variable_goes_with_its_thread_stress() {
    thread_local! {
        static KEPT: std::cell::RefCell<Vec<Arc<dyn Thing>>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    stress(|| {
        let pair = Pair::new();
        for variable_first in [true, false].repeat(4) {
            let party = pair.party.clone();
            let user = start("user", move || {
                if variable_first {
                    KEPT.with_borrow_mut(Vec::clear);
                }
                let thing = party.make_thing().unwrap();
                KEPT.with_borrow_mut(|kept| kept.push(thing));
            });
            user.join().unwrap();
        }
        eventually("all are destroyed", || pair.object.live() == 0);
        eventually("their threads end", || {
            // A few may be kept for asynchronous calls.
            pair.server.stats().threads < 4
        });
    });
}

/// The threads for asynchronous calls, and those for their callbacks, end with the connection, though its handle is kept.
#[test]
fn pools_end_with_their_connection() {
    let tag = "poolend";
    let pair = Pair::named(tag);
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
        let names = tasks.filter_map(|task| name(task.ok()?).ok());
        names
            .filter(|name| name.trim_end() == format!("{tag}/worker"))
            .count()
    };
    // Asynchronous calls have their callbacks run by a pool. The first may get a thread for itself, which is not kept.
    for _ in 0..2 {
        let call = pair.party.callback_async(Arc::new(Plus(1)), 1);
        assert_eq!(futures::executor::block_on(call).unwrap(), 2);
    }
    assert!(threads() >= 2, "one for the calls, one for their callbacks");
    let (client, server) = (pair.client.clone(), pair.server.clone());
    pair.end();
    eventually("all of them end", || threads() == 0);
    assert!(client.is_closed() && server.is_closed());
}

struct Plus(i32);

impl Callback for Plus {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg + self.0)
    }
}
