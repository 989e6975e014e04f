//! Notes the panics of all threads, and tells those that are contained from findings.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::panic;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often something panicked, by the place.
type Places = BTreeMap<String, usize>;

static CONTAINED: Mutex<Places> = Mutex::new(Places::new());
static FINDINGS: Mutex<Places> = Mutex::new(Places::new());

/// Notes panics from now on, without printing them.
pub fn note() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let contained =
            place.contains("/capnp-rpc-") || place.contains("/capnp-0") || in_vat(&place);
        let table = if contained { &CONTAINED } else { &FINDINGS };
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or_default();
        *lock(table).entry(format!("{place}: {text}")).or_default() += 1;
    }));
}

/// The panics that the library is made to contain: those of the RPC system, which end one connection.
#[must_use]
pub fn contained() -> BTreeMap<String, usize> {
    lock(&CONTAINED).clone()
}

/// All others, since the last time.
#[must_use]
pub fn take_findings() -> Vec<String> {
    std::mem::take(&mut *lock(&FINDINGS)).into_keys().collect()
}

/// A panic of the standard library's, such as that of a `RefCell` or an index, with the RPC system right under it.
fn in_vat(place: &str) -> bool {
    if !place.contains("/library/") {
        return false;
    }
    let trace = Backtrace::force_capture().to_string();
    let own = trace
        .lines()
        .find(|line| line.contains("capnp") || line.contains("mp_"));
    own.is_some_and(|line| line.contains("capnp_rpc::"))
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}
