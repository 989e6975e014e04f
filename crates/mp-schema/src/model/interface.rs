//! Interfaces and methods, with the `$Proxy` annotations and companions resolved.

use super::{Annotation, Decl, Field, Location, Type, TypeRef};
use crate::well_known;

/// An interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Name, place, comment and annotations.
    pub decl: Decl,
    /// `$Proxy.wrap`. Nothing is generated for an interface without it.
    pub wrap: Option<Wrap>,
    /// `$Proxy.count` on the type.
    pub count: Option<i32>,
    /// The interfaces after `extends`, in that order.
    pub superclasses: Vec<Superclass>,
    /// The methods declared here, by ordinal: the index is the method's number on the wire.
    /// Inherited ones: [`super::Schema::all_methods`].
    pub methods: Vec<Method>,
}

impl Interface {
    /// The method of this name declared here.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Method> {
        self.methods.iter().find(|method| method.name == name)
    }
}

/// One interface after `extends`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superclass {
    /// The interface, with its generic arguments.
    pub target: TypeRef,
}

/// The C++ type named by `$Proxy.wrap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// The text as written: `interfaces::Init`, `ProxyCallback<std::function<int(int)>>`.
    pub text: String,
    /// For `ProxyCallback<std::function<F>>`, the `F`: `int(int)`. The interface then stands for a function.
    pub callback: Option<String>,
}

impl Wrap {
    /// The C++ name without namespaces: `Init`. Template arguments are kept: `Map<a::B>`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        let head = self.text.split('<').next().unwrap_or("");
        match head.rfind("::") {
            Some(at) => &self.text[at + 2..],
            None => &self.text,
        }
    }
}

/// A method, as declared by its interface.
#[derive(Clone, Debug)]
pub struct Method {
    /// The name as written: `makeValues`.
    pub name: String,
    /// The number after `@`, which goes over the wire together with [`Self::interface`].
    pub ordinal: u16,
    /// The id of the declaring interface.
    pub interface: u64,
    /// The position in declaration order.
    pub code_order: u16,
    /// Where its name stands.
    pub location: Location,
    /// The schema comment.
    pub comment: Option<String>,
    /// All annotations.
    pub annotations: Vec<Annotation>,
    /// `$Proxy.name`: the C++ member that the server calls.
    pub cxx_name: Option<String>,
    /// Whether it is one of the two special methods.
    pub kind: MethodKind,
    /// The names of the method's own generic parameters.
    pub type_params: Vec<String>,
    /// The params struct.
    pub params: Message,
    /// The results struct.
    pub results: Message,
    /// What a caller sees, in order: params, then results that are not also params. `count(0)` fields are among them,
    /// skipped fields and companions are not.
    pub args: Vec<Arg>,
}

impl Method {
    /// The param of type `Proxy.Context`: with it, the method runs on a thread that the caller chose.
    #[must_use]
    pub fn context(&self) -> Option<&Field> {
        self.params.field_of(well_known::CONTEXT)
    }

    /// The param of type `Proxy.ThreadMap`.
    #[must_use]
    pub fn thread_map_param(&self) -> Option<&Field> {
        self.params.field_of(well_known::THREAD_MAP)
    }

    /// The result of type `Proxy.ThreadMap`.
    #[must_use]
    pub fn thread_map_result(&self) -> Option<&Field> {
        self.results.field_of(well_known::THREAD_MAP)
    }
}

/// Whether a method has a special meaning, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MethodKind {
    /// A method of the user's.
    Plain,
    /// `construct`: called once, when a client takes hold of the object.
    Construct,
    /// `destroy`: called when a client lets the object go.
    Destroy,
}

/// The params or the results of a method.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The struct, and its generic arguments where it is a named generic one. Always found in [`super::Schema::items`].
    pub target: TypeRef,
    /// Whether the fields stand in parentheses at the method, rather than in a struct declared elsewhere.
    pub is_implicit: bool,
    /// The struct's fields as in [`super::Struct::fields`], with generic arguments filled in.
    pub fields: Vec<Field>,
}

impl Message {
    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn field_of(&self, id: u64) -> Option<&Field> {
        self.fields.iter().find(
            |field| matches!(&field.ty, Type::Struct(target) | Type::Interface(target) if target.id == id && !field.is_group),
        )
    }
}

/// A value that goes into a method or comes out of it. Indices are those of the fields of [`Method::params`] and [`Method::results`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The field's name, in params and results alike.
    pub name: String,
    /// In, out, both, the return value, or an exception.
    pub role: Role,
    /// How many C++ arguments it is. 0: none, the library fills it in (`Context`, `ThreadMap`, the user's own types).
    /// 1 for results with the roles [`Role::Return`] and [`Role::Exception`].
    pub count: i32,
    /// Index of the param.
    pub param: Option<usize>,
    /// Index of the result.
    pub result: Option<usize>,
    /// Index of the param `hasX`. Either of the two makes the value optional.
    pub has_param: Option<usize>,
    /// Index of the result `hasX`.
    pub has_result: Option<usize>,
    /// Index of the param `wantX`: the caller says whether it wants this result, which is there only then.
    pub want: Option<usize>,
}

impl Arg {
    /// Whether a companion `hasX` says if there is a value.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.has_param.is_some() || self.has_result.is_some()
    }
}

/// Which way a value goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A param only.
    In,
    /// A param and a result of one name.
    InOut,
    /// A result only.
    Out,
    /// The result named `result`: the return value.
    Return,
    /// A result with `$Proxy.exception`: set if the method raised that C++ type.
    Exception(String),
}
