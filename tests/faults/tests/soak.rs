//! Many calls and many connections, with flat memory, threads and descriptors. `MP_SOAK` says how many thousands.

#![expect(clippy::print_stdout, reason = "the figures are what one wants to see")]

use std::sync::Arc;

use faults::faults::Site;
use faults::live::Register;
use faults::pair::{Loops, Pair};
use faults::patience::{eventually, start};
use faults::process::Usage;
use faults::site::Tracked;
use futures::executor::block_on;

/// A thousand times what is asked for.
fn thousands(otherwise: usize) -> usize {
    let asked = std::env::var("MP_SOAK")
        .ok()
        .and_then(|text| text.parse().ok());
    asked.unwrap_or(otherwise) * 1000
}

/// Runs a round again and again. What the process uses after a tenth of the rounds is what it may use at the end.
fn flat(what: &str, rounds: usize, mut round: impl FnMut(usize)) {
    let warm = rounds.div_ceil(10);
    (0..warm).for_each(&mut round);
    let before = Usage::here();
    println!("{what}: after {warm}: {before}");
    (warm..rounds).for_each(&mut round);
    println!("{what}: after {rounds}: {}", Usage::here());
    eventually("threads are flat", || {
        Usage::here().threads <= before.threads + 2
    });
    eventually("descriptors are flat", || {
        Usage::here().descriptors <= before.descriptors + 2
    });
    let grown = Usage::here().memory.saturating_sub(before.memory);
    assert!(grown < 4096, "{what}: {grown} KiB more");
}

/// One test, because what is measured is the whole process.
#[test]
fn calls_and_connections_leave_nothing() {
    let body = || {
        let pair = Pair::new();
        let register = Register::default();
        flat("calls", thousands(3), |number| {
            calls(&pair, &register, number as i32);
        });
        assert_eq!(register.live(), 0);
        pair.end();
        let loops = Loops::new();
        flat("connections", thousands(1) / 2, |number| {
            connection(&loops, number);
        });
        flat("event loops", thousands(1) / 20, |number| {
            connection(&Loops::new(), number);
        });
    };
    start("soak", body).join().unwrap();
}

fn calls(pair: &Pair, register: &Register, number: i32) {
    assert_eq!(pair.site.add(number, 1).expect("it answers"), number + 1);
    assert_eq!(pair.site.work(number).expect("it answers"), number);
    match number % 8 {
        0 => assert_eq!(
            block_on(pair.site.work_async(number)).expect("it answers"),
            number
        ),
        1 => assert_eq!(
            pair.site
                .make_token(number)
                .expect("it answers")
                .read()
                .expect("it answers"),
            number
        ),
        2 => drop(pair.site.make(number).expect("it answers")),
        3 => assert_eq!(
            pair.site
                .borrow(Tracked::new(register, 1), 1)
                .expect("it answers"),
            2
        ),
        4 => assert_eq!(
            pair.site.apply(Arc::new(Ok), number).expect("it answers"),
            number
        ),
        5 => drop(pair.site.work_async(number)),
        6 => pair
            .site
            .save(Tracked::new(register, 1))
            .expect("it answers"),
        _ => pair.site.forget().expect("it answers"),
    }
}

/// Ends at one end or the other, sometimes in the middle of a call.
fn connection(loops: &Loops, number: usize) {
    let pair = loops.pair();
    assert_eq!(pair.site.work(1).expect("it answers"), 1);
    let waiting = number.is_multiple_of(3).then(|| pair.site.work_async(2));
    if number.is_multiple_of(2) {
        pair.server.close();
    }
    drop(waiting);
    pair.end();
}
