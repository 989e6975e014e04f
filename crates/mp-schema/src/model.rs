//! The checked model of a set of schema files: what [`crate::Loader`] gives, and what a code generator reads.
//! Plain data with public fields; ids tie the items together. Nothing here does I/O, any thread may hold it.

mod interface;
mod location;
mod structure;
mod types;

use std::collections::BTreeMap;

pub use interface::{Arg, Interface, Message, Method, MethodKind, Role, Superclass, Wrap};
pub use location::Location;
pub use structure::{Constant, Enum, Enumerant, Field, Struct};
pub use types::{AnyKind, Brand, BrandScope, ScopeBinding, Type, TypeRef, Value};

/// Everything that the compiler said about the given schema files and the files they import.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// All files, the requested ones first and in the order given, then the imported ones by id.
    pub files: Vec<File>,
    /// All declarations of all files, by their 64-bit id. Groups and the implicit structs of methods are among them.
    pub items: BTreeMap<u64, Item>,
    /// The serialized `CodeGeneratorRequest` that the model was read from, for other code generators.
    pub request: Vec<u8>,
    /// Files of which the compiler may have read the source: what a build script should watch. Paths as given, or found by import.
    pub sources: Vec<std::path::PathBuf>,
}

impl Schema {
    /// The files that were asked for, without the imported ones.
    pub fn requested_files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.requested)
    }

    /// The file with this id.
    #[must_use]
    pub fn file(&self, id: u64) -> Option<&File> {
        self.files.iter().find(|file| file.id == id)
    }

    /// The declaration with this id.
    #[must_use]
    pub fn item(&self, id: u64) -> Option<&Item> {
        self.items.get(&id)
    }

    /// The interface with this id.
    #[must_use]
    pub fn interface(&self, id: u64) -> Option<&Interface> {
        match self.item(id)? {
            Item::Interface(interface) => Some(interface),
            _ => None,
        }
    }

    /// The struct or group with this id.
    #[must_use]
    pub fn structure(&self, id: u64) -> Option<&Struct> {
        match self.item(id)? {
            Item::Struct(structure) => Some(structure),
            _ => None,
        }
    }

    /// The enum with this id.
    #[must_use]
    pub fn enumeration(&self, id: u64) -> Option<&Enum> {
        match self.item(id)? {
            Item::Enum(enumeration) => Some(enumeration),
            _ => None,
        }
    }

    /// The constant with this id.
    #[must_use]
    pub fn constant(&self, id: u64) -> Option<&Constant> {
        match self.item(id)? {
            Item::Constant(constant) => Some(constant),
            _ => None,
        }
    }

    /// The declaration with this dotted path (`Outer.Inner`) in the file with this id.
    #[must_use]
    pub fn find(&self, file: u64, path: &str) -> Option<&Item> {
        self.items.values().find(|item| {
            let decl = item.decl();
            decl.file == file && decl.path.join(".") == path
        })
    }

    /// The superclasses of an interface, direct and indirect, in the order of the C++ library: depth first, a
    /// superclass after its own. Each is named once; `interface` itself is not among them.
    #[must_use]
    pub fn ancestors(&self, interface: u64) -> Vec<&Interface> {
        let mut found: Vec<&Interface> = Vec::new();
        // A stack of its own: (interface, have its superclasses been visited).
        let mut stack = vec![(interface, false)];
        let mut seen = std::collections::BTreeSet::new();
        while let Some((id, expanded)) = stack.pop() {
            let Some(node) = self.interface(id) else {
                continue;
            };
            if expanded {
                if id != interface {
                    found.push(node);
                }
            } else if seen.insert(id) {
                stack.push((id, true));
                stack.extend(node.superclasses.iter().rev().map(|s| (s.target.id, false)));
            }
        }
        found
    }

    /// Every method that an object of this interface answers: inherited ones first (see [`Self::ancestors`]), then its own.
    /// [`Method::interface`] tells which interface declares it.
    #[must_use]
    pub fn all_methods(&self, interface: u64) -> Vec<&Method> {
        self.ancestors(interface)
            .into_iter()
            .chain(self.interface(interface))
            .flat_map(|interface| &interface.methods)
            .collect()
    }
}

/// One `.capnp` file.
#[derive(Clone, Debug)]
pub struct File {
    /// The id at the top of the file, without which `capnp` refuses a file.
    pub id: u64,
    /// The path as `capnp` reports it: relative to the source prefix (`init.capnp`), or an import path (`mp/proxy.capnp`).
    pub name: String,
    /// The file, with line 1 and column 1.
    pub location: Location,
    /// The comment below the file's id.
    pub comment: Option<String>,
    /// Whether the file was asked for, rather than imported.
    pub requested: bool,
    /// The text of `$Cxx.namespace`.
    pub namespace: Option<String>,
    /// The texts of `$Proxy.include`, in the order of the compiler (which may differ from the file's).
    pub includes: Vec<String>,
    /// The texts of `$Proxy.includeTypes`.
    pub include_types: Vec<String>,
    /// All annotations of the file, those above included.
    pub annotations: Vec<Annotation>,
    /// What the file imports. Only known for requested files.
    pub imports: Vec<Import>,
    /// The ids of the top-level declarations, in the order of the file.
    pub items: Vec<u64>,
}

/// An `import` in a requested file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The id of the imported file.
    pub id: u64,
    /// The path as the importing file wrote it: `/mp/proxy.capnp`, `common.capnp`.
    pub name: String,
}

/// An annotation applied to a file, declaration, field or method.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// The id of the annotation's declaration ([`Item::Annotation`]).
    pub id: u64,
    /// The value given to it, [`Value::Void`] where there is none.
    pub value: Value,
}

/// What every declaration has.
#[derive(Clone, Debug)]
pub struct Decl {
    /// The 64-bit id.
    pub id: u64,
    /// The name as written: `Person`. Empty only for implicit params and results, which have no name in the schema.
    pub name: String,
    /// The names from the file down to this one: `["Outer", "Inner"]`. For a group, struct and field names.
    /// For the implicit struct of a method `["Values", "add$Params"]`, as `capnp` names it.
    pub path: Vec<String>,
    /// The id of the file it stands in.
    pub file: u64,
    /// The id of what it stands in, the file's for top-level declarations; 0 for the implicit structs of methods.
    pub scope: u64,
    /// Where its name stands.
    pub location: Location,
    /// The schema comment, without `#` and the indentation common to all lines.
    pub comment: Option<String>,
    /// The names of its own generic parameters: `["First", "Second"]`.
    pub type_params: Vec<String>,
    /// Whether it or a scope around it has generic parameters.
    pub is_generic: bool,
    /// All annotations, those the model knows and any other.
    pub annotations: Vec<Annotation>,
    /// The ids of the declarations nested in it (not groups), in the order of the file.
    pub nested: Vec<u64>,
}

/// A declaration of any kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Item {
    /// A struct, a group, or the implicit params or results of a method.
    Struct(Struct),
    /// An enum.
    Enum(Enum),
    /// An interface.
    Interface(Interface),
    /// A constant.
    Constant(Constant),
    /// The declaration of an annotation. Only its name and place matter here.
    Annotation(Decl),
}

impl Item {
    /// Name, place, comment and annotations.
    #[must_use]
    pub fn decl(&self) -> &Decl {
        match self {
            Self::Struct(item) => &item.decl,
            Self::Enum(item) => &item.decl,
            Self::Interface(item) => &item.decl,
            Self::Constant(item) => &item.decl,
            Self::Annotation(decl) => decl,
        }
    }
}
