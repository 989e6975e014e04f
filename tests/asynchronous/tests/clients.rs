//! Futures of calls: objects that can be called before they are there, deadlines, destroying, dropping, and whose threads run what.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use asynchronous::async_desk::{AsyncDesk, AsyncListener};
use asynchronous::blocking_desk::BlockingDesk;
use asynchronous::desk::{Desk, DeskEnterError, Listener, Room};
use asynchronous::pair::Pair;
use faults::pair::nothing_left;
use faults::patience::{eventually, soon, stress, within_deadline};
use futures::executor::block_on;
use futures::future::{join, poll_immediate, try_join_all};
use multiprocess::{AsyncServer, CallFuture, Error, Limits, ObjectFuture, TypedFuture};

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<CallFuture<String>>();
    is_send::<ObjectFuture<asynchronous::desk::RoomClient>>();
    is_send::<TypedFuture<asynchronous::desk::DeskDivideResult, asynchronous::desk::DeskDivideError>>(
    );
};

fn no_calls(pair: &Pair) {
    eventually("the client has no calls", || pair.client.stats().calls == 0);
    eventually("the server has no calls", || {
        pair.server.stats().requests == 0
    });
}

#[test]
fn an_object_is_called_before_it_is_there() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        // It is the second pointer of the results.
        let room = pair.desk.open_async(7).pipelined().unwrap();
        let (number, name) = (room.number_async(), room.name_async());
        assert_eq!(block_on(join(number, name)).0.unwrap(), 7);
        assert_eq!(room.number().unwrap(), 7);
        drop(room);
        eventually("it was destroyed", || desk.rooms() == 0);
        // It may be null.
        let room = pair.desk.find_async(8).pipelined().unwrap();
        assert_eq!(block_on(room.number_async()).unwrap(), 8);
        let none = pair.desk.find_async(-1).pipelined().unwrap();
        // Again when it is known that it is: the answer of the first call comes after that.
        for _ in 0..2 {
            let error = block_on(none.number_async()).unwrap_err();
            assert!(!error.is_disconnected(), "{error}");
        }
        // Its method may fail.
        let failed = pair.desk.open_async(-1).pipelined().unwrap();
        let error = block_on(failed.number_async()).unwrap_err();
        assert!(error.to_string().contains("no such room"), "{error}");
        drop((room, none, failed));
        no_calls(&pair);
        eventually("all were destroyed", || desk.rooms() == 0);
    });
}

#[test]
fn an_object_beside_other_results_is_called_before_it_is_there() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        // A method with an exception: its answer is the client, or the exception.
        let entered = pair.desk.enter_async(4).pipelined().unwrap();
        assert_eq!(block_on(entered.number_async()).unwrap(), 4);
        let room = block_on(pair.desk.enter_async(5).with_deadline(soon())).unwrap();
        assert_eq!(block_on(room.number_async()).unwrap(), 5);
        let error = block_on(pair.desk.enter_async(-1)).unwrap_err();
        assert!(matches!(error, DeskEnterError::DomainError(_)), "{error}");
        let refused = pair.desk.enter_async(-1).pipelined().unwrap();
        assert!(block_on(refused.number_async()).is_err());
        // A method with another result, and an object that may not be there.
        let rented = pair.desk.rent_async(6).pipelined().unwrap();
        assert_eq!(block_on(rented.number_async()).unwrap(), 6);
        let rent = block_on(pair.desk.rent_async(7)).unwrap();
        assert_eq!((rent.price, rent.room.unwrap().number().unwrap()), (70, 7));
        let none = pair.desk.rent_async(-1).pipelined().unwrap();
        assert!(block_on(none.number_async()).is_err());
        drop((entered, room, refused, rented, none));
        no_calls(&pair);
        eventually("all were destroyed", || desk.rooms() == 0);
    });
}

#[test]
fn a_call_of_its_own_deadline_is_cancelled_on_the_wire() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        pair.client.set_timeout(Some(Duration::from_secs(600)));
        let patient = pair.desk.with_timeout(Duration::from_secs(300));
        let late = patient.wait_async(1).with_timeout(Duration::from_millis(5));
        assert!(matches!(block_on(late), Err(Error::TimedOut)));
        eventually("the peer was told", || desk.waits() == 0);
        let late = patient
            .wait_async(1)
            .with_deadline(std::time::Instant::now());
        assert!(matches!(block_on(late), Err(Error::TimedOut)));
        // The client's own, and the connection's.
        let hasty = pair.desk.with_timeout(Duration::from_millis(5));
        assert!(matches!(
            block_on(hasty.wait_async(1)),
            Err(Error::TimedOut)
        ));
        assert!(matches!(hasty.wait(1), Err(Error::TimedOut)));
        pair.client.set_timeout(Some(Duration::from_millis(5)));
        assert!(matches!(
            block_on(pair.desk.wait_async(1)),
            Err(Error::TimedOut)
        ));
        assert!(matches!(pair.desk.wait(1), Err(Error::TimedOut)));
        eventually("the peer was told each time", || desk.waits() == 0);
        // The call's own may be later than both.
        let call = hasty.wait_async(2).with_deadline(soon());
        eventually("it waits", || desk.waits() == 1);
        let released = pair
            .desk
            .with_timeout(Duration::from_secs(60))
            .release_async();
        assert!(matches!(block_on(join(call, released)), (Ok(2), Ok(()))));
        no_calls(&pair);
    });
}

#[test]
fn typed_and_object_futures_have_deadlines() {
    within_deadline(|| {
        let pair = Pair::of(&AsyncDesk::new()).unwrap();
        let typed = pair.desk.divide_async(6, 3).with_timeout(Duration::MAX);
        assert_eq!(block_on(typed).unwrap().quotient, 2);
        let room = pair.desk.open_async(3).with_deadline(soon());
        assert_eq!(block_on(room).unwrap().number().unwrap(), 3);
    });
}

#[test]
fn destroying_without_waiting() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let room = block_on(pair.desk.open_async(1)).unwrap();
        let twin = room.clone();
        block_on(room.destroy_async()).unwrap();
        assert_eq!(desk.rooms(), 0);
        for result in [block_on(twin.destroy_async()), twin.destroy()] {
            assert!(matches!(result, Err(Error::Destroyed { .. })));
        }
        assert!(matches!(
            block_on(twin.number_async()),
            Err(Error::Destroyed { .. })
        ));
        // Dropped, the future leaves the object to its last reference.
        let room = block_on(pair.desk.open_async(2)).unwrap();
        drop(room.destroy_async());
        drop(room);
        eventually("it is gone", || desk.rooms() == 0);
        no_calls(&pair);
    });
}

#[test]
fn the_end_of_a_connection_is_a_future() {
    within_deadline(|| {
        let pair = Pair::of(&AsyncDesk::new()).unwrap();
        let (client, server) = (pair.client.closed(), pair.server.closed());
        assert!(block_on(poll_immediate(pair.client.closed())).is_none());
        pair.client.close();
        block_on(join(client, server));
        block_on(pair.client.closed());
    });
}

/// One of several kinds of call.
fn any_call(pair: &Pair, kind: u32, number: i32) -> CallFuture<i32> {
    let listener: Arc<dyn Listener> = AsyncServer::new(Arc::new(AsyncListener));
    match kind {
        0 => pair.desk.wait_async(number),
        1 => pair.desk.ask_async(listener, number),
        2 => match pair.desk.open_async(number).pipelined() {
            Ok(room) => room.number_async(),
            Err(error) => panic!("{error}"),
        },
        _ => {
            let timeout = Duration::from_micros(200);
            pair.desk.wait_async(number).with_timeout(timeout)
        }
    }
}

#[test]
fn futures_can_be_dropped_at_any_moment_stress() {
    stress(|| {
        let desk = AsyncDesk::new();
        desk.on_wait(|number| async move {
            for _ in 0..number % 5 {
                smol::future::yield_now().await;
            }
            Ok(number)
        });
        let mut limits = Limits::default();
        limits.async_threads = 8;
        let pair = Pair::with(AsyncServer::new(Arc::clone(&desk)), limits).unwrap();
        let mut random: u32 = 1;
        let mut kept = Vec::new();
        for number in 0..1_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let call = any_call(&pair, random >> 30, number);
            match (random >> 20) % 8 {
                0 => drop(call),
                1 => drop(poll_immediate(call)),
                2 => call.detach(()),
                3 => {
                    let _: Option<_> = block_on(poll_immediate(call));
                }
                4 => {
                    // A deadline may have passed.
                    let result = block_on(call);
                    assert!(matches!(result, Ok(_) | Err(Error::TimedOut)));
                }
                _ => kept.push(call),
            }
            if kept.len() > 40 {
                // The oldest, whatever it has come to.
                drop(kept.swap_remove(0));
            }
        }
        drop(kept);
        no_calls(&pair);
        eventually("the rooms are gone", || desk.rooms() == 0);
        eventually(
            "only the threads and their maps are left of the objects",
            || {
                let (client, server) = (pair.client.stats(), pair.server.stats());
                client.objects <= client.threads + 2 && server.objects <= server.threads + 2
            },
        );
        assert_eq!(pair.desk.echo("alive").unwrap(), "alive");
        drop(pair.desk);
        pair.client.close();
        nothing_left(&pair.client, "client");
        nothing_left(&pair.server, "server");
    });
}

#[test]
fn dropping_in_an_async_program_does_not_wait() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let rooms = (0..100).map(|number| pair.desk.open_async(number));
            let rooms = try_join_all(rooms).await.unwrap();
            // On the only thread of the runtime, which the peer would need if dropping waited for it.
            drop(rooms);
        });
        eventually("they are destroyed", || desk.rooms() == 0);
    });
}

#[test]
fn callbacks_run_on_threads_of_the_library() {
    within_deadline(|| {
        let pair = Pair::with(Arc::new(BlockingDesk::default()), Limits::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("runtime")
            .build()
            .unwrap();
        let names = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&names);
        let function = Arc::new(move |number: i32| {
            let name = thread::current().name().unwrap_or_default().to_owned();
            told.lock().unwrap().push(name);
            Ok(number + 1)
        });
        runtime.block_on(async {
            let calls = (0..50).map(|number| pair.desk.apply_async(function.clone(), number));
            let answers = try_join_all(calls).await.unwrap();
            assert!(answers.into_iter().eq(1..51));
        });
        let names = names.lock().unwrap();
        assert_eq!(names.len(), 50);
        assert!(
            names.iter().all(|name| name == "client/worker"),
            "{names:?}"
        );
    });
}
