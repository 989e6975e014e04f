//! Hands calls to their objects in the order in which they came, whichever threads brought them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bell;
use crate::contain::unattended;
use crate::object::Object;
use crate::vat::shared::Dispatch;

/// Calls that were read and not yet handed over.
///
/// Threads push while they hold the vat's lock, and run after they released it. One thread at a time runs, and takes along
/// what others pushed meanwhile: so two threads cannot overtake each other between unlocking and handing over.
#[derive(Default)]
pub(crate) struct Dispatcher {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    calls: VecDeque<Dispatch>,
    running: bool,
    /// Room for the objects of calls that were handed over.
    objects: Vec<Arc<dyn Object>>,
}

impl Dispatcher {
    pub(crate) fn push(&self, calls: &mut Vec<Dispatch>) {
        if !calls.is_empty() {
            self.lock().calls.extend(calls.drain(..));
        }
    }

    /// Hands over everything, unless another thread is at it.
    pub(crate) fn run(&self) {
        let mut queue = self.lock();
        if queue.running {
            return;
        }
        queue.running = true;
        let mut objects = std::mem::take(&mut queue.objects);
        while !queue.calls.is_empty() {
            let count = queue.calls.len();
            drop(queue);
            // The threads that are to run them are woken together.
            bell::together(0..count, |_| {
                let next = self.lock().calls.pop_front();
                if let Some((object, call)) = next {
                    unattended("an object", || object.call(call));
                    objects.push(object);
                }
            });
            for object in objects.drain(..) {
                // It may be the last reference.
                unattended("a destructor", || drop(object));
            }
            queue = self.lock();
        }
        queue.objects = objects;
        queue.running = false;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
