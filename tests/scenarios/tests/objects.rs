//! Objects and functions that cross: who holds them, for how long, and what they are when they come home.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use multiprocess::Error;
use patience::{deadline, eventually, start, stress, within_deadline};
use scenarios::adds::Adds;
use scenarios::pair::Pair;
use scenarios::raw;
use scenarios::raw_calls::{failure, fill, make_thread, served, thread_map_of};
use scenarios::scenarios::{
    Callback, CallbackClient, Counter, ExtendedCallback, Party, ThingClient,
};
use scenarios::scenarios_capnp::party;

/// An object without `destroy` goes with its last reference.
#[test]
fn an_object_without_destroy_goes_with_its_last_reference_stress() {
    stress(|| {
        let pair = Pair::new();
        let counter = pair.party.make_counter(5).unwrap();
        assert_eq!(counter.next().unwrap(), 5);
        let clone = Arc::clone(&counter);
        drop(counter);
        assert_eq!(clone.next().unwrap(), 6);
        assert_eq!(pair.object.live(), 1);
        drop(clone);
        eventually("it is gone", || pair.object.live() == 0);
    });
}

/// An object that comes home is the one that went out, by its address, and alive, however often it crosses.
#[test]
fn an_object_that_comes_home_is_the_same_stress() {
    stress(|| {
        let pair = Pair::new();
        let ours: Arc<dyn Callback> = Arc::new(Adds(3));
        for _ in 0..20 {
            let back = pair.party.same_callback(Arc::clone(&ours)).unwrap();
            assert!(Arc::ptr_eq(&ours, &back));
            assert_eq!(back.call(1).unwrap(), 4);
        }
        eventually("no reference is left", || Arc::strong_count(&ours) == 1);
        // The server's own comes home to the server: it answers there, without crossing again.
        let counter = pair.party.make_counter(7).unwrap();
        let requests = pair.client.stats().requests;
        assert_eq!(pair.party.next_of(Arc::clone(&counter)).unwrap(), 7);
        assert_eq!(pair.party.next_of(counter).unwrap(), 8);
        assert_eq!(pair.client.stats().requests, requests);
        // The last reference is given away with the call.
        let thing = pair.party.make_thing().unwrap();
        assert_eq!(pair.party.touch_thing(thing).unwrap(), 1);
        eventually("all are gone", || pair.object.live() == 0);
    });
}

/// The same as an asynchronous call, where nobody keeps the argument while the call is under way.
#[test]
fn an_object_that_comes_home_asynchronously_is_alive_stress() {
    stress(|| {
        let pair = Pair::new();
        for _ in 0..20 {
            let thing = pair.party.make_thing().unwrap();
            let call = pair.party.touch_thing_async(thing);
            assert_eq!(futures::executor::block_on(call).unwrap(), 1);
        }
        eventually("all are gone", || pair.object.live() == 0);
    });
}

/// An asynchronous call gives clients, also for an object that is at home: calls on it work, on the calling thread.
#[test]
fn a_client_of_an_object_that_is_at_home_stress() {
    stress(|| {
        let pair = Pair::new();
        let call = pair.party.same_callback_async(Arc::new(Adds(3)));
        let back: CallbackClient = futures::executor::block_on(call).unwrap();
        assert_eq!(back.call(1).unwrap(), 4);
        assert_eq!(futures::executor::block_on(back.call_async(2)).unwrap(), 5);
        let me = std::thread::current().id();
        struct Here(std::thread::ThreadId);
        impl Callback for Here {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                assert_eq!(std::thread::current().id(), self.0);
                Ok(arg)
            }
        }
        let call = pair.party.same_callback_async(Arc::new(Here(me)));
        let back = futures::executor::block_on(call).unwrap();
        assert_eq!(back.call(1).unwrap(), 1);
        // As an argument it goes on to be what it is.
        assert_eq!(pair.party.callback(Arc::new(back), 2).unwrap(), 2);
    });
}

/// An inherited interface is called through its base, and comes home as itself.
#[test]
fn an_inherited_interface_works_through_its_base() {
    within_deadline(|| {
        let pair = Pair::new();
        let extended = Arc::new(Adds(10));
        let ours: Arc<dyn ExtendedCallback> = Arc::<Adds>::clone(&extended);
        assert_eq!(
            pair.party.callback_extended(Arc::clone(&ours), 1).unwrap(),
            111
        );
        // As the base: an argument, and what comes home as one.
        assert_eq!(
            pair.party
                .callback(Arc::<Adds>::clone(&extended), 1)
                .unwrap(),
            11
        );
        let base = pair.party.as_base(Arc::clone(&ours)).unwrap();
        assert_eq!(base.call(1).unwrap(), 11);
        let at_home = Arc::as_ptr(&base).cast::<()>() == Arc::as_ptr(&ours).cast::<()>();
        assert!(at_home, "the same object, seen as its base");
    });
}

/// Functions as arguments: with results, failing, panicking, and none of it hurts the connection.
#[test]
fn functions_fail_and_panic() {
    within_deadline(|| {
        let pair = Pair::new();
        assert_eq!(pair.party.pass_fn(Arc::new(|| Ok(7))).unwrap(), 7);
        let error = pair
            .party
            .pass_fn(Arc::new(|| Err(Error::failed("not today"))))
            .unwrap_err();
        assert!(error.to_string().contains("not today"), "{error}");
        let error = pair
            .party
            .pass_fn(Arc::new(|| panic!("oh no")))
            .unwrap_err();
        assert!(error.to_string().contains("panicked: oh no"), "{error}");
        pair.object.on_int(|_| panic!("at the server"));
        let error = pair.party.call_int_fn(1).unwrap_err().to_string();
        assert_eq!(
            error,
            "remote exception: std::exception: panicked: at the server"
        );
        let error = pair.party.fail("said so").unwrap_err().to_string();
        assert_eq!(error, "remote exception: std::exception: said so");
        // Without a context the panic is on the event loop's thread.
        pair.object.on_call(|| panic!("on the loop"));
        let error = pair.party.call_fn().unwrap_err().to_string();
        assert_eq!(
            error,
            "remote exception: std::exception: panicked: on the loop"
        );
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
    });
}

/// A destructor that panics fails the `destroy` that ran it, or is reported, and hurts nobody.
#[test]
fn destructors_panic() {
    within_deadline(|| {
        struct Bomb;
        impl Callback for Bomb {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                Ok(arg)
            }
        }
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in the destructor");
            }
        }
        let pair = Pair::new();
        pair.party.save_callback(Some(Arc::new(Bomb))).unwrap();
        assert_eq!(pair.party.callback_saved(2).unwrap(), 2);
        pair.party.save_callback(None).unwrap();
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
        // And when it goes with the connection.
        pair.party.save_callback(Some(Arc::new(Bomb))).unwrap();
        pair.end();
    });
}

/// A callback that the server saved is called after the call has ended, from another thread: on a thread made for that one.
#[test]
fn a_saved_callback_is_called_later_from_another_thread_stress() {
    stress(|| {
        let pair = Pair::new();
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        struct Notes(Mutex<std::sync::mpsc::Sender<String>>);
        impl Callback for Notes {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                let name = multiprocess::thread_name("").to_string();
                self.0.lock().unwrap().send(name).unwrap();
                Ok(arg * 2)
            }
        }
        pair.party
            .save_callback(Some(Arc::new(Notes(tell))))
            .unwrap();
        let saved = pair.object.saved().unwrap();
        pair.object.save_callback(None).unwrap();
        let later = start("later", move || {
            let result = saved.call(4).unwrap();
            drop(saved);
            result
        });
        assert_eq!(later.join().unwrap(), 8);
        let name = told.recv_timeout(deadline()).unwrap();
        assert!(name.contains("/later-"), "{name}");
        eventually("the callback is let go of", || {
            told.try_recv()
                .is_err_and(|e| e == std::sync::mpsc::TryRecvError::Disconnected)
        });
        eventually("the thread ends", || pair.client.stats().threads == 0);
    });
}

/// The same with a function, which goes when the server lets go of it.
#[test]
fn a_saved_function_is_called_later_from_another_thread_stress() {
    stress(|| {
        let pair = Pair::new();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let function = move || match counted.fetch_add(1, Ordering::SeqCst) {
            2 => Err(Error::failed("enough")),
            3 => panic!("far too much"),
            before => Ok(i32::try_from(before).map_err(Error::failed)?),
        };
        pair.party.save_fn(Arc::new(function)).unwrap();
        let saved = pair.object.take_fn().unwrap();
        let later = start("later", move || {
            assert_eq!([0, 1].map(|_| saved.call().unwrap()), [0, 1]);
            ["enough", "panicked: far too much"].map(|text| {
                let error = saved.call().unwrap_err().to_string();
                assert!(error.contains(text), "{error}");
            })
        });
        later.join().unwrap();
        eventually("the function is let go of", || {
            Arc::strong_count(&calls) == 1
        });
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
    });
}

/// Null is an error that names the field, unless the builder says that it is allowed.
#[test]
fn null_instead_of_an_object_is_an_error_that_names_the_field() {
    let (object, stream, _server) = served();
    raw::client(stream, |party: party::Client, _| async move {
        let thread = make_thread(&thread_map_of(&party).await, "raw");
        let mut request = party.callback_request();
        fill(request.get().init_context(), Some(&thread), None);
        let error = request.send().promise.await.err().unwrap();
        assert!(failure(&error).contains("callback"), "{error}");
        // Allowed here.
        let mut request = party.save_callback_request();
        fill(request.get().init_context(), Some(&thread), None);
        request.send().promise.await.unwrap();
    });
    assert!(object.saved().is_none());
}

/// Dropping the future of a call cancels it: the method is told, and the peer's thread is not used for the next call while
/// it still runs.
#[test]
fn a_cancelled_call_does_not_block_the_next_one_stress() {
    stress(|| {
        let pair = Pair::new();
        let (entered, enters) = channel();
        let (release, released) = channel::<()>();
        let (entered, released) = (Mutex::new(entered), Mutex::new(released));
        let told = Arc::new(AtomicUsize::new(0));
        let cancelled = Arc::clone(&told);
        pair.object.on_int(move |number| {
            if number == 1 {
                entered.lock().unwrap().send(()).unwrap();
                released.lock().unwrap().recv_timeout(deadline()).unwrap();
                let cancellation = multiprocess::cancellation().unwrap();
                cancelled.fetch_add(usize::from(cancellation.is_cancelled()), Ordering::SeqCst);
            }
            Ok(number)
        });
        let call = pair.party.call_int_fn_async(1);
        enters.recv_timeout(deadline()).unwrap();
        drop(call);
        let next = futures::executor::block_on(pair.party.call_int_fn_async(2));
        assert_eq!(next.unwrap(), 2);
        release.send(()).unwrap();
        eventually("the method is told", || told.load(Ordering::SeqCst) == 1);
        eventually("one thread is kept, or none", || {
            pair.server.stats().threads <= 1
        });
    });
}

/// Clients and futures go wherever their users want them.
#[test]
fn clients_are_send_and_sync() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<CallbackClient>();
    shared::<ThingClient>();
    shared::<Arc<dyn Counter>>();
    sent::<multiprocess::CallFuture<i32>>();
}
