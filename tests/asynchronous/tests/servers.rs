//! Objects whose methods are futures: what they give, where they run, and how they end.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use asynchronous::async_desk::{AsyncDesk, AsyncListener};
use asynchronous::desk::{Desk, DeskClient, DeskDivideError, Listener, Named};
use asynchronous::desk_capnp::desk;
use asynchronous::pair::Pair;
use faults::pair::nothing_left;
use faults::patience::{deadline, eventually, soon, start, within_deadline};
use futures::executor::block_on;
use futures::future::pending;
use mp_conn::{CallContext, Connection};
use multiprocess::codegen::Interface;
use multiprocess::{AsyncServer, Error, EventLoop, Limits};

fn ended(pair: Pair) {
    let Pair {
        desk,
        client,
        server,
    } = pair;
    drop(desk);
    client.close();
    server.wait_closed(Some(soon())).unwrap();
    nothing_left(&client, "client");
    nothing_left(&server, "server");
}

#[test]
fn asynchronous_methods_give_what_blocking_ones_do() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        assert_eq!(pair.desk.echo("hello").unwrap(), "hello");
        let divided = pair.desk.divide(7, 2).unwrap();
        assert_eq!((divided.quotient, divided.remainder), (3, 1));
        let by_zero = pair.desk.divide(7, 0);
        assert!(matches!(by_zero, Err(DeskDivideError::DomainError(text)) if text == "by zero"));
        let small = pair.desk.divide(i32::MIN, 1);
        assert!(
            matches!(small, Err(DeskDivideError::Other(error)) if error.to_string().ends_with("too small"))
        );
        assert_eq!(pair.desk.summary(&[1, 5], true).unwrap().max, Some(5));
        assert_eq!(pair.desk.summary(&[1, 5], false).unwrap().max, None);
        assert_eq!(pair.desk.waiting().unwrap(), 0);
        let room = pair.desk.open(3).unwrap();
        assert_eq!(
            (room.number().unwrap(), room.name().unwrap()),
            (3, "room 3".to_owned())
        );
        assert!(pair.desk.find(-1).unwrap().is_none());
        let error = pair.desk.open(-1).err().unwrap();
        assert!(
            error.to_string().ends_with("std::exception: no such room"),
            "{error}"
        );
        drop(room);
        eventually("the room is gone", || desk.rooms() == 0);
        ended(pair);
    });
}

#[test]
fn an_asynchronous_object_is_called_in_its_own_process_too() {
    within_deadline(|| {
        let desk: Arc<dyn Desk> = AsyncServer::new(AsyncDesk::new());
        assert_eq!(desk.echo("here").unwrap(), "here");
        assert_eq!(desk.open(4).unwrap().name().unwrap(), "room 4");
        let other = Arc::clone(&desk);
        let waiting = start("waits", move || other.wait(5));
        eventually("it waits", || desk.waiting().unwrap() == 1);
        desk.release().unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), 5);
    });
}

#[test]
fn an_asynchronous_object_goes_out_and_comes_home() {
    within_deadline(|| {
        let pair = Pair::of(&AsyncDesk::new()).unwrap();
        let listener: Arc<dyn Listener> = AsyncServer::new(Arc::new(AsyncListener));
        // The client's thread waits for a call of its own process, which another thread runs.
        assert_eq!(pair.desk.ask(Arc::clone(&listener), 1).unwrap(), 2);
        assert_eq!(
            block_on(pair.desk.ask_async(Arc::clone(&listener), 2)).unwrap(),
            3
        );
        // What the method borrowed is gone when it returns.
        assert_eq!(Arc::strong_count(&listener), 1);
        ended(pair);
    });
}

/// Calls `wait` with these numbers, all of them on the counterpart of the calling thread.
fn waits_on_one_thread(pair: &Pair, numbers: std::ops::Range<i32>) -> Vec<mp_conn::Call> {
    let context = CallContext {
        threads: Some(mp_thread::threads(&pair.client, 0).unwrap()),
        ..CallContext::default()
    };
    let target = <dyn Desk as Interface>::as_proxy(&pair.desk).unwrap();
    let id = <dyn Desk as Interface>::INFO.id;
    let call = |number| {
        Connection::call(target.capability(), id, WAIT, &context, |params| {
            let mut params: desk::wait_params::Builder<'_> = params.init_as();
            params.set_number(number);
            Ok(())
        })
    };
    numbers.map(|number| call(number).unwrap()).collect()
}

const WAIT: u16 = 2;

#[test]
fn a_call_occupies_no_thread() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let calls = waits_on_one_thread(&pair, 0..10);
        eventually("all of them wait", || desk.waits() == 10);
        // On the same thread.
        assert_eq!(pair.desk.echo("free").unwrap(), "free");
        assert_eq!(pair.server.stats().threads, 1);
        drop(calls);
        eventually("none of them waits", || desk.waits() == 0);
        ended(pair);
    });
}

#[test]
fn calls_for_one_thread_start_in_their_order() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let (started, starts) = channel();
        desk.on_wait(move |number| {
            started.send(number).unwrap();
            pending()
        });
        let pair = Pair::of(&desk).unwrap();
        let calls = waits_on_one_thread(&pair, 0..200);
        let order = (0..200).map(|_| starts.recv_timeout(deadline()).unwrap());
        assert!(order.eq(0..200));
        drop(calls);
        ended(pair);
    });
}

#[test]
fn giving_up_drops_the_future() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let call = pair.desk.wait_async(1);
        eventually("it waits", || desk.waits() == 1);
        drop(call);
        eventually("it is dropped", || desk.waits() == 0);
        let late = pair
            .desk
            .wait_async(2)
            .with_timeout(std::time::Duration::from_millis(5));
        assert!(matches!(block_on(late), Err(Error::TimedOut)));
        eventually("it is dropped as well", || desk.waits() == 0);
        ended(pair);
    });
}

#[test]
fn a_disconnect_drops_the_futures() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let calls: Vec<_> = (0..20).map(|number| pair.desk.wait_async(number)).collect();
        eventually("they wait", || desk.waits() == 20);
        pair.client.close();
        for call in calls {
            assert!(block_on(call).unwrap_err().is_disconnected());
        }
        eventually("they are dropped", || desk.waits() == 0);
        ended(pair);
    });
}

#[test]
fn a_panic_is_that_calls_failure() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        desk.on_wait(|number| async move {
            assert_ne!(number, 13, "unlucky");
            Ok(number)
        });
        let pair = Pair::of(&desk).unwrap();
        let error = pair.desk.wait(13).unwrap_err();
        assert!(
            error.to_string().contains("panicked: ") && error.to_string().contains("unlucky"),
            "{error}"
        );
        assert_eq!(pair.desk.wait(14).unwrap(), 14);
        ended(pair);
    });
}

#[test]
fn a_blocking_call_on_the_event_loops_thread_is_an_error() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let other = Pair::of(&AsyncDesk::new()).unwrap();
        let (elsewhere, local) = (other.desk.clone(), AsyncServer::new(AsyncDesk::new()));
        desk.on_wait(move |number| {
            let (elsewhere, local) = (elsewhere.clone(), Arc::clone(&local));
            async move {
                // Over another event loop's connection, and to an object of this process.
                let over_there = elsewhere.echo("blocks").unwrap_err();
                let here = Desk::echo(&*local, "blocks").unwrap_err();
                for error in [over_there, here] {
                    assert!(matches!(&error, Error::WouldBlockEventLoop(name) if name == "server"));
                }
                Ok(number)
            }
        });
        let pair = Pair::of(&desk).unwrap();
        assert_eq!(pair.desk.wait(1).unwrap(), 1);
        ended(pair);
        ended(other);
    });
}

#[test]
fn a_method_can_be_told_that_its_caller_gave_up() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        desk.on_wait(|number| async move {
            let cancellation = multiprocess::cancellation().ok_or("it serves a call")?;
            assert!(!cancellation.is_cancelled());
            Ok(number)
        });
        let pair = Pair::of(&desk).unwrap();
        assert_eq!(pair.desk.wait(3).unwrap(), 3);
        ended(pair);
    });
}

/// The name of the thread that runs a wait, by a client's call.
fn runs_on(desk: &AsyncDesk, client: &DeskClient) -> String {
    let name = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&name);
    desk.on_wait(move |number| {
        let told = Arc::clone(&told);
        async move {
            let current = thread::current();
            *told.lock().unwrap() = current.name().unwrap_or_default().to_owned();
            Ok(number)
        }
    });
    client.wait(1).unwrap();
    let name = name.lock().unwrap();
    name.clone()
}

#[test]
fn methods_run_on_the_event_loop_or_where_the_spawner_says() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        assert_eq!(runs_on(&desk, &pair.desk), "server");
        ended(pair);

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("tokio-worker")
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let spawner = move |task| drop(handle.spawn(task));
        let served = AsyncServer::with_spawner(Arc::clone(&desk), spawner);
        let pair = Pair::with(served, Limits::default()).unwrap();
        assert_eq!(runs_on(&desk, &pair.desk), "tokio-worker");
        ended(pair);

        let spawner = |task| smol::spawn(task).detach();
        let served = AsyncServer::with_spawner(Arc::clone(&desk), spawner);
        let pair = Pair::with(served, Limits::default()).unwrap();
        let name = runs_on(&desk, &pair.desk);
        assert!(!name.starts_with("server"), "{name}");
        ended(pair);
    });
}

#[test]
fn a_spawner_that_drops_or_panics_fails_the_call() {
    within_deadline(|| {
        let served = AsyncServer::with_spawner(AsyncDesk::new(), drop);
        let pair = Pair::with(served, Limits::default()).unwrap();
        let error = pair.desk.echo("lost").unwrap_err();
        assert!(error.to_string().contains("without an answer"), "{error}");
        ended(pair);
        let served = AsyncServer::with_spawner(AsyncDesk::new(), |_| panic!("full"));
        let pair = Pair::with(served, Limits::default()).unwrap();
        assert!(pair.desk.echo("lost").is_err());
        ended(pair);
    });
}

#[test]
fn an_object_that_is_destroyed_is_gone_when_the_call_returns() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let room = block_on(pair.desk.open_async(1)).unwrap();
        assert_eq!(desk.rooms(), 1);
        room.destroy().unwrap();
        assert_eq!(desk.rooms(), 0);
        assert!(matches!(room.name(), Err(Error::Destroyed { .. })));
        ended(pair);
    });
}

#[test]
fn futures_of_the_event_loop_survive_panics_and_wake_themselves() {
    within_deadline(|| {
        let event_loop = EventLoop::new("executor").unwrap();
        event_loop.spawn(async { panic!("contained") });
        event_loop.spawn(pending());
        let (done, ends) = channel();
        event_loop.spawn(async move {
            for _ in 0..1000 {
                smol::future::yield_now().await;
            }
            done.send(thread::current().name().map(str::to_owned))
                .unwrap();
        });
        assert_eq!(
            ends.recv_timeout(deadline()).unwrap().as_deref(),
            Some("executor")
        );
        assert!(catch_unwind(AssertUnwindSafe(|| drop(event_loop))).is_ok());
    });
}
