//! Types, brands and values.

use capnp::schema_capnp::{brand, type_, value};

use super::Bad;
use super::budget::Budget;
use crate::{AnyKind, Brand, BrandScope, ScopeBinding, Type, TypeRef, Value};

/// Reads a type. It is no deeper than the message's nesting limit.
pub(super) fn ty(reader: type_::Reader<'_>, budget: &Budget) -> Result<Type, Bad> {
    budget.take(1)?;
    Ok(match reader.which()? {
        type_::Which::Void(()) => Type::Void,
        type_::Which::Bool(()) => Type::Bool,
        type_::Which::Int8(()) => Type::Int8,
        type_::Which::Int16(()) => Type::Int16,
        type_::Which::Int32(()) => Type::Int32,
        type_::Which::Int64(()) => Type::Int64,
        type_::Which::Uint8(()) => Type::UInt8,
        type_::Which::Uint16(()) => Type::UInt16,
        type_::Which::Uint32(()) => Type::UInt32,
        type_::Which::Uint64(()) => Type::UInt64,
        type_::Which::Float32(()) => Type::Float32,
        type_::Which::Float64(()) => Type::Float64,
        type_::Which::Text(()) => Type::Text,
        type_::Which::Data(()) => Type::Data,
        type_::Which::List(list) => Type::List(Box::new(ty(list.get_element_type()?, budget)?)),
        type_::Which::Enum(of) => Type::Enum(TypeRef {
            id: of.get_type_id(),
            brand: brand(of.get_brand()?, budget)?,
        }),
        type_::Which::Struct(of) => Type::Struct(TypeRef {
            id: of.get_type_id(),
            brand: brand(of.get_brand()?, budget)?,
        }),
        type_::Which::Interface(of) => Type::Interface(TypeRef {
            id: of.get_type_id(),
            brand: brand(of.get_brand()?, budget)?,
        }),
        type_::Which::AnyPointer(any) => any_pointer(any)?,
    })
}

fn any_pointer(reader: type_::any_pointer::Reader<'_>) -> Result<Type, Bad> {
    use type_::any_pointer::{Which, unconstrained};
    Ok(match reader.which()? {
        Which::Unconstrained(kind) => Type::AnyPointer(match kind.which()? {
            unconstrained::Which::AnyKind(()) => AnyKind::Any,
            unconstrained::Which::Struct(()) => AnyKind::Struct,
            unconstrained::Which::List(()) => AnyKind::List,
            unconstrained::Which::Capability(()) => AnyKind::Capability,
        }),
        Which::Parameter(parameter) => Type::Parameter {
            scope: parameter.get_scope_id(),
            index: parameter.get_parameter_index(),
        },
        Which::ImplicitMethodParameter(parameter) => Type::MethodParameter {
            index: parameter.get_parameter_index(),
        },
    })
}

/// Reads generic arguments.
pub(super) fn brand(reader: brand::Reader<'_>, budget: &Budget) -> Result<Brand, Bad> {
    let mut scopes = Vec::new();
    for scope in reader.get_scopes()? {
        budget.take(1)?;
        let binding = match scope.which()? {
            brand::scope::Which::Inherit(()) => ScopeBinding::Inherit,
            brand::scope::Which::Bind(bindings) => {
                let mut types = Vec::new();
                for binding in bindings? {
                    types.push(match binding.which()? {
                        brand::binding::Which::Unbound(()) => None,
                        brand::binding::Which::Type(bound) => Some(ty(bound?, budget)?),
                    });
                    budget.take(1)?;
                }
                ScopeBinding::Bind(types)
            }
        };
        scopes.push(BrandScope {
            scope: scope.get_scope_id(),
            binding,
        });
    }
    Ok(Brand { scopes })
}

/// Reads a value.
pub(super) fn value(reader: value::Reader<'_>) -> Result<Value, Bad> {
    Ok(match reader.which()? {
        value::Which::Void(()) => Value::Void,
        value::Which::Bool(value) => Value::Bool(value),
        value::Which::Int8(value) => Value::Int8(value),
        value::Which::Int16(value) => Value::Int16(value),
        value::Which::Int32(value) => Value::Int32(value),
        value::Which::Int64(value) => Value::Int64(value),
        value::Which::Uint8(value) => Value::UInt8(value),
        value::Which::Uint16(value) => Value::UInt16(value),
        value::Which::Uint32(value) => Value::UInt32(value),
        value::Which::Uint64(value) => Value::UInt64(value),
        value::Which::Float32(value) => Value::Float32(value),
        value::Which::Float64(value) => Value::Float64(value),
        value::Which::Text(text) => {
            Value::Text(String::from_utf8_lossy(text?.as_bytes()).into_owned())
        }
        value::Which::Data(data) => Value::Data(data?.to_vec()),
        value::Which::List(pointer)
        | value::Which::Struct(pointer)
        | value::Which::AnyPointer(pointer) => Value::Pointer {
            null: pointer.is_null(),
        },
        value::Which::Enum(ordinal) => Value::Enum(ordinal),
        value::Which::Interface(()) => Value::Interface,
    })
}

/// How many parts a type has: bounds the work of filling in generic arguments.
pub(super) fn weight(ty: &Type) -> usize {
    match ty {
        Type::List(element) => 1 + weight(element),
        Type::Enum(target) | Type::Struct(target) | Type::Interface(target) => {
            1 + brand_weight(&target.brand)
        }
        _ => 1,
    }
}

/// The same for generic arguments.
pub(super) fn brand_weight(brand: &Brand) -> usize {
    brand.scopes.iter().fold(0, |sum, scope| {
        sum + 1
            + match &scope.binding {
                ScopeBinding::Inherit => 0,
                ScopeBinding::Bind(types) => {
                    types.iter().map(|ty| ty.as_ref().map_or(1, weight)).sum()
                }
            }
    })
}
