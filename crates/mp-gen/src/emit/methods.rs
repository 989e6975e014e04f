//! What is generated for one method: the static that names it, the call, its two public forms, and how it is served.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::messages::given_object;
use super::types::{arguments, output, owned_type, result, signature};
use super::{Emitter, comment, doc};
use crate::names::{self, Names};
use crate::plan::{ErrorPlan, InterfacePlan, MethodPlan, Output, Slot};

impl Emitter {
    /// The private method that both forms of the call share.
    pub(crate) fn shared(&self, method: &MethodPlan) -> TokenStream {
        let method = &with_free_locals(method);
        let MethodPlan {
            constant,
            shared_name,
            ..
        } = method;
        let args = arguments(method);
        let (build, read) = (self.build_params(method), self.read_results(method));
        let given = given_object(method);
        let error = method.error.as_ref().map(|error| &error.path);
        let (function, returned) = match (given, error) {
            (Some(object), error) => {
                let path = object.path;
                let alone = quote!(M::Object<dyn #path>);
                let output = object.output(method, &alone).unwrap_or(alone);
                match error {
                    Some(error) => (
                        quote!(give_caught),
                        quote!(M::GivenCaught<dyn #path, #output, #error>),
                    ),
                    None => (quote!(give), quote!(M::Given<dyn #path, #output>)),
                }
            }
            (None, Some(error)) => {
                let output = output(method);
                (quote!(call_caught), quote!(M::Caught<#output, #error>))
            }
            (None, None) => {
                let output = output(method);
                (quote!(call), quote!(M::Output<#output>))
            }
        };
        let field = given.map(|object| {
            let (path, index) = (object.path, Literal::u16_unsuffixed(object.pointer));
            quote!(, mp::object_field::<dyn #path>(#index))
        });
        quote! {
            fn #shared_name<M: mp::Mode>(&self #(, #args)*) -> #returned {
                M::#function((&self.0, &#constant #field), #build, #read)
            }
        }
    }

    /// The arm that serves a call of the method.
    pub(crate) fn serve(&self, interface: &InterfacePlan, method: &MethodPlan) -> TokenStream {
        let id = &interface.id_constant;
        let ordinal = Literal::u16_unsuffixed(method.ordinal);
        let constant = &method.constant;
        let (read, invoke) = (self.read_params(method), self.invoke(method, false));
        let build = self.build_results(method);
        quote!((#id, #ordinal) => mp::serve((call, &#constant), #read, #invoke, #build),)
    }
}

/// The method with other names for those arguments that are called like locals of the function around them.
fn with_free_locals(method: &MethodPlan) -> MethodPlan {
    let names = method.args.iter().map(|arg| arg.slot.name.to_string());
    let mut names = Names::with(names);
    let mut method = method.clone();
    for arg in &mut method.args {
        let name = &arg.slot.name;
        if name != "params" && name != "objects" {
            continue;
        }
        let free = names::ident(&names.take(name.to_string()));
        let outs = method.outs.iter_mut();
        for out in outs.filter(|out| out.want.as_ref() == Some(name)) {
            out.want = Some(free.clone());
        }
        arg.slot.name = free;
    }
    method
}

/// The method in the trait.
pub(crate) fn declaration(method: &MethodPlan) -> TokenStream {
    let (doc, signature) = (method_doc(method), signature(method));
    quote!(#doc #signature;)
}

/// The static with the method's names and numbers.
pub(crate) fn constant(interface: &InterfacePlan, method: &MethodPlan) -> TokenStream {
    let MethodPlan {
        constant,
        params,
        results,
        schema_name,
        ordinal,
        ..
    } = method;
    let (scope, ordinal) = (&interface.scope, Literal::u16_unsuffixed(*ordinal));
    let context = optional_index(method.context);
    let thread_maps = (method.thread_map_param.is_some() || method.thread_map_result.is_some())
        .then(|| {
            let (param, result) = (
                optional_index(method.thread_map_param),
                optional_index(method.thread_map_result),
            );
            quote!(.thread_maps(#param, #result))
        });
    let apart = (method.apart_params || method.apart_results).then(|| {
        let (params, results) = (method.apart_params, method.apart_results);
        quote!(.apart(#params, #results))
    });
    quote! {
        static #constant: mp::Typed<#params, #results> = #scope.method(#schema_name, #ordinal, #context) #apart #thread_maps;
    }
}

/// The method of the client.
pub(crate) fn blocking(method: &MethodPlan) -> TokenStream {
    let (signature, shared) = (signature(method), &method.shared_name);
    let names = method.args.iter().map(|arg| &arg.slot.name);
    quote! {
        #signature {
            self.#shared::<mp::Blocking>(#(#names),*)
        }
    }
}

/// Its async twin.
pub(crate) fn twin(method: &MethodPlan) -> TokenStream {
    let (signature, shared) = (twin_signature(method), &method.shared_name);
    let names = method.args.iter().map(|arg| &arg.slot.name);
    quote! {
        pub #signature {
            self.#shared::<mp::Async>(#(#names),*)
        }
    }
}

/// The signature of the async twin.
pub(crate) fn twin_signature(method: &MethodPlan) -> TokenStream {
    let (name, args, output) = (&method.async_name, arguments(method), output(method));
    let error = method.error.as_ref().map(|error| &error.path);
    let future = match (given_object(method), error) {
        (Some(object), error) => {
            let client = object.client;
            let output = object.output(method, client);
            let output = output.map(|output| quote!(, #output));
            match error {
                Some(error) => quote!(mp::TypedObjectFuture<#client, #error #output>),
                None => quote!(mp::ObjectFuture<#client #output>),
            }
        }
        (None, Some(error)) => quote!(mp::TypedFuture<#output, #error>),
        (None, None) => quote!(mp::CallFuture<#output>),
    };
    quote!(fn #name(&self #(, #args)*) -> #future)
}

/// The struct for several results, and the enum for typed exceptions.
pub(crate) fn types(interface: &InterfacePlan, method: &MethodPlan) -> TokenStream {
    let mut tokens = TokenStream::new();
    // Links know a name like `r#async` without its mark.
    let name = method.name.to_string();
    let link = format!("[`{}::{}`]", interface.name, name.trim_start_matches("r#"));
    if let Output::Struct {
        name, attributes, ..
    } = &method.output
    {
        let text = doc(&format!("What {link} gives back."));
        let all = |test: fn(&Slot) -> bool| method.outs.iter().all(|out| test(&out.slot));
        let default = all(|slot| slot.is_default).then(|| quote!(Default,));
        let equality = all(|slot| slot.is_comparable).then(|| quote!(PartialEq));
        let fields = method.outs.iter().map(|out| {
            let (doc, name, ty) = (
                comment(&out.slot.doc),
                &out.slot.name,
                result(&out.slot, out.want.is_some()),
            );
            quote!(#doc pub #name: #ty,)
        });
        tokens.extend(quote! {
            #text
            #[derive(Clone, Debug, #default #equality)]
            #(#attributes)*
            pub struct #name { #(#fields)* }
        });
    }
    if let Some(error) = &method.error {
        tokens.extend(error_enum(error, &link));
    }
    tokens
}

fn error_enum(error: &ErrorPlan, link: &str) -> TokenStream {
    let ErrorPlan {
        name,
        variants,
        attributes,
        ..
    } = error;
    let text = doc(&format!("How {link} can fail."));
    let names: Vec<_> = variants.iter().map(|variant| &variant.name).collect();
    let plain: Vec<_> = variants
        .iter()
        .map(|variant| owned_type(&variant.slot.ty).to_string())
        .collect();
    let types = variants.iter().map(|variant| {
        let ty = owned_type(&variant.slot.ty);
        if variant.is_boxed() {
            quote!(Box<#ty>)
        } else {
            ty
        }
    });
    let from = variants.iter().zip(&plain).map(|(variant, name)| {
        let is_unique = plain.iter().filter(|other| *other == name).count() == 1;
        let ty = owned_type(&variant.slot.ty);
        (variant.is_boxed() && is_unique).then(|| quote!((#ty)))
    });
    let docs = variants
        .iter()
        .map(|variant| doc(&format!("The C++ exception `{}`.", variant.cxx_type)));
    let texts: Vec<String> = variants
        .iter()
        .map(|variant| variant.cxx_type.replace(['{', '}'], ""))
        .collect();
    quote! {
        #text
        #[derive(Clone, Debug)]
        #(#attributes)*
        #[non_exhaustive]
        pub enum #name {
            #(#docs #names(#types),)*
            /// Everything else.
            Other(mp::Error),
        }
        mp::typed_error!(#name { #(#names #from: #texts),* });
    }
}

pub(super) fn method_doc(method: &MethodPlan) -> TokenStream {
    match &method.doc {
        Some(text) => comment(text),
        None => doc(&format!("`{} @{}`", method.schema_name, method.ordinal)),
    }
}

/// `Some(0)` or `None`.
pub(crate) fn optional_index(index: Option<u16>) -> TokenStream {
    match index.map(Literal::u16_unsuffixed) {
        Some(index) => quote!(Some(#index)),
        None => quote!(None),
    }
}

/// `as_calculator_client`, as it stands in the trait.
pub(crate) fn hidden_method(name: &proc_macro2::Ident) -> TokenStream {
    let name = format_ident!("{name}");
    quote! {
        #[doc(hidden)]
        fn #name(&self) -> Option<&mp::ProxyClient> {
            None
        }
    }
}
