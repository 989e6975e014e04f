//! Reads Cap'n Proto schema files and their `$Proxy` annotations into a checked model.

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
