//! Generates Rust traits, client proxies and servers from annotated Cap'n Proto schema files.
//!
//! For every `interface X $Proxy.wrap("ns::X")` of a schema there is a trait `X` with blocking methods, a client
//! `XClient` that implements it for an object in another process and has an async twin of each method, and the code that
//! serves any `Arc<dyn X>`. Structs become plain Rust structs, unions and enums Rust enums. A build script needs three lines:
//!
//! ```no_run
//! fn main() -> Result<(), mp_gen::Error> {
//!     mp_gen::Builder::new().src_prefix("schema").file("schema/init.capnp").compile()
//! }
//! ```
//!
//! and the program one, `multiprocess::include_proxies!();`, which makes a module of each schema file. The crate can also be
//! used without cargo, as a library or by its command `mpgen`:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let schema = dir.path().join("greeter.capnp");
//! std::fs::write(&schema, r#"
//!     @0xd8a3c1bb32b1c0a5;
//!     using Proxy = import "/mp/proxy.capnp";
//!     interface Greeter $Proxy.wrap("demo::Greeter") {
//!         greet @0 (context :Proxy.Context, name :Text) -> (result :Text);
//!     }
//! "#)?;
//! mp_gen::Builder::new().src_prefix(dir.path()).file(&schema).out_dir(dir.path()).compile()?;
//! let code = std::fs::read_to_string(dir.path().join("greeter_proxy.rs"))?;
//! assert!(code.contains("fn greet(&self, name: &str) -> mp::Result<String>;"));
//! # Ok(())
//! # }
//! ```
//!
//! How a schema becomes code: `mp-schema` makes a model of it; `plan` decides every name and type and collects all errors;
//! `emit` writes it down, which cannot fail; `output` puts the files in place, only where they changed. The message
//! accessors come from the crate `capnpc`. Generated code names nothing but `::multiprocess::codegen`.

mod accessors;
mod builder;
mod config;
mod emit;
mod error;
mod explain;
mod imports;
mod names;
mod output;
mod plan;
mod rust_annotations;

pub use builder::Builder;
pub use config::Collection;
pub use error::Error;
