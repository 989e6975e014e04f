//! A peer that has what the C++ library has, and no more: threads that run one call after another.

use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

/// A socket that leads to another one, on which nobody is asked for threads that share a queue: what the client sends to that
/// interface arrives with the number of one that there is not.
///
/// # Errors
///
/// When the system has no sockets or threads left.
pub fn without_shared_threads(server: UnixStream) -> io::Result<UnixStream> {
    let (client, near) = UnixStream::pair()?;
    let (mut answers, mut back) = (server.try_clone()?, near.try_clone()?);
    thread::Builder::new()
        .name("to server".into())
        .spawn(move || {
            // However it ended, the server learns that it has.
            forward(&near, &server).unwrap_or_default();
            server.shutdown(Shutdown::Both).unwrap_or_default();
        })?;
    thread::Builder::new()
        .name("to client".into())
        .spawn(move || {
            io::copy(&mut answers, &mut back).unwrap_or_default();
            back.shutdown(Shutdown::Both).unwrap_or_default();
        })?;
    Ok(client)
}

/// Passes words on. Messages are made of them, and so the number is one.
fn forward(mut from: &UnixStream, mut to: &UnixStream) -> io::Result<()> {
    let mut words = BufReader::new(&mut from);
    let mut passed = Vec::new();
    loop {
        let mut word = [0; 8];
        words.read_exact(&mut word)?;
        if word == SHARED_THREADS.to_le_bytes() {
            word = (!SHARED_THREADS).to_le_bytes();
        }
        passed.extend_from_slice(&word);
        if words.buffer().len() < word.len() {
            to.write_all(&passed)?;
            passed.clear();
        }
    }
}

/// The interface as `mp-thread` documents it.
const SHARED_THREADS: u64 = 0xaf31_dd9d_019c_4539;
