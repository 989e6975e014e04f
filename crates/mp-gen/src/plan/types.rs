//! Types and values: from the schema's to Rust's, with the settings of the builder applied.

use mp_schema::{
    AnyKind, Brand, Decl, Item, Location, ScopeBinding, Type, TypeRef, Value, well_known,
};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::{FileInfo, Planner, Slot, Ty};
use crate::config::{Collection, Setting};
use crate::names;

/// What is being planned, for errors and for settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// `Values.passMap.value`
    pub path: &'a str,
    pub location: &'a Location,
    /// Whether a reference to an object can stand here: in params and results, not in structs and lists.
    pub objects: bool,
}

impl Planner<'_> {
    /// The Rust type for a schema type, without settings. `None` after reporting why there is none.
    pub(super) fn plain(&self, ty: &Type, place: Place<'_>) -> Option<Ty> {
        let inner = Place {
            objects: false,
            ..place
        };
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
                _ => Ty::List(Box::new(self.plain(element, inner)?)),
            },
            Type::Enum(target) => Ty::Enum(self.type_path(target.id, place)?),
            Type::Struct(target) => self.structure_type(target, inner)?,
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

    /// Applies the settings for a path to a type. Returns whether it is to be optional, too.
    pub(super) fn configured(
        &self,
        mut ty: Ty,
        schema_type: &Type,
        place: Place<'_>,
    ) -> Option<(Ty, bool)> {
        let mut optional = false;
        for (setting, location) in self.config.of(place.path) {
            let at = Place { location, ..place };
            match setting {
                Setting::Optional if schema_type.is_boxed() => optional = true,
                Setting::Optional => {
                    let help = "only text, data, lists, structs and objects can be null; give others a companion `hasX :Bool`";
                    return self.report(at, "cannot be null", help);
                }
                Setting::Bytes => match as_bytes(&ty) {
                    Some(bytes) => ty = bytes,
                    None => {
                        return self.report(
                            at,
                            "is not Text",
                            "`bytes` is for fields of type Text or lists of it",
                        );
                    }
                },
                Setting::Collection(collection) => {
                    ty = self.collection(*collection, ty, schema_type, at)?
                }
                Setting::Extern(name) => match syn::parse_str::<syn::Type>(name) {
                    Ok(path) if !matches!(ty, Ty::Object(..)) => {
                        ty = Ty::Extern(quote!(#path), Box::new(ty))
                    }
                    Ok(_) => {
                        return self.report(
                            at,
                            "is an object, which cannot be converted",
                            "implement its trait instead",
                        );
                    }
                    Err(error) => {
                        return self.report(
                            at,
                            &format!("cannot be `{name}`: {error}"),
                            "write a Rust type",
                        );
                    }
                },
                Setting::Attribute(_) => {
                    return self.report(
                        at,
                        "is not a type",
                        "attributes and derives are for structs, enums and methods' results",
                    );
                }
            }
        }
        Some((ty, optional))
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
        let key = (file.id, name.to_string());
        let is_free = *imports.entry(key).or_insert_with(|| {
            let mut scopes = self.scopes.borrow_mut();
            scopes.entry(current).or_default().take(name.to_string()) == name.to_string()
        });
        if is_free {
            quote!(#name)
        } else {
            quote!(#module::#name)
        }
    }

    /// The module of the accessors for a struct or interface.
    pub(super) fn wire_path(&self, decl: &Decl) -> TokenStream {
        let accessors = self.accessors(decl.file);
        let modules = decl
            .path
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
        for (scope, index) in self.generic_params(target.id) {
            args.push(self.plain(&binding(&target.brand, scope, index), place)?);
        }
        Some(Ty::Struct(path, args))
    }

    fn object_type(&self, target: &TypeRef, place: Place<'_>) -> Option<Ty> {
        let interface = self.schema.interface(target.id)?;
        let name = &interface.decl.name;
        if !place.objects {
            let message = format!(
                "is a `{name}` inside of a struct or list, where objects cannot be carried"
            );
            return self.report(place, &message, "make it a param or result of the method");
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
        let name = self
            .schema
            .item(scope)
            .and_then(|item| item.decl().type_params.get(usize::from(index)));
        match name {
            Some(name) => Some(names::ident(name)),
            None => self.report(
                place,
                "is of an unbound generic parameter",
                "bind the parameter to a type",
            ),
        }
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

    fn collection(
        &self,
        collection: Collection,
        ty: Ty,
        schema_type: &Type,
        at: Place<'_>,
    ) -> Option<Ty> {
        self.collections
            .borrow_mut()
            .entry(self.current_file.get())
            .or_default()
            .insert(collection);
        let (Ty::List(element), Type::List(element_type)) = (ty, schema_type) else {
            return self.report(at, "is not a list", "maps and sets are for lists");
        };
        if matches!(collection, Collection::BTreeSet | Collection::HashSet) {
            if !is_key(&element) {
                let help = "sets can hold integers, Bool, Text, Data and enums";
                return self.report(at, "is a list of elements that cannot be compared", help);
            }
            return Some(Ty::Set(collection, element));
        }
        let entry = self.entry_slots(element_type, at)?;
        if !is_key(&entry.0.ty) {
            let help = "keys can be integers, Bool, Text, Data and enums";
            return self.report(at, "has keys that cannot be compared", help);
        }
        Some(Ty::Map(collection, Box::new(entry)))
    }

    fn entry_slots(&self, element: &Type, at: Place<'_>) -> Option<(Slot, Slot)> {
        let target = match element {
            Type::Struct(target) => self
                .schema
                .structure(target.id)
                .map(|structure| (target, structure)),
            _ => None,
        };
        let Some((target, structure)) =
            target.filter(|(_, s)| s.fields.len() == 2 && s.union_members == 0)
        else {
            return self.report(
                at,
                "is not a list of structs with two fields",
                "a map's entries have a key and a value",
            );
        };
        let slot = |index: usize, name: &str| {
            let field = &structure.fields[index];
            let path = format!("{}.{}", structure.decl.path.join("."), field.name);
            let place = Place {
                path: &path,
                location: &field.location,
                objects: false,
            };
            let ty = self.plain(&field.ty.substitute(&target.brand), place)?;
            let mut slot = self.slot(field, path.clone(), ty);
            slot.name = names::ident(name);
            Some(slot)
        };
        Some((slot(0, "key")?, slot(1, "value")?))
    }

    /// A default or constant as a Rust expression; `None` for lists and structs, whose values the model does not have.
    pub(super) fn literal(
        &self,
        ty: &Ty,
        schema_type: &Type,
        value: &Value,
    ) -> Option<TokenStream> {
        Some(match value {
            Value::Bool(v) => quote!(#v),
            Value::Int8(v) => literal(&v.to_string()),
            Value::Int16(v) => literal(&v.to_string()),
            Value::Int32(v) => literal(&v.to_string()),
            Value::Int64(v) => literal(&v.to_string()),
            Value::UInt8(v) => literal(&v.to_string()),
            Value::UInt16(v) => literal(&v.to_string()),
            Value::UInt32(v) => literal(&v.to_string()),
            Value::UInt64(v) => literal(&v.to_string()),
            Value::Float32(v) => float(f64::from(*v), &format!("{v:?}"), &quote!(f32)),
            Value::Float64(v) => float(*v, &format!("{v:?}"), &quote!(f64)),
            Value::Text(text) => quote!(#text),
            Value::Data(bytes) => {
                let bytes = Literal::byte_string(bytes);
                quote!(#bytes)
            }
            Value::Enum(ordinal) => {
                let (Ty::Enum(path), Type::Enum(target)) = (ty, schema_type) else {
                    return None;
                };
                let enumerant = self
                    .schema
                    .enumeration(target.id)?
                    .enumerants
                    .get(usize::from(*ordinal))?;
                let variant = names::ident(&names::pascal(&enumerant.name));
                quote!(#path::#variant)
            }
            _ => return None,
        })
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

fn as_bytes(ty: &Ty) -> Option<Ty> {
    match ty {
        Ty::Text => Some(Ty::TextBytes),
        Ty::List(element) => Some(Ty::List(Box::new(as_bytes(element)?))),
        _ => None,
    }
}

/// Whether values can be compared and hashed.
fn is_key(ty: &Ty) -> bool {
    match ty {
        Ty::Number(name) => !name.starts_with('f'),
        Ty::Text | Ty::TextBytes | Ty::Data | Ty::Enum(_) => true,
        _ => false,
    }
}

fn literal(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

fn float(value: f64, text: &str, ty: &TokenStream) -> TokenStream {
    if value.is_nan() {
        quote!(#ty::NAN)
    } else if value == f64::INFINITY {
        quote!(#ty::INFINITY)
    } else if value == f64::NEG_INFINITY {
        quote!(#ty::NEG_INFINITY)
    } else {
        literal(text)
    }
}

/// The type of a constant; `None` for what cannot be one.
pub(super) fn constant_type(ty: &Ty) -> Option<TokenStream> {
    Some(match ty {
        Ty::Number(name) => literal(name),
        Ty::Text => quote!(&str),
        Ty::Data => quote!(&[u8]),
        Ty::Enum(path) => path.clone(),
        _ => return None,
    })
}
