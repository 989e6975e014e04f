//! What an interface is on the wire: its id, and the table of its methods.

use proc_macro2::TokenStream;
use quote::quote;

use super::id;
use super::methods::{self, optional_index};
use crate::plan::{AncestorPlan, InterfacePlan, SpecialPlan};

/// The constants that name the interface, and the statics that name its methods.
pub(super) fn constants(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan {
        id_constant,
        scope,
        schema_name,
        ..
    } = interface;
    let own_id = id(interface.id);
    let methods = interface
        .methods
        .iter()
        .map(|method| methods::constant(interface, method));
    quote! {
        const #id_constant: u64 = #own_id;
        const #scope: mp::Scope = mp::Scope::new(#schema_name, #id_constant);
        #(#methods)*
    }
}

/// Whether the methods can be declared as a table: those whose messages have names of their own cannot.
pub(super) fn is_table(interface: &InterfacePlan) -> bool {
    !interface.methods.is_empty()
        && interface
            .methods
            .iter()
            .all(|method| method.messages.is_some())
}

/// The table of methods, which the formatter would leave as it is.
pub(super) fn table(interface: &InterfacePlan) -> String {
    let InterfacePlan {
        schema_name,
        scope,
        id_constant,
        all_methods,
        wire_name,
        ..
    } = interface;
    let own_id = id(interface.id);
    let mut text = format!(
        "mp::methods! {{\n    {scope} = \"{schema_name}\", {id_constant} = {own_id}, {all_methods} in {wire_name};\n"
    );
    for method in &interface.methods {
        let Some((params, results)) = &method.messages else {
            continue;
        };
        let index = |index: Option<u16>| {
            index.map_or_else(|| "None".to_owned(), |index| format!("Some({index})"))
        };
        let (constant, name, ordinal, context) = (
            &method.constant,
            &method.schema_name,
            method.ordinal,
            index(method.context),
        );
        text +=
            &format!("    {constant} = \"{name}\", {ordinal}, {context}, {params} => {results}");
        if method.apart_params || method.apart_results {
            text += &format!(", apart({}, {})", method.apart_params, method.apart_results);
        }
        if method.thread_map_param.is_some() || method.thread_map_result.is_some() {
            text += &format!(
                ", thread_maps({}, {})",
                index(method.thread_map_param),
                index(method.thread_map_result)
            );
        }
        text += ";\n";
    }
    text + "}\n"
}

/// What the interface is, as a constant expression.
pub(super) fn info(interface: &InterfacePlan) -> TokenStream {
    let InterfacePlan {
        id_constant,
        schema_name,
        ..
    } = interface;
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
    let methods = if interface.ancestors.is_empty() && is_table(interface) {
        let all = &interface.all_methods;
        quote!(#all)
    } else {
        quote!(&[#(#inherited,)* #(#own),*])
    };
    let special = |own: &Option<SpecialPlan>, ancestor: Option<&AncestorPlan>, field: &str| {
        let field = quote::format_ident!("{field}");
        match (own, ancestor) {
            (Some(plan), _) => {
                let method = special_method(&interface.scope, plan);
                quote!(#field: Some(&#method))
            }
            (None, Some(AncestorPlan { path, .. })) => {
                quote!(#field: <dyn #path as mp::Interface>::INFO.#field)
            }
            (None, None) => quote!(#field: None),
        }
    };
    let construct = special(
        &interface.construct,
        interface.ancestors.iter().rfind(|a| a.has_construct),
        "construct",
    );
    let destroy = special(
        &interface.destroy,
        interface.ancestors.iter().rfind(|a| a.has_destroy),
        "destroy",
    );
    quote! {
        &mp::InterfaceInfo {
            name: #schema_name,
            id: #id_constant,
            methods: #methods,
            #construct,
            #destroy,
        }
    }
}

/// Where an ancestor's own methods begin in its list, which has its inherited ones first.
fn ancestor_offset(interface: &InterfacePlan, ancestor: &AncestorPlan) -> usize {
    let is_above = |other: &&AncestorPlan| ancestor.above.contains(&other.id);
    interface
        .ancestors
        .iter()
        .filter(is_above)
        .map(|other| other.methods.len())
        .sum()
}

/// `construct` or `destroy`, as a constant expression.
fn special_method(scope: &proc_macro2::Ident, plan: &SpecialPlan) -> TokenStream {
    let ordinal = proc_macro2::Literal::u16_unsuffixed(plan.ordinal);
    let [context, param, result] =
        [plan.context, plan.thread_map_param, plan.thread_map_result].map(optional_index);
    let name = &plan.schema_name;
    quote!(#scope.special(#name, #ordinal, #context, #param, #result))
}
