//! Methods that wait, as streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use asynchronous::async_desk::AsyncDesk;
use asynchronous::blocking_desk::BlockingDesk;
use asynchronous::desk::{Desk, DeskClient};
use asynchronous::pair::Pair;
use faults::patience::{eventually, within_deadline};
use futures::executor::block_on;
use futures::{FutureExt, Stream, TryStreamExt};
use multiprocess::{Error, Limits, wait_stream};

/// The numbers 1, 2, 3, ..., each after a wait that `release` interrupts. Counts the interruptions.
fn numbers(
    desk: &DeskClient,
    interruptions: &Arc<AtomicUsize>,
) -> impl Stream<Item = Result<i32, Error>> + Unpin + Send {
    let (desk, interruptions) = (desk.clone(), Arc::clone(interruptions));
    wait_stream(move |last: Option<&i32>| {
        let (twin, interruptions) = (desk.clone(), Arc::clone(&interruptions));
        let call = desk.wait_async(last.map_or(1, |last| last + 1));
        call.interrupted_by(move || {
            interruptions.fetch_add(1, Ordering::SeqCst);
            twin.release_async().detach(());
        })
        .map(|waited| waited.map(Some))
    })
}

#[test]
fn a_stream_gives_what_its_waits_give_and_ends_with_an_error() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        desk.on_wait(|number| async move {
            if number < 5 {
                Ok(number)
            } else {
                Err(Error::failed("enough"))
            }
        });
        let pair = Pair::of(&desk).unwrap();
        let interruptions = Arc::default();
        let mut numbers = numbers(&pair.desk, &interruptions);
        for number in 1..5 {
            assert_eq!(block_on(numbers.try_next()).unwrap(), Some(number));
        }
        assert!(
            block_on(numbers.try_next())
                .unwrap_err()
                .to_string()
                .ends_with("enough")
        );
        assert_eq!(block_on(numbers.try_next()).unwrap(), None);
        drop(numbers);
        assert_eq!(interruptions.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_stream_ends_when_a_wait_gives_nothing() {
    within_deadline(|| {
        let pair = Pair::of(&AsyncDesk::new()).unwrap();
        let desk = pair.desk.clone();
        let mut rooms = wait_stream(move |last: Option<&i32>| {
            let next = last.map_or(1, |last| last - 1);
            let room = desk.find_async(next);
            async move { Ok(room.await?.map(|_| next)) }.boxed()
        });
        assert_eq!(block_on(rooms.try_next()).unwrap(), Some(1));
        assert_eq!(block_on(rooms.try_next()).unwrap(), Some(0));
        assert_eq!(block_on(rooms.try_next()).unwrap(), None);
        assert_eq!(block_on(rooms.try_next()).unwrap(), None);
    });
}

#[test]
fn dropping_a_stream_interrupts_its_wait_once_and_leaves_the_peer_idle() {
    within_deadline(|| {
        // The method does not end before it is interrupted, as in C++.
        let desk: Arc<BlockingDesk> = Arc::default();
        let pair = Pair::with(Arc::<BlockingDesk>::clone(&desk), Limits::default()).unwrap();
        for round in 1..=20 {
            let interruptions = Arc::default();
            let mut numbers = numbers(&pair.desk, &interruptions);
            assert!(numbers.try_next().now_or_never().is_none());
            eventually("it waits", || desk.waiting().unwrap() == 1);
            drop(numbers);
            assert_eq!(interruptions.load(Ordering::SeqCst), 1, "round {round}");
            eventually("it does not wait any more", || desk.waiting().unwrap() == 0);
            eventually("no call is left", || {
                pair.client.stats().calls == 0 && pair.server.stats().requests == 0
            });
        }
        // The same thread each time, or another where the first was not known to be free yet.
        let threads = pair.server.stats().threads;
        assert!(threads < 5, "{threads}");
    });
}

#[test]
fn a_wait_that_is_over_is_not_interrupted() {
    within_deadline(|| {
        let desk = AsyncDesk::new();
        let pair = Pair::of(&desk).unwrap();
        let interruptions: Arc<AtomicUsize> = Arc::default();
        let counted = Arc::clone(&interruptions);
        let wait = pair.desk.wait_async(1).interrupted_by(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        eventually("it waits", || desk.waits() == 1);
        block_on(pair.desk.release_async()).unwrap();
        assert_eq!(block_on(wait).unwrap(), 1);
        assert_eq!(interruptions.load(Ordering::SeqCst), 0);
        // A deadline is told, and ends the wait as well.
        let counted = Arc::clone(&interruptions);
        let late = pair
            .desk
            .wait_async(2)
            .with_timeout(std::time::Duration::from_millis(5));
        let late = late.interrupted_by(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        assert!(matches!(block_on(late), Err(Error::TimedOut)));
        assert_eq!(interruptions.load(Ordering::SeqCst), 1);
        eventually("it ends", || desk.waits() == 0);
    });
}
