//! Threads that wait, and that must not: what gets through, and what fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Condvar, Mutex};

use multiprocess::Error;
use patience::{deadline, eventually, soon, start, stress, within_deadline};
use scenarios::pair::{Pair, event_loop};
use scenarios::scenarios::Party;

/// A thread that may not wait says so instead of waiting: the event loop's own, also inside a method without a context.
#[test]
fn a_blocking_call_on_the_event_loop_thread_is_an_error() {
    within_deadline(|| {
        let pair = Pair::new();
        let (tell, told) = channel();
        let party = pair.party.clone();
        pair.client
            .event_loop()
            .post(move || tell.send(party.add(1, 2)).unwrap());
        let error = told.recv_timeout(deadline()).unwrap().unwrap_err();
        assert!(
            matches!(&error, Error::WouldBlockEventLoop(name) if name == "client"),
            "{error}"
        );
        // The server's method has no context, so it runs where nothing may wait: its callback fails, and the call with it.
        let error = pair
            .party
            .pass_fn_inline(Arc::new(|| Ok(1)))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("blocking IPC call from the event loop thread \"server\""),
            "{error}"
        );
        // An asynchronous call is allowed there.
        let (tell, told) = channel();
        let party = pair.party.clone();
        pair.client
            .event_loop()
            .post(move || tell.send(party.add_async(1, 2)).unwrap());
        let call = told.recv_timeout(deadline()).unwrap();
        assert_eq!(futures::executor::block_on(call).unwrap(), 3);
    });
}

/// The same on the thread of an event loop that is not the connection's: its own connections would wait.
#[test]
fn a_blocking_call_on_another_event_loop_thread_is_an_error() {
    within_deadline(|| {
        let pair = Pair::new();
        let other = event_loop("other");
        let (tell, told) = channel();
        let (party, client) = (pair.party.clone(), pair.client.clone());
        let thing = pair.party.make_thing().unwrap();
        other.post(move || {
            let called = party.add(1, 2).map(drop);
            let closed = client.wait_closed(Some(soon()));
            // Dropping does not wait, and may be done anywhere.
            drop(thing);
            tell.send([called, closed]).unwrap();
        });
        for result in told.recv_timeout(deadline()).unwrap() {
            let error = result.unwrap_err();
            assert!(
                matches!(&error, Error::WouldBlockEventLoop(name) if name == "other"),
                "{error}"
            );
        }
        eventually("it is destroyed", || pair.object.live() == 0);
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
    });
}

/// A method without a context gets through while every mapped thread is blocked.
#[test]
fn a_method_without_context_gets_through_while_all_threads_are_blocked_stress() {
    stress(|| {
        let pair = Pair::new();
        let count = 8;
        let (entered, enters) = channel();
        let opened = Arc::new(AtomicBool::new(false));
        let (door, bell) = (Arc::new(Condvar::new()), Arc::new(Mutex::new(())));
        let (open, (wait_at, guarded_by)) =
            (Arc::clone(&opened), (Arc::clone(&door), Arc::clone(&bell)));
        let entered = Mutex::new(entered);
        pair.object.on_int(move |number| {
            entered.lock().unwrap().send(()).unwrap();
            let guard = guarded_by.lock().unwrap();
            let waited =
                wait_at.wait_timeout_while(guard, deadline(), |()| !open.load(Ordering::SeqCst));
            assert!(!waited.unwrap().1.timed_out());
            Ok(number)
        });
        pair.object.on_call(move || {
            let _guard = bell.lock().unwrap();
            opened.store(true, Ordering::SeqCst);
            door.notify_all();
            Ok(())
        });
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let party = pair.party.clone();
                start("blocked", move || party.call_int_fn(number).unwrap())
            })
            .collect();
        for _ in 0..count {
            enters.recv_timeout(deadline()).unwrap();
        }
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
        pair.party.call_fn().unwrap();
        for (thread, number) in threads.into_iter().zip(0..) {
            assert_eq!(thread.join().unwrap(), number);
        }
    });
}

/// A call that is blocked holds up neither the calls of other threads nor its own thread's callbacks, whichever comes first.
#[test]
fn callers_that_wait_for_each_other_stress() {
    stress(|| {
        let pair = Pair::new();
        let barrier = Arc::new(Barrier::new(8));
        let met = Arc::clone(&barrier);
        pair.object.on_int(move |number| {
            met.wait();
            Ok(number)
        });
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let party = pair.party.clone();
                start("caller", move || {
                    for _ in 0..10 {
                        let again = party.clone();
                        let nested = Arc::new(move || again.call_int_fn(number));
                        assert_eq!(party.pass_fn(nested).unwrap(), number);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
