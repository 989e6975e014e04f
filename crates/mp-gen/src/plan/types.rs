//! Types and values: from the schema's to Rust's, with the settings of the builder applied.

use mp_schema::{AnyKind, Brand, Decl, Item, Location, ScopeBinding, Type, TypeRef, well_known};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{FileInfo, Planner, Ty};
use crate::names;

/// What is being planned, for errors and for settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// `Values.passMap.value`
    pub path: &'a str,
    pub location: &'a Location,
    /// Whether a reference to an object can stand here: not in generic arguments and constants.
    pub objects: bool,
}

impl Planner<'_> {
    /// The Rust type for a schema type, without settings. `None` after reporting why there is none.
    pub(super) fn plain(&self, ty: &Type, place: Place<'_>) -> Option<Ty> {
        Some(match ty {
            Type::Void => Ty::Unit,
            Type::Text => Ty::Text,
            Type::Data => Ty::Data,
            Type::List(element) => match **element {
                Type::Parameter { .. } => {
                    return self.report(
                        place,
                        "is a list of a generic parameter, which cannot be carried",
                        "use a list of a declared type",
                    );
                }
                _ => Ty::List(Box::new(self.plain(element, place)?)),
            },
            Type::Enum(target) => Ty::Enum(self.type_path(target.id, place)?),
            Type::Struct(target) => self.structure_type(target, place)?,
            Type::Interface(target) => self.object_type(target, place)?,
            Type::AnyPointer(kind) => {
                let name = match kind {
                    AnyKind::Struct => "AnyStruct",
                    AnyKind::List => "AnyList",
                    AnyKind::Capability => "Capability",
                    _ => "AnyPointer",
                };
                let message = format!("is of type {name}, which has no Rust type");
                return self.report(
                    place,
                    &message,
                    "declare the type that it holds, or leave the field out with $Proxy.skip",
                );
            }
            Type::Parameter { scope, index } => Ty::Param(self.parameter(*scope, *index, place)?),
            Type::MethodParameter { .. } => {
                return self.report(
                    place,
                    "is of a generic parameter of its method, which cannot be carried",
                    "declare one method for each type",
                );
            }
            number => Ty::Number(number_type(number)?),
        })
    }

    /// The path of the Rust type for a declaration, as seen from any generated file.
    pub(super) fn type_path(&self, id: u64, place: Place<'_>) -> Option<TokenStream> {
        let decl = self.schema.item(id)?.decl();
        let Some(file) = self.files.get(decl.file) else {
            let message = format!(
                "is of type `{}`, for which no code is generated",
                decl.path.join(".")
            );
            return self.report(place, &message, "declare a type of your own");
        };
        self.depends_on(id);
        let name = self.rust_name(id)?;
        Some(self.imported(file, &name))
    }

    /// A type's name, imported from its file's module where that is not the file being planned and the name is free.
    pub(super) fn imported(&self, file: &FileInfo, name: &Ident) -> TokenStream {
        let current = self.current_file.get();
        let module = &file.module;
        if current == file.id {
            return quote!(#name);
        }
        let mut imports = self.imports.borrow_mut();
        let imports = imports.entry(current).or_default();
        let key_name = name.to_string();
        let key = (file.id, key_name.clone());
        let is_free = *imports.entry(key).or_insert_with(|| {
            let mut scopes = self.scopes.borrow_mut();
            scopes.entry(current).or_default().take(name.to_string()) == key_name
        });
        if is_free {
            quote!(#name)
        } else {
            quote!(#module::#name)
        }
    }

    /// The module of the accessors for a struct or interface.
    pub(super) fn wire_path(&self, decl: &Decl) -> TokenStream {
        self.wire_path_of(decl.file, &decl.path)
    }

    /// The module of the accessors for what has this path in a file.
    pub(super) fn wire_path_of(&self, file: u64, path: &[String]) -> TokenStream {
        let accessors = self.accessors(file);
        let modules = path
            .iter()
            .map(|name| names::ident(&names::accessor_module(name)));
        quote!(#accessors #(::#modules)*)
    }

    /// The module of a file's accessors, as generated files call it.
    pub(super) fn accessors(&self, file: u64) -> TokenStream {
        match self.files.get(file) {
            Some(info) if file != self.current_file.get() => info.accessors.clone(),
            _ => quote!(wire),
        }
    }

    fn structure_type(&self, target: &TypeRef, place: Place<'_>) -> Option<Ty> {
        if target.id == well_known::CONTEXT {
            return self.report(
                place,
                "is a Proxy.Context, which only a method can have",
                "make it a param of the method",
            );
        }
        let path = self.type_path(target.id, place)?;
        let mut args = Vec::new();
        let inner = Place {
            objects: false,
            ..place
        };
        for (scope, index) in self.generic_params(target.id) {
            args.push(self.plain(&binding(&target.brand, scope, index), inner)?);
        }
        Some(Ty::Struct(path, args))
    }

    fn object_type(&self, target: &TypeRef, place: Place<'_>) -> Option<Ty> {
        let interface = self.schema.interface(target.id)?;
        let name = &interface.decl.name;
        if !place.objects {
            let message =
                format!("has a `{name}` for a generic argument, where objects cannot be carried");
            let help = "declare a struct with a field of that type instead of the generic one";
            return self.report(place, &message, help);
        }
        if matches!(target.id, well_known::THREAD_MAP | well_known::THREAD) {
            return self.report(
                place,
                "is for the run-time",
                "leave it out, or give it to `construct`",
            );
        }
        if interface.wrap.is_none() {
            let message = format!("is a `{name}`, which has no $Proxy.wrap");
            return self.report(
                place,
                &message,
                &format!("write `interface {name} $Proxy.wrap(\"...\")`"),
            );
        }
        if interface.decl.is_generic {
            return self.report(
                place,
                &format!("is a `{name}`, which is generic"),
                "declare one interface for each type",
            );
        }
        let path = self.type_path(target.id, place)?;
        let client = self.client_name(interface)?;
        Some(Ty::Object(
            path,
            self.derived_path(&interface.decl, &client),
        ))
    }

    fn parameter(&self, scope: u64, index: u16, place: Place<'_>) -> Option<Ident> {
        let name = self.param_name(scope, index);
        if name.is_none() {
            let help = "bind the parameter to a type";
            return self.report(place, "is of an unbound generic parameter", help);
        }
        name
    }

    /// The names of a struct's generic parameters.
    pub(super) fn param_names(&self, id: u64) -> Vec<Ident> {
        let params = self.generic_params(id).into_iter();
        let name = |(scope, index)| self.param_name(scope, index);
        params.filter_map(name).collect()
    }

    /// The name of a generic parameter, which is no type's in its file.
    fn param_name(&self, scope: u64, index: u16) -> Option<Ident> {
        let decl = self.schema.item(scope)?.decl();
        let name = decl.type_params.get(usize::from(index))?;
        let scopes = self.scopes.borrow();
        let is_type = scopes
            .get(&decl.file)
            .is_some_and(|names| names.contains(name));
        Some(names::ident(&if is_type {
            format!("{name}_")
        } else {
            name.clone()
        }))
    }

    /// The generic parameters of a struct, those of the scopes around it first.
    pub(super) fn generic_params(&self, id: u64) -> Vec<(u64, u16)> {
        let mut params = Vec::new();
        let mut scope = self.schema.item(id).map(Item::decl);
        while let Some(decl) = scope {
            let own = (0..decl.type_params.len())
                .filter_map(|index| Some((decl.id, u16::try_from(index).ok()?)));
            params.splice(0..0, own);
            scope = self.schema.item(decl.scope).map(Item::decl);
        }
        params
    }
}

fn number_type(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::UInt8 => "u8",
        Type::UInt16 => "u16",
        Type::UInt32 => "u32",
        Type::UInt64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        _ => return None,
    })
}

/// What a generic parameter is bound to in a brand.
fn binding(brand: &Brand, scope: u64, index: u16) -> Type {
    match brand
        .scopes
        .iter()
        .find(|s| s.scope == scope)
        .map(|s| &s.binding)
    {
        Some(ScopeBinding::Inherit) => Type::Parameter { scope, index },
        _ => brand
            .binding(scope, index)
            .cloned()
            .unwrap_or(Type::AnyPointer(AnyKind::Any)),
    }
}
