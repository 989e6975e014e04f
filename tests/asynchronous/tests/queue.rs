//! More calls at once than the peer's threads: which wait, which do not, and how they end.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use asynchronous::async_desk::AsyncDesk;
use asynchronous::blocking_desk::BlockingDesk;
use asynchronous::desk::{Desk, DeskClient};
use asynchronous::pair::Pair;
use faults::patience::{eventually, within_deadline};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::{join_all, try_join_all};
use multiprocess::{AsyncServer, Error, Limits};

/// A client that uses so many threads of the peer, which can be counted, and whose waits wait for `release`.
fn pair(threads: usize) -> (Arc<AsyncDesk>, Pair) {
    let desk = AsyncDesk::new();
    let mut limits = Limits::default();
    limits.async_threads = threads;
    let served = AsyncServer::new(Arc::clone(&desk));
    let pair = Pair::with_plain_threads(served, limits).unwrap();
    (desk, pair)
}

#[test]
fn calls_beyond_the_limit_wait_for_their_turn() {
    within_deadline(|| {
        let (desk, pair) = pair(3);
        let waits: Vec<_> = (0..3).map(|number| pair.desk.wait_async(number)).collect();
        let mut late = pair.desk.echo_async("in its turn");
        eventually("three run", || desk.waits() == 3);
        // One without a context needs no thread, and comes after what was sent before it.
        assert_eq!(block_on(pair.desk.waiting_async()).unwrap(), 3);
        assert!((&mut late).now_or_never().is_none());
        assert_eq!(pair.server.stats().threads, 3);
        block_on(pair.desk.release_async()).unwrap();
        assert_eq!(block_on(late).unwrap(), "in its turn");
        assert_eq!(block_on(try_join_all(waits)).unwrap(), [0, 1, 2]);
        assert_eq!(pair.server.stats().threads, 3);
    });
}

#[test]
fn queued_calls_are_made_in_their_order() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&order);
        desk.on_wait(move |number| {
            told.lock().unwrap().push(number);
            async move { Ok(number) }
        });
        let calls: Vec<_> = (0..500)
            .map(|number| pair.desk.wait_async(number))
            .collect();
        block_on(try_join_all(calls)).unwrap();
        assert!(order.lock().unwrap().iter().copied().eq(0..500));
        assert_eq!(pair.server.stats().threads, 1);
    });
}

#[test]
fn a_queued_call_that_is_dropped_is_not_made() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let first = pair.desk.wait_async(1);
        let dropped: Vec<_> = (2..100)
            .map(|number| pair.desk.wait_async(number))
            .collect();
        let last = pair.desk.echo_async("last");
        drop(dropped);
        eventually("the first runs", || desk.waits() == 1);
        block_on(pair.desk.release_async()).unwrap();
        assert_eq!(block_on(last).unwrap(), "last");
        assert_eq!(block_on(first).unwrap(), 1);
        assert_eq!(desk.waits(), 0);
    });
}

/// A waker that waits, when it is dropped, until a call has had its turn that was made behind those that wait.
struct TurnOnDrop(DeskClient);

impl Wake for TurnOnDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for TurnOnDrop {
    fn drop(&mut self) {
        block_on(self.0.release_async()).unwrap();
        assert_eq!(block_on(self.0.echo_async("behind")).unwrap(), "behind");
    }
}

#[test]
fn a_waker_of_a_queued_call_that_is_dropped_does_not_hold_it_up() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let first = pair.desk.wait_async(1);
        eventually("it runs", || desk.waits() == 1);
        let mut queued = pair.desk.echo_async("queued");
        let waker = Waker::from(Arc::new(TurnOnDrop(pair.desk.clone())));
        let polled = Pin::new(&mut queued).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        drop(waker);
        // Another waker takes its place.
        assert!((&mut queued).now_or_never().is_none());
        assert_eq!(block_on(first).unwrap(), 1);
        assert_eq!(block_on(queued).unwrap(), "queued");
    });
}

#[test]
fn a_deadline_counts_in_the_queue() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let first = pair.desk.wait_async(1);
        let late = pair
            .desk
            .echo_async("late")
            .with_timeout(Duration::from_millis(5));
        assert!(matches!(block_on(late), Err(Error::TimedOut)));
        eventually("the first runs", || desk.waits() == 1);
        // The thread of a call that was given up is replaced.
        drop(first);
        assert_eq!(block_on(pair.desk.echo_async("next")).unwrap(), "next");
        eventually("one thread is left", || pair.server.stats().threads == 1);
    });
}

#[test]
fn a_disconnect_ends_queued_calls() {
    within_deadline(|| {
        let (desk, pair) = pair(2);
        let waits: Vec<_> = (0..300)
            .map(|number| pair.desk.wait_async(number))
            .collect();
        pair.desk.wait_async(0).detach(());
        eventually("two run", || desk.waits() == 2);
        pair.server.close();
        for result in block_on(join_all(waits)) {
            assert!(result.unwrap_err().is_disconnected());
        }
        assert!(
            block_on(pair.desk.echo_async("after"))
                .unwrap_err()
                .is_disconnected()
        );
    });
}

#[test]
fn an_object_whose_call_is_queued_can_be_called() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let wait = pair.desk.wait_async(1);
        let mut queued = pair.desk.open_async(2);
        assert!((&mut queued).now_or_never().is_none());
        // Using the object sends the call that makes it; calls on it have their turn.
        let room = queued.pipelined().unwrap();
        eventually("the room is there", || desk.rooms() == 1);
        let number = room.number_async();
        block_on(pair.desk.release_async()).unwrap();
        assert_eq!(block_on(number).unwrap(), 2);
        assert_eq!(block_on(wait).unwrap(), 1);
        // The thread beyond the limit is not kept.
        eventually("one thread is left", || pair.server.stats().threads == 1);
        drop(room);
        eventually("the room is gone", || desk.rooms() == 0);
    });
}

#[test]
fn a_detached_call_and_a_drop_wait_in_the_queue() {
    within_deadline(|| {
        let (desk, pair) = pair(1);
        let room = block_on(pair.desk.open_async(1)).unwrap();
        let wait = pair.desk.wait_async(1);
        eventually("it runs", || desk.waits() == 1);
        pair.desk.open_async(2).detach(());
        // The destroy of the room comes after it.
        drop(room);
        assert_eq!(block_on(pair.desk.waiting_async()).unwrap(), 1);
        assert_eq!(desk.rooms(), 1);
        block_on(pair.desk.release_async()).unwrap();
        assert_eq!(block_on(wait).unwrap(), 1);
        eventually("both rooms are gone", || desk.rooms() == 0);
        eventually("no calls are left", || pair.client.stats().calls == 0);
    });
}

#[test]
fn a_method_that_serves_the_peer_does_not_queue() {
    within_deadline(|| {
        let mut limits = Limits::default();
        limits.async_threads = 1;
        let pair = Pair::with(Arc::new(BlockingDesk::default()), limits).unwrap();
        // The only thread waits for the callback, which makes a call of its own before it answers.
        let desk = pair.desk.clone();
        let function = move |number: i32| {
            let text = block_on(desk.echo_async(&number.to_string()))?;
            text.parse().map_err(Error::failed)
        };
        let call = pair.desk.apply_async(Arc::new(function), 5);
        let queued = pair.desk.echo_async("behind it");
        assert_eq!(block_on(call).unwrap(), 5);
        assert_eq!(block_on(queued).unwrap(), "behind it");
        eventually("one thread is left", || pair.server.stats().threads == 1);
    });
}

#[test]
fn three_hundred_waits_hold_up_a_short_call_only_below_the_limit() {
    within_deadline(|| {
        for (limit, is_held_up) in [(256, true), (400, false)] {
            let (desk, pair) = pair(limit);
            let waits: Vec<_> = (0..300)
                .map(|number| pair.desk.wait_async(number))
                .collect();
            let mut short = pair.desk.echo_async("short");
            eventually("they run", || desk.waits() == limit.min(300));
            if is_held_up {
                // Comes after what was sent before it.
                block_on(pair.desk.waiting_async()).unwrap();
                assert!((&mut short).now_or_never().is_none());
            } else {
                assert_eq!(block_on(short).unwrap(), "short");
            }
            drop(waits);
            assert_eq!(Desk::echo(&pair.desk, "after").unwrap(), "after");
        }
    });
}
