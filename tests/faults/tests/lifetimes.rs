//! Disconnects at each point of a call's life, from either side, and what happens to objects, proxies, hooks and threads.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use faults::faults::{Item, Listener, Site};
use faults::live::Register;
use faults::pair::{Loops, Pair, nothing_left};
use faults::patience::{deadline, eventually, soon, start, stress, within_deadline};
use faults::process::Usage;
use faults::site::lock;
use futures::executor::block_on;
use multiprocess::{Cancellation, Connection, Error};

/// Calls a function when it is woken.
struct Call(Box<dyn Fn() + Send + Sync>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// The two ends, of which the first goes.
fn sides(pair: &Pair) -> [Connection; 2] {
    [pair.client.clone(), pair.server.clone()]
}

#[test]
fn a_running_method_goes_on_and_is_told_stress() {
    stress(|| {
        for side in 0..2 {
            let pair = Pair::new();
            let (started, starts) = channel();
            let (told, tells) = channel();
            let (finished, finishes) = channel();
            pair.object.on_work(move |number| {
                let cancellation = multiprocess::cancellation().unwrap();
                assert!(!cancellation.is_cancelled());
                let told = told.clone();
                let waker = Arc::new(Call(Box::new(move || told.send(()).unwrap())));
                cancellation.wake_on_cancel(&Waker::from(waker));
                started.send(()).unwrap();
                eventually("the method is told", || cancellation.is_cancelled());
                finished.send(()).unwrap();
                Ok(number)
            });
            let site = pair.site.clone();
            let calling = start("calls", move || site.work(1));
            starts.recv_timeout(deadline()).unwrap();
            sides(&pair)[side].close();
            let error = calling.join().unwrap().unwrap_err();
            assert!(error.is_disconnected(), "{error}");
            tells.recv_timeout(deadline()).unwrap();
            finishes.recv_timeout(deadline()).unwrap();
            pair.end();
        }
    });
}

#[test]
fn a_late_result_is_dropped_stress() {
    stress(|| {
        let pair = Pair::new();
        let held: Arc<Mutex<Option<Cancellation>>> = Arc::default();
        let (kept, server) = (Arc::clone(&held), pair.server.clone());
        pair.object.on_work(move |number| {
            *lock(&kept) = multiprocess::cancellation();
            server.close();
            Ok(number)
        });
        assert!(pair.site.work(1).unwrap_err().is_disconnected());
        let held = lock(&held).take().unwrap();
        eventually("it is told", || held.is_cancelled());
        pair.end();
    });
}

#[test]
fn a_callback_under_way_when_the_connection_ends_stress() {
    stress(|| {
        for side in 0..2 {
            let pair = Pair::new();
            let register = Register::default();
            let (ending, entry) = (sides(&pair)[side].clone(), register.enter(1));
            let function = move |number: i32| {
                ending.close();
                Ok(number + entry.number())
            };
            let error = pair.site.apply(Arc::new(function), 1).unwrap_err();
            assert!(error.is_disconnected(), "{error}");
            eventually("the function is gone", || register.live() == 0);
            pair.end();
        }
    });
}

#[test]
fn every_call_under_way_fails_at_once_stress() {
    stress(|| {
        for side in 0..2 {
            let pair = Pair::new();
            let (started, starts) = channel();
            pair.object.on_work(move |number| {
                let cancellation = multiprocess::cancellation().unwrap();
                started.send(()).unwrap();
                eventually("the method is told", || cancellation.is_cancelled());
                Ok(number)
            });
            let calls = (0..3).map(|number| {
                let site = pair.site.clone();
                start("calls", move || site.work(number))
            });
            let calls: Vec<_> = calls.collect();
            let waiting: Vec<_> = (0..3).map(|number| pair.site.work_async(number)).collect();
            for _ in 0..6 {
                starts.recv_timeout(deadline()).unwrap();
            }
            sides(&pair)[side].close();
            for call in calls {
                assert!(call.join().unwrap().unwrap_err().is_disconnected());
            }
            for call in waiting {
                assert!(block_on(call).unwrap_err().is_disconnected());
            }
            pair.end();
        }
    });
}

#[test]
fn objects_are_released_newest_first() {
    within_deadline(|| {
        for side in 0..2 {
            let pair = Pair::new();
            let items: Vec<_> = (1..=20)
                .map(|number| pair.site.make(number).unwrap())
                .collect();
            sides(&pair)[side].close();
            eventually("the objects are gone", || pair.object.register.live() == 0);
            let newest_first: Vec<i32> = (1..=20).rev().collect();
            assert_eq!(pair.object.register.gone(), newest_first);
            drop(items);
            pair.end();
        }
    });
}

#[test]
fn proxies_outlive_their_connection_and_event_loop() {
    within_deadline(|| {
        let pair = Pair::new();
        let (item, token) = (pair.site.make(1).unwrap(), pair.site.make_token(2).unwrap());
        let (site, waiting) = (pair.site.clone(), pair.site.work_async(3));
        pair.client.close();
        pair.server.wait_closed(Some(soon())).unwrap();
        drop(pair);
        assert!(item.number().unwrap_err().is_disconnected());
        assert!(token.read().unwrap_err().is_disconnected());
        assert!(site.touch(item).unwrap_err().is_disconnected());
        assert!(site.make(1).err().unwrap().is_disconnected());
        assert!(block_on(site.work_async(1)).unwrap_err().is_disconnected());
        // It was answered in time, or not.
        drop(block_on(waiting));
        drop((token, site));
    });
}

#[test]
fn hooks_run_once_and_late_ones_too() {
    within_deadline(|| {
        for side in 0..2 {
            let pair = Pair::new();
            pair.site.work(1).unwrap();
            let (ran, runs) = channel();
            let hook = |name: &'static str| {
                let ran = ran.clone();
                move || ran.send(name).unwrap()
            };
            pair.client.on_disconnect(hook("client"));
            pair.server.on_disconnect(hook("server"));
            sides(&pair)[side].close();
            let mut ended = [
                runs.recv_timeout(deadline()).unwrap(),
                runs.recv_timeout(deadline()).unwrap(),
            ];
            ended.sort_unstable();
            assert_eq!(ended, ["client", "server"]);
            pair.client.on_disconnect(hook("late"));
            assert_eq!(runs.recv_timeout(deadline()).unwrap(), "late");
            // A hook may use the connection, and panic.
            let client = pair.client.clone();
            pair.client.on_disconnect(move || {
                client.close();
                panic!("in a hook");
            });
            pair.client.on_disconnect(hook("after"));
            assert_eq!(runs.recv_timeout(deadline()).unwrap(), "after");
            pair.end();
        }
    });
}

#[test]
fn the_last_handle_of_an_event_loop_ends_its_threads() {
    within_deadline(|| {
        let before = Usage::here();
        let loops = Loops::new();
        let pair = loops.pair();
        pair.site.work(1).unwrap();
        drop(loops);
        let Pair {
            site,
            object,
            client,
            server,
        } = pair;
        // The objects still hold the loops.
        assert_eq!(site.work(2).unwrap(), 2);
        drop((site, client));
        server.wait_closed(Some(soon())).unwrap();
        nothing_left(&server, "server");
        drop((server, object));
        // This thread's own context holds a descriptor that others of this process may have had too.
        eventually("threads are gone", || {
            Usage::here().threads <= before.threads
        });
        eventually("descriptors are closed", || {
            Usage::here().descriptors <= before.descriptors + 1
        });
    });
}

#[test]
fn a_connection_ends_itself_from_inside_of_everything() {
    within_deadline(|| {
        /// Ends a connection when it is dropped.
        struct Closes(Connection);
        impl Item for Closes {
            fn number(&self) -> Result<i32, Error> {
                self.0.close();
                Ok(1)
            }
        }
        impl Listener for Closes {
            fn hear(&self, number: i32) -> Result<i32, Error> {
                Ok(number)
            }
        }
        impl Drop for Closes {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        for side in 0..2 {
            // In a destructor that a `destroy` of the peer runs.
            let pair = Pair::new();
            let closes = Arc::new(Closes(sides(&pair)[side].clone()));
            pair.site.save(closes).unwrap();
            drop(pair.site.forget());
            pair.client.wait_closed(Some(soon())).unwrap();
            pair.end();
            // On the loop's own thread.
            let pair = Pair::new();
            pair.site.work(1).unwrap();
            let ending = sides(&pair)[side].clone();
            let event_loop = ending.event_loop().clone();
            event_loop.post(move || ending.close());
            pair.client.wait_closed(Some(soon())).unwrap();
            pair.end();
        }
    });
}
