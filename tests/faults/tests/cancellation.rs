//! Calls that are given up: by dropping them, by deadlines, before they start and while they run.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use faults::faults::Site;
use faults::live::Register;
use faults::pair::Pair;
use faults::patience::{deadline, eventually, start, stress, stressed, within_deadline};
use faults::site::{Tracked, lock};
use futures::executor::block_on;
use multiprocess::{Error, Stats};

/// What a blocked method tells, and how it is let go.
struct Gate {
    started: Receiver<i32>,
    go: Sender<()>,
}

/// Makes `work` wait until it is let go, for negative numbers; others are given back.
fn block(pair: &Pair) -> Gate {
    let (started, starts) = channel();
    let (go, going) = channel();
    let going = Mutex::new(going);
    pair.object.on_work(move |number| {
        started.send(number).expect("somebody listens");
        if number < 0 {
            lock(&going).recv_timeout(deadline()).expect("it is let go");
        }
        Ok(number)
    });
    Gate {
        started: starts,
        go,
    }
}

/// Both ends have no call any more.
fn no_calls(pair: &Pair) {
    eventually("the client has no calls", || pair.client.stats().calls == 0);
    eventually("the server has no calls", || {
        pair.server.stats().requests == 0
    });
}

#[test]
fn dropping_a_call_tells_the_method_stress() {
    stress(|| {
        let pair = Pair::new();
        let (started, starts) = channel();
        let (ended, ends) = channel();
        pair.object.on_work(move |number| {
            let cancellation = multiprocess::cancellation().unwrap();
            started.send(()).unwrap();
            eventually("the method is told", || cancellation.is_cancelled());
            ended.send(()).unwrap();
            Ok(number)
        });
        let call = pair.site.work_async(1);
        starts.recv_timeout(deadline()).unwrap();
        drop(call);
        ends.recv_timeout(deadline()).unwrap();
        no_calls(&pair);
        assert_eq!(pair.site.add(1, 2).unwrap(), 3);
        pair.end();
    });
}

#[test]
fn a_blocking_call_has_a_deadline_stress() {
    stress(|| {
        let pair = Pair::new();
        let gate = block(&pair);
        let quick = pair.site.with_timeout(Duration::from_millis(20));
        let begin = Instant::now();
        let error = quick.work(-1).unwrap_err();
        assert!(matches!(error, Error::TimedOut), "{error}");
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert_eq!(gate.started.recv_timeout(deadline()).unwrap(), -1);
        gate.go.send(()).unwrap();
        no_calls(&pair);
        // In time.
        assert_eq!(pair.site.with_timeout(deadline()).work(2).unwrap(), 2);
        pair.end();
    });
}

#[test]
fn an_async_call_has_a_deadline_stress() {
    stress(|| {
        let pair = Pair::new();
        let gate = block(&pair);
        let quick = pair.site.with_timeout(Duration::from_millis(20));
        let error = block_on(quick.work_async(-1)).unwrap_err();
        assert!(matches!(error, Error::TimedOut), "{error}");
        gate.go.send(()).unwrap();
        no_calls(&pair);
        assert_eq!(
            block_on(pair.site.with_timeout(deadline()).work_async(2)).unwrap(),
            2
        );
        pair.end();
    });
}

#[test]
fn a_connection_has_a_deadline_that_a_client_can_replace() {
    within_deadline(|| {
        let pair = Pair::new();
        let gate = block(&pair);
        pair.client.set_timeout(Some(Duration::from_millis(20)));
        assert_eq!(pair.client.timeout(), Some(Duration::from_millis(20)));
        assert!(matches!(pair.site.work(-1), Err(Error::TimedOut)));
        assert!(matches!(
            block_on(pair.site.work_async(-2)),
            Err(Error::TimedOut)
        ));
        gate.go.send(()).unwrap();
        gate.go.send(()).unwrap();
        let patient = pair.site.with_timeout(deadline());
        for _ in 0..2 {
            assert!(gate.started.recv_timeout(deadline()).unwrap() < 0);
        }
        let waiting = start("calls", move || patient.work(-3));
        assert_eq!(gate.started.recv_timeout(deadline()).unwrap(), -3);
        // Longer than the connection's.
        let past = Instant::now() + Duration::from_millis(40);
        eventually("time passes", || Instant::now() > past);
        gate.go.send(()).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), -3);
        pair.client.set_timeout(None);
        assert_eq!(pair.site.work(4).unwrap(), 4);
        no_calls(&pair);
        pair.end();
    });
}

#[test]
fn a_call_that_is_cancelled_before_it_starts_is_not_executed_stress() {
    stress(|| {
        let pair = Pair::new();
        let gate = block(&pair);
        let quick = pair.site.with_timeout(Duration::from_millis(10));
        // This thread's counterpart is busy with the first, which was given up; the second waits behind it.
        assert!(matches!(quick.work(-1), Err(Error::TimedOut)));
        assert!(matches!(quick.work(2), Err(Error::TimedOut)));
        eventually("the server knows both", || {
            pair.server.stats().requests == 2
        });
        assert_eq!(gate.started.recv_timeout(deadline()).unwrap(), -1);
        // A call without a context is read after them, and their ends before it.
        assert_eq!(pair.site.add(1, 2).unwrap(), 3);
        gate.go.send(()).unwrap();
        assert_eq!(pair.site.work(3).unwrap(), 3);
        assert_eq!(gate.started.recv_timeout(deadline()).unwrap(), 3);
        no_calls(&pair);
        pair.end();
    });
}

#[test]
fn a_deadline_that_passes_in_a_callback_stress() {
    stress(|| {
        let pair = Pair::new();
        let register = Register::default();
        let quick = pair.site.with_timeout(Duration::from_millis(10));
        let (entry, inner) = (register.enter(1), pair.site.clone());
        let past = Instant::now() + Duration::from_millis(15);
        let function = move |number: i32| {
            eventually("time passes", || Instant::now() > past);
            inner.add(number, entry.number())
        };
        let error = quick.apply(Arc::new(function), 1);
        assert!(matches!(error, Err(Error::TimedOut) | Ok(2)), "{error:?}");
        no_calls(&pair);
        // Its `destroy` comes for this thread, which does not wait any more: it runs elsewhere.
        eventually("the function is gone", || register.live() == 0);
        pair.end();
    });
}

#[test]
fn cancelled_calls_leave_nothing_stress() {
    within_deadline(|| {
        let pair = Pair::new();
        let register = Register::default();
        pair.site.work(0).unwrap();
        block_on(pair.site.work_async(0)).unwrap();
        no_calls(&pair);
        let settled = |stats: Stats| (stats.objects, stats.references);
        let before = settled(pair.client.stats());
        let rounds = stressed().map_or(300, |_| 5000);
        for round in 0..rounds {
            // Never polled, polled once, and with objects both ways.
            drop(pair.site.work_async(round));
            let mut polled = pin!(pair.site.work_async(round));
            drop(
                polled
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop())),
            );
            drop(pair.site.make_async(round));
            drop(pair.site.make_token_async(round));
            drop(pair.site.borrow_async(Tracked::new(&register, round), 1));
            if round % 100 == 0 {
                assert_eq!(pair.site.add(1, round).unwrap(), round + 1);
            }
        }
        no_calls(&pair);
        eventually("the client's objects are gone", || register.live() == 0);
        eventually("the server's objects are gone", || {
            pair.object.register.live() == 0
        });
        eventually("the client's references are gone", || {
            let (objects, references) = settled(pair.client.stats());
            objects <= before.0 + 1 && references <= before.1 + 100
        });
        println!(
            "after {} cancelled calls: {:?}",
            rounds * 5,
            pair.client.stats()
        );
        pair.end();
    });
}
