//! The builder's settings for fields, params and results: optional values, collections, bytes, types of the user's.

use mp_schema::Type;
use quote::quote;

use super::types::Place;
use super::{Planner, Slot, Ty};
use crate::config::{Collection, Setting};
use crate::names;

impl Planner<'_> {
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
                    ty = self.collection(*collection, ty, schema_type, at)?;
                }
                Setting::Extern(name) => match syn::parse_str::<syn::Type>(name) {
                    Ok(path) if !matches!(ty, Ty::Object(..)) => {
                        ty = Ty::Extern(quote!(#path), Box::new(ty));
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
                Setting::AsyncTrait => {
                    return self.report(
                        at,
                        "is not an interface",
                        "`async_trait` is for interfaces with $Proxy.wrap",
                    );
                }
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
