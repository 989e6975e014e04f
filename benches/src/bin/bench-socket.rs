//! A bare Unix socket, blocking, and nothing else: what no library can be faster than.
//!
//! A message is its length and its bytes; the answer is the same message. Buffers are used again.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use bench::args::{Metric, Options, Task};
use bench::series::Series;
use bench::{Error, endpoint, parallel, print};

fn main() -> ExitCode {
    print::exit(run())
}

fn run() -> Result<(), Error> {
    match Task::from_env()? {
        Task::Server(path) => serve(&path),
        Task::Client(path, metrics, options) => {
            for metric in metrics {
                measure(&path, metric, &options)?;
            }
            Ok(())
        }
        task => Err(format!("cannot do {task:?}").into()),
    }
}

fn serve(path: &Path) -> Result<(), Error> {
    for stream in endpoint::listen(path)?.incoming() {
        let mut connection = Connection::new(stream?);
        // The first message is answered by this very thread, so that to connect and ask once costs nothing but that.
        // A client that went away is no reason to end.
        if let Ok(true) = connection.answer() {
            let answer = move || while let Ok(true) = connection.answer() {};
            thread::Builder::new().name("server".into()).spawn(answer)?;
        }
    }
    Ok(())
}

fn measure(path: &Path, metric: Metric, options: &Options) -> Result<(), Error> {
    let (stream, peer) = endpoint::connect(path)?;
    let mut connection = Connection::new(stream);
    // The server waits for it before it accepts others.
    connection.ask(CALL, 0)?;
    let mut series = Series::new(options, metric, peer);
    match metric {
        Metric::Add | Metric::AddCtx => connection.repeat(&mut series, CALL)?,
        Metric::Echo(bytes) => connection.repeat(&mut series, bytes)?,
        Metric::Connect => {
            while series.more() {
                let mut other = Connection::new(endpoint::connect(path)?.0);
                other.ask(CALL, LAST)?;
            }
        }
        Metric::Parallel(threads) => {
            return parallel::parallel(options, metric, threads, peer, || {
                let mut own = Connection::new(endpoint::connect(path)?.0);
                Ok(move || own.ask(CALL, 0))
            });
        }
        _ => return Err(format!("{metric}: a bare socket has no such thing").into()),
    }
    series.report(1);
    Ok(())
}

/// One end of a connection.
struct Connection {
    stream: UnixStream,
    /// The length of the message and its bytes.
    buffer: Vec<u8>,
}

impl Connection {
    fn new(stream: UnixStream) -> Self {
        let buffer = vec![0xab; HEADER + CALL];
        Self { stream, buffer }
    }

    fn repeat(&mut self, series: &mut Series, bytes: usize) -> Result<(), Error> {
        while series.more() {
            self.ask(bytes, 0)?;
        }
        Ok(())
    }

    /// Sends a message and waits for the answer.
    fn ask(&mut self, bytes: usize, flag: u32) -> Result<(), Error> {
        self.buffer.resize(HEADER + bytes, 0xab);
        let header = u32::try_from(bytes)? | flag;
        self.buffer[..HEADER].copy_from_slice(&header.to_le_bytes());
        self.stream.write_all(&self.buffer)?;
        self.receive()?;
        if self.buffer.len() == HEADER + bytes {
            Ok(())
        } else {
            Err("wrong answer".into())
        }
    }

    /// Answers a message. False: there will be no other.
    fn answer(&mut self) -> Result<bool, Error> {
        let header = self.receive()?;
        self.stream.write_all(&self.buffer)?;
        Ok(header & LAST == 0)
    }

    /// Reads a message into the buffer: a small one with its length at once.
    fn receive(&mut self) -> Result<u32, Error> {
        let mut filled = 0;
        let mut size = HEADER;
        let mut header = 0;
        while filled < size {
            if self.buffer.len() < HEADER + CALL {
                self.buffer.resize(HEADER + CALL, 0);
            }
            match self.stream.read(&mut self.buffer[filled..]) {
                Ok(0) => return Err("the other end has closed".into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(bytes) = self.buffer.first_chunk().filter(|_| filled >= HEADER) {
                header = u32::from_le_bytes(*bytes);
                size = HEADER + (header & !LAST) as usize;
                if self.buffer.len() < size {
                    self.buffer.resize(size, 0);
                }
            }
        }
        // Only one message is ever under way, so there is nothing behind it.
        self.buffer.truncate(size);
        Ok(header)
    }
}

const HEADER: usize = size_of::<u32>();
/// A message of the size of a small call's.
const CALL: usize = 64 - HEADER;
/// In a message's length: the asker closes after the answer.
const LAST: u32 = 1 << 31;
