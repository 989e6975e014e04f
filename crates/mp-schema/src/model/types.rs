//! Types, generic brands, and values (defaults, constants, arguments of annotations).

/// The type of a field, list element, constant or generic argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the schema language")]
pub enum Type {
    Void,
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    Text,
    Data,
    List(Box<Self>),
    Enum(TypeRef),
    /// A struct; for a field that is a group, the group.
    Struct(TypeRef),
    Interface(TypeRef),
    AnyPointer(AnyKind),
    /// The generic parameter with this index of the declaration `scope`.
    Parameter {
        scope: u64,
        index: u16,
    },
    /// The generic parameter with this index of the method itself.
    MethodParameter {
        index: u16,
    },
}

impl Type {
    /// Whether a value stands behind a pointer and can be null: everything but numbers, `Bool`, `Void` and enums.
    #[must_use]
    pub fn is_boxed(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Data
                | Self::List(_)
                | Self::Struct(_)
                | Self::Interface(_)
                | Self::AnyPointer(_)
                | Self::Parameter { .. }
                | Self::MethodParameter { .. }
        )
    }

    /// The enum, struct or interface that the type names, itself or as the innermost element of lists.
    #[must_use]
    pub fn named(&self) -> Option<&TypeRef> {
        let mut ty = self;
        loop {
            match ty {
                Self::List(element) => ty = element,
                Self::Enum(target) | Self::Struct(target) | Self::Interface(target) => {
                    return Some(target);
                }
                _ => return None,
            }
        }
    }

    /// The type with generic parameters replaced by what `brand` binds them to. Unbound ones stay.
    #[must_use]
    pub fn substitute(&self, brand: &Brand) -> Self {
        match self {
            Self::List(element) => Self::List(Box::new(element.substitute(brand))),
            Self::Enum(target) => Self::Enum(target.substitute(brand)),
            Self::Struct(target) => Self::Struct(target.substitute(brand)),
            Self::Interface(target) => Self::Interface(target.substitute(brand)),
            Self::Parameter { scope, index } => brand
                .binding(*scope, *index)
                .cloned()
                .unwrap_or_else(|| self.clone()),
            _ => self.clone(),
        }
    }
}

/// What an `AnyPointer` may point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnyKind {
    /// `AnyPointer`
    Any,
    /// `AnyStruct`
    Struct,
    /// `AnyList`
    List,
    /// `Capability`
    Capability,
}

/// A use of a declared type, with its generic arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TypeRef {
    /// The id of the declaration.
    pub id: u64,
    /// The generic arguments, of it and of the scopes around it.
    pub brand: Brand,
}

impl TypeRef {
    fn substitute(&self, brand: &Brand) -> Self {
        Self {
            id: self.id,
            brand: self.brand.substitute(brand),
        }
    }
}

/// Generic arguments. Empty for a type that is not generic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Brand {
    /// One entry for each scope that has parameters, innermost first.
    pub scopes: Vec<BrandScope>,
}

impl Brand {
    /// The type that the parameter `index` of the declaration `scope` is bound to.
    #[must_use]
    pub fn binding(&self, scope: u64, index: u16) -> Option<&Type> {
        let scope = self.scopes.iter().find(|s| s.scope == scope)?;
        match &scope.binding {
            ScopeBinding::Inherit => None,
            ScopeBinding::Bind(types) => types.get(usize::from(index))?.as_ref(),
        }
    }

    fn substitute(&self, outer: &Self) -> Self {
        let scopes = self.scopes.iter().map(|scope| match &scope.binding {
            // Inherited parameters are those of the scope that is being substituted.
            ScopeBinding::Inherit => outer
                .scopes
                .iter()
                .find(|s| s.scope == scope.scope)
                .unwrap_or(scope)
                .clone(),
            ScopeBinding::Bind(types) => BrandScope {
                scope: scope.scope,
                binding: ScopeBinding::Bind(
                    types
                        .iter()
                        .map(|ty| ty.as_ref().map(|ty| ty.substitute(outer)))
                        .collect(),
                ),
            },
        });
        Self {
            scopes: scopes.collect(),
        }
    }
}

/// The generic arguments for the parameters of one declaration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrandScope {
    /// The id of the declaration that has the parameters.
    pub scope: u64,
    /// What they are bound to.
    pub binding: ScopeBinding,
}

/// See [`BrandScope`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeBinding {
    /// The same as in the scope where the type is used (a generic type that names itself or a sibling).
    Inherit,
    /// One type for each parameter; `None` is not bound, which reads as `AnyPointer`.
    Bind(Vec<Option<Type>>),
}

/// A default, a constant, or the argument of an annotation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the schema language")]
pub enum Value {
    #[default]
    Void,
    Bool(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    UInt8(u8),
    UInt16(u16),
    UInt32(u32),
    UInt64(u64),
    Float32(f32),
    Float64(f64),
    /// Text; bytes that are not UTF-8 were replaced.
    Text(String),
    Data(Vec<u8>),
    /// An enumerant, by its ordinal.
    Enum(u16),
    /// A list, struct or `AnyPointer`: `null` tells whether it is empty. The value itself is in [`crate::Schema::request`].
    Pointer {
        null: bool,
    },
    /// An interface: always null.
    Interface,
}
