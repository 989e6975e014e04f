//! Structs and groups with their fields, enums, constants.

use super::{Annotation, Decl, Location, Type, TypeRef, Value, Wrap};

/// A struct, a group, or the implicit params or results of a method.
#[derive(Clone, Debug)]
pub struct Struct {
    /// Name, place, comment and annotations.
    pub decl: Decl,
    /// `$Proxy.wrap`: the C++ type.
    pub wrap: Option<Wrap>,
    /// `$Proxy.count` on the type: how many C++ arguments a param of this type becomes.
    pub count: Option<i32>,
    /// Whether it is a group, which shares the memory of the struct around it.
    pub is_group: bool,
    /// Whether it is the unnamed params or results of a method.
    pub is_implicit: bool,
    /// The fields by ordinal, members of the unnamed union among them (see [`Field::discriminant`]). As in `Node.struct.fields`.
    pub fields: Vec<Field>,
    /// How many members the unnamed union has; 0 without one.
    pub union_members: u16,
    /// Where the union's tag stands in the data section, in units of 16 bits. Meaningless without a union.
    pub discriminant_offset: u32,
    /// The size of the data section, in words of 8 bytes.
    pub data_words: u16,
    /// The size of the pointer section.
    pub pointers: u16,
}

impl Struct {
    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of a struct, or a param or result of a method.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name as written: `luckyNumbers`.
    pub name: String,
    /// Its index in [`Struct::fields`].
    pub index: usize,
    /// The number after `@`; `None` for groups and for params and results in parentheses.
    pub ordinal: Option<u16>,
    /// The position in declaration order among the struct's fields.
    pub code_order: u16,
    /// The type; [`Type::Struct`] of the group for a group. In a [`super::Message`], generic arguments are filled in.
    pub ty: Type,
    /// Whether it is a group (or a named union, which is a group too).
    pub is_group: bool,
    /// For a boxed type the index in the pointer section, else the offset in the data section in units of the type's own size
    /// (bits for `Bool`). 0 for groups and `Void`.
    pub offset: u32,
    /// The tag that says the unnamed union holds this field; `None` outside of unions.
    pub discriminant: Option<u16>,
    /// The default, explicit or the type's own.
    pub default: Value,
    /// Whether the schema states the default.
    pub has_default: bool,
    /// Where its name stands.
    pub location: Location,
    /// The schema comment.
    pub comment: Option<String>,
    /// All annotations, those below included.
    pub annotations: Vec<Annotation>,
    /// `$Proxy.name`: the C++ name.
    pub cxx_name: Option<String>,
    /// `$Proxy.skip`: the field is not passed at all.
    pub skip: bool,
    /// `$Proxy.count` of the field, else of its type, else 1: how many C++ arguments it becomes. 0: filled in by the library.
    pub count: i32,
    /// `$Proxy.exception` on a result: the C++ exception type.
    pub exception: Option<String>,
    /// For `x`: the index of its companion `hasX` in the same struct. The value is present if that is true.
    pub has: Option<usize>,
    /// For `hasX`: the index of the `x` in the same struct that it belongs to. It is not shown to users.
    pub has_of: Option<usize>,
}

impl Field {
    /// The index in the pointer section, for a field whose type is boxed and that is not a group.
    #[must_use]
    pub fn pointer_index(&self) -> Option<u16> {
        (self.ty.is_boxed() && !self.is_group)
            .then(|| u16::try_from(self.offset).ok())
            .flatten()
    }

    /// The struct that a group field is.
    #[must_use]
    pub fn group(&self) -> Option<&TypeRef> {
        match &self.ty {
            Type::Struct(target) if self.is_group => Some(target),
            _ => None,
        }
    }
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Name, place, comment and annotations.
    pub decl: Decl,
    /// The enumerants by ordinal: the index is the value on the wire.
    pub enumerants: Vec<Enumerant>,
}

/// One value of an enum.
#[derive(Clone, Debug)]
pub struct Enumerant {
    /// The name as written: `red`.
    pub name: String,
    /// The value on the wire.
    pub ordinal: u16,
    /// The position in declaration order.
    pub code_order: u16,
    /// Where its name stands.
    pub location: Location,
    /// The schema comment.
    pub comment: Option<String>,
    /// All annotations.
    pub annotations: Vec<Annotation>,
}

/// A constant.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Name, place, comment and annotations.
    pub decl: Decl,
    /// Its type.
    pub ty: Type,
    /// Its value.
    pub value: Value,
}
