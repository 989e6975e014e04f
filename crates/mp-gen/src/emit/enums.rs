//! Enums.

use proc_macro2::TokenStream;
use quote::quote;

use super::{comment, doc};
use crate::plan::EnumPlan;

/// The enum, and how it becomes the accessors' one and comes from it.
pub(crate) fn enumeration(plan: &EnumPlan) -> TokenStream {
    let EnumPlan {
        name,
        wire,
        attributes,
        ..
    } = plan;
    let text = match &plan.doc {
        Some(text) => comment(text),
        None => doc(&format!("The enum `{}`.", plan.schema_path)),
    };
    let variants = plan.variants.iter().enumerate().map(|(index, variant)| {
        let (doc, name) = (comment(&variant.doc), &variant.name);
        let default = (index == 0).then(|| quote!(#[default]));
        quote!(#doc #default #name,)
    });
    let (names, wires): (Vec<_>, Vec<_>) = plan
        .variants
        .iter()
        .map(|variant| (&variant.name, &variant.wire))
        .unzip();
    quote! {
        #text
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #(#attributes)*
        #[non_exhaustive]
        pub enum #name { #(#variants)* }
        impl From<#name> for #wire {
            fn from(value: #name) -> Self {
                match value { #(#name::#names => Self::#wires,)* }
            }
        }
        impl From<#wire> for #name {
            fn from(value: #wire) -> Self {
                match value { #(#wire::#wires => Self::#names,)* }
            }
        }
    }
}
