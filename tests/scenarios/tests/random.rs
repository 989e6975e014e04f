//! Random calls, callbacks, drops and thread exits, for as long as the variable `MP_STRESS_SECONDS` says.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use multiprocess::{Error, Stats};
use patience::{eventually, start};
use scenarios::pair::Pair;
use scenarios::scenarios::{Callback, Counter, Party, PartyClient, StepFn, Thing};

const THREADS: usize = 64;
const CONNECTIONS: usize = 4;

/// 64 threads and 4 connections: every call gets its own answer; in the end nothing is left, not an object, a thread or a
/// descriptor; and it ends.
#[test]
fn random_calls_callbacks_drops_and_thread_exits_stress() {
    let seconds = std::env::var("MP_STRESS_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(3);
    let before = (threads(), descriptors());
    let (done, ends) = std::sync::mpsc::channel();
    let body = start("random", move || {
        run(Duration::from_secs(seconds));
        done.send(()).ok();
    });
    let limit = Duration::from_secs(seconds + 60);
    match ends.recv_timeout(limit) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => body.join().unwrap(),
    }
    eventually("all threads end", || threads() <= before.0);
    eventually("all descriptors are closed", || descriptors() <= before.1);
}

fn run(time: Duration) {
    let pairs: Arc<Vec<Pair>> = Arc::new((0..CONNECTIONS).map(|_| Pair::new()).collect());
    for pair in &*pairs {
        pair.object.on_int(|number| Ok(number + 1));
    }
    let end = Instant::now() + time;
    let calls = Arc::new(AtomicUsize::new(0));
    let callbacks = Arc::new(AtomicUsize::new(0));
    let slots: Vec<_> = (0..THREADS)
        .map(|index| {
            let (pairs, calls) = (Arc::clone(&pairs), Arc::clone(&calls));
            let callbacks = Arc::clone(&callbacks);
            start("slot", move || {
                let mut random = Random(index as u64 + 1);
                // Threads come and go; there are as many at a time as there are slots.
                while Instant::now() < end {
                    let mut user = User::new(&pairs, random.next(), &callbacks);
                    let steps = 1 + random.below(30);
                    let count = start("user", move || {
                        (0..steps).for_each(|_| user.step());
                        steps
                    });
                    calls.fetch_add(count.join().unwrap(), Ordering::SeqCst);
                }
            })
        })
        .collect();
    for slot in slots {
        slot.join().unwrap();
    }
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls >= THREADS, "only {calls} calls");
    assert!(callbacks.load(Ordering::SeqCst) > 0, "no callbacks");
    for pair in &*pairs {
        // The last ones saved.
        pair.party.save_callback(None).unwrap();
    }
    eventually("all callbacks are dropped", || {
        LIVE_CALLBACKS.load(Ordering::SeqCst) == 0
    });
    let pairs = Arc::into_inner(pairs).expect("all users are gone");
    for pair in pairs {
        check_end(pair);
    }
}

fn check_end(pair: Pair) {
    eventually("all objects are destroyed", || pair.object.live() == 0);
    let idle = |stats: Stats| stats.calls + stats.requests + stats.queued_bytes == 0;
    eventually("all calls are answered", || {
        idle(pair.client.stats()) && idle(pair.server.stats())
    });
    // What is left is what the thread that checks uses, and the threads that are kept for asynchronous calls.
    let kept = 1 + pair.server.stats().threads;
    eventually("all threads are freed", || {
        pair.client.stats().threads <= THREADS * 2 && pair.server.stats().objects <= kept + 2
    });
    let (client, server) = (pair.client.clone(), pair.server.clone());
    pair.end();
    for end in [client, server] {
        eventually("nothing is left", || end.stats() == Stats::default());
    }
}

/// What one thread does.
struct User {
    pairs: Arc<Vec<Pair>>,
    random: Random,
    callbacks: Arc<AtomicUsize>,
    things: Vec<(Arc<dyn Thing>, i32)>,
    counters: Vec<(Arc<dyn Counter>, i32)>,
}

impl User {
    fn new(pairs: &Arc<Vec<Pair>>, seed: u64, callbacks: &Arc<AtomicUsize>) -> Self {
        Self {
            pairs: Arc::clone(pairs),
            random: Random(seed | 1),
            callbacks: Arc::clone(callbacks),
            things: Vec::new(),
            counters: Vec::new(),
        }
    }

    /// One random call, with an answer that is known.
    fn step(&mut self) {
        let party = self.pairs[self.random.below(CONNECTIONS)].party.clone();
        let number = self.random.below(1000) as i32;
        match self.random.below(13) {
            0 => assert_eq!(party.add(number, 1).unwrap(), number + 1),
            1 => assert_eq!(party.call_int_fn(number).unwrap(), number + 1),
            2 => {
                let callback = self.callback(number);
                assert_eq!(party.callback(callback, 5).unwrap(), number + 5);
            }
            3 => self.recurse(&party),
            4 => self.things.push((party.make_thing().unwrap(), 0)),
            5 => self
                .counters
                .push((party.make_counter(number).unwrap(), number)),
            6 => {
                for (thing, count) in &mut self.things {
                    *count += 1;
                    assert_eq!(thing.touch().unwrap(), *count);
                }
            }
            7 => {
                for (counter, next) in &mut self.counters {
                    assert_eq!(counter.next().unwrap(), *next);
                    *next += 1;
                }
            }
            8 => drop(self.things.pop()),
            9 => drop(self.counters.pop()),
            10 => {
                let call = party.call_int_fn_async(number);
                // Now and then nobody wants the answer.
                if self.random.below(3) > 0 {
                    assert_eq!(futures::executor::block_on(call).unwrap(), number + 1);
                }
            }
            11 => {
                let ours = self.callback(number);
                let back = party.same_callback(Arc::clone(&ours)).unwrap();
                assert!(Arc::ptr_eq(&ours, &back));
            }
            _ => {
                let saved = Some(self.callback(1000));
                party.save_callback(saved).unwrap();
                // Whoever's it is by now.
                let result = party.callback_saved(1).unwrap();
                assert_eq!(result, 1001);
            }
        }
    }

    fn callback(&self, plus: i32) -> Arc<dyn Callback> {
        LIVE_CALLBACKS.fetch_add(1, Ordering::SeqCst);
        Arc::new(Plus(plus, Arc::clone(&self.callbacks)))
    }

    fn recurse(&mut self, party: &PartyClient) {
        /// Goes down on a random connection.
        struct Down(Arc<Vec<Pair>>, Mutex<Random>);
        impl StepFn for Down {
            fn call(&self, depth: i32) -> Result<i32, Error> {
                let mut random = self.1.lock().unwrap();
                let party = self.0[random.below(CONNECTIONS)].party.clone();
                let next = Random(random.next() | 1);
                drop(random);
                party.recurse(Arc::new(Self(Arc::clone(&self.0), Mutex::new(next))), depth)
            }
        }
        let depth = self.random.below(6) as i32;
        let seed = Mutex::new(Random(self.random.next() | 1));
        let down = Arc::new(Down(Arc::clone(&self.pairs), seed));
        assert_eq!(party.recurse(down, depth).unwrap(), depth);
    }
}

/// Adds, and is counted.
struct Plus(i32, Arc<AtomicUsize>);

static LIVE_CALLBACKS: AtomicUsize = AtomicUsize::new(0);

impl Callback for Plus {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Ok(arg + self.0)
    }
}

impl Drop for Plus {
    fn drop(&mut self) {
        LIVE_CALLBACKS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Numbers that look random, and are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
