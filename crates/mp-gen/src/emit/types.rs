//! How types are written: as arguments, and as results and fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::config::Collection;
use crate::plan::{MethodPlan, Output, Presence, Slot, Ty};

/// The type of a field, or of a result: owned.
pub(crate) fn owned(slot: &Slot) -> TokenStream {
    let ty = owned_type(&slot.ty);
    let ty = if slot.boxed { quote!(Box<#ty>) } else { ty };
    optional(slot, ty)
}

/// The type of what a server's method borrows its argument from.
pub(crate) fn lent(slot: &Slot) -> TokenStream {
    if is_lent(slot) {
        optional(slot, quote!(mp::Bytes))
    } else {
        owned(slot)
    }
}

/// Whether a server's method borrows the argument from the message itself.
pub(crate) fn is_lent(slot: &Slot) -> bool {
    matches!(slot.ty, Ty::Data)
}

/// The type of an argument: borrowed where that saves a copy.
pub(crate) fn argument(slot: &Slot) -> TokenStream {
    optional(slot, argument_type(&slot.ty))
}

/// What the caller gets, without the `Result` around it.
pub(crate) fn output(method: &MethodPlan) -> TokenStream {
    match (&method.output, method.outs.first()) {
        (Output::Struct { path, .. }, _) => path.clone(),
        (Output::One, Some(out)) => result(&out.slot, out.want.is_some()),
        _ => quote!(()),
    }
}

/// The type of a result, which is optional if it has to be wanted.
pub(crate) fn result(slot: &Slot, is_wanted: bool) -> TokenStream {
    let ty = owned(slot);
    if is_wanted && slot.presence == Presence::Always {
        quote!(Option<#ty>)
    } else {
        ty
    }
}

/// The arguments of a method, and the arrow with what it returns.
pub(crate) fn signature(method: &MethodPlan) -> TokenStream {
    let (name, args, returned) = (&method.name, arguments(method), returned(method));
    quote!(fn #name(&self #(, #args)*) -> #returned)
}

/// The `Result` that a method returns.
pub(crate) fn returned(method: &MethodPlan) -> TokenStream {
    let output = output(method);
    match &method.error {
        Some(error) => {
            let error = &error.path;
            quote!(mp::Result<#output, #error>)
        }
        None => quote!(mp::Result<#output>),
    }
}

/// `name: Type` for each argument.
pub(crate) fn arguments(method: &MethodPlan) -> Vec<TokenStream> {
    let typed = |slot: &Slot| {
        let (name, ty) = (&slot.name, argument(slot));
        quote!(#name: #ty)
    };
    method.args.iter().map(|arg| typed(&arg.slot)).collect()
}

/// The owned type of a value.
pub(crate) fn owned_type(ty: &Ty) -> TokenStream {
    match ty {
        Ty::Unit => quote!(()),
        Ty::Number(name) => {
            let name = format_ident!("{name}");
            quote!(#name)
        }
        Ty::Text => quote!(String),
        Ty::TextBytes | Ty::Data => quote!(Vec<u8>),
        Ty::List(element) => {
            let element = owned_type(element);
            quote!(Vec<#element>)
        }
        Ty::Set(collection, element) => {
            let (collection, element) = (collection_path(*collection), owned_type(element));
            quote!(#collection<#element>)
        }
        Ty::Map(collection, entry) => {
            let (key, value) = (owned(&entry.0), owned(&entry.1));
            let collection = collection_path(*collection);
            quote!(#collection<#key, #value>)
        }
        Ty::Enum(path) => path.clone(),
        Ty::Struct(path, args) if args.is_empty() => path.clone(),
        Ty::Struct(path, args) => {
            let args = args.iter().map(owned_type);
            quote!(#path<#(#args),*>)
        }
        Ty::Object(path, _) => quote!(Arc<dyn #path>),
        Ty::Nullable(inner) => {
            let inner = owned_type(inner);
            quote!(Option<#inner>)
        }
        Ty::Param(name) => quote!(#name),
        Ty::Extern(path, _) => path.clone(),
    }
}

/// The type of a constant: what can be written as an expression is borrowed.
pub(crate) fn constant_type(ty: &Ty) -> TokenStream {
    match ty {
        Ty::Text => quote!(&str),
        Ty::Data => quote!(&[u8]),
        _ => owned_type(ty),
    }
}

/// Whether values are passed by copy.
pub(crate) fn is_copy(ty: &Ty) -> bool {
    matches!(ty, Ty::Unit | Ty::Number(_) | Ty::Enum(_))
}

/// What a conversion sees of a plain value: the borrowed form.
pub(crate) fn plain_type(ty: &Ty) -> TokenStream {
    match ty {
        Ty::Text => quote!(str),
        Ty::TextBytes | Ty::Data => quote!([u8]),
        Ty::List(element) => {
            let element = owned_type(element);
            quote!([#element])
        }
        _ => owned_type(ty),
    }
}

fn argument_type(ty: &Ty) -> TokenStream {
    match ty {
        Ty::Object(..) => owned_type(ty),
        _ if is_copy(ty) => owned_type(ty),
        _ => {
            let plain = plain_type(ty);
            quote!(&#plain)
        }
    }
}

fn optional(slot: &Slot, ty: TokenStream) -> TokenStream {
    if slot.presence == Presence::Always {
        ty
    } else {
        quote!(Option<#ty>)
    }
}

fn collection_path(collection: Collection) -> TokenStream {
    match collection {
        Collection::BTreeMap => quote!(BTreeMap),
        Collection::HashMap => quote!(HashMap),
        Collection::BTreeSet => quote!(BTreeSet),
        Collection::HashSet => quote!(HashSet),
    }
}
