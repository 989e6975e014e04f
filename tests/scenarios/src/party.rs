//! The serving end's object: it does what each test tells it to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use multiprocess::Error;

use crate::convert::{Pointers, Size, Temperature, Trail};
use crate::scenarios::{
    Basket, Callback, Counter, Door, Empty, ExtendedCallback, IntFn, Party, PartyRaiseError,
    StepFn, Thing,
};

/// A function that a test puts in place.
type Hook<F> = Mutex<Option<Arc<F>>>;

/// The object behind a `Party`.
#[derive(Default)]
pub struct PartyObject {
    saved: Mutex<Option<Arc<dyn Callback>>>,
    saved_fn: Mutex<Option<Arc<dyn IntFn>>>,
    on_call: Hook<dyn Fn() -> Result<(), Error> + Send + Sync>,
    on_int: Hook<dyn Fn(i32) -> Result<i32, Error> + Send + Sync>,
    /// Counters and things that were made and not dropped yet.
    live: Arc<AtomicUsize>,
}

impl PartyObject {
    /// An object that does nothing yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Says what `callFn` and `runFn` do.
    pub fn on_call(&self, function: impl Fn() -> Result<(), Error> + Send + Sync + 'static) {
        *lock(&self.on_call) = Some(Arc::new(function));
    }

    /// Says what `callIntFn` does.
    pub fn on_int(&self, function: impl Fn(i32) -> Result<i32, Error> + Send + Sync + 'static) {
        *lock(&self.on_int) = Some(Arc::new(function));
    }

    /// Counters and things that were made and not dropped yet.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    /// The callback that `saveCallback` saved.
    #[must_use]
    pub fn saved(&self) -> Option<Arc<dyn Callback>> {
        lock(&self.saved).clone()
    }

    /// Takes the function that `saveFn` saved.
    #[must_use]
    pub fn take_fn(&self) -> Option<Arc<dyn IntFn>> {
        lock(&self.saved_fn).take()
    }

    fn call_hook(&self) -> Result<(), Error> {
        let hook = lock(&self.on_call).clone();
        hook.ok_or_else(|| Error::failed("nothing to call"))?()
    }
}

impl Party for PartyObject {
    fn init_thread_map(&self) -> Result<(), Error> {
        Ok(())
    }

    fn add(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a + b)
    }

    fn add_out(&self, a: i32, b: i32) -> Result<i32, Error> {
        Ok(a + b)
    }

    fn add_in_out(&self, x: i32, sum: i32) -> Result<i32, Error> {
        Ok(sum + x)
    }

    fn map_size(&self, map: &BTreeMap<String, String>) -> Result<i32, Error> {
        i32::try_from(map.len()).map_err(Error::failed)
    }

    fn pass(&self, arg: &Basket) -> Result<Basket, Error> {
        Ok(arg.clone())
    }

    fn raise(&self, arg: &Basket) -> Result<(), PartyRaiseError> {
        Err(arg.clone().into())
    }

    fn pass_enum(&self, arg: &Size) -> Result<Size, Error> {
        Ok(*arg)
    }

    fn pass_empty(&self, arg: &Empty) -> Result<Empty, Error> {
        Ok(arg.clone())
    }

    fn pass_data(&self, arg: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(arg.to_vec())
    }

    fn pass_double(&self, arg: f64) -> Result<f64, Error> {
        Ok(arg)
    }

    fn pass_blobs(&self, arg: &Pointers) -> Result<Pointers, Error> {
        Ok(arg.clone())
    }

    fn pass_custom(&self, arg: &Temperature) -> Result<Temperature, Error> {
        Ok(*arg)
    }

    fn pass_message(&self, arg: &Trail) -> Result<Trail, Error> {
        Ok(Trail(format!("{} call", arg.0)))
    }

    fn pass_mutable(&self, arg: &Trail) -> Result<Trail, Error> {
        Ok(Trail(format!("{} call", arg.0)))
    }

    fn callback(&self, callback: Arc<dyn Callback>, arg: i32) -> Result<i32, Error> {
        callback.call(arg)
    }

    fn callback_extended(
        &self,
        callback: Arc<dyn ExtendedCallback>,
        arg: i32,
    ) -> Result<i32, Error> {
        callback.call_extended(arg)
    }

    fn save_callback(&self, callback: Option<Arc<dyn Callback>>) -> Result<(), Error> {
        let old = std::mem::replace(&mut *lock(&self.saved), callback);
        drop(old);
        Ok(())
    }

    fn callback_saved(&self, arg: i32) -> Result<i32, Error> {
        self.saved()
            .ok_or_else(|| Error::failed("nothing saved"))?
            .call(arg)
    }

    fn same_callback(&self, callback: Arc<dyn Callback>) -> Result<Arc<dyn Callback>, Error> {
        Ok(callback)
    }

    fn as_base(&self, callback: Arc<dyn ExtendedCallback>) -> Result<Arc<dyn Callback>, Error> {
        Ok(callback)
    }

    fn make_counter(&self, start: i32) -> Result<Arc<dyn Counter>, Error> {
        Ok(Tracked::new(&self.live, start))
    }

    fn meet(&self, start: i32) -> Result<Arc<dyn Counter>, Error> {
        self.make_counter(start)
    }

    fn next_of(&self, counter: Arc<dyn Counter>) -> Result<i32, Error> {
        counter.next()
    }

    fn make_thing(&self) -> Result<Arc<dyn Thing>, Error> {
        Ok(Tracked::new(&self.live, 0))
    }

    fn touch_thing(&self, thing: Arc<dyn Thing>) -> Result<i32, Error> {
        thing.touch()
    }

    fn pass_fn(&self, function: Arc<dyn IntFn>) -> Result<i32, Error> {
        function.call()
    }

    fn pass_fn_inline(&self, function: Arc<dyn IntFn>) -> Result<i32, Error> {
        function.call()
    }

    fn recurse(&self, function: Arc<dyn StepFn>, depth: i32) -> Result<i32, Error> {
        if depth == 0 {
            return Ok(0);
        }
        Ok(function.call(depth - 1)? + 1)
    }

    fn call_fn(&self) -> Result<(), Error> {
        self.call_hook()
    }

    fn run_fn(&self) -> Result<(), Error> {
        self.call_hook()
    }

    fn call_int_fn(&self, arg: i32) -> Result<i32, Error> {
        let hook = lock(&self.on_int).clone();
        hook.ok_or_else(|| Error::failed("nothing to call"))?(arg)
    }

    fn fail(&self, text: &str) -> Result<(), Error> {
        Err(Error::failed(text))
    }

    fn save_fn(&self, function: Arc<dyn IntFn>) -> Result<(), Error> {
        let old = lock(&self.saved_fn).replace(function);
        drop(old);
        Ok(())
    }
}

impl std::fmt::Debug for PartyObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartyObject")
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

/// A first object that hands out one `Party`.
#[derive(Debug)]
pub struct DoorObject(Arc<PartyObject>);

impl DoorObject {
    /// A door to an object.
    #[must_use]
    pub fn new(party: &Arc<PartyObject>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(party)))
    }
}

impl Door for DoorObject {
    fn make_party(&self) -> Result<Arc<dyn Party>, Error> {
        Ok(Arc::<PartyObject>::clone(&self.0))
    }
}

/// Something that is counted as long as it lives.
#[derive(Debug)]
struct Tracked {
    value: AtomicI32,
    live: Arc<AtomicUsize>,
}

impl Tracked {
    fn new(live: &Arc<AtomicUsize>, value: i32) -> Arc<Self> {
        live.fetch_add(1, Ordering::SeqCst);
        Arc::new(Self {
            value: AtomicI32::new(value),
            live: Arc::clone(live),
        })
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Counter for Tracked {
    fn next(&self) -> Result<i32, Error> {
        Ok(self.value.fetch_add(1, Ordering::SeqCst))
    }
}

impl Thing for Tracked {
    fn touch(&self) -> Result<i32, Error> {
        Ok(self.value.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
