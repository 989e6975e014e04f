//! A session that is broken at every byte in turn: nothing hangs, panics or leaks, and every error says what happened.

#![expect(clippy::print_stdout, reason = "the figures are what one wants to see")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faults::faults::{Site, SiteClient};
use faults::live::Register;
use faults::pair::{Loops, connection, nothing_left};
use faults::patience::{deadline, eventually, soon, stressed, within};
use faults::pipe::{Fault, How, Pipe, Way};
use faults::process::Usage;
use faults::proxy::Proxy;
use faults::script;
use faults::site::SiteObject;
use multiprocess::{Error, Stream};

/// What a session was played on: it knows how many bytes went each way.
enum Medium {
    Pipe(Pipe),
    Socket(Proxy),
}

#[test]
fn a_pipe_that_breaks_at_any_byte_stress() {
    let broken = |how| move |way, after| Fault { way, after, how };
    every_position("pipe, end", pipe, broken(How::End), 31);
    every_position("pipe, error", pipe, broken(How::Error), 61);
    every_position("pipe, one way only", pipe, broken(How::Half), 61);
}

#[test]
fn a_socket_that_breaks_at_any_byte_stress() {
    let broken = |how| move |way, after| Fault { way, after, how };
    every_position("socket, end", socket, broken(How::End), 31);
    every_position("socket, one way only", socket, broken(How::Half), 61);
}

fn pipe(fault: Option<Fault>) -> (Medium, Stream, Stream) {
    let (pipe, ours, theirs) = Pipe::new(fault);
    (Medium::Pipe(pipe), ours, theirs)
}

fn socket(fault: Option<Fault>) -> (Medium, Stream, Stream) {
    let (proxy, ours, theirs) = Proxy::new(fault);
    (Medium::Socket(proxy), ours.into(), theirs.into())
}

/// Plays the session once undisturbed, to count its bytes; then once for each of them, or with a stride in short runs.
fn every_position(
    what: &str,
    medium: fn(Option<Fault>) -> (Medium, Stream, Stream),
    fault: impl Fn(Way, usize) -> Fault,
    stride: usize,
) {
    let panics = count_panics();
    let stride = if stressed().is_some() { 1 } else { stride };
    let loops = Loops::new();
    let count = {
        let loops = loops.clone();
        within("undisturbed", deadline(), move || {
            undisturbed(&loops, medium(None))
        })
    };
    let threads = Usage::here().threads;
    let (mut positions, mut ended) = (0, 0);
    for (way, bytes) in [(Way::ToServer, count[0]), (Way::ToClient, count[1])] {
        for after in (0..bytes).step_by(stride) {
            let fault = fault(way, after);
            let loops = loops.clone();
            let error = within(&format!("{what}: {fault:?}"), deadline() * 2, move || {
                broken(&loops, medium(Some(fault)))
            });
            positions += 1;
            match error {
                // The session needed a few bytes less than the one that was counted.
                None => ended += 1,
                Some(error) => assert!(error.is_disconnected(), "{what}: {fault:?}: {error:?}"),
            }
        }
    }
    println!(
        "{what}: {positions} of {} positions, {ended} after the end",
        count[0] + count[1]
    );
    assert!(
        ended < positions / 10 + 2,
        "{what}: {ended} of {positions} sessions were not broken"
    );
    eventually("no thread is left", || Usage::here().threads <= threads);
    assert_eq!(
        panics.load(Ordering::SeqCst),
        0,
        "{what}: something panicked"
    );
}

/// How many bytes go each way.
fn undisturbed(loops: &Loops, (medium, ours, theirs): (Medium, Stream, Stream)) -> [usize; 2] {
    let pair = loops.pair_on(ours, theirs);
    let register = Register::default();
    script::play(&pair.site, &register).expect("nothing disturbs it");
    eventually("the client's objects are gone", || register.live() == 0);
    let count = |way| match &medium {
        Medium::Pipe(pipe) => pipe.written(way),
        Medium::Socket(proxy) => proxy.written(way),
    };
    let counts = [count(Way::ToServer), count(Way::ToClient)];
    pair.end();
    if let Medium::Socket(proxy) = medium {
        proxy.join();
    }
    counts
}

/// What the session ended with, when everything that it used is gone.
fn broken(loops: &Loops, (medium, ours, theirs): (Medium, Stream, Stream)) -> Option<Error> {
    let object = SiteObject::new();
    let register = Register::default();
    let served: Arc<dyn Site> = Arc::<SiteObject>::clone(&object);
    let server = multiprocess::serve(&loops.server, theirs, served).expect("it can be served");
    let error = match multiprocess::connect::<dyn Site>(&loops.client, ours) {
        Ok(site) => play(site, &register),
        Err(error) => Some(error),
    };
    server
        .wait_closed(Some(soon()))
        .expect("the server notices");
    object.forget().expect("it forgets");
    nothing_left(&server, "server");
    eventually("the server's objects are gone", || {
        object.register.live() == 0
    });
    eventually("the client's objects are gone", || register.live() == 0);
    eventually("the server's object is free", || {
        Arc::strong_count(&object) == 1
    });
    if let Medium::Socket(proxy) = medium {
        proxy.join();
    }
    error
}

fn play(site: SiteClient, register: &Register) -> Option<Error> {
    let client = connection::<dyn Site>(&site);
    let error = script::play(&site, register).err();
    if error.is_some() {
        // And so does every call after that.
        let again = site.add(1, 2).expect_err("the connection is gone");
        assert!(again.is_disconnected(), "{again}");
        assert!(client.is_closed());
    } else {
        client.close();
    }
    drop(site);
    nothing_left(&client, "client");
    error
}

/// Counts the panics of all threads from now on.
fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&panics);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, Ordering::SeqCst);
        hook(info);
    }));
    panics
}
