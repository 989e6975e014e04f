//! Reads Cap'n Proto schema files and their `$Proxy` annotations into a checked model of interfaces, methods and structs:
//! what a code generator, a documentation tool or a linter needs to know, with the place in the file for each thing.
//!
//! ```
//! use mp_schema::{Loader, Role};
//!
//! # fn main() -> Result<(), mp_schema::Error> {
//! let schema = Loader::new().src_prefix("tests/schema").file("tests/schema/calculator.capnp").load()?;
//!
//! let file = schema.requested_files().next().expect("one file was given");
//! assert_eq!(file.name, "calculator.capnp");
//!
//! let calculator = schema.interface(file.items[0]).expect("the file declares one interface");
//! assert_eq!(calculator.wrap.as_ref().map(|wrap| wrap.short_name()), Some("Calculator"));
//! assert_eq!(calculator.decl.comment.as_deref(), Some("Solves equations."));
//!
//! let method = calculator.method("solveEquation").expect("declared above");
//! assert_eq!(method.location.to_string(), "tests/schema/calculator.capnp:9:5");
//! assert!(method.context().is_some(), "it runs on a thread that the caller chose");
//! let roles: Vec<_> = method.args.iter().map(|arg| (arg.name.as_str(), arg.role.clone(), arg.count)).collect();
//! assert_eq!(roles, [("context", Role::In, 0), ("eqn", Role::In, 1), ("result", Role::Return, 1)]);
//! # Ok(())
//! # }
//! ```
//!
//! [`Loader`] runs the `capnp` tool if there is one, else the compiler that is embedded (feature `embedded`, on by default);
//! see [`Compiler`]. Files that every schema may import need not be installed: `/mp/proxy.capnp`, `/capnp/c++.capnp`,
//! `/capnp/rust.capnp` and `/capnp/stream.capnp`; the embedded compiler has the others of `/capnp/` too.
//! A request that `capnp compile -o` hands to a plugin is read with [`Loader::load_request`], or, without looking
//! at any file, with [`Schema::from_request`].
//!
//! What is wrong with the files is in [`Error::Schema`], all of it at once: each [`Diagnostic`] says where, what, and what
//! to do. The compiler's errors come first; once there are none, the rules for annotations are checked (an
//! exception on a param, a companion `hasX` that is not a `Bool`, ...).

mod check;
mod compile;
mod error;
mod loader;
mod model;
mod read;
mod source;
pub mod well_known;

pub use compile::Compiler;
pub use error::{Diagnostic, Diagnostics, Error};
pub use loader::Loader;
pub use model::{
    Annotation, AnyKind, Arg, Brand, BrandScope, Constant, Decl, Enum, Enumerant, Field, File,
    Import, Interface, Item, Location, Message, Method, MethodKind, Role, Schema, ScopeBinding,
    Struct, Superclass, Type, TypeRef, Value, Wrap,
};
