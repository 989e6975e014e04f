//! Defaults and constants as Rust expressions.

use mp_schema::{Type, Value};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::scopes::enumerant_name;
use super::{Planner, Ty};
use crate::names;

impl Planner<'_> {
    /// A default or constant as a Rust expression; `None` for lists and structs, which are read from the accessors.
    pub(super) fn literal(
        &self,
        ty: &Ty,
        schema_type: &Type,
        value: &Value,
    ) -> Option<TokenStream> {
        Some(match value {
            Value::Void => quote!(()),
            Value::Bool(v) => quote!(#v),
            Value::Int8(v) => literal(&v.to_string()),
            Value::Int16(v) => literal(&v.to_string()),
            Value::Int32(v) => literal(&v.to_string()),
            Value::Int64(v) => literal(&v.to_string()),
            Value::UInt8(v) => literal(&v.to_string()),
            Value::UInt16(v) => literal(&v.to_string()),
            Value::UInt32(v) => literal(&v.to_string()),
            Value::UInt64(v) => literal(&v.to_string()),
            Value::Float32(v) => float(f64::from(*v), &format!("{v:?}"), &quote!(f32)),
            Value::Float64(v) => float(*v, &format!("{v:?}"), &quote!(f64)),
            Value::Text(text) => quote!(#text),
            Value::Data(bytes) => {
                let bytes = Literal::byte_string(bytes);
                quote!(#bytes)
            }
            Value::Enum(ordinal) => {
                let (Ty::Enum(path), Type::Enum(target)) = (ty, schema_type) else {
                    return None;
                };
                let enumerant = self
                    .schema
                    .enumeration(target.id)?
                    .enumerants
                    .get(usize::from(*ordinal))?;
                let variant = names::ident(&enumerant_name(enumerant));
                quote!(#path::#variant)
            }
            _ => return None,
        })
    }
}

fn literal(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

fn float(value: f64, text: &str, ty: &TokenStream) -> TokenStream {
    if value.is_nan() {
        quote!(#ty::NAN)
    } else if value == f64::INFINITY {
        quote!(#ty::INFINITY)
    } else if value == f64::NEG_INFINITY {
        quote!(#ty::NEG_INFINITY)
    } else {
        literal(text)
    }
}
