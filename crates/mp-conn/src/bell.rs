//! What threads sleep at, so that one system call wakes any number of them.
//!
//! Woken one by one, each thread would take the processor from the one that wakes, before that can wake the next: where there are
//! more threads than processors, 16 threads that call were measured to do an eighth fewer calls a second.
//!
//! Modelled with the waiter that uses it, in `mp-thread`.

mod sleepers;
mod word;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use self::word::{Bits, Word};

/// Where one thread sleeps: a bit of a word that it shares with others.
#[derive(Debug)]
pub struct Bell {
    word: Arc<Word>,
    bit: Bits,
}

/// A moment, from which on it is heard when a bell is rung.
#[derive(Clone, Copy, Debug)]
pub struct Listening(u32);

impl Bell {
    /// A bell that nobody rang.
    #[must_use]
    pub fn new() -> Self {
        // What `loom` knows must not outlive a run of a model.
        let (word, bit) = if cfg!(loom) {
            Word::place(&Mutex::default())
        } else {
            Word::place(&WORDS)
        };
        Self { word, bit }
    }

    /// Listens from now on. What the thread sleeps for is looked at after this, or else under a lock that who brings it needs, too.
    #[must_use]
    pub fn listen(&self) -> Listening {
        Listening(self.word.rung())
    }

    /// Sleeps until the bell is rung, if it was not since then, or until the deadline. The thread may wake up for nothing.
    pub fn sleep(&self, since: Listening, deadline: Option<Instant>) {
        self.word.sleep(since.0, self.bit, deadline);
    }

    /// Wakes the thread: at once, or with others that the calling thread is about to wake as well.
    pub fn ring(&self) {
        let kept = TOGETHER.try_with(|together| together.keep(&self.word, self.bit));
        // Fails only when the calling thread is ending.
        if !kept.unwrap_or(false) {
            self.word.ring(self.bit);
        }
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.word.give_back(self.bit);
    }
}

/// Does something for each that may ring bells. Those threads are woken when it has been done for all, so it must not wait for
/// any of them.
pub(crate) fn together<T>(items: impl ExactSizeIterator<Item = T>, action: impl FnMut(T)) {
    let begin = |together: &Together| !together.is_active.replace(true);
    // Where this is inside of another, that one rings.
    let is_outer = items.len() > 1 && TOGETHER.try_with(begin).unwrap_or(false);
    let _end = is_outer.then_some(End);
    items.for_each(action);
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        let rung = TOGETHER.try_with(|together| {
            together.is_active.set(false);
            for (word, bits) in together.kept.borrow_mut().drain(..) {
                word.ring(bits);
            }
        });
        // It began on this thread, which has not ended meanwhile.
        rung.unwrap_or_default();
    }
}

/// What a thread has rung since it began to ring together.
struct Together {
    is_active: Cell<bool>,
    kept: RefCell<Vec<(Arc<Word>, Bits)>>,
}

impl Together {
    /// Keeps a bell to be rung later. False: it is to be rung now.
    fn keep(&self, word: &Arc<Word>, bit: Bits) -> bool {
        if self.is_active.get() {
            let mut kept = self.kept.borrow_mut();
            match kept.iter_mut().find(|(other, _)| Arc::ptr_eq(other, word)) {
                Some((_, bits)) => *bits |= bit,
                None => kept.push((Arc::clone(word), bit)),
            }
        }
        self.is_active.get()
    }
}

/// All words of the process. There are as many as the most threads at a time needed.
static WORDS: Mutex<Vec<Arc<Word>>> = Mutex::new(Vec::new());

thread_local! {
    static TOGETHER: Together = const {
        Together {
            is_active: Cell::new(false),
            kept: RefCell::new(Vec::new()),
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use patience::{start, stress, within_deadline};

    use super::*;

    #[test]
    fn each_bell_has_a_place_of_its_own_while_it_is_there() {
        let words = Mutex::default();
        let address = |(word, bit): &(Arc<Word>, Bits)| (Arc::as_ptr(word).addr(), *bit);
        let mut places: Vec<_> = (0..70).map(|_| Word::place(&words)).collect();
        let taken: HashSet<_> = places.iter().map(address).collect();
        assert_eq!((taken.len(), words.lock().unwrap().len()), (70, 3));
        let given_back = [places.swap_remove(40), places.swap_remove(3)];
        for (word, bit) in &given_back {
            word.give_back(*bit);
        }
        let again: HashSet<_> = (0..2).map(|_| address(&Word::place(&words))).collect();
        assert_eq!(again, given_back.iter().map(address).collect());
        assert_eq!(words.lock().unwrap().len(), 3);
    }

    #[test]
    fn a_sleep_ends_at_its_deadline_and_not_at_all_for_what_was_rung_before() {
        within_deadline(|| {
            let bell = Bell::new();
            bell.sleep(bell.listen(), Some(Instant::now()));
            let listening = bell.listen();
            bell.ring();
            bell.sleep(listening, None);
        });
    }

    /// Threads that each wait for their turn, of which there are so many.
    struct Ring {
        bells: Vec<Bell>,
        turns: Vec<AtomicUsize>,
    }

    impl Ring {
        fn give(&self, index: usize) {
            self.turns[index].fetch_add(1, Ordering::SeqCst);
            self.bells[index].ring();
        }

        fn take(&self, index: usize, turn: usize) {
            loop {
                let listening = self.bells[index].listen();
                if self.turns[index].load(Ordering::SeqCst) >= turn {
                    return;
                }
                self.bells[index].sleep(listening, None);
            }
        }
    }

    /// More threads than a word has bits: one wakes all others together, and the last of them wakes it.
    #[test]
    fn threads_that_are_woken_together_all_wake_up_stress() {
        stress(|| {
            let ring = Arc::new(Ring {
                bells: (0..41).map(|_| Bell::new()).collect(),
                turns: (0..41).map(|_| AtomicUsize::new(0)).collect(),
            });
            let left = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = (1..41)
                .map(|index| {
                    let (ring, left) = (Arc::clone(&ring), Arc::clone(&left));
                    start("sleeper", move || {
                        for turn in 1..=ROUNDS {
                            ring.take(index, turn);
                            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                                ring.give(0);
                            }
                        }
                    })
                })
                .collect();
            for turn in 1..=ROUNDS {
                left.store(40, Ordering::SeqCst);
                together(
                    [1..21, 21..41].into_iter(),
                    |half: std::ops::Range<usize>| {
                        together(half, |index| ring.give(index));
                    },
                );
                ring.take(0, turn);
            }
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    const ROUNDS: usize = 300;
}
