//! Messages for the log, with the C++ library's texts. Never called with a vat's lock held: a subscriber is code of the user's.

/// A panic in code of the user's that nobody waits for.
pub(crate) fn uncaught(place: &str) {
    tracing::error!(target: "ipc", "Uncaught exception in daemonized task. ({place} panicked)");
}
