//! The client library: one API over all versions of the schema.

mod address;
mod answer;
mod mining;
mod node;
mod options;
mod raw;
mod rpc;
mod streams;
mod template;
mod types;

pub use self::address::{data_directory, node_address};
pub use self::answer::Answer;
pub use self::mining::Mining;
pub use self::node::{Echo, Node, Version};
pub use self::options::{CheckOptions, TemplateOptions, WaitOptions};
pub use self::rpc::Rpc;
pub use self::streams::Stream;
pub use self::template::{BlockTemplate, Solution};
pub(crate) use self::types::satoshis;
pub use self::types::{BlockRef, Coinbase, Verdict, merkle_root};
