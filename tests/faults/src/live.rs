//! Counts objects, and notes in which order they go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The objects of a test that are alive, and those that went, in their order.
#[derive(Clone, Debug, Default)]
pub struct Register {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    live: usize,
    gone: Vec<i32>,
}

impl Register {
    /// Something to be kept in an object: the object counts as alive as long as it is there.
    #[must_use]
    pub fn enter(&self, number: i32) -> Entry {
        self.lock().live += 1;
        Entry {
            register: self.clone(),
            number,
        }
    }

    /// How many are alive.
    #[must_use]
    pub fn live(&self) -> usize {
        self.lock().live
    }

    /// The numbers of those that went, in their order.
    #[must_use]
    pub fn gone(&self) -> Vec<i32> {
        self.lock().gone.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An object's place in a [`Register`].
#[derive(Debug)]
pub struct Entry {
    register: Register,
    number: i32,
}

impl Entry {
    /// The object's number.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.number
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.register.lock();
        state.live -= 1;
        state.gone.push(self.number);
    }
}
