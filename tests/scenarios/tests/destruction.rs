//! When objects end: by `destroy`, by their last reference, and with the method that borrowed them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use multiprocess::Error;
use multiprocess::codegen::Interface;
use patience::{deadline, eventually, start, stress, within_deadline};
use scenarios::adds::Adds;
use scenarios::pair::Pair;
use scenarios::scenarios::{Callback, Party, Thing, ThingClient};

/// What a call borrows is gone when it returns: no reference is left at the other end, not even for a moment.
#[test]
fn a_borrowed_callback_is_gone_when_the_call_returns_stress() {
    stress(|| {
        let pair = Pair::new();
        let callback = Arc::new(Adds(1));
        for number in 0..20 {
            let borrowed = Arc::<Adds>::clone(&callback);
            assert_eq!(pair.party.callback(borrowed, number).unwrap(), number + 1);
            assert_eq!(Arc::strong_count(&callback), 1);
        }
        // Also when the method fails after it took the object.
        let extended = Arc::<Adds>::clone(&callback);
        pair.party
            .callback_extended(extended, i32::MAX)
            .unwrap_err();
        assert_eq!(Arc::strong_count(&callback), 1);
    });
}

/// The same for a method that drops a reference that came over another connection, whose `destroy` calls back.
#[test]
fn what_a_method_drops_is_gone_whichever_connection_it_came_over_stress() {
    stress(|| {
        /// Calls back when it is destroyed.
        struct CallsWhenDropped(scenarios::scenarios::PartyClient, Arc<AtomicUsize>);
        impl Callback for CallsWhenDropped {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                Ok(arg)
            }
        }
        impl Drop for CallsWhenDropped {
            fn drop(&mut self) {
                if self.0.call_int_fn(1).is_ok() {
                    self.1.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        // The middle serves the near pair, and is a client of the far pair: the far end's object is dropped in a near call.
        let (near, far) = (Pair::new(), Pair::new());
        far.object.on_int(Ok);
        let dropped = Arc::new(AtomicUsize::new(0));
        let object = CallsWhenDropped(far.party.clone(), Arc::clone(&dropped));
        far.party.save_callback(Some(Arc::new(object))).unwrap();
        let held = Mutex::new(far.object.saved());
        far.object.save_callback(None).unwrap();
        near.object.on_call(move || {
            drop(held.lock().unwrap().take());
            Ok(())
        });
        near.party.run_fn().unwrap();
        assert_eq!(
            dropped.load(Ordering::SeqCst),
            1,
            "destroyed before the answer"
        );
    });
}

/// A `destroy` that follows a call which was given up comes for a thread that does not wait any more: the object goes all the
/// same, whatever its thread does, and the method's own end does not wait for that thread.
#[test]
fn a_destroy_after_a_call_that_timed_out_does_not_wait_for_its_thread_stress() {
    stress(|| {
        let pair = Pair::new();
        pair.object.on_int(Ok);
        let (go, going) = channel::<()>();
        let (entered, enters) = channel();
        let (ended, ends) = channel();
        // Weak: the object holds what it is to do.
        let (going, object) = (Mutex::new(going), Arc::downgrade(&pair.object));
        pair.object.on_call(move || {
            // Twice perhaps: a second call may be given up too late to be withheld. Then nobody listens any more.
            entered.send(()).ok();
            let told = going.lock().unwrap().recv_timeout(deadline());
            assert_eq!(told, Err(RecvTimeoutError::Disconnected));
            // The last reference: its `destroy` names the thread that called.
            object.upgrade().unwrap().save_callback(None)?;
            ended.send(()).ok();
            Ok(())
        });
        let callback = Arc::new(Adds(1));
        let saved = Arc::<Adds>::clone(&callback);
        pair.party.save_callback(Some(saved)).unwrap();
        // A call that is given up before its method starts is not executed.
        let mut patience = Duration::from_millis(5);
        while enters.try_recv().is_err() {
            let quick = pair.party.with_timeout(patience);
            assert!(matches!(quick.run_fn(), Err(Error::TimedOut)));
            patience *= 2;
        }
        drop(go);
        ends.recv_timeout(deadline()).unwrap();
        eventually("it is gone", || Arc::strong_count(&callback) == 1);
        eventually("the method has ended", || pair.server.stats().requests == 0);
        assert_eq!(pair.party.call_int_fn(2).unwrap(), 2);
    });
}

/// The same for one that is on its way when the deadline passes: whoever comes first, it is not left behind.
#[test]
fn a_destroy_that_meets_the_deadline_of_its_call_is_not_left_behind_stress() {
    stress(|| {
        let pair = Pair::new();
        for round in 0..50 {
            let object = Arc::downgrade(&pair.object);
            pair.object
                .on_call(move || object.upgrade().unwrap().save_callback(None));
            let callback = Arc::new(Adds(1));
            let saved = Arc::<Adds>::clone(&callback);
            pair.party.save_callback(Some(saved)).unwrap();
            let quick = pair.party.with_timeout(Duration::from_micros(20 * round));
            let result = quick.run_fn();
            assert!(
                matches!(result, Ok(()) | Err(Error::TimedOut)),
                "{result:?}"
            );
            eventually("the method has ended", || pair.server.stats().requests == 0);
            // A call that was given up before it started has not run.
            if pair.object.saved().is_none() {
                eventually("it is gone", || Arc::strong_count(&callback) == 1);
            }
        }
    });
}

/// Using an object after `destroy` is an error on this side, through every clone, and nothing crosses.
#[test]
fn use_after_destroy_is_an_error_at_the_client() {
    within_deadline(|| {
        let pair = Pair::new();
        let thing = futures::executor::block_on(pair.party.make_thing_async()).unwrap();
        assert_eq!(thing.touch().unwrap(), 1);
        let other: ThingClient = thing.clone();
        thing.destroy().unwrap();
        assert_eq!(pair.object.live(), 0, "gone when `destroy` returns");
        for error in [other.touch().unwrap_err(), thing.touch().unwrap_err()] {
            assert!(
                matches!(&error, Error::Destroyed { interface } if interface == "Thing"),
                "{error}"
            );
        }
        assert!(matches!(other.destroy(), Err(Error::Destroyed { .. })));
        let touched = pair.party.touch_thing(Arc::new(other)).unwrap_err();
        assert!(
            touched
                .to_string()
                .contains("Thing object called after it was destroyed"),
            "{touched}"
        );
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
    });
}

/// When `destroy` returns, the object is gone, though other threads called it up to that moment.
#[test]
fn destroy_waits_for_calls_that_have_returned_stress() {
    stress(|| {
        let pair = Pair::new();
        for _ in 0..20 {
            let thing = futures::executor::block_on(pair.party.make_thing_async()).unwrap();
            let other = thing.clone();
            let (tell, told) = channel();
            let touching = start("other", move || tell.send(other.touch()).unwrap());
            told.recv_timeout(deadline()).unwrap().unwrap();
            thing.destroy().unwrap();
            assert_eq!(pair.object.live(), 0);
            touching.join().unwrap();
        }
    });
}

/// A destructor may wait for whatever it wants, also where it runs because a call that was the last to hold the object ended:
/// its thread reads nobody's socket meanwhile.
#[test]
fn destructors_may_wait_for_other_calls_stress() {
    stress(|| {
        struct Slow {
            entered: Mutex<std::sync::mpsc::Sender<()>>,
            leave: Mutex<std::sync::mpsc::Receiver<()>>,
            go: Mutex<std::sync::mpsc::Receiver<()>>,
            done: Mutex<std::sync::mpsc::Sender<()>>,
        }
        impl Callback for Slow {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                self.entered.lock().unwrap().send(()).unwrap();
                self.leave.lock().unwrap().recv_timeout(deadline()).unwrap();
                Ok(arg)
            }
        }
        impl Drop for Slow {
            fn drop(&mut self) {
                self.go.get_mut().unwrap().recv_timeout(deadline()).unwrap();
                self.done.get_mut().unwrap().send(()).unwrap();
            }
        }
        struct Go(Mutex<std::sync::mpsc::Sender<()>>);
        impl Callback for Go {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                self.0.lock().unwrap().send(()).unwrap();
                Ok(arg)
            }
        }
        let pair = Pair::new();
        let ((entered, enters), (leave, leaves)) = (channel(), channel());
        let ((go, goes), (done, ends)) = (channel(), channel());
        let slow = Slow {
            entered: entered.into(),
            leave: leaves.into(),
            go: goes.into(),
            done: done.into(),
        };
        pair.party.save_callback(Some(Arc::new(slow))).unwrap();
        let slow = pair.object.saved().unwrap();
        pair.party
            .save_callback(Some(Arc::new(Go(go.into()))))
            .unwrap();
        let go = pair.object.saved().unwrap();
        // The server's thread calls; another one destroys the object meanwhile; then the call is the last that holds it.
        let called = Arc::clone(&slow);
        let calling = start("calls", move || called.call(1).unwrap());
        enters.recv_timeout(deadline()).unwrap();
        slow.as_proxy().unwrap().destroy().unwrap();
        leave.send(()).unwrap();
        assert_eq!(calling.join().unwrap(), 1);
        assert_eq!(go.call(2).unwrap(), 2);
        ends.recv_timeout(deadline()).unwrap();
    });
}

/// The last clone that is dropped destroys the object, without waiting for it.
#[test]
fn the_last_clone_that_is_dropped_destroys_the_object_stress() {
    stress(|| {
        let pair = Pair::new();
        let things: Vec<_> = (0..10).map(|_| pair.party.make_thing().unwrap()).collect();
        let clones = things.clone();
        assert_eq!(pair.object.live(), 10);
        drop(things);
        // A call on the same thread comes after whatever the drops sent before it.
        pair.party.make_counter(0).unwrap();
        assert!(pair.object.live() >= 10);
        drop(clones);
        eventually("all are destroyed", || pair.object.live() == 0);
        // Also on the event loop's thread, which must not wait.
        let thing = pair.party.make_thing().unwrap();
        pair.client.event_loop().post(move || drop(thing));
        eventually("it is destroyed", || pair.object.live() == 0);
    });
}
