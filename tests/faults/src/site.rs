//! The serving end's object, and objects for both ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use multiprocess::Error;

use crate::convert::Fragile;
use crate::faults::{Item, Listener, NumberFn, Site, Token};
use crate::live::{Entry, Register};

type Hook = Arc<dyn Fn(i32) -> Result<i32, Error> + Send + Sync>;

/// The object behind a `Site`.
#[derive(Default)]
pub struct SiteObject {
    saved: Mutex<Vec<Arc<dyn Listener>>>,
    work: Mutex<Option<Hook>>,
    /// The objects that it made.
    pub register: Register,
}

impl SiteObject {
    /// An object whose `work` gives its argument back.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Says what `work` does.
    pub fn on_work(&self, work: impl Fn(i32) -> Result<i32, Error> + Send + Sync + 'static) {
        *lock(&self.work) = Some(Arc::new(work));
    }

    /// The listeners that were saved.
    #[must_use]
    pub fn saved(&self) -> Vec<Arc<dyn Listener>> {
        lock(&self.saved).clone()
    }
}

impl Site for SiteObject {
    fn add(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a.wrapping_add(b))
    }

    fn work(&self, number: i32) -> Result<i32, Error> {
        let work = lock(&self.work).clone();
        work.map_or(Ok(number), |work| work(number))
    }

    fn convert(&self, value: &Fragile) -> Result<Fragile, Error> {
        Ok(match value.0.strip_prefix("give ") {
            Some(text) => Fragile(text.to_owned()),
            None => value.clone(),
        })
    }

    fn borrow(&self, listener: Arc<dyn Listener>, number: i32) -> Result<i32, Error> {
        listener.hear(number)
    }

    fn apply(&self, function: Arc<dyn NumberFn>, number: i32) -> Result<i32, Error> {
        function.call(number)
    }

    fn save(&self, listener: Arc<dyn Listener>) -> Result<(), Error> {
        lock(&self.saved).push(listener);
        Ok(())
    }

    fn notify(&self, number: i32) -> Result<i32, Error> {
        let saved = self.saved();
        saved.iter().try_fold(0_i32, |sum, listener| {
            Ok(sum.wrapping_add(listener.hear(number)?))
        })
    }

    fn forget(&self) -> Result<(), Error> {
        let saved = std::mem::take(&mut *lock(&self.saved));
        drop(saved);
        Ok(())
    }

    fn same(&self, listener: Arc<dyn Listener>) -> Result<Arc<dyn Listener>, Error> {
        Ok(listener)
    }

    fn make(&self, number: i32) -> Result<Arc<dyn Item>, Error> {
        Ok(Tracked::new(&self.register, number))
    }

    fn make_token(&self, number: i32) -> Result<Arc<dyn Token>, Error> {
        Ok(Tracked::new(&self.register, number))
    }

    fn touch(&self, item: Arc<dyn Item>) -> Result<i32, Error> {
        item.number()
    }
}

impl std::fmt::Debug for SiteObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteObject")
            .field("register", &self.register)
            .finish_non_exhaustive()
    }
}

/// An object of any kind that is counted as long as it lives.
#[derive(Debug)]
pub struct Tracked(Entry);

impl Tracked {
    /// Makes one.
    #[must_use]
    pub fn new(register: &Register, number: i32) -> Arc<Self> {
        Arc::new(Self(register.enter(number)))
    }
}

impl Item for Tracked {
    fn number(&self) -> Result<i32, Error> {
        Ok(self.0.number())
    }
}

impl Token for Tracked {
    fn read(&self) -> Result<i32, Error> {
        Ok(self.0.number())
    }
}

impl Listener for Tracked {
    fn hear(&self, number: i32) -> Result<i32, Error> {
        Ok(self.0.number().wrapping_add(number))
    }
}

/// The lock, whoever panicked under it.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
