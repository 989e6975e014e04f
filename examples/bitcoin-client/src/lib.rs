//! A client for the interfaces that Bitcoin Core's `bitcoin-node` serves on a Unix socket.
//!
//! ```no_run
//! # async fn demo() -> Result<(), bitcoin_client::Error> {
//! use bitcoin_client::Node;
//!
//! let node = Node::connect("unix").await?;
//! if let Some(tip) = node.mining().await?.tip().await? {
//!     tracing::info!("{} is block {}", tip.hash, tip.height);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything here is `Send + Sync + Clone`, and every answer a future for any runtime, whose call is on its way before it
//! is polled. Dropping an answer cancels the call; where the interface has a method that interrupts it, that is called, too.
//!
//! [`mock`] is a node for tests: it serves the same interfaces from a small chain of its own.

#![forbid(unsafe_code)]

mod client;
mod error;
pub mod mock;
pub mod schema;

pub use self::client::*;
pub use self::error::{Error, Result};
