//! What is generated for an interface whose implementations may be asynchronous: a second trait, and how it is served.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::methods::method_doc;
use super::types::{arguments, returned, signature};
use super::{Emitter, doc, id};
use crate::names::Names;
use crate::plan::{AsyncPlan, InterfacePlan, MethodPlan};

impl Emitter {
    /// The trait, and its implementations as the interface's first trait.
    pub(crate) fn asynchronous(&self, interface: &InterfacePlan) -> Option<TokenStream> {
        let plan = interface.asynchronous.as_ref()?;
        let (name, declaration) = (&interface.name, declaration(interface, plan));
        let (async_name, start) = (&plan.name, &interface.start);
        let methods = interface.methods.iter().map(|method| {
            let (signature, name) = (signature(method), &method.name);
            let names: Vec<_> = method.args.iter().map(|arg| &arg.slot.name).collect();
            let this = Names::with(names.iter().map(ToString::to_string)).local("this");
            quote! {
                #signature {
                    mp::AsyncServer::wait(self, |#this| #this.#name(#(#names),*))
                }
            }
        });
        let own = interface
            .methods
            .iter()
            .map(|method| self.serve_async(interface, method));
        let inherited = interface.ancestors.iter().map(|ancestor| {
            let (path, start, id) = (&ancestor.path, &ancestor.start, id(ancestor.id));
            quote!((#id, _) => #path::#start(self, call),)
        });
        // `F` as for closures: no type of a schema is called that.
        Some(quote! {
            #declaration
            impl<F: #async_name> #name for mp::AsyncServer<F> {
                #(#methods)*
                fn #start(&self, call: mp::ServerCall) -> Option<mp::ServerCall> {
                    match (call.interface_id(), call.ordinal()) {
                        #(#own)*
                        #(#inherited)*
                        _ => Some(call),
                    }
                }
            }
        })
    }

    /// The arm that takes a call of the method.
    fn serve_async(&self, interface: &InterfacePlan, method: &MethodPlan) -> TokenStream {
        let (id, constant) = (&interface.id_constant, &method.constant);
        let ordinal = Literal::u16_unsuffixed(method.ordinal);
        let (read, build) = (self.read_params(method), self.build_results(method));
        let invoke = self.invoke(method, true);
        quote!((#id, #ordinal) => mp::serve_async((call, &#constant), self, #read, #invoke, #build),)
    }
}

/// What makes the run-time ask the object.
pub(super) fn start(interface: &InterfacePlan) -> Option<TokenStream> {
    interface.asynchronous.as_ref()?;
    let (name, start) = (&interface.name, &interface.start);
    Some(quote! {
        const ASYNC: bool = true;
        fn start(&self, call: mp::ServerCall) -> Option<mp::ServerCall> {
            #name::#start(self, call)
        }
    })
}

/// The method of the first trait that takes calls for asynchronous objects.
pub(super) fn hidden_method(interface: &InterfacePlan) -> Option<TokenStream> {
    interface.asynchronous.as_ref()?;
    let start = &interface.start;
    Some(quote! {
        #[doc(hidden)]
        fn #start(&self, call: mp::ServerCall) -> Option<mp::ServerCall> {
            Some(call)
        }
    })
}

fn declaration(interface: &InterfacePlan, plan: &AsyncPlan) -> TokenStream {
    let AsyncPlan { name, supertraits } = plan;
    let text = doc(&format!(
        "[`{}`] with asynchronous methods: implement them as `async fn`.",
        interface.name
    ));
    let bounds = if supertraits.is_empty() {
        quote!(Send + Sync + 'static)
    } else {
        quote!(#(#supertraits)+*)
    };
    let methods = interface.methods.iter().map(|method| {
        let (doc, name) = (method_doc(method), &method.name);
        let (args, returned) = (arguments(method), returned(method));
        quote! {
            #doc
            fn #name(&self #(, #args)*) -> impl ::std::future::Future<Output = #returned> + Send;
        }
    });
    quote! {
        #text
        pub trait #name: #bounds { #(#methods)* }
    }
}
