//! One process of several: it serves a `Party`, or uses one, and does what its input says line by line.
//!
//! - `party last SOCKET` serves. Its `callIntFn` recurses through the callback that it saved.
//! - `party middle SOCKET NEXT` serves, and is a client of the next: its `callIntFn` gives the callback that it saved on to there.
//! - `party first NEXT` is a client, which goes around the ring when it is told to.

use std::cell::Cell;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::ThreadId;

use multiprocess::{Connection, Error, EventLoop, Listener, Options, Stream};
use scenarios::pair::connection;
use scenarios::party::PartyObject;
use scenarios::process::{CLOSE, COUNTS, GO, READY, say};
use scenarios::scenarios::{Callback, Party, PartyClient};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match start(&words).and_then(|party| party.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            writeln!(io::stderr(), "party {words:?}: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

/// What this process has.
struct PartyProcess {
    listener: Option<Listener>,
    next: Option<PartyClient>,
    /// All connections that it ever had.
    connections: Vec<Connection>,
}

fn start(words: &[&str]) -> Result<PartyProcess, Error> {
    let event_loop = EventLoop::new(words.first().copied().unwrap_or("party"))?;
    let object = PartyObject::new();
    let (socket, next) = match words {
        ["last", socket] => {
            recurse(&object);
            (Some(socket), None)
        }
        ["middle", socket, next] => {
            let next = connect(&event_loop, next)?;
            pass_on(&object, next.clone());
            (Some(socket), Some(next))
        }
        ["first", next] => (None, Some(connect(&event_loop, next)?)),
        _ => {
            return Err(Error::failed(
                "last SOCKET | middle SOCKET NEXT | first NEXT",
            ));
        }
    };
    let object: Arc<dyn Party> = object;
    let listen = |path: &&str| Options::new().listen(&event_loop, *path, object);
    Ok(PartyProcess {
        listener: socket.map(listen).transpose()?,
        connections: next
            .iter()
            .map(|next| connection::<dyn Party>(next))
            .collect(),
        next,
    })
}

fn connect(event_loop: &EventLoop, path: &str) -> Result<PartyClient, Error> {
    let party = multiprocess::connect::<dyn Party>(event_loop, Stream::unix(path)?)?;
    party.init_thread_map()?;
    Ok(party)
}

impl PartyProcess {
    fn run(mut self) -> Result<(), Error> {
        let mut output = io::stdout();
        writeln!(output, "{READY}")?;
        for line in io::stdin().lock().lines() {
            let answer = self.answer(&line?)?;
            writeln!(output, "{answer}")?;
        }
        Ok(())
    }

    fn answer(&mut self, command: &str) -> Result<String, Error> {
        match (command, &self.next) {
            (COUNTS, _) => Ok(self.counts()),
            (GO, Some(next)) => go_around(next).map(|result| result.to_string()),
            (CLOSE, Some(next)) => {
                connection::<dyn Party>(next).close();
                Ok("closed".to_owned())
            }
            _ => Err(Error::failed(format!("`{command}` is not understood"))),
        }
    }

    fn counts(&mut self) -> String {
        let accepted = self.listener.as_ref().map(Listener::connections);
        for connection in accepted.unwrap_or_default() {
            if !self
                .connections
                .iter()
                .any(|known| known.id() == connection.id())
            {
                self.connections.push(connection);
            }
        }
        let counts: Vec<_> = self.connections.iter().map(Connection::stats).collect();
        say(&counts)
    }
}

/// Has `callIntFn` call what was saved with the number, unless that is 0: then the depth is the result.
fn recurse(object: &Arc<PartyObject>) {
    thread_local! {
        static DEPTH: Cell<i32> = const { Cell::new(0) };
    }
    let saved = Arc::downgrade(object);
    object.on_int(move |number| {
        DEPTH.set(DEPTH.get() + 1);
        let result = match saved.upgrade().and_then(|object| object.saved()) {
            Some(callback) if number > 0 => callback.call(number),
            _ => Ok(DEPTH.get()),
        };
        DEPTH.set(DEPTH.get() - 1);
        result
    });
}

/// Has `callIntFn` give what was saved to the next process, which calls it.
fn pass_on(object: &Arc<PartyObject>, next: PartyClient) {
    let saved = Arc::downgrade(object);
    object.on_int(move |number| {
        let object = saved.upgrade().and_then(|object| object.saved());
        next.callback(
            object.ok_or_else(|| Error::failed("nothing saved"))?,
            number,
        )
    });
}

/// Lends an object to the next process, which gives it to the one after that, which calls it, on the thread that waits here; and
/// from there once more, and so on.
fn go_around(next: &PartyClient) -> Result<i32, Error> {
    struct Again(PartyClient, ThreadId);
    impl Callback for Again {
        fn call(&self, arg: i32) -> Result<i32, Error> {
            if std::thread::current().id() != self.1 {
                return Err(Error::failed("not on the thread that waits"));
            }
            match arg {
                0 => Ok(100),
                _ => Ok(self.0.call_int_fn(arg - 1)? + 1),
            }
        }
    }
    let again = Arc::new(Again(next.clone(), std::thread::current().id()));
    next.save_callback(Some(Arc::<Again>::clone(&again)))?;
    let result = next.call_int_fn(3)?;
    next.save_callback(None)?;
    match Arc::strong_count(&again) {
        1 => Ok(result),
        count => Err(Error::failed(format!("{count} references are left"))),
    }
}
