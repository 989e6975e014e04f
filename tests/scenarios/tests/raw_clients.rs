//! Clients that name their threads themselves, rightly and wrongly.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use mp_conn::proxy_capnp::thread;
use multiprocess::Error;
use multiprocess::codegen::capnp;
use patience::deadline;
use scenarios::raw::{self, Peer};
use scenarios::raw_calls::{
    CallsBack, NoThread, add, call_int_fn, failure, fill, make_pool, make_thread, name_of, served,
    thread_map_of,
};
use scenarios::scenarios_capnp::{callback, party};

/// "Make simultaneous IPC calls on single remote thread"
#[test]
fn make_simultaneous_ipc_calls_on_single_remote_thread_stress() {
    patience::stress(|| {
        let (object, stream, _server) = served();
        let expected = Arc::new(AtomicI32::new(100));
        let seen = Arc::clone(&expected);
        object.on_int(move |number| {
            if number != seen.load(Ordering::SeqCst) {
                return Err(Error::failed("out of order"));
            }
            // Time for the others to overtake, if they could.
            std::thread::yield_now();
            seen.fetch_add(100, Ordering::SeqCst);
            Ok(number)
        });
        raw::client(stream, |party: party::Client, _| async move {
            let map = thread_map_of(&party).await;
            // Not awaited: the calls are on their way before the thread is there.
            let thread = make_thread(&map, "raw");
            let calls = (1..=10).map(|index| call_int_fn(&party, index * 100, Some(&thread), None));
            let results = futures::future::join_all(calls).await;
            for (result, index) in results.into_iter().zip(1..) {
                assert_eq!(result.unwrap(), index * 100);
            }
            // And now that it is there, in the same order again.
            call_int_fn(&party, 1100, Some(&thread), None)
                .await
                .unwrap();
        });
        assert_eq!(expected.load(Ordering::SeqCst), 1200);
    });
}

/// "Call async IPC method dispatched to pool thread"
#[test]
fn call_async_ipc_method_dispatched_to_pool_thread() {
    let (object, stream, _server) = served();
    object.on_int(|number| Ok(number * 2));
    raw::client(stream, |party: party::Client, _| async move {
        make_pool(&thread_map_of(&party).await, 2).await.unwrap();
        let calls = (1..=3).map(|number| call_int_fn(&party, number, None, None));
        for (result, number) in futures::future::join_all(calls).await.into_iter().zip(1..) {
            assert_eq!(result.unwrap(), number * 2);
        }
    });
}

/// "Call async IPC method without thread or pool errors correctly"
#[test]
fn call_async_ipc_method_without_thread_or_pool_errors_correctly() {
    let (object, stream, _server) = served();
    object.on_int(Ok);
    raw::client(stream, |party: party::Client, _| async move {
        let error = call_int_fn(&party, 1, None, None).await.unwrap_err();
        assert_eq!(failure(&error), NO_THREAD);
        // The same when there is no context at all.
        let mut request = party.call_int_fn_request();
        request.get().set_arg(1);
        let error = request.send().promise.await.err().unwrap();
        assert_eq!(failure(&error), NO_THREAD);
    });
}

/// A pool's threads take calls in turn, each the one with the fewest in flight, and the first of several.
#[test]
fn a_pool_gives_calls_to_the_thread_with_the_fewest_in_flight() {
    let (object, stream, _server) = served();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let names = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&names);
    object.on_int(move |number| {
        noted.lock().unwrap().push((number, pool_index()));
        if number == 1 {
            released.lock().unwrap().recv_timeout(deadline()).unwrap();
        }
        Ok(number)
    });
    raw::client(stream, |party: party::Client, _| async move {
        make_pool(&thread_map_of(&party).await, 2).await.unwrap();
        let first = call_int_fn(&party, 1, None, None);
        // Thread 0 is busy with it: the others run on thread 1, one after the other.
        for number in 2..=4 {
            assert_eq!(
                call_int_fn(&party, number, None, None).await.unwrap(),
                number
            );
        }
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 1);
        // Both are free: the first one.
        assert_eq!(call_int_fn(&party, 5, None, None).await.unwrap(), 5);
    });
    let names = names.lock().unwrap().clone();
    let on = |number| names.iter().find(|(n, _)| *n == number).unwrap().1.clone();
    assert_eq!(
        [1, 2, 3, 4, 5].map(on),
        ["0", "1", "1", "1", "0"].map(str::to_owned)
    );
}

/// `makePool` makes the one pool of a connection, within the limit; a pool of none leaves it to be made.
#[test]
fn a_pool_is_made_once() {
    let (object, stream, _server) = served();
    object.on_int(Ok);
    raw::client(stream, |party: party::Client, _| async move {
        let map = thread_map_of(&party).await;
        make_pool(&map, 0).await.unwrap();
        let error = make_pool(&map, u32::MAX).await.unwrap_err();
        assert!(failure(&error).contains("pool_threads"), "{error}");
        make_pool(&map, 1).await.unwrap();
        let error = make_pool(&map, 1).await.unwrap_err();
        assert_eq!(
            failure(&error),
            "std::exception: makePool called on connection with existing pool"
        );
    });
}

/// A thread that was made is named after the one that it is for, also if that has no name.
#[test]
fn a_thread_says_its_name() {
    let (_object, stream, _server) = served();
    raw::client(stream, |party: party::Client, _| async move {
        let map = thread_map_of(&party).await;
        let name = name_of(&make_thread(&map, "main")).await;
        let process = format!("server-{}/", std::process::id());
        assert!(
            name.starts_with(&process) && name.ends_with(" (from main)"),
            "{name}"
        );
        let unnamed = map.make_thread_request().send().pipeline.get_result();
        let name = name_of(&unnamed).await;
        assert!(name.ends_with(" (from )"), "{name}");
    });
}

/// A nested wait runs only what belongs to its call: a worker in the middle of a callback runs what its caller sends, and
/// leaves what others sent for it in the queue.
#[test]
fn a_nested_wait_runs_only_what_belongs_to_its_call() {
    let (object, stream, _server) = served();
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    object.on_int(move |number| {
        noted.lock().unwrap().push(number);
        Ok(number)
    });
    raw::client(stream, |party: party::Client, _| async move {
        let map = thread_map_of(&party).await;
        let thread = make_thread(&map, "shared");
        let ours: thread::Client = capnp_rpc::new_client(NoThread);
        let others: thread::Client = capnp_rpc::new_client(NoThread);
        let (entered, inside) = oneshot::channel();
        let (leave, left) = oneshot::channel();
        let callback: callback::Client = capnp_rpc::new_client(Waits {
            entered: Some(entered).into(),
            leave: Some(left).into(),
        });
        let mut request = party.callback_request();
        request.get().set_callback(callback);
        fill(request.get().init_context(), Some(&thread), Some(&ours));
        let outer = request.send().promise;
        inside.await.unwrap();
        // The worker waits for the callback. Another thread's call for it has to wait; its caller's own runs nested.
        let other = call_int_fn(&party, 2, Some(&thread), Some(&others));
        assert_eq!(
            call_int_fn(&party, 1, Some(&thread), Some(&ours))
                .await
                .unwrap(),
            1
        );
        leave.send(5).unwrap();
        assert_eq!(outer.await.unwrap().get().unwrap().get_result(), 5);
        assert_eq!(other.await.unwrap(), 2);
    });
    assert_eq!(*order.lock().unwrap(), [1, 2]);
}

/// A caller that names no thread for callbacks may still call back: nothing else tells its calls apart, and waiting for ever
/// would help nobody.
#[test]
fn a_caller_without_a_callback_thread_can_nest() {
    for in_pool in [false, true] {
        let (object, stream, _server) = served();
        object.on_int(|number| Ok(number + 1));
        raw::client(stream, move |party: party::Client, _| async move {
            let map = thread_map_of(&party).await;
            make_pool(&map, 1).await.unwrap();
            let thread = (!in_pool).then(|| make_thread(&map, "raw"));
            let callback: callback::Client = capnp_rpc::new_client(CallsBack {
                party: party.clone(),
                thread: thread.clone(),
            });
            let mut request = party.callback_request();
            request.get().set_callback(callback);
            request.get().set_arg(1);
            fill(request.get().init_context(), thread.as_ref(), None);
            let result = request.send().promise.await.unwrap();
            assert_eq!(result.get().unwrap().get_result(), 2);
        });
    }
}

/// Calls of many threads of a raw client run beside each other, each thread's own in order.
#[test]
fn threads_do_not_hold_each_other_up() {
    let (object, stream, _server) = served();
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&threads);
    let barrier = Arc::new(std::sync::Barrier::new(8));
    object.on_int(move |number| {
        seen.lock().unwrap().insert(std::thread::current().id());
        barrier.wait();
        Ok(number)
    });
    raw::client(stream, |party: party::Client, _| async move {
        let map = thread_map_of(&party).await;
        let calls = (0..8).map(|number| {
            let thread = make_thread(&map, "one of many");
            call_int_fn(&party, number, Some(&thread), None)
        });
        for result in futures::future::join_all(calls).await {
            result.unwrap();
        }
    });
    assert_eq!(threads.lock().unwrap().len(), 8);
}

/// After `destroy` an object answers calls with an error, and a second `destroy` with success.
#[test]
fn use_after_destroy_is_an_error_at_the_server() {
    let (object, stream, _server) = served();
    raw::client(stream, |party: party::Client, _| async move {
        let thread = make_thread(&thread_map_of(&party).await, "raw");
        let mut request = party.make_thing_request();
        fill(request.get().init_context(), Some(&thread), None);
        let made = request.send().promise.await.unwrap();
        let thing = made.get().unwrap().get_result().unwrap();
        for _ in 0..2 {
            let mut request = thing.destroy_request();
            fill(request.get().init_context(), Some(&thread), None);
            request.send().promise.await.unwrap();
        }
        let mut request = thing.touch_request();
        fill(request.get().init_context(), Some(&thread), None);
        let error = request.send().promise.await.err().unwrap();
        assert_eq!(
            failure(&error),
            "std::exception: Thing object called after it was destroyed"
        );
    });
    assert_eq!(object.live(), 0);
}

/// Methods and interfaces that are not there are told apart, and cost the connection nothing.
#[test]
fn unknown_methods_and_interfaces() {
    let (_object, stream, _server) = served();
    raw::client(stream, |party: party::Client, _| async move {
        let hook = &party.client.hook;
        let error = hook
            .new_call(
                <party::Client as capnp::traits::HasTypeId>::TYPE_ID,
                999,
                None,
            )
            .send()
            .promise
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, capnp::ErrorKind::Unimplemented);
        assert!(error.extra.contains("Method not implemented."), "{error}");
        let error = hook
            .new_call(1, 0, None)
            .send()
            .promise
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, capnp::ErrorKind::Unimplemented);
        assert!(
            error.extra.contains("Requested interface not implemented."),
            "{error}"
        );
        assert_eq!(add(&party).await, 3);
    });
}

/// A raw peer that leaves in the middle of everything leaves nothing behind.
#[test]
fn a_client_that_leaves_frees_its_threads() {
    let (object, stream, server) = served();
    object.on_int(Ok);
    raw::client(stream, |party: party::Client, mut peer: Peer| async move {
        let map = thread_map_of(&party).await;
        make_pool(&map, 3).await.unwrap();
        let thread = make_thread(&map, "raw");
        call_int_fn(&party, 1, Some(&thread), None).await.unwrap();
        peer.spawn(async move {
            // Cut off.
            call_int_fn(&party, 2, Some(&thread), None).await.ok();
        });
        peer.disconnect().await;
    });
    server.wait_closed(Some(patience::soon())).unwrap();
    patience::eventually("the threads end", || server.stats().threads == 0);
}

/// The number of the pool's thread that this is, as its name says.
fn pool_index() -> String {
    let name = multiprocess::thread_name("");
    let (_, rest) = name.split_once("(pool/").unwrap();
    rest.trim_end_matches(')').to_owned()
}

const NO_THREAD: &str = "std::exception: no thread specified and no pool configured";

/// A callback that says when it runs, and answers when it is told.
struct Waits {
    entered: std::cell::RefCell<Option<oneshot::Sender<()>>>,
    leave: std::cell::RefCell<Option<oneshot::Receiver<i32>>>,
}

impl callback::Server for Waits {
    async fn call(
        self: Rc<Self>,
        _params: callback::CallParams,
        mut results: callback::CallResults,
    ) -> Result<(), capnp::Error> {
        self.entered.take().unwrap().send(()).unwrap();
        let leave = self.leave.take().unwrap();
        results.get().set_result(leave.await.unwrap());
        Ok(())
    }

    async fn destroy(
        self: Rc<Self>,
        _params: callback::DestroyParams,
        _results: callback::DestroyResults,
    ) -> Result<(), capnp::Error> {
        Ok(())
    }
}
