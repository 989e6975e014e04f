//! Threads of two processes as if they were one: who runs what, and what it may wait for.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use futures::executor::block_on;
use multiprocess::Error;
use patience::{eventually, soon, start, stress, within_deadline};
use scenarios::pair::{Pair, through_door};
use scenarios::party::PartyObject;
use scenarios::scenarios::{Callback, Counter, Door, IntFn, Party, PartyClient, StepFn};

thread_local! {
    static LOCAL: Cell<i32> = const { Cell::new(0) };
}

/// Each thread that calls has one thread at the other end, named after it, and keeps it; its thread-local variables live on.
#[test]
fn one_remote_thread_for_each_local_one_and_its_thread_local_variables_live_on() {
    within_deadline(|| {
        let pair = Pair::new();
        let names = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&names);
        pair.object.on_int(move |number| {
            noted
                .lock()
                .unwrap()
                .push(multiprocess::thread_name("").to_string());
            LOCAL.set(LOCAL.get() + number);
            Ok(LOCAL.get())
        });
        let party = pair.party.clone();
        let calls = move || {
            (
                party.call_int_fn(1).unwrap(),
                party.call_int_fn(10).unwrap(),
            )
        };
        assert_eq!(start("first", calls.clone()).join().unwrap(), (1, 11));
        assert_eq!(start("second", calls).join().unwrap(), (1, 11));
        let names = names.lock().unwrap();
        assert!(
            names[0] == names[1] && names[2] == names[3] && names[1] != names[2],
            "{names:?}"
        );
        let process = std::process::id();
        assert!(
            names[0].starts_with(&format!("server-{process}/")),
            "{names:?}"
        );
        assert!(
            names[0].contains(&format!(" (from client-{process}/first-")),
            "{names:?}"
        );
    });
}

/// A callback runs on the stack of the thread whose call caused it, and what it calls in turn on the thread that waits for
/// it, however deep.
#[test]
fn recursion_stays_on_two_threads_to_a_depth_of_100() {
    within_deadline(|| {
        let pair = Pair::new();
        for depth in [1, 2, 64, 100] {
            let threads = Arc::new(Mutex::new(HashSet::new()));
            let step = Step::new(&pair.party, &threads);
            assert_eq!(pair.party.recurse(step, depth).unwrap(), depth);
            let me = std::thread::current().id();
            assert_eq!(*threads.lock().unwrap(), HashSet::from([me]));
        }
        assert_eq!(pair.server.stats().threads, 1);
    });
}

/// The same with calls that are asynchronous at first: all callbacks of one such call run on one thread.
#[test]
fn recursion_below_an_asynchronous_call() {
    within_deadline(|| {
        let pair = Pair::new();
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let step = Step::new(&pair.party, &threads);
        let call = pair.party.recurse_async(step, 100);
        assert_eq!(block_on(call).unwrap(), 100);
        assert_eq!(threads.lock().unwrap().len(), 1);
    });
}

/// A re-entrant lock that a method holds can be taken again by what its callback calls, and by nobody else.
#[test]
fn reentrant_locks_work_through_callbacks_stress() {
    stress(|| {
        let pair = Pair::new();
        let lock = Arc::new(Reentrant::default());
        let held = Arc::clone(&lock);
        let fn_of = Arc::new(Mutex::new(None::<Arc<dyn Callback>>));
        let calls = Arc::clone(&fn_of);
        pair.object.on_int(move |depth| {
            held.with(|| {
                if depth == 0 {
                    return Ok(0);
                }
                let callback = calls.lock().unwrap().clone().unwrap();
                Ok(callback.call(depth)? + 1)
            })
        });
        // What the server holds is a proxy: it calls back here, and here calls there again.
        struct Again(PartyClient);
        impl Callback for Again {
            fn call(&self, depth: i32) -> Result<i32, Error> {
                self.0.call_int_fn(depth - 1)
            }
        }
        pair.party
            .save_callback(Some(Arc::new(Again(pair.party.clone()))))
            .unwrap();
        *fn_of.lock().unwrap() = pair.object.saved();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let party = pair.party.clone();
                start("caller", move || {
                    for _ in 0..10 {
                        assert_eq!(party.call_int_fn(5).unwrap(), 5);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        fn_of.lock().unwrap().take();
    });
}

/// Many threads over one connection: each gets its own answers, on a thread of its own.
#[test]
fn many_threads_over_one_connection_stress() {
    stress(|| {
        let pair = Pair::new();
        pair.object.on_int(|number| {
            LOCAL.set(LOCAL.get() + 1);
            Ok(number * 1000 + LOCAL.get())
        });
        let threads: Vec<_> = (0..32)
            .map(|number| {
                let party = pair.party.clone();
                start("caller", move || {
                    for count in 1..=20 {
                        assert_eq!(party.call_int_fn(number).unwrap(), number * 1000 + count);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        eventually("the threads end", || pair.server.stats().threads == 0);
    });
}

/// One thread over many connections, each with event loops of its own: one call inside the other.
#[test]
fn one_thread_over_many_connections_and_event_loops_stress() {
    stress(|| {
        let pairs: Vec<Pair> = (0..6).map(|_| Pair::new()).collect();
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let me = std::thread::current().id();
        let mut innermost: Arc<dyn IntFn> = Arc::new(|| Ok(0));
        for pair in &pairs {
            let (party, inner, seen) = (pair.party.clone(), innermost, Arc::clone(&threads));
            innermost = Arc::new(move || {
                seen.lock().unwrap().insert(std::thread::current().id());
                Ok(party.pass_fn(Arc::clone(&inner))? + 1)
            });
        }
        assert_eq!(innermost.call().unwrap(), 6);
        assert_eq!(*threads.lock().unwrap(), HashSet::from([me]));
        for pair in &pairs {
            assert_eq!(pair.server.stats().threads, 1);
        }
    });
}

/// A thread that ends frees its thread at the other end, also right after its first call, and while others go on.
#[test]
fn an_exiting_thread_frees_its_remote_thread_stress() {
    stress(|| {
        let pair = Pair::new();
        pair.object.on_int(Ok);
        for _ in 0..20 {
            let party = pair.party.clone();
            start("short", move || party.call_int_fn(1).unwrap())
                .join()
                .unwrap();
        }
        eventually("the threads end", || pair.server.stats().threads == 0);
        eventually("the handles go", || {
            let stats = pair.client.stats();
            stats.calls == 0 && stats.references <= 2 && stats.objects <= 1
        });
        // The other way round: the server's threads call the client.
        pair.party.save_callback(Some(Arc::new(Plus(1)))).unwrap();
        let saved = pair.object.saved().unwrap();
        for number in 0..5 {
            let saved = Arc::clone(&saved);
            let called = start("short", move || saved.call(number).unwrap());
            assert_eq!(called.join().unwrap(), number + 1);
        }
        eventually("the threads end", || pair.client.stats().threads == 0);
    });
}

/// Objects behind a door whose `construct` exchanges the thread maps: the first call already has threads of its own.
#[test]
fn construct_exchanges_thread_maps() {
    within_deadline(|| {
        let object = PartyObject::new();
        object.on_int(Ok);
        let (door, server) = through_door(&object);
        let party = door.make_party().unwrap();
        assert_eq!(party.pass_fn(Arc::new(|| Ok(10))).unwrap(), 10);
        assert_eq!(server.stats().threads, 1);
        drop((party, door));
        server.wait_closed(Some(soon())).unwrap();
        eventually("the thread ends", || server.stats().threads == 0);
    });
}

/// A method that gives its thread map may give an object as well.
#[test]
fn a_method_exchanges_thread_maps_and_makes_an_object() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        let counter = pair.party.meet(5).unwrap();
        assert_eq!(counter.next().unwrap(), 5);
        // And asynchronously.
        let pair = Pair::without_thread_maps();
        let counter = block_on(pair.party.meet_async(5)).unwrap();
        assert_eq!(counter.next().unwrap(), 5);
        assert_eq!(pair.server.stats().threads, 1);
    });
}

/// Without the peer's thread map, the server's callbacks still run on the thread that waits, and everything else fails with
/// a word about threads.
#[test]
fn without_thread_maps_calls_fail_and_say_why() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        pair.object.on_int(Ok);
        let error = pair.party.call_int_fn(1).unwrap_err().to_string();
        assert_eq!(
            error,
            "remote exception: std::exception: no thread specified and no pool configured"
        );
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
    });
}

/// A step down the recursion that notes which thread takes it.
struct Step {
    party: PartyClient,
    threads: Arc<Mutex<HashSet<ThreadId>>>,
}

impl Step {
    fn new(party: &PartyClient, threads: &Arc<Mutex<HashSet<ThreadId>>>) -> Arc<Self> {
        Arc::new(Self {
            party: party.clone(),
            threads: Arc::clone(threads),
        })
    }
}

impl StepFn for Step {
    fn call(&self, depth: i32) -> Result<i32, Error> {
        self.threads
            .lock()
            .unwrap()
            .insert(std::thread::current().id());
        self.party
            .recurse(Self::new(&self.party, &self.threads), depth)
    }
}

struct Plus(i32);

impl Callback for Plus {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg + self.0)
    }
}

/// A lock that its owner can take again.
#[derive(Default)]
struct Reentrant {
    owner: Mutex<(Option<ThreadId>, usize)>,
    free: std::sync::Condvar,
}

impl Reentrant {
    fn with<R>(&self, body: impl FnOnce() -> R) -> R {
        let me = Some(std::thread::current().id());
        let owner = self.owner.lock().unwrap();
        let taken = |(owner, count): &mut (Option<ThreadId>, usize)| *count > 0 && *owner != me;
        // The test itself has a deadline.
        let mut owner = self.free.wait_while(owner, taken).unwrap();
        *owner = (me, owner.1 + 1);
        drop(owner);
        let result = body();
        self.owner.lock().unwrap().1 -= 1;
        self.free.notify_one();
        result
    }
}
