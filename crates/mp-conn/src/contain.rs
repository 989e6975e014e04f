//! Panics, kept where they happen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, log};

/// Runs code of the user's. A panic of it is the failure of what it was run for.
///
/// # Errors
///
/// Those of the code, and [`Error::Failed`] with the text of its panic.
pub fn contained<R>(action: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    caught(action).unwrap_or_else(|text| Err(Error::failed(format!("panicked: {text}"))))
}

/// Runs code that may panic.
///
/// # Errors
///
/// The text of its panic. What it panicked with is dropped here, and so is what that panics with in its turn.
pub fn caught<R>(action: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|panic| {
        let text = text(&*panic).to_owned();
        discard(panic);
        text
    })
}

/// Runs code and says whether it came to its end.
pub(crate) fn guarded<R>(action: impl FnOnce() -> R) -> Option<R> {
    caught(action).ok()
}

/// Runs code so that what it needs of the stack is free again when it returns, and not kept by its caller: threads that have
/// called once keep each page of their stacks that they have touched.
#[inline(never)]
pub(crate) fn in_own_frame<R>(action: impl FnOnce() -> R) -> R {
    action()
}

/// Runs code that nobody waits for. A panic is told to the log, by the place where it happened.
pub fn unattended(place: &str, action: impl FnOnce()) {
    if guarded(action).is_none() {
        log::uncaught(place);
    }
}

/// Drops things one by one: where several panic, a second panic would meet the first on its way, and end the process.
/// False: one of them panicked.
pub(crate) fn drop_each<T>(things: impl IntoIterator<Item = T>) -> bool {
    let mut whole = true;
    for thing in things {
        whole &= guarded(|| drop(thing)).is_some();
    }
    whole
}

/// Drops what somebody panicked with, and what that panics with in its turn.
fn discard(mut panic: Box<dyn Any + Send>) {
    for _ in 0..PANICS_IN_A_ROW {
        match catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            Ok(()) => return,
            Err(next) => panic = next,
        }
    }
    // It could go on for ever.
    let _: &mut _ = Box::leak(panic);
}

fn text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "(no text)"
    }
}

/// What so many panics leave, one out of the other, is not dropped.
const PANICS_IN_A_ROW: usize = 8;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::panic::panic_any;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{Connection, EventLoop, Limits, Object, ServerCall, serve};

    /// Panics when it is dropped, with another one in it.
    struct Bomb(u32, Arc<AtomicUsize>);

    impl Drop for Bomb {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            if let Some(next) = self.0.checked_sub(1) {
                panic_any(Self(next, Arc::clone(&self.1)));
            }
        }
    }

    #[test]
    fn what_a_panic_holds_may_panic() {
        let dropped = Arc::<AtomicUsize>::default();
        assert_eq!(caught(|| 1), Ok(1));
        for depth in 0..3 {
            let bomb = Bomb(depth, Arc::clone(&dropped));
            let text = caught(|| panic_any(bomb)).unwrap_err();
            assert_eq!(text, "(no text)");
        }
        assert_eq!(dropped.load(Ordering::SeqCst), 1 + 2 + 3);
    }

    #[test]
    fn each_thing_is_dropped_though_all_of_them_panic() {
        let dropped = Arc::<AtomicUsize>::default();
        let bombs = [(); 5].map(|()| Bomb(1, Arc::clone(&dropped)));
        assert!(!drop_each(bombs));
        assert_eq!(dropped.load(Ordering::SeqCst), 10);
        assert!(drop_each([1, 2, 3]));
    }

    struct Nothing;

    impl Object for Nothing {
        fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
            None
        }

        fn call(&self, call: ServerCall) {
            call.fail(&Error::failed("nothing"));
        }
    }

    fn connection(event_loop: &EventLoop) -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let connection = serve(event_loop, theirs, Arc::new(Nothing), Limits::default());
        (connection.unwrap(), ours)
    }

    #[test]
    fn panics_inside_a_vat_end_its_connection_and_no_other() {
        let event_loop = EventLoop::new("contain").unwrap();
        let dropped = Arc::<AtomicUsize>::default();
        let (other, _other_end) = connection(&event_loop);
        for bombs in [0, 1, 5] {
            let (broken, mut end) = connection(&event_loop);
            // Futures that panic when the vat is taken down, half of them before they were polled.
            let spawn = |state: &mut crate::vat::state::State| {
                for _ in 0..bombs {
                    let bomb = Bomb(1, Arc::clone(&dropped));
                    state.shared.spawn(async move {
                        std::future::pending::<()>().await;
                        drop(bomb);
                    });
                }
            };
            broken.inner().enter(spawn).unwrap();
            let failed = broken.inner().enter(|state| {
                spawn(state);
                panic!("inside");
            });
            assert!(matches!(failed, Err(Error::Disconnected)));
            assert!(broken.is_closed());
            assert_eq!(std::io::Read::read(&mut end, &mut [0; 8]).unwrap(), 0);
            // And it is used on, and dropped.
            assert_eq!(broken.stats(), crate::Stats::default());
        }
        assert_eq!(dropped.load(Ordering::SeqCst), 2 * 2 * (1 + 5));
        assert!(!other.is_closed());
        assert_eq!(other.stats().objects, 1);
    }
}
