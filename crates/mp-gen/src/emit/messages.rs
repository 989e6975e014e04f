//! The closures that fill in and read the params and results of a method, on both sides.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::steps::{self, Step};
use super::types::{is_copy, is_lent, lent, output};
use super::values::{Read, builds_objects, present, reads_objects};
use crate::names::Names;
use crate::plan::{ArgPlan, ExceptionPlan, MethodPlan, OutPlan, Output, Presence, Slot, Ty};

impl Emitter {
    /// The client's closure that fills in the params. No argument may be called `params` or `objects`.
    pub(crate) fn build_params(&self, method: &MethodPlan) -> TokenStream {
        let params = &format_ident!("params");
        let steps: Vec<Step> = method
            .args
            .iter()
            .flat_map(|arg| self.build_argument(&arg.slot, params))
            .collect();
        let objects = objects_param(method.args.iter().map(|arg| &arg.slot), builds_objects);
        match steps::closure_body(&steps) {
            body if steps.is_empty() => quote!(|_, _| #body),
            body if steps::consumes(&steps) => quote!(|#params, #objects| #body),
            body => quote!(|mut #params, #objects| #body),
        }
    }

    /// The client's closure that reads the results. An object is read by the mode of the call where it is all there is.
    pub(crate) fn read_results(&self, method: &MethodPlan) -> TokenStream {
        let results = format_ident!("results");
        let lone = given_object(method).filter(|object| object.is_lone);
        let is_lone = lone.is_some();
        let output = match lone {
            Some(object) => mode_object(&object, &results),
            None => self.read_output(method, &results),
        };
        let exceptions = method.error.iter().flat_map(|error| {
            let read = |variant| self.read_exception(&error.path, variant, &results);
            error.variants.iter().map(read)
        });
        let body = match method.error {
            Some(_) => {
                let value = output.value();
                quote!({ #(#exceptions)* Ok(Ok(#value)) })
            }
            // In a block, a long call is broken into lines that can be read.
            None if is_lone => {
                let result = output.result();
                quote!({ #result })
            }
            None => output.result(),
        };
        let keyword = method
            .outs
            .iter()
            .any(|out| out.want.is_some())
            .then(|| quote!(move));
        if method.outs.is_empty() && method.error.is_none() {
            return quote!(|_, _| #body);
        }
        let objects = objects_param(result_slots(method), reads_objects);
        quote!(#keyword |#results, #objects| #body)
    }

    /// Returns with the exception if it is there.
    fn read_exception(
        &self,
        error: &TokenStream,
        variant: &ExceptionPlan,
        results: &Ident,
    ) -> TokenStream {
        let (name, slot) = (&variant.name, &variant.slot);
        let with = |presence| Slot {
            presence,
            ..slot.clone()
        };
        let condition = present(&with(null_unless_companion(slot)), results);
        let value = self.read_slot(&with(Presence::Always), results).value();
        let boxed = if variant.is_boxed() {
            quote!(Box::new(error))
        } else {
            quote!(error)
        };
        quote! {
            if #condition {
                let error = #value;
                return Ok(Err(#error::#name(#boxed)));
            }
        }
    }

    fn read_output(&self, method: &MethodPlan, results: &Ident) -> Read {
        let read = |out: &OutPlan| match &out.want {
            None => self.read_slot(&out.slot, results),
            Some(want) => {
                let read = self.read_slot(
                    &Slot {
                        presence: Presence::Always,
                        ..out.slot.clone()
                    },
                    results,
                );
                match present(&out.slot, results) {
                    Some(condition) => read.when(&quote!(#want && #condition)),
                    None => read.when(&quote!(#want)),
                }
            }
        };
        match (&method.output, method.outs.first()) {
            (Output::One, Some(out)) => read(out),
            (Output::Struct { path, .. }, _) => {
                let fields = method.outs.iter().map(|out| {
                    let (name, value) = (&out.slot.name, read(out).value());
                    quote!(#name: #value)
                });
                Read {
                    expression: quote!(#path { #(#fields),* }),
                    can_fail: false,
                }
            }
            _ => Read {
                expression: quote!(()),
                can_fail: false,
            },
        }
    }

    /// The server's closure that reads the params.
    pub(crate) fn read_params(&self, method: &MethodPlan) -> TokenStream {
        let params = format_ident!("params");
        let objects = objects_param(method.args.iter().map(|arg| &arg.slot), |slot| {
            reads_objects(slot) || is_lent(slot)
        });
        let read = |arg: &ArgPlan| match is_lent(&arg.slot) {
            true => self.lend_slot(&arg.slot, &params),
            false => self.read_slot(&arg.slot, &params),
        };
        match method.args.as_slice() {
            [] => quote!(|_, _| Ok(())),
            [arg] => {
                let value = read(arg).result();
                quote!(|params, #objects| #value)
            }
            args => {
                let values = args.iter().map(|arg| read(arg).value());
                quote!(|params, #objects| Ok((#(#values),*)))
            }
        }
    }

    /// The server's closure that runs the user's method.
    pub(crate) fn invoke(&self, method: &MethodPlan, is_async: bool) -> TokenStream {
        let name = &method.name;
        let mut scope = Names::with(["this", "call", "result"]);
        let names: Vec<Ident> = method
            .args
            .iter()
            .map(|arg| scope.local(&arg.slot.name.to_string()))
            .collect();
        let types: Vec<TokenStream> = method.args.iter().map(|arg| lent(&arg.slot)).collect();
        let pattern = match method.args.len() {
            0 => quote!(()),
            1 => quote!(#(#names: #types)*),
            _ => quote!((#(#names),*): (#(#types),*)),
        };
        let values = method
            .args
            .iter()
            .zip(&names)
            .map(|(arg, name)| pass(arg, name));
        let awaited = is_async.then(|| quote!(.await));
        let mut call = quote!(this.#name(#(#values),*) #awaited);
        let local = |want: &Ident| {
            method
                .args
                .iter()
                .zip(&names)
                .find(|(arg, _)| arg.slot.name == *want)
                .map(|(_, name)| name)
        };
        // A result that was not wanted is not sent, even if the method gave it.
        call = match (&method.output, method.outs.first()) {
            (
                Output::One,
                Some(OutPlan {
                    want: Some(want), ..
                }),
            ) => {
                let want = local(want);
                quote!(#call.map(|result| result.filter(|_| #want)))
            }
            (Output::Struct { .. }, _) => {
                let unwanted = method.outs.iter().filter_map(|out| {
                    let (name, want) = (&out.slot.name, local(out.want.as_ref()?)?);
                    Some(quote!(result.#name = result.#name.filter(|_| #want);))
                });
                match unwanted.collect::<Vec<_>>() {
                    unwanted if unwanted.is_empty() => call,
                    unwanted => quote!(#call.map(|mut result| { #(#unwanted)* result })),
                }
            }
            _ => call,
        };
        if method.error.is_some() {
            call = quote!(mp::catch(#call));
        }
        if is_async {
            quote!(|this, #pattern| async move { #call })
        } else {
            quote!(|#pattern| #call)
        }
    }

    /// The server's closure that fills in the results.
    pub(crate) fn build_results(&self, method: &MethodPlan) -> TokenStream {
        let results = format_ident!("results");
        let steps: Vec<Step> = method
            .outs
            .iter()
            .flat_map(|out| {
                let name = &out.slot.name;
                let place = if matches!(method.output, Output::One) {
                    quote!(result)
                } else {
                    quote!(result.#name)
                };
                self.build_owned(&out.slot, &results, &place, out.want.is_some())
            })
            .collect();
        let objects = objects_param(result_slots(method), builds_objects);
        let Some(error) = &method.error else {
            return match steps::closure_body(&steps) {
                body if steps.is_empty() => quote!(|(), _, _| #body),
                body if steps::consumes(&steps) => quote!(|result, results, #objects| #body),
                body => quote!(|result, mut results, #objects| #body),
            };
        };
        let path = &error.path;
        let exceptions = error.variants.iter().map(|variant| {
            let (name, slot) = (&variant.name, &variant.slot);
            let value = match is_copy(&slot.ty) {
                true => quote!(value),
                false if variant.is_boxed() => quote!(&*value),
                false => quote!(&value),
            };
            let mut steps = self.build_value(slot, &results, &value);
            if slot.presence == Presence::Companion {
                let set_has = format_ident!("set_has_{}", slot.accessor);
                steps.push(Step::Plain(quote!(results.#set_has(true))));
            }
            let body = steps::function_body(&steps);
            quote!(Err(#path::#name(value)) => { #body })
        });
        let body = steps::function_body(&steps);
        let pattern = if steps.is_empty() {
            quote!(())
        } else {
            quote!(result)
        };
        quote! {
            |result, mut results, #objects| match result {
                Ok(#pattern) => { #body }
                #(#exceptions)*
                Err(#path::Other(error)) => Err(error),
            }
        }
    }
}

/// The one object among a method's results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenObject<'p> {
    pub slot: &'p Slot,
    /// Whether there is no other result: then blocking and async calls give it in different forms.
    pub is_lone: bool,
    /// The trait, and the client.
    pub path: &'p TokenStream,
    pub client: &'p TokenStream,
    /// Its index among the pointer fields of the results.
    pub pointer: u16,
}

impl GivenObject<'_> {
    fn is_optional(&self) -> bool {
        self.slot.presence == Presence::Null
    }

    /// The type of what the method gives back, where that is more than the object, which is of this type where it is alone.
    pub(crate) fn output(&self, method: &MethodPlan, object: &TokenStream) -> Option<TokenStream> {
        match (self.is_lone, self.is_optional()) {
            (false, _) => Some(output(method)),
            (true, true) => Some(quote!(Option<#object>)),
            (true, false) => None,
        }
    }
}

/// The one object among a method's results, if it is always asked for.
pub(crate) fn given_object(method: &MethodPlan) -> Option<GivenObject<'_>> {
    let is_object = |out: &&OutPlan| matches!(out.slot.ty, Ty::Object(..));
    let mut objects = method.outs.iter().filter(is_object);
    let (Some(out), None) = (objects.next(), objects.next()) else {
        return None;
    };
    let Ty::Object(path, client) = &out.slot.ty else {
        return None;
    };
    let is_alone = matches!(method.output, Output::One);
    let is_asked_for = out.want.is_none();
    is_asked_for.then_some(GivenObject {
        slot: &out.slot,
        is_lone: is_alone && out.slot.presence != Presence::Companion,
        path,
        client,
        pointer: out.pointer?,
    })
}

fn mode_object(object: &GivenObject<'_>, results: &Ident) -> Read {
    let get = format_ident!("get_{}", object.slot.accessor);
    let (label, path) = (&object.slot.label, object.path);
    let function = if object.is_optional() {
        quote!(object_optional)
    } else {
        quote!(object)
    };
    Read {
        expression: quote!(M::#function::<dyn #path>(objects, #results.#get(), #label)),
        can_fail: true,
    }
}

fn result_slots(method: &MethodPlan) -> impl Iterator<Item = &Slot> {
    let exceptions = method
        .error
        .iter()
        .flat_map(|error| &error.variants)
        .map(|variant| &variant.slot);
    method.outs.iter().map(|out| &out.slot).chain(exceptions)
}

fn objects_param<'s>(
    mut slots: impl Iterator<Item = &'s Slot>,
    uses: fn(&Slot) -> bool,
) -> TokenStream {
    if slots.any(uses) {
        quote!(objects)
    } else {
        quote!(_)
    }
}

fn null_unless_companion(slot: &Slot) -> Presence {
    if slot.presence == Presence::Companion {
        Presence::Companion
    } else {
        Presence::Null
    }
}

/// An owned value as the argument that the user's method takes.
fn pass(arg: &ArgPlan, name: &Ident) -> TokenStream {
    let ty = &arg.slot.ty;
    let by_value = is_copy(ty) || matches!(ty, Ty::Object(..));
    match arg.slot.presence {
        _ if by_value => quote!(#name),
        Presence::Always => quote!(&#name),
        _ if matches!(ty, Ty::Text | Ty::TextBytes | Ty::Data | Ty::List(_)) => {
            quote!(#name.as_deref())
        }
        _ => quote!(#name.as_ref()),
    }
}
