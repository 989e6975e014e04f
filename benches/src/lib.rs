//! What the benchmark programs have in common: their arguments, how they measure, and what they print.
//!
//! Each program serves and calls the same interface, `schema/bench.capnp`, in its own way:
//!
//! ```text
//! <program> server <path>
//! <program> client <path> [metric…] [secs=S] [reps=N] [calls=N]
//! ```
//!
//! `cargo xtask bench` runs them against each other; any client can also be run by hand against any server that speaks the
//! same protocol. What a client prints is described at [`print`](mod@print).

pub mod args;
pub mod crowd;
pub mod endpoint;
pub mod parallel;
pub mod print;
pub mod process;
pub mod series;

multiprocess::include_proxies!();

/// Why a program could not measure: it is only ever shown.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
