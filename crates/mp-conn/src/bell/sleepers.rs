//! Threads that sleep, by Linux's `futex`, which compares and goes to sleep in one step; for `loom`, by what it has.

#[cfg(not(loom))]
pub(super) use self::real::Sleepers;

#[cfg(loom)]
pub(super) use self::model::Sleepers;

#[cfg(not(loom))]
mod real {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use rustix::thread::futex::{self, Flags};
    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::super::word::Bits;

    /// How often they were rung for: 2^32 times between a thread's look and its sleep would be missed.
    #[derive(Debug, Default)]
    pub(in super::super) struct Sleepers(AtomicU32);

    impl Sleepers {
        pub(in super::super) fn rung(&self) -> u32 {
            self.0.load(Ordering::Acquire)
        }

        pub(in super::super) fn sleep(&self, since: u32, bits: Bits, deadline: Option<Instant>) {
            let deadline = deadline.and_then(|deadline| {
                let left = deadline.saturating_duration_since(Instant::now());
                // What is beyond the clock's range is no deadline.
                let left = Timespec::try_from(left).ok()?;
                clock_gettime(ClockId::Monotonic).checked_add(left)
            });
            // Fails when it was rung before, at the deadline, or by a signal: the caller looks.
            futex::wait_bitset(&self.0, Flags::PRIVATE, since, deadline.as_ref(), bits).ok();
        }

        pub(in super::super) fn ring(&self, bits: Bits) {
            self.0.fetch_add(1, Ordering::Release);
            // Fails for no word of this process.
            futex::wake_bitset(&self.0, Flags::PRIVATE, EVERYBODY, bits).ok();
        }
    }

    /// As many as there are.
    const EVERYBODY: u32 = i32::MAX as u32;
}

#[cfg(loom)]
mod model {
    use std::sync::PoisonError;
    use std::time::Instant;

    use loom::sync::{Condvar, Mutex, MutexGuard};

    use super::super::word::Bits;

    /// How often they were rung for.
    #[derive(Debug)]
    pub(in super::super) struct Sleepers {
        rung: Mutex<u32>,
        changed: Condvar,
    }

    impl Sleepers {
        pub(in super::super) fn rung(&self) -> u32 {
            *self.lock()
        }

        pub(in super::super) fn sleep(&self, since: u32, _: Bits, _: Option<Instant>) {
            let rung = self.lock();
            if *rung == since {
                drop(self.changed.wait(rung));
            }
        }

        pub(in super::super) fn ring(&self, _: Bits) {
            *self.lock() += 1;
            self.changed.notify_all();
        }

        fn lock(&self) -> MutexGuard<'_, u32> {
            self.rung.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Default for Sleepers {
        fn default() -> Self {
            Self {
                rung: Mutex::new(0),
                changed: Condvar::new(),
            }
        }
    }
}
