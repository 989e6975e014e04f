//! How long the tests wait.

use std::time::Duration;

/// Longer than anything takes: by the factor `MP_PATIENCE` longer, for runs under valgrind.
pub(crate) fn deadline() -> Duration {
    let asked = std::env::var("MP_PATIENCE").ok();
    let patience = asked.and_then(|text| text.parse().ok());
    Duration::from_secs(30) * patience.unwrap_or(1)
}
