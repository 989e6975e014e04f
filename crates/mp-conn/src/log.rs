//! Messages for the log, with the C++ library's texts. Never called with a vat's lock held: a subscriber is code of the user's.

use crate::contain::guarded;

/// A panic in code of the user's that nobody waits for. It may have been the subscriber's, which is not asked twice.
pub(crate) fn uncaught(place: &str) {
    guarded(|| {
        tracing::error!(target: "ipc", "Uncaught exception in daemonized task. ({place} panicked)");
    })
    .unwrap_or_default();
}
