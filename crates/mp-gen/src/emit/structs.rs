//! Structs, groups and unions: the plain Rust type, and how it is built and read.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::steps::{self, Step};
use super::types::{is_copy, owned};
use super::values::{Read, builds_objects, reads_objects};
use super::{Emitter, comment, doc};
use crate::names;
use crate::plan::{Slot, StructPlan, Ty, UnionPlan};

impl Emitter {
    /// Everything for one struct or group.
    pub(crate) fn structure(&self, plan: &StructPlan) -> TokenStream {
        match &plan.union {
            Some(union @ UnionPlan { field: None, .. }) => {
                self.union(plan, union, &plan.name, &struct_doc(plan))
            }
            Some(
                union @ UnionPlan {
                    field: Some((_, name)),
                    ..
                },
            ) => {
                let text = doc(&format!("The union in [`{}`].", plan.name));
                let (record, union) = (self.record(plan), self.union(plan, union, name, &text));
                quote!(#record #union)
            }
            None => self.record(plan),
        }
    }

    fn record(&self, plan: &StructPlan) -> TokenStream {
        let StructPlan {
            name, attributes, ..
        } = plan;
        let text = struct_doc(plan);
        let params = parameters(plan);
        let union = plan.union.as_ref().and_then(|union| union.field.as_ref());
        let own_default =
            plan.default_from_message || plan.slots.iter().any(|slot| slot.default.is_some());
        let default = (!own_default && plan.is_default).then(|| quote!(Default,));
        let equality = plan.is_comparable.then(|| quote!(PartialEq));
        let fields = plan.slots.iter().map(|slot| {
            let (doc, name, ty) = (comment(&slot.doc), &slot.name, owned(slot));
            quote!(#doc pub #name: #ty,)
        });
        let union_field = union.map(|(field, name)| {
            quote! {
                /// The one member of the union that is there.
                pub #field: #name #params,
            }
        });
        let conversions = conversions(plan, name, &self.record_bodies(plan));
        let default_impl = (own_default && plan.is_default).then(|| default_impl(plan));
        quote! {
            #text
            #[derive(Clone, Debug, #default #equality)]
            #(#attributes)*
            pub struct #name #params { #(#fields)* #union_field }
            #default_impl
            #conversions
        }
    }

    /// How a struct's fields are written and read, and the union among them.
    fn record_bodies(&self, plan: &StructPlan) -> Bodies {
        let (builder, reader) = (format_ident!("builder"), format_ident!("reader"));
        let build = |slot: &Slot| {
            let name = &slot.name;
            self.build_owned(slot, &builder, &quote!(self.#name), false)
        };
        let read = |slot: &Slot| {
            let (name, value) = (&slot.name, self.read_slot(slot, &reader).value());
            quote!(#name: #value)
        };
        let mut steps: Vec<Step> = plan.slots.iter().flat_map(build).collect();
        let mut values: Vec<TokenStream> = plan.slots.iter().map(read).collect();
        let union = plan.union.as_ref().and_then(|union| union.field.as_ref());
        if let Some((field, _)) = union {
            let build = |builder| quote!(mp::build(#builder, &self.#field, objects));
            steps.push(Step::Result(
                build(quote!(builder.reborrow())),
                build(quote!(builder)),
            ));
            values.push(quote!(#field: mp::read_with(Ok(reader), field, objects)?));
        }
        Bodies {
            build: steps::function_body(&steps),
            builds: !steps.is_empty(),
            read: quote!(Ok(Self { #(#values),* })),
            reads: !values.is_empty(),
            is_field_used: union.is_some(),
            builds_objects: union.is_some() || plan.slots.iter().any(builds_objects),
            reads_objects: union.is_some() || plan.slots.iter().any(reads_objects),
        }
    }

    fn union(
        &self,
        plan: &StructPlan,
        union: &UnionPlan,
        name: &Ident,
        text: &TokenStream,
    ) -> TokenStream {
        let (params, attributes) = (parameters(plan), &plan.attributes);
        let derives_default = plan.type_params.is_empty()
            && union
                .variants
                .first()
                .is_some_and(|first| is_unit(&first.slot));
        let derive = derives_default.then(|| quote!(Default,));
        let equality = plan.is_comparable.then(|| quote!(PartialEq));
        let variants = union.variants.iter().enumerate().map(|(index, variant)| {
            let (doc, name, ty) = (
                comment(&variant.slot.doc),
                &variant.name,
                owned(&variant.slot),
            );
            let default = (index == 0 && derives_default).then(|| quote!(#[default]));
            if is_unit(&variant.slot) {
                quote!(#doc #default #name,)
            } else {
                quote!(#doc #name(#ty),)
            }
        });
        let conversions = conversions(plan, name, &self.union_bodies(plan, union));
        let default =
            (!derives_default && union.is_default).then(|| union_default(plan, union, name));
        quote! {
            #text
            #[derive(Clone, Debug, #derive #equality)]
            #(#attributes)*
            #[non_exhaustive]
            pub enum #name #params { #(#variants)* }
            #default
            #conversions
        }
    }

    /// How a union's members are written and read.
    fn union_bodies(&self, plan: &StructPlan, union: &UnionPlan) -> Bodies {
        let (wire, builder) = (&plan.wire, format_ident!("builder"));
        let builds = union.variants.iter().map(|variant| {
            let (name, slot) = (&variant.name, &variant.slot);
            if is_unit(slot) {
                let set = format_ident!("set_{}", slot.accessor);
                return quote!(Self::#name => { builder.#set(()); Ok(()) });
            }
            let value = if is_copy(&slot.ty) {
                quote!(*value)
            } else {
                quote!(value)
            };
            let body = steps::function_body(&self.build_value(slot, &builder, &value));
            quote!(Self::#name(value) => { #body })
        });
        let reads = union.variants.iter().map(|variant| {
            let (name, member) = (&variant.name, &variant.wire);
            if is_unit(&variant.slot) {
                return quote!(#wire::Which::#member(()) => Self::#name,);
            }
            let Read {
                expression,
                can_fail,
            } = self.read_value(&variant.slot, &quote!(value));
            let value = if can_fail {
                quote!(#expression?)
            } else {
                expression
            };
            quote!(#wire::Which::#member(value) => Self::#name(#value),)
        });
        let any = |test: fn(&Slot) -> bool| union.variants.iter().any(|v| test(&v.slot));
        Bodies {
            build: quote!(match self { #(#builds)* }),
            builds: true,
            read: quote!(Ok(match mp::member(reader.which(), field)? { #(#reads)* })),
            reads: true,
            is_field_used: true,
            builds_objects: any(builds_objects),
            reads_objects: any(reads_objects),
        }
    }
}

/// The bodies of the two conversions, and which of their arguments they use.
struct Bodies {
    build: TokenStream,
    builds: bool,
    read: TokenStream,
    reads: bool,
    is_field_used: bool,
    builds_objects: bool,
    reads_objects: bool,
}

fn conversions(plan: &StructPlan, name: &Ident, bodies: &Bodies) -> TokenStream {
    let StructPlan {
        wire, type_params, ..
    } = plan;
    let Bodies { build, read, .. } = bodies;
    let builder = if bodies.builds {
        quote!(mut builder)
    } else {
        quote!(_)
    };
    let reader = if bodies.reads {
        quote!(reader)
    } else {
        quote!(_)
    };
    let field = if bodies.is_field_used {
        quote!(field)
    } else {
        quote!(_)
    };
    let objects = |is_used| if is_used { quote!(objects) } else { quote!(_) };
    let builds = objects(bodies.builds_objects);
    let reads = objects(bodies.reads_objects);
    if type_params.is_empty() {
        return quote! {
            impl mp::Build<#wire::Builder<'_>> for #name {
                fn build(&self, #builder: #wire::Builder<'_>, #builds: &mut mp::Objects) -> mp::Result<()> { #build }
            }
            impl mp::Read<#wire::Reader<'_>> for #name {
                fn read(#reader: #wire::Reader<'_>, #field: &'static str, #reads: &mp::Objects) -> mp::Result<Self> { #read }
            }
        };
    }
    let wires: Vec<Ident> = type_params
        .iter()
        .map(|param| format_ident!("{}Wire", names::stem(param)))
        .collect();
    quote! {
        impl<'a, #(#type_params,)* #(#wires),*> mp::Build<#wire::Builder<'a, #(#wires),*>> for #name<#(#type_params),*>
        where
            #(#wires: mp::capnp::traits::Owned + 'static, #type_params: for<'b> mp::Build<#wires::Builder<'b>>,)*
        {
            fn build(&self, #builder: #wire::Builder<'a, #(#wires),*>, #builds: &mut mp::Objects) -> mp::Result<()> { #build }
        }
        impl<'a, #(#type_params,)* #(#wires),*> mp::Read<#wire::Reader<'a, #(#wires),*>> for #name<#(#type_params),*>
        where
            #(#wires: mp::capnp::traits::Owned + 'static, #type_params: mp::Read<#wires::Reader<'a>>,)*
        {
            fn read(#reader: #wire::Reader<'a, #(#wires),*>, #field: &'static str, #reads: &mp::Objects) -> mp::Result<Self> { #read }
        }
    }
}

fn struct_doc(plan: &StructPlan) -> TokenStream {
    match &plan.doc {
        Some(text) => comment(text),
        None => doc(&format!("The struct `{}`.", plan.schema_path)),
    }
}

fn default_impl(plan: &StructPlan) -> TokenStream {
    let StructPlan {
        name,
        wire,
        type_params,
        ..
    } = plan;
    let params = parameters(plan);
    let body = if plan.default_from_message && type_params.is_empty() {
        quote!(mp::schema_default::<#wire::Owned, Self>())
    } else {
        let union = plan
            .union
            .as_ref()
            .and_then(|union| union.field.as_ref())
            .map(|(field, _)| field);
        let slots = plan
            .slots
            .iter()
            .map(|slot| (&slot.name, slot.default.clone()));
        let values = slots
            .chain(union.map(|field| (field, None)))
            .map(|(name, default)| {
                let value = default.unwrap_or_else(|| quote!(Default::default()));
                quote!(#name: #value)
            });
        quote!(Self { #(#values),* })
    };
    quote! {
        impl<#(#type_params: Default),*> Default for #name #params {
            fn default() -> Self { #body }
        }
    }
}

fn union_default(plan: &StructPlan, union: &UnionPlan, name: &Ident) -> TokenStream {
    let Some(first) = union.variants.first() else {
        return TokenStream::new();
    };
    let (params, type_params, variant) = (parameters(plan), &plan.type_params, &first.name);
    let value = match &first.slot.default {
        _ if is_unit(&first.slot) => quote!(Self::#variant),
        Some(default) => quote!(Self::#variant(#default)),
        None => quote!(Self::#variant(Default::default())),
    };
    quote! {
        impl<#(#type_params: Default),*> Default for #name #params {
            fn default() -> Self { #value }
        }
    }
}

fn parameters(plan: &StructPlan) -> Option<TokenStream> {
    let params = &plan.type_params;
    (!params.is_empty()).then(|| quote!(<#(#params),*>))
}

fn is_unit(slot: &Slot) -> bool {
    matches!(slot.ty, Ty::Unit)
}
