//! Calls between processes that look like calls in one process.
