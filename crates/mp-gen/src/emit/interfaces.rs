//! What is generated for one interface: the trait, the client, and the private module with its calls and how they are served.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::tables::{constants, info, is_table, table};
use super::types::{argument, signature};
use super::{Emitter, Part, comment, doc, id};
use super::{asynchronous, methods};
use crate::plan::{AncestorPlan, InterfacePlan};

impl Emitter {
    /// Everything for one interface: what users see, the table of methods, and how calls are served.
    pub(crate) fn interface(&self, interface: &InterfacePlan) -> Vec<Part> {
        let public = [
            declaration(interface),
            client(interface),
            self.inherent(interface),
            ancestors(interface),
            callback(interface).unwrap_or_default(),
            self.asynchronous(interface).unwrap_or_default(),
            interface
                .methods
                .iter()
                .map(|method| methods::types(interface, method))
                .collect(),
        ];
        let served = Part::Tokens(self.served(interface));
        let public: TokenStream = public.into_iter().collect();
        if is_table(interface) {
            let (wire, wire_name) = (&interface.wire, &interface.wire_name);
            let import = quote!(#public use #wire as #wire_name;);
            vec![Part::Tokens(import), Part::Text(table(interface)), served]
        } else {
            let constants = constants(interface);
            vec![Part::Tokens(quote!(#public #constants)), served]
        }
    }

    /// The client's own methods: the shared ones, and the async twins.
    fn inherent(&self, interface: &InterfacePlan) -> TokenStream {
        let client = &interface.client;
        let shared = interface.methods.iter().map(|method| self.shared(method));
        let own = interface.methods.iter().map(methods::twin);
        let inherited = inherited_twins(interface);
        let has_destroy = interface.destroy.is_some()
            || interface
                .ancestors
                .iter()
                .any(|ancestor| ancestor.has_destroy);
        let destroy = has_destroy.then(|| {
            quote! {
                /// Destroys the object now, and waits until that is done. Dropping the last client does it without waiting.
                pub fn destroy(&self) -> mp::Result<()> {
                    self.0.destroy()
                }
                /// The same without waiting here.
                pub fn destroy_async(&self) -> mp::CallFuture<()> {
                    self.0.destroy_async()
                }
            }
        });
        let text = doc(&format!(
            "Async twins of the methods of [`{}`]. A call is sent at once; dropping its future cancels it.",
            interface.name
        ));
        quote! {
            #text
            impl #client {
                #(#own)*
                #(#inherited)*
                /// The same object, with calls that fail and are cancelled when they take longer.
                pub fn with_timeout(&self, timeout: ::std::time::Duration) -> Self {
                    Self(self.0.with_timeout(timeout))
                }
                #destroy
                #(#shared)*
            }
        }
    }

    /// How calls of an object in this process are served.
    fn served(&self, interface: &InterfacePlan) -> TokenStream {
        let InterfacePlan {
            name,
            client,
            as_client,
            ..
        } = interface;
        let arms = interface
            .methods
            .iter()
            .map(|method| self.serve(interface, method));
        let inherited = interface.ancestors.iter().map(|ancestor| {
            let (path, id) = (&ancestor.path, id(ancestor.id));
            quote! {
                (#id, _) => {
                    let this: Arc<dyn #path> = this.clone();
                    <dyn #path as mp::Interface>::dispatch(&this, call)
                }
            }
        });
        let info = info(interface);
        let has_arms = !interface.methods.is_empty() || !interface.ancestors.is_empty();
        let (this, dispatch) = if has_arms {
            let arms = quote!(#(#arms)* #(#inherited)* _ => call.unimplemented(),);
            (
                quote!(this),
                quote!(match (call.interface_id(), call.ordinal()) { #arms }),
            )
        } else {
            (quote!(_), quote!(call.unimplemented()))
        };
        let (upcast, start) = (upcast(interface), asynchronous::start(interface));
        quote! {
            impl ::std::fmt::Debug for dyn #name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    mp::fmt_object(self, f)
                }
            }
            impl mp::Interface for dyn #name {
                type Client = #client;
                const INFO: &'static mp::InterfaceInfo = #info;
                fn from_proxy(proxy: mp::ProxyClient) -> #client {
                    #client(proxy)
                }
                fn into_object(client: #client) -> Arc<Self> {
                    Arc::new(client)
                }
                fn as_proxy(&self) -> Option<&mp::ProxyClient> {
                    #name::#as_client(self)
                }
                fn dispatch(#this: &Arc<Self>, call: mp::ServerCall) -> mp::Reply {
                    #dispatch
                }
                #start
                #upcast
            }
        }
    }
}

/// How an object that comes home as one of an inherited interface is recognized.
fn upcast(interface: &InterfacePlan) -> Option<TokenStream> {
    if interface.ancestors.is_empty() {
        return None;
    }
    let bases = interface.ancestors.iter().map(|ancestor| {
        let path = &ancestor.path;
        quote! {
            if target == mp::TypeId::of::<dyn #path>() {
                return mp::upcast::<dyn #path>(this.clone());
            }
        }
    });
    Some(quote! {
        fn upcast(this: &Arc<Self>, target: mp::TypeId) -> mp::Upcast {
            #(#bases)*
            None
        }
    })
}

fn declaration(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan {
        name,
        schema_name,
        supertraits,
        ..
    } = interface;
    let text = match &interface.doc {
        Some(text) => comment(text),
        None => doc(&format!("The interface `{schema_name}`.")),
    };
    let methods = interface.methods.iter().map(methods::declaration);
    let hidden = methods::hidden_method(&interface.as_client);
    let start = asynchronous::hidden_method(interface);
    let bounds = if supertraits.is_empty() {
        quote!(Send + Sync + 'static)
    } else {
        quote!(#(#supertraits)+*)
    };
    quote! {
        #text
        pub trait #name: #bounds {
            #(#methods)*
            #hidden
            #start
        }
    }
}

fn client(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan {
        name,
        client,
        as_client,
        ..
    } = interface;
    let text = doc(&format!("A [`{name}`] in another process."));
    let methods = interface.methods.iter().map(methods::blocking);
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

fn inherited_twins(interface: &InterfacePlan) -> Vec<TokenStream> {
    let mut taken: BTreeSet<String> = interface
        .methods
        .iter()
        .map(|method| method.async_name.to_string())
        .collect();
    let mut inherited = Vec::new();
    for ancestor in &interface.ancestors {
        for method in ancestor
            .methods
            .iter()
            .filter(|method| taken.insert(method.async_name.to_string()))
        {
            let (path, signature, name) = (
                &ancestor.path,
                methods::twin_signature(method),
                &method.async_name,
            );
            let names = method.args.iter().map(|arg| &arg.slot.name);
            inherited.push(quote! {
                pub #signature {
                    <dyn #path as mp::Interface>::from_proxy(self.0.clone()).#name(#(#names),*)
                }
            });
        }
    }
    inherited
}

/// The superclasses' traits, implemented by their own clients for the same object.
fn ancestors(interface: &InterfacePlan) -> TokenStream {
    let client = &interface.client;
    let implement = |ancestor: &AncestorPlan| {
        let AncestorPlan {
            path, as_client, ..
        } = ancestor;
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
    let method = interface
        .methods
        .first()
        .filter(|_| interface.is_callback)?;
    let (name, signature) = (&interface.name, signature(method));
    let types = method.args.iter().map(|arg| argument(&arg.slot));
    let names = method.args.iter().map(|arg| &arg.slot.name);
    let returned = super::types::returned(method);
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
