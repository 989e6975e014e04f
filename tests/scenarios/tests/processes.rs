//! What must hold between processes that are really several.

use std::cell::Cell;
use std::sync::Arc;

use multiprocess::{Error, Stats, Stream};
use patience::{eventually, within_deadline};
use scenarios::pair::{connection, event_loop};
use scenarios::process::{CLOSE, GO, Process, say};
use scenarios::scenarios::{Callback, Party, PartyClient};

const PROGRAM: &str = env!("CARGO_BIN_EXE_party");

/// A ring of three processes: the first one's object is held by the second, given to the third, called from there, and calls back
/// into the first on its blocked thread. What is alive is the same after each round, and nothing in the end, in all three.
#[test]
fn three_processes_in_a_ring() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let [middle, last] = ["middle", "last"].map(|name| directory.path().join(name));
        let mut third = Process::start(PROGRAM, "last", &[&last]);
        let mut second = Process::start(PROGRAM, "middle", &[&middle, &last]);
        let mut first = Process::start(PROGRAM, "first", &[&middle]);
        // At a client's end the peer has the thread map, and the client has the object, its thread map and its thread; at a
        // server's it is the other way round.
        let (mut client, mut server) = (Stats::default(), Stats::default());
        (client.objects, client.references) = (1, 3);
        (server.objects, server.references, server.threads) = (3, 1, 1);
        for _ in 0..20 {
            assert_eq!(first.ask(GO), "103");
            eventually("the first is idle", || first.counts() == say(&[client]));
            eventually("the second is idle", || {
                second.counts() == say(&[client, server])
            });
            eventually("the third is idle", || third.counts() == say(&[server]));
        }
        let nothing = |connections| say(&vec![Stats::default(); connections]);
        first.ask(CLOSE);
        eventually("the first has nothing", || first.counts() == nothing(1));
        second.ask(CLOSE);
        eventually("the second has nothing", || second.counts() == nothing(2));
        eventually("the third has nothing", || third.counts() == nothing(1));
        for process in [first, second, third] {
            process.end();
        }
    });
}

/// Recursion between two processes to a depth of 100, on one mapped thread of each: at each level the thread-local variables of
/// both say how deep it is, and at the end they are back.
#[test]
fn two_processes_recurse_to_a_depth_of_100_on_one_thread_each() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let mut server = Process::start(PROGRAM, "last", &[&socket]);
        let stream = Stream::unix(&socket).unwrap();
        let party = multiprocess::connect::<dyn Party>(&event_loop("client"), stream).unwrap();
        party.init_thread_map().unwrap();
        let deeper = Deeper(party.clone());
        party.save_callback(Some(Arc::new(deeper))).unwrap();
        for depth in [1, 100, 99] {
            // The server enters its method once more than the client is called back.
            assert_eq!(party.call_int_fn(depth).unwrap(), depth + 1);
            assert_eq!(DEPTH.get(), 0);
        }
        let counts = server.counts();
        assert!(counts.contains("threads: 1"), "{counts}");
        let client = connection::<dyn Party>(&party);
        assert_eq!(client.stats().threads, 0, "callbacks run on the caller");
        party.save_callback(None).unwrap();
        client.close();
        let nothing = say(&[Stats::default()]);
        eventually("the server has nothing", || server.counts() == nothing);
        server.end();
    });
}

thread_local! {
    static DEPTH: Cell<i32> = const { Cell::new(0) };
}

/// Goes one level down, and compares what the level below says with this thread's own depth.
struct Deeper(PartyClient);

impl Callback for Deeper {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        let depth = DEPTH.get() + 1;
        DEPTH.set(depth);
        let bottom = self.0.call_int_fn(arg - 1)?;
        if DEPTH.replace(depth - 1) != depth || bottom != depth + arg {
            return Err(Error::failed(format!(
                "{bottom} levels there, {depth} here, {arg} to go"
            )));
        }
        Ok(bottom)
    }
}
