//! The declarations of a file and their Rust names; what small ones become.

use std::collections::BTreeMap;

use mp_schema::{Item, Schema};
use proc_macro2::{Ident, TokenStream};

use super::types::Place;
use super::{ConstantPlan, ConstantValue, EnumPlan, EnumerantPlan, Planner};
use crate::names::{self, Names};
use crate::rust_annotations;

impl Planner<'_> {
    /// `use` declarations for the types of other files.
    pub(super) fn imports_of(&self, file: u64) -> Vec<TokenStream> {
        let imports = self.imports.borrow();
        let mut modules: BTreeMap<u64, Vec<Ident>> = BTreeMap::new();
        for ((other, name), _) in imports
            .get(&file)
            .into_iter()
            .flatten()
            .filter(|(_, is_imported)| **is_imported)
        {
            modules.entry(*other).or_default().push(names::ident(name));
        }
        let import = |(file, names): (u64, Vec<Ident>)| {
            let module = &self.files.get(file)?.module;
            Some(quote::quote!(use #module::{#(#names),*};))
        };
        modules.into_iter().filter_map(import).collect()
    }

    /// Plans an enum.
    pub(super) fn enumeration(&self, enumeration: &mp_schema::Enum) -> EnumPlan {
        let mut scope = Names::default();
        let (decl, path) = (&enumeration.decl, enumeration.decl.path.join("."));
        let around = decl.path[..decl.path.len() - 1]
            .iter()
            .map(|name| names::ident(&names::accessor_module(name)));
        let accessors = self.accessors(decl.file);
        let own = names::ident(&names::for_capnpc(&decl.name));
        EnumPlan {
            schema_path: path.clone(),
            doc: decl.comment.clone(),
            name: self
                .rust_name(decl.id)
                .unwrap_or_else(|| names::ident(&decl.name)),
            wire: quote::quote!(#accessors #(::#around)*::#own),
            attributes: self.attributes(&path),
            variants: enumeration
                .enumerants
                .iter()
                .map(|enumerant| EnumerantPlan {
                    name: names::ident(&scope.take(enumerant_name(enumerant))),
                    wire: names::ident(&names::accessor_variant(&enumerant.name)),
                    doc: enumerant
                        .comment
                        .clone()
                        .unwrap_or_else(|| format!("`{} @{}`", enumerant.name, enumerant.ordinal)),
                })
                .collect(),
        }
    }

    /// Plans a constant. `None` after reporting what is wrong with it.
    pub(super) fn constant(&self, constant: &mp_schema::Constant) -> Option<ConstantPlan> {
        let decl = &constant.decl;
        let path = decl.path.join(".");
        let place = Place {
            path: &path,
            location: &decl.location,
            objects: false,
        };
        if self.holds_object(&constant.ty) {
            let help = "remove it: a constant cannot have an object to hold";
            return self.report(place, "is a constant of a type that holds objects", help);
        }
        let ty = self.plain(&constant.ty, place)?;
        let value = match self.literal(&ty, &constant.ty, &constant.value) {
            Some(literal) => ConstantValue::Literal(literal),
            None => {
                let around = self.wire_path_of(decl.file, &decl.path[..decl.path.len() - 1]);
                let name = names::ident(&names::accessor_module(&decl.name).to_uppercase());
                ConstantValue::Message(quote::quote!(#around::#name), path.clone())
            }
        };
        Some(ConstantPlan {
            doc: decl
                .comment
                .clone()
                .unwrap_or_else(|| format!("The schema's constant `{path}`.")),
            name: self.rust_name(decl.id)?,
            ty,
            value,
        })
    }
}

/// The variant for a value of an enum.
pub(super) fn enumerant_name(enumerant: &mp_schema::Enumerant) -> String {
    names::pascal(names::wanted(&enumerant.annotations, None, &enumerant.name))
}

/// All declarations in the file's order, nested ones after the one around them; groups after their struct.
pub(super) fn declarations(schema: &Schema, items: &[u64]) -> Vec<u64> {
    let mut all = Vec::new();
    let mut stack: Vec<u64> = items.iter().rev().copied().collect();
    while let Some(id) = stack.pop() {
        let Some(item) = schema.item(id) else {
            continue;
        };
        all.push(id);
        stack.extend(item.decl().nested.iter().rev());
        if let Item::Struct(structure) = item {
            stack.extend(
                structure
                    .fields
                    .iter()
                    .rev()
                    .filter_map(|field| Some(field.group()?.id)),
            );
        }
    }
    all
}

/// The Rust name that a declaration would have if it were alone.
pub(super) fn wanted_name(item: &Item) -> Option<String> {
    let decl = item.decl();
    if matches!(item, Item::Struct(_) | Item::Enum(_))
        && let Some(name) = rust_annotations::name(&decl.annotations)
    {
        return Some(names::pascal(names::wanted(&decl.annotations, None, name)));
    }
    let joined = || {
        decl.path
            .iter()
            .map(|name| names::pascal(name))
            .collect::<String>()
    };
    match item {
        Item::Interface(interface) => Some(match &interface.wrap {
            Some(wrap) if wrap.callback.is_none() => cxx_name(wrap).unwrap_or_else(joined),
            _ => joined(),
        }),
        Item::Struct(structure) => Some(
            structure
                .wrap
                .as_ref()
                .and_then(cxx_name)
                .unwrap_or_else(joined),
        ),
        Item::Enum(_) => Some(joined()),
        Item::Constant(_) => Some(
            decl.path
                .iter()
                .map(|name| names::screaming(name))
                .collect::<Vec<_>>()
                .join("_"),
        ),
        _ => None,
    }
}

/// The C++ name without namespaces, if it is a plain name.
fn cxx_name(wrap: &mp_schema::Wrap) -> Option<String> {
    let name = wrap.short_name();
    names::is_plain(name).then(|| names::pascal(name))
}
