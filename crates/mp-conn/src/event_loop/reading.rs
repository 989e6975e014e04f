//! Who reads a socket: the event loop's thread, or a thread that leads. Modelled in `tests/loom.rs`.

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
use std::io;
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

/// What tells the event loop's thread about a socket.
pub trait Watcher {
    /// Has the event loop's thread told for the first time.
    ///
    /// # Errors
    ///
    /// When that is not possible.
    fn start(&self, interest: Interest) -> io::Result<()>;
    /// Has the event loop's thread told of this, and nothing else, from now on.
    fn watch(&self, interest: Interest);
    /// Has it told nothing any more.
    fn forget(&self);
}

/// What the event loop's thread wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing else")]
pub struct Interest {
    /// There are bytes to read.
    pub read: bool,
    /// There is room for bytes.
    pub write: bool,
}

/// Decides who reads a socket, and tells the watcher.
#[derive(Debug)]
pub struct Reading<W> {
    watcher: W,
    /// Decisions are made and told under this lock, so that the last one told is the last one made.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Something may be told.
    started: bool,
    /// A thread reads the socket itself: the watcher does not look for bytes.
    led: bool,
    /// Bytes wait for the socket to take them.
    write: bool,
    removed: bool,
}

impl<W: Watcher> Reading<W> {
    /// For a socket of which nothing is told before it is [started](Self::start).
    pub fn new(watcher: W) -> Self {
        Self {
            watcher,
            state: Mutex::new(State {
                started: false,
                led: true,
                write: false,
                removed: false,
            }),
        }
    }

    /// Has the event loop's thread read, which is woken if there is something. Until then nobody leads.
    ///
    /// # Errors
    ///
    /// The watcher's.
    pub fn start(&self) -> io::Result<()> {
        let mut state = self.state();
        if !state.removed {
            state.led = false;
            state.started = true;
            self.watcher.start(state.interest())?;
        }
        Ok(())
    }

    /// What tells the event loop's thread.
    pub fn watcher(&self) -> &W {
        &self.watcher
    }

    /// Says whether bytes wait to be written.
    pub fn set_write(&self, write: bool) {
        let mut state = self.state();
        state.write = write;
        self.tell(&state);
    }

    /// Makes the calling thread the one that reads. False: another thread does, or the socket is not watched any more.
    pub fn lead(&self) -> bool {
        let mut state = self.state();
        if state.led || state.removed {
            return false;
        }
        state.led = true;
        self.tell(&state);
        true
    }

    /// Gives the socket back to the event loop's thread, which is woken if there is something to read.
    pub fn give_back(&self) {
        let mut state = self.state();
        state.led = false;
        self.tell(&state);
    }

    /// Ends the watch for good.
    pub fn remove(&self) {
        let mut state = self.state();
        if !state.removed {
            state.removed = true;
            if state.started {
                self.watcher.forget();
            }
        }
    }

    fn tell(&self, state: &State) {
        if state.started && !state.removed {
            self.watcher.watch(state.interest());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn interest(&self) -> Interest {
        Interest {
            read: !self.led,
            write: self.write,
        }
    }
}
