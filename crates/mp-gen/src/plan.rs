//! What is to be generated, with every decision made: Rust names, types, and where each value stands in its message.
//!
//! [`Planner`] makes a [`Plan`] from the schema and the builder's settings and collects every error on the way. What
//! [`crate::emit`] then does cannot fail.

mod checks;
mod contents;
mod files;
mod interfaces;
mod literals;
mod method_names;
mod methods;
mod planner;
mod scopes;
mod settings;
mod spare;
mod structs;
mod types;

use std::collections::BTreeSet;

use mp_schema::Diagnostics;
use proc_macro2::{Ident, TokenStream};

pub(crate) use files::{ExternModule, FileInfo, Files};
pub(crate) use planner::Planner;

use crate::config::Collection;

/// Everything to generate, file by file.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub files: Vec<FilePlan>,
    /// What is left out, and why.
    pub warnings: Diagnostics,
    /// Whether a conversion is configured, so that the marker type `Local` is needed.
    pub local_marker: bool,
}

/// One schema file.
#[derive(Debug)]
pub(crate) struct FilePlan {
    pub info: FileInfo,
    pub doc: Option<String>,
    /// The collections that types in it are shown as.
    pub collections: BTreeSet<Collection>,
    /// `use` declarations for the types of other files.
    pub imports: Vec<TokenStream>,
    pub items: Vec<ItemPlan>,
}

/// One declaration that becomes Rust code.
#[derive(Debug)]
pub(crate) enum ItemPlan {
    Interface(InterfacePlan),
    Struct(StructPlan),
    Enum(EnumPlan),
    Constant(ConstantPlan),
}

/// An interface with `$Proxy.wrap`.
#[derive(Debug)]
pub(crate) struct InterfacePlan {
    /// The Cap'n Proto name.
    pub schema_name: String,
    pub id: u64,
    pub doc: Option<String>,
    /// The trait.
    pub name: Ident,
    pub client: Ident,
    /// The private constants with its id, and with its name and id.
    pub id_constant: Ident,
    pub scope: Ident,
    /// The private constant with its methods.
    pub all_methods: Ident,
    /// The private name of its module among the accessors, and that module.
    pub wire_name: Ident,
    pub wire: TokenStream,
    /// The hidden trait methods.
    pub as_client: Ident,
    pub start: Ident,
    /// Whether closures implement the trait.
    pub is_callback: bool,
    pub construct: Option<SpecialPlan>,
    pub destroy: Option<SpecialPlan>,
    /// Its own methods, without the special ones.
    pub methods: Vec<MethodPlan>,
    /// All superclasses, direct and indirect, the indirect ones first.
    pub ancestors: Vec<AncestorPlan>,
    /// The direct ones among them.
    pub supertraits: Vec<TokenStream>,
    /// Its second trait, if one was asked for.
    pub asynchronous: Option<Box<AsyncPlan>>,
}

/// The trait of an interface whose methods are futures.
#[derive(Debug)]
pub(crate) struct AsyncPlan {
    pub name: Ident,
    /// Those of the direct superclasses.
    pub supertraits: Vec<TokenStream>,
}

/// A superclass.
#[derive(Debug)]
pub(crate) struct AncestorPlan {
    pub id: u64,
    /// The trait, as seen from the file of the interface.
    pub path: TokenStream,
    pub as_client: Ident,
    pub start: Ident,
    /// The ids of its own superclasses, direct and indirect.
    pub above: Vec<u64>,
    pub methods: Vec<MethodPlan>,
    pub has_construct: bool,
    pub has_destroy: bool,
}

/// `construct` or `destroy`.
#[derive(Debug)]
pub(crate) struct SpecialPlan {
    pub schema_name: String,
    pub ordinal: u16,
    pub context: Option<u16>,
    pub thread_map_param: Option<u16>,
    pub thread_map_result: Option<u16>,
}

/// A method.
#[derive(Clone, Debug)]
pub(crate) struct MethodPlan {
    pub schema_name: String,
    pub doc: Option<String>,
    pub name: Ident,
    pub async_name: Ident,
    /// The private method of the client that serves both.
    pub shared_name: Ident,
    /// The static with its names and numbers.
    pub constant: Ident,
    pub ordinal: u16,
    pub context: Option<u16>,
    pub thread_map_param: Option<u16>,
    pub thread_map_result: Option<u16>,
    pub apart_params: bool,
    pub apart_results: bool,
    /// The accessors' modules of params and results, where both are declared by the method itself.
    pub messages: Option<(Ident, Ident)>,
    /// The accessors' types of params and results.
    pub params: TokenStream,
    pub results: TokenStream,
    pub args: Vec<ArgPlan>,
    pub outs: Vec<OutPlan>,
    pub output: Output,
    pub error: Option<ErrorPlan>,
}

/// An argument: a value, or a `wantX`.
#[derive(Clone, Debug)]
pub(crate) struct ArgPlan {
    pub slot: Slot,
}

/// A result.
#[derive(Clone, Debug)]
pub(crate) struct OutPlan {
    pub slot: Slot,
    /// The argument that says whether it is wanted.
    pub want: Option<Ident>,
    /// Its index among the pointer fields of the results. `None`: it is no pointer.
    pub pointer: Option<u16>,
}

/// What a method gives back.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// `()`
    Nothing,
    /// The only result.
    One,
    /// A struct with one field for each.
    Struct {
        name: Ident,
        /// The same, as seen from the file that is generated.
        path: TokenStream,
        attributes: Vec<TokenStream>,
    },
}

/// The error enum of a method with typed exceptions.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPlan {
    pub name: Ident,
    /// The same, as seen from the file that is generated.
    pub path: TokenStream,
    pub variants: Vec<ExceptionPlan>,
    pub attributes: Vec<TokenStream>,
}

/// One typed exception.
#[derive(Clone, Debug)]
pub(crate) struct ExceptionPlan {
    pub name: Ident,
    pub cxx_type: String,
    pub slot: Slot,
}

impl ExceptionPlan {
    /// Whether the error holds it in a box: structs can be large, and types of the user's may be.
    pub(crate) fn is_boxed(&self) -> bool {
        matches!(self.slot.ty, Ty::Struct(..) | Ty::Extern(..))
    }
}

/// A struct or group.
#[derive(Clone, Debug)]
pub(crate) struct StructPlan {
    /// Its names in the schema, with dots.
    pub schema_path: String,
    pub doc: Option<String>,
    pub name: Ident,
    /// Its generic parameters.
    pub type_params: Vec<Ident>,
    /// The accessors' module.
    pub wire: TokenStream,
    /// The fields that are always there.
    pub slots: Vec<Slot>,
    pub union: Option<UnionPlan>,
    /// Whether its default has to be read from an empty message, because a list or struct in it has one.
    pub default_from_message: bool,
    /// Whether it has a default at all.
    pub is_default: bool,
    /// Whether its values can be compared: those without objects.
    pub is_comparable: bool,
    pub attributes: Vec<TokenStream>,
}

/// The unnamed union of a struct.
#[derive(Clone, Debug)]
pub(crate) struct UnionPlan {
    /// The field that holds it and the enum's name; `None` where the struct is nothing but a union, and the enum itself.
    pub field: Option<(Ident, Ident)>,
    /// Whether the first member has a default, which is the union's.
    pub is_default: bool,
    pub variants: Vec<VariantPlan>,
}

/// A member of a union.
#[derive(Clone, Debug)]
pub(crate) struct VariantPlan {
    pub name: Ident,
    /// The accessors' variant.
    pub wire: Ident,
    pub slot: Slot,
}

/// An enum.
#[derive(Clone, Debug)]
pub(crate) struct EnumPlan {
    /// Its names in the schema, with dots.
    pub schema_path: String,
    pub doc: Option<String>,
    pub name: Ident,
    /// The accessors' enum.
    pub wire: TokenStream,
    pub variants: Vec<EnumerantPlan>,
    pub attributes: Vec<TokenStream>,
}

/// A value of an enum.
#[derive(Clone, Debug)]
pub(crate) struct EnumerantPlan {
    pub name: Ident,
    /// The accessors' variant.
    pub wire: Ident,
    pub doc: String,
}

/// A constant.
#[derive(Clone, Debug)]
pub(crate) struct ConstantPlan {
    pub doc: String,
    pub name: Ident,
    pub ty: Ty,
    /// A constant expression, or where the accessors have a list or struct.
    pub value: ConstantValue,
}

/// How the value of a constant is written.
#[derive(Clone, Debug)]
pub(crate) enum ConstantValue {
    /// A constant expression.
    Literal(TokenStream),
    /// The accessors' static, and the constant's name for errors.
    Message(TokenStream, String),
}

/// A place for a value: a field of a struct, a param, a result, a member of a union, or a part of a map's entry.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The Rust name of the field or argument.
    pub name: Ident,
    /// What follows `get_`, `set_` and so on in the accessors.
    pub accessor: String,
    /// What errors call it.
    pub label: String,
    pub ty: Ty,
    pub presence: Presence,
    /// Whether the field is of a type that contains itself.
    pub boxed: bool,
    /// Whether the accessor's type is a generic parameter.
    pub generic: bool,
    /// Whether it is a group.
    pub group: bool,
    /// Whether its type has a default: objects and types of the user's have none.
    pub is_default: bool,
    /// Whether its values can be compared.
    pub is_comparable: bool,
    pub doc: String,
    /// The default, where it is not the Rust type's own.
    pub default: Option<TokenStream>,
}

/// Whether a value can be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is always there.
    Always,
    /// The companion `hasX` says.
    Companion,
    /// The null pointer says.
    Null,
}

/// A Rust type, with what its conversion needs.
#[derive(Clone, Debug)]
pub(crate) enum Ty {
    Unit,
    Number(&'static str),
    Text,
    TextBytes,
    Data,
    List(Box<Self>),
    Set(Collection, Box<Self>),
    Map(Collection, Box<(Slot, Slot)>),
    /// The Rust enum.
    Enum(TokenStream),
    /// The Rust struct, and its generic arguments.
    Struct(TokenStream, Vec<Self>),
    /// The trait, and the client.
    Object(TokenStream, TokenStream),
    /// An element of a list that may be null: an object.
    Nullable(Box<Self>),
    /// A generic parameter of the struct around it.
    Param(Ident),
    /// A type of the user's for the plain type.
    Extern(TokenStream, Box<Self>),
}

impl Ty {
    /// Whether it is a list or set whose elements have a conversion, or one of such.
    pub(crate) fn has_converted_elements(&self) -> bool {
        match self {
            Self::List(element) | Self::Set(_, element) => {
                matches!(**element, Self::Extern(..)) || element.has_converted_elements()
            }
            _ => false,
        }
    }
}
