//! What is generated for one interface: the trait, the client, and the private module with its calls and how they are served.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::methods::{self, optional_index};
use super::types::{argument, signature};
use super::{Emitter, doc, id};
use crate::plan::{AncestorPlan, InterfacePlan, SpecialPlan};

impl Emitter {
    /// Everything for one interface.
    pub(crate) fn interface(&self, interface: &InterfacePlan) -> TokenStream {
        let parts = [
            declaration(interface),
            client(interface),
            twins(interface),
            ancestors(interface),
            callback(interface).unwrap_or_default(),
            interface.methods.iter().map(|method| methods::types(interface, method)).collect(),
            self.module(interface),
        ];
        parts.into_iter().collect()
    }

    fn module(&self, interface: &InterfacePlan) -> TokenStream {
        let InterfacePlan { module, wire, name, client, as_client, .. } = interface;
        let calls = interface.methods.iter().map(|method| self.call(interface, method));
        let arms = interface.methods.iter().map(|method| self.serve(method));
        let inherited = interface.ancestors.iter().map(|ancestor| {
            let (path, id) = (&ancestor.path, id(ancestor.id));
            quote! {
                (#id, _) => {
                    let this: mp::Arc<dyn #path> = this.clone();
                    <dyn #path as mp::Interface>::dispatch(&this, call)
                }
            }
        });
        let wire = (!interface.methods.is_empty()).then(|| quote!(use #wire as wire;));
        let own_id = id(interface.id);
        let has_arms = !interface.methods.is_empty() || !interface.ancestors.is_empty();
        let dispatch = if has_arms {
            quote!(match (call.interface_id(), call.ordinal()) { #(#arms)* #(#inherited)* _ => call.unimplemented() })
        } else {
            quote!(call.unimplemented())
        };
        let this = if has_arms { quote!(this: &mp::Arc<Self>) } else { quote!(_: &mp::Arc<Self>) };
        let info = info(interface);
        quote! {
            mod #module {
                use super::*;
                #wire
                const ID: u64 = #own_id;
                #info
                #(#calls)*
                impl mp::Interface for dyn #name {
                    type Client = #client;
                    const INFO: &'static mp::InterfaceInfo = &INFO;
                    fn from_proxy(proxy: mp::ProxyClient) -> #client {
                        #client(proxy)
                    }
                    fn into_object(client: #client) -> mp::Arc<Self> {
                        mp::Arc::new(client)
                    }
                    fn as_proxy(&self) -> Option<&mp::ProxyClient> {
                        #name::#as_client(self)
                    }
                    fn dispatch(#this, call: mp::ServerCall) -> mp::Reply {
                        #dispatch
                    }
                }
            }
        }
    }
}

fn declaration(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan { name, schema_name, supertraits, .. } = interface;
    let text = match &interface.doc {
        Some(text) => doc(text),
        None => doc(&format!("The interface `{schema_name}`.")),
    };
    let methods = interface.methods.iter().map(methods::declaration);
    let hidden = methods::hidden_method(&interface.as_client);
    let bounds = if supertraits.is_empty() { quote!(Send + Sync + 'static) } else { quote!(#(#supertraits)+*) };
    quote! {
        #text
        pub trait #name: #bounds {
            #(#methods)*
            #hidden
        }
    }
}

fn client(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan { name, client, module, as_client, .. } = interface;
    let text = doc(&format!("A [`{name}`] in another process."));
    let methods = interface.methods.iter().map(|method| methods::blocking(module, method));
    quote! {
        #text
        #[derive(Clone, Debug)]
        pub struct #client(mp::ProxyClient);
        impl #name for #client {
            #(#methods)*
            fn #as_client(&self) -> Option<&mp::ProxyClient> {
                Some(&self.0)
            }
        }
    }
}

fn twins(interface: &InterfacePlan) -> TokenStream {
    let client = &interface.client;
    let own = interface.methods.iter().map(|method| methods::twin(interface, method));
    let mut taken: BTreeSet<String> = interface.methods.iter().map(|method| method.async_name.to_string()).collect();
    let mut inherited = Vec::new();
    for ancestor in &interface.ancestors {
        for method in ancestor.methods.iter().filter(|method| taken.insert(method.async_name.to_string())) {
            let (path, signature, name) = (&ancestor.path, methods::twin_signature(method), &method.async_name);
            let names = method.args.iter().map(|arg| &arg.slot.name);
            let text = doc(&format!("Async twin of the inherited method `{}`.", method.name));
            inherited.push(quote! {
                #text
                pub #signature {
                    <dyn #path as mp::Interface>::from_proxy(self.0.clone()).#name(#(#names),*)
                }
            });
        }
    }
    let has_destroy = interface.destroy.is_some() || interface.ancestors.iter().any(|ancestor| ancestor.has_destroy);
    let destroy = has_destroy.then(|| {
        quote! {
            /// Destroys the object now, and waits until that is done. Dropping the last client does the same without waiting.
            pub fn destroy(&self) -> mp::Result<()> {
                self.0.destroy()
            }
        }
    });
    quote!(impl #client { #(#own)* #(#inherited)* #destroy })
}

/// The superclasses' traits, implemented by their own clients for the same object.
fn ancestors(interface: &InterfacePlan) -> TokenStream {
    let client = &interface.client;
    let implement = |ancestor: &AncestorPlan| {
        let AncestorPlan { path, as_client, .. } = ancestor;
        let methods = ancestor.methods.iter().map(|method| {
            let (signature, name) = (signature(method), &method.name);
            let names = method.args.iter().map(|arg| &arg.slot.name);
            quote! {
                #signature {
                    #path::#name(&<dyn #path as mp::Interface>::from_proxy(self.0.clone()) #(, #names)*)
                }
            }
        });
        quote! {
            impl #path for #client {
                #(#methods)*
                fn #as_client(&self) -> Option<&mp::ProxyClient> {
                    Some(&self.0)
                }
            }
        }
    };
    interface.ancestors.iter().map(implement).collect()
}

/// For function interfaces: every closure is one.
fn callback(interface: &InterfacePlan) -> Option<TokenStream> {
    let method = interface.methods.first().filter(|_| interface.is_callback)?;
    let (name, signature) = (&interface.name, signature(method));
    let types = method.args.iter().map(|arg| argument(&arg.slot));
    let names = method.args.iter().map(|arg| &arg.slot.name);
    let output = super::types::output(method);
    let returned = match &method.error {
        Some(error) => {
            let error = &error.path;
            quote!(mp::Result<#output, #error>)
        }
        None => quote!(mp::Result<#output>),
    };
    Some(quote! {
        impl<F> #name for F
        where
            F: Fn(#(#types),*) -> #returned + Send + Sync + 'static,
        {
            #signature {
                self(#(#names),*)
            }
        }
    })
}

/// The statics that say what the interface is.
fn info(interface: &InterfacePlan) -> TokenStream {
    let name = &interface.schema_name;
    let inherited = interface.ancestors.iter().flat_map(|ancestor| {
        let path = &ancestor.path;
        let first = ancestor_offset(interface, ancestor);
        (first..first + ancestor.methods.len()).map(move |index| {
            let index = proc_macro2::Literal::usize_unsuffixed(index);
            quote!(<dyn #path as mp::Interface>::INFO.methods[#index])
        })
    });
    let own = interface.methods.iter().map(|method| {
        let constant = &method.constant;
        quote!(#constant.method())
    });
    let special = |own: &Option<SpecialPlan>, ancestor: Option<&AncestorPlan>, constant: &str, field: &str| {
        let (constant, field) = (quote::format_ident!("{constant}"), quote::format_ident!("{field}"));
        match (own, ancestor) {
            (Some(_), _) => quote!(#field: Some(&#constant)),
            (None, Some(AncestorPlan { path, .. })) => quote!(#field: <dyn #path as mp::Interface>::INFO.#field),
            (None, None) => quote!(#field: None),
        }
    };
    let construct =
        special(&interface.construct, interface.ancestors.iter().rfind(|a| a.has_construct), "CONSTRUCT", "construct");
    let destroy = special(&interface.destroy, interface.ancestors.iter().rfind(|a| a.has_destroy), "DESTROY", "destroy");
    let statics = [("CONSTRUCT", "construct", &interface.construct), ("DESTROY", "destroy", &interface.destroy)];
    let statics = statics.iter().filter_map(|(constant, name, plan)| Some(special_static(interface, constant, name, plan.as_ref()?)));
    quote! {
        static INFO: mp::InterfaceInfo = mp::InterfaceInfo {
            name: #name,
            id: ID,
            methods: &[#(#inherited,)* #(#own),*],
            #construct,
            #destroy,
        };
        #(#statics)*
    }
}

/// Where an ancestor's own methods begin in its list, which has its inherited ones first.
fn ancestor_offset(interface: &InterfacePlan, ancestor: &AncestorPlan) -> usize {
    let is_above = |other: &&AncestorPlan| ancestor.above.contains(&other.id);
    interface.ancestors.iter().filter(is_above).map(|other| other.methods.len()).sum()
}

fn special_static(interface: &InterfacePlan, constant: &str, name: &str, plan: &SpecialPlan) -> TokenStream {
    let (constant, interface_name) = (quote::format_ident!("{constant}"), &interface.schema_name);
    let ordinal = proc_macro2::Literal::u16_unsuffixed(plan.ordinal);
    let context = optional_index(plan.context);
    let method = quote!(mp::method(#interface_name, #name, ID, #ordinal, #context));
    if plan.thread_map_param.is_none() && plan.thread_map_result.is_none() {
        return quote!(static #constant: mp::Method = #method;);
    }
    let (param, result) = (optional_index(plan.thread_map_param), optional_index(plan.thread_map_result));
    quote! {
        static #constant: mp::Method = mp::Method {
            thread_map_param: #param,
            thread_map_result: #result,
            ..#method
        };
    }
}
