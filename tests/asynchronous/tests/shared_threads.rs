//! Threads of the peer that share one queue: short calls need few of them, and a call that waits holds up no other.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use asynchronous::blocking_desk::BlockingDesk;
use asynchronous::desk::Desk;
use asynchronous::pair::Pair;
use faults::patience::{eventually, stress, within_deadline};
use futures::executor::block_on;
use futures::future::{join_all, try_join_all};
use multiprocess::{Error, EventLoop, Limits};

/// A server whose waits block threads, of which it has as many as the limits say.
fn pair(limits: Limits) -> Pair {
    let pair = Pair::limited(Arc::new(BlockingDesk::default()), limits).unwrap();
    // The answer that the peer has such threads comes before this one.
    assert_eq!(block_on(pair.desk.echo_async("first")).unwrap(), "first");
    pair
}

fn with_threads(threads: usize) -> Pair {
    let mut limits = Limits::default();
    limits.threads = threads;
    pair(limits)
}

fn waiting(pair: &Pair) -> u32 {
    block_on(pair.desk.waiting_async()).unwrap()
}

#[test]
fn short_calls_need_fewer_threads_than_there_are_calls() {
    within_deadline(|| {
        let pair = pair(Limits::default());
        for _ in 0..20 {
            let calls = (0..200).map(|number| {
                let text = number.to_string();
                let answer = pair.desk.echo_async(&text);
                async move { Ok::<_, Error>(answer.await? == text) }
            });
            let answers = block_on(try_join_all(calls)).unwrap();
            assert_eq!(answers, [true; 200]);
        }
        let threads = pair.server.stats().threads;
        assert!((1..200).contains(&threads), "{threads} threads");
    });
}

#[test]
fn a_call_that_waits_holds_up_no_other() {
    within_deadline(|| {
        let pair = pair(Limits::default());
        let waits: Vec<_> = (0..100)
            .map(|number| pair.desk.wait_async(number))
            .collect();
        let short = (0..100).map(|_| pair.desk.echo_async("short"));
        assert_eq!(block_on(try_join_all(short)).unwrap(), vec!["short"; 100]);
        eventually("all wait", || waiting(&pair) == 100);
        assert!(pair.server.stats().threads >= 100);
        block_on(pair.desk.release_async()).unwrap();
        assert!(
            block_on(try_join_all(waits))
                .unwrap()
                .into_iter()
                .eq(0..100)
        );
    });
}

#[test]
fn calls_beyond_the_threads_wait_for_one() {
    within_deadline(|| {
        let pair = with_threads(3);
        let waits: Vec<_> = (0..7).map(|number| pair.desk.wait_async(number)).collect();
        let late = pair.desk.echo_async("late");
        eventually("three wait", || waiting(&pair) == 3);
        assert_eq!(pair.server.stats().threads, 3);
        // Needs no thread. Whoever waits then is let go; the last three have to be told again.
        let mut answered = waits.into_iter().map(Box::pin).collect::<Vec<_>>();
        while !answered.is_empty() {
            block_on(pair.desk.release_async()).unwrap();
            answered.retain_mut(|call| match futures::FutureExt::now_or_never(call) {
                Some(number) => {
                    assert!(number.unwrap() < 7);
                    false
                }
                None => true,
            });
        }
        assert_eq!(block_on(late).unwrap(), "late");
        assert_eq!(pair.server.stats().threads, 3);
    });
}

#[test]
fn without_any_thread_calls_fail_with_the_limit() {
    within_deadline(|| {
        let pair = Pair::limited(Arc::new(BlockingDesk::default()), {
            let mut limits = Limits::default();
            limits.threads = 0;
            limits
        })
        .unwrap();
        for _ in 0..20 {
            let calls = (0..20).map(|_| pair.desk.echo_async("short"));
            for answer in block_on(join_all(calls)) {
                let error = answer.unwrap_err().to_string();
                assert!(error.contains("limit exceeded: threads is 0"), "{error}");
            }
        }
        assert_eq!(waiting(&pair), 0);
    });
}

#[test]
fn a_call_that_waits_does_not_keep_the_socket_stress() {
    stress(|| {
        for _ in 0..50 {
            let pair = pair(Limits::default());
            // The thread that answers these is about to read what comes next, and may be given it by who read it instead.
            let rooms = [1, 2].map(|number| block_on(pair.desk.open_async(number)).unwrap());
            let wait = pair.desk.wait_async(3);
            eventually("it waits", || waiting(&pair) == 1);
            block_on(pair.desk.release_async()).unwrap();
            assert_eq!(block_on(wait).unwrap(), 3);
            drop(rooms);
        }
    });
}

#[test]
fn a_peer_without_shared_threads_may_say_so_at_any_moment() {
    within_deadline(|| {
        for _ in 0..300 {
            let desk = Arc::new(BlockingDesk::default());
            let pair = Pair::with_plain_threads(desk, Limits::default()).unwrap();
            let calls = ["first", "second"].map(|text| pair.desk.echo_async(text));
            let answers = block_on(try_join_all(calls)).unwrap();
            assert_eq!(answers, ["first", "second"]);
        }
    });
}

#[test]
fn the_threads_end_with_a_connection_that_nobody_has_a_handle_to() {
    within_deadline(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let desk: Arc<dyn Desk> = Arc::new(BlockingDesk::default());
        drop(multiprocess::serve(&EventLoop::new("unheld").unwrap(), theirs, desk).unwrap());
        let client = EventLoop::new("client").unwrap();
        let desk = multiprocess::connect::<dyn Desk>(&client, ours).unwrap();
        for _ in 0..10 {
            assert_eq!(block_on(desk.echo_async("short")).unwrap(), "short");
        }
        assert!(threads_of("unheld") > 0);
        drop(desk);
        eventually("they have ended", || threads_of("unheld") == 0);
    });
}

/// How many threads run calls for the peers of an event loop.
fn threads_of(event_loop: &str) -> usize {
    let name = format!("{event_loop}/worker");
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|comm| comm.trim_end() == name).count()
}

#[test]
fn the_threads_end_with_the_connection() {
    within_deadline(|| {
        let pair = pair(Limits::default());
        let waits: Vec<_> = (0..5).map(|number| pair.desk.wait_async(number)).collect();
        eventually("all wait", || waiting(&pair) == 5);
        let other = Pair::limited(Arc::new(BlockingDesk::default()), Limits::default()).unwrap();
        assert_eq!(block_on(other.desk.echo_async("other")).unwrap(), "other");
        other.client.close();
        eventually("idle ones end", || other.server.stats().threads == 0);
        // Those that run methods end when these do.
        block_on(pair.desk.release_async()).unwrap();
        assert!(block_on(try_join_all(waits)).unwrap().into_iter().eq(0..5));
        pair.client.close();
        eventually("all have ended", || pair.server.stats().threads == 0);
    });
}
