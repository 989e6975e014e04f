//! What a client can do to a server that listens: attacks that go on until they are told to stop.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::executor::block_on;
use mp_conn::proxy_capnp::thread_map;
use mp_conn::{Call, CallContext, Capability, Connection};
use multiprocess::codegen::Interface;
use multiprocess::{Error, EventLoop, Limits, Stream};

use crate::convert::Fragile;
use crate::faults::{Site, SiteClient};
use crate::patience::{deadline, soon, start};

/// What an attacker knows.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests make it")]
pub struct Target {
    /// Where the server listens, for a [`Site`].
    pub path: PathBuf,
    /// The attacker's event loop.
    pub event_loop: EventLoop,
    /// How many connections are left half open.
    pub half_open: usize,
}

impl Target {
    /// Connects as an honest client would.
    ///
    /// # Panics
    ///
    /// When nobody listens.
    #[must_use]
    pub fn client(&self) -> SiteClient {
        let stream = Stream::unix(&self.path).expect("somebody listens");
        multiprocess::connect::<dyn Site>(&self.event_loop, stream).expect("it connects")
    }

    fn stream(&self) -> UnixStream {
        UnixStream::connect(&self.path).expect("somebody listens")
    }

    /// The server's thread map.
    fn thread_map(&self) -> Capability {
        let stream = Stream::unix(&self.path).expect("somebody listens");
        let peer = mp_conn::connect(&self.event_loop, stream, Limits::default());
        let construct = <dyn Site as Interface>::INFO.construct;
        let construct = construct.expect("a site has threads");
        let field = construct.thread_map_result.expect("they are its result");
        let context = CallContext::default();
        let (id, ordinal) = (construct.interface_id, construct.ordinal);
        let call = Connection::call(&peer.expect("it connects"), id, ordinal, &context, |_| {
            Ok(())
        });
        let map = call.and_then(|call| call.pipelined(&[field]));
        map.expect("the connection is new")
    }
}

/// A way to harm a server.
#[derive(Clone, Copy)]
pub struct Attack {
    /// What it is.
    pub name: &'static str,
    run: fn(&Target, &Strike),
}

impl Attack {
    /// Starts it, and returns when it has done what it can do at once.
    ///
    /// # Panics
    ///
    /// When the server is not as it should be.
    #[must_use]
    pub fn start(self, target: &Target) -> Running {
        let (landed, lands) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let strike = Strike {
            landed,
            over: Arc::clone(&over),
        };
        let target = target.clone();
        let thread = start("attack", move || (self.run)(&target, &strike));
        let running = Running {
            over,
            lands,
            thread,
        };
        if running.lands.recv_timeout(5 * deadline()).is_err() {
            running.stop();
            panic!("{}: it does not get anywhere", self.name);
        }
        running
    }
}

impl fmt::Debug for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// An attack under way.
#[derive(Debug)]
pub struct Running {
    over: Arc<AtomicBool>,
    lands: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Whether the attacker is still at it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Ends it, and the attacker's connections.
    ///
    /// # Panics
    ///
    /// When the attacker did: the server was not as it should be.
    pub fn stop(self) {
        self.over.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        self.thread.join().expect("the server is as it should be");
    }
}

/// An attack's view of itself.
struct Strike {
    landed: Sender<()>,
    over: Arc<AtomicBool>,
}

impl Strike {
    /// Says that it has done what it can do at once.
    fn landed(&self) {
        // Nobody listens after the first time.
        self.landed.send(()).ok();
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Lets the server alone for a moment, or until the attack is over.
    fn pause(&self) {
        if !self.is_over() {
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn wait_until_over(&self) {
        while !self.is_over() {
            thread::park();
        }
    }
}

/// Connects, and says nothing, or half of a header, or half of a message.
fn half_open_connections(target: &Target, strike: &Strike) {
    let beginning = [0, 0, 0, 0, 0xff, 0, 0, 0, 1, 2, 3];
    let streams: Vec<_> = (0..target.half_open)
        .map(|number| {
            let mut stream = target.stream();
            let bytes = &beginning[..[0, 6, 11][number % 3]];
            stream.write_all(bytes).expect("it is accepted");
            stream
        })
        .collect();
    strike.landed();
    strike.wait_until_over();
    drop(streams);
}

/// Makes threads without end, and keeps them.
fn thread_bomb(target: &Target, strike: &Strike) {
    let map = target.thread_map();
    let made = |call: Result<_, _>| call.and_then(|(call, thread)| finish(call).map(|()| thread));
    hoard(strike, ("threads", 100), || make_thread(&map), made);
}

/// Has pools made on many connections: as large as they may be, after those that are refused.
fn pool_bomb(target: &Target, strike: &Strike) {
    let maps: Vec<_> = (0..8).map(|_| target.thread_map()).collect();
    for map in &maps {
        let error = make_pool(map, u32::MAX).expect_err("there is a limit");
        refused(&error, "pool_threads");
        let allowed = limit_of(&error);
        make_pool(map, allowed).expect("so many are allowed");
    }
    strike.landed();
    while !strike.is_over() {
        for map in &maps {
            make_pool(map, u32::MAX).expect_err("there is a pool");
        }
        strike.pause();
    }
}

/// Has objects made without end, and keeps them.
fn export_bomb(target: &Target, strike: &Strike) {
    let site = target.client();
    hoard(
        strike,
        ("exports", 16),
        || site.make_token_async(1),
        block_on,
    );
}

/// Makes so many calls at a time, again and again, and keeps what they give, until the limit is reached and after that.
fn hoard<C, T>(
    strike: &Strike,
    (limit, at_a_time): (&str, usize),
    start: impl Fn() -> C,
    finish: impl Fn(C) -> Result<T, Error>,
) {
    let mut kept = Vec::new();
    while !strike.is_over() {
        let calls: Vec<_> = (0..at_a_time).map(|_| start()).collect();
        let mut is_refused = false;
        for call in calls {
            match finish(call) {
                Ok(given) => kept.push(given),
                Err(error) => {
                    refused(&error, limit);
                    is_refused = true;
                }
            }
        }
        if is_refused {
            strike.landed();
            strike.pause();
        }
    }
}

/// Announces messages of 4 GiB, again and again; and some of the greatest size that is allowed, which never come.
fn large_frames(target: &Target, strike: &Strike) {
    let announced = |words: u32| [[0; 4], words.to_le_bytes()].concat();
    let held: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = target.stream();
            let words = Limits::default().message_bytes / 8 - 8;
            let words = u32::try_from(words).unwrap_or(u32::MAX);
            stream.write_all(&announced(words)).expect("it is accepted");
            // Refused where the limit is a lower one.
            stream.write_all(&[0; 1024]).ok();
            stream
        })
        .collect();
    while !strike.is_over() {
        let mut stream = target.stream();
        stream
            .write_all(&announced(0x2000_0000))
            .expect("it is accepted");
        // Why it is refused, and the end of the stream.
        let mut reason = Vec::new();
        stream.read_to_end(&mut reason).ok();
        assert!(!reason.is_empty(), "the server says why");
        strike.landed();
    }
    drop(held);
}

/// Asks for much and reads nothing.
fn peer_that_does_not_read(target: &Target, strike: &Strike) {
    let (ours, mut theirs) = UnixStream::pair().expect("sockets can be made");
    let mut to_server = target.stream();
    // What the client says goes on to the server, and nothing comes back.
    let relay = start("relay", move || {
        // Ends when one of them does.
        io::copy(&mut theirs, &mut to_server).ok();
    });
    let site = multiprocess::connect::<dyn Site>(&target.event_loop, ours).expect("it connects");
    let text = Fragile("x".repeat(256 << 10));
    let mut calls: Vec<_> = (0..150).map(|_| site.convert_async(&text)).collect();
    let mut sums = Vec::new();
    strike.landed();
    while !strike.is_over() {
        sums.extend((0..100).map(|number| site.add_async(number, 1)));
        strike.pause();
    }
    calls.clear();
    drop((sums, site));
    relay.join().expect("it only copies");
}

/// Fails unless the error names the limit.
fn refused(error: &Error, limit: &str) {
    let text = error.to_string();
    assert!(
        text.contains(&format!("limit exceeded: {limit} is ")),
        "{text}"
    );
}

/// The value of the limit that an error names.
fn limit_of(error: &Error) -> u32 {
    let text = error.to_string();
    let value = text.rsplit(' ').next().and_then(|value| value.parse().ok());
    value.expect("the error says it")
}

/// Asks for a thread. It fails at once where the answer is there already.
fn make_thread(map: &Capability) -> Result<(Call, Capability), Error> {
    let call = Connection::call(map, THREAD_MAP, 0, &CallContext::default(), |params| {
        let mut params: thread_map::make_thread_params::Builder<'_> = params.init_as();
        params.set_name("bomb");
        Ok(())
    })?;
    let thread = call.pipelined(&[0])?;
    Ok((call, thread))
}

fn make_pool(map: &Capability, count: u32) -> Result<(), Error> {
    let call = Connection::call(map, THREAD_MAP, 1, &CallContext::default(), |params| {
        let mut params: thread_map::make_pool_params::Builder<'_> = params.init_as();
        params.set_count(count);
        Ok(())
    });
    finish(call?)
}

/// Waits for an answer.
fn finish(mut call: Call) -> Result<(), Error> {
    let connection = call.connection();
    mp_thread::wait(&connection, Some(soon()), |waker| call.poll_message(waker))?.map(drop)
}

/// All of them.
pub const ATTACKS: [Attack; 6] = [
    Attack {
        name: "half-open connections",
        run: half_open_connections,
    },
    Attack {
        name: "thread bomb",
        run: thread_bomb,
    },
    Attack {
        name: "pool bomb",
        run: pool_bomb,
    },
    Attack {
        name: "export bomb",
        run: export_bomb,
    },
    Attack {
        name: "frames of 4 GiB",
        run: large_frames,
    },
    Attack {
        name: "peer that does not read",
        run: peer_that_does_not_read,
    },
];

/// The id of the interface `ThreadMap`.
const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
