//! The builder's settings for fields, params and results: optional values, collections, bytes, types of the user's.

use mp_schema::Type;
use quote::quote;

use super::types::Place;
use super::{Planner, Presence, Slot, Ty};
use crate::config::{Collection, Setting};
use crate::names;

impl Planner<'_> {
    /// Applies the settings for a path to a type, those for its elements first. Returns whether it is to be optional, too.
    pub(super) fn configured(
        &self,
        mut ty: Ty,
        schema_type: &Type,
        place: Place<'_>,
    ) -> Option<(Ty, bool)> {
        if let (Ty::List(element), Type::List(element_type)) = (&mut ty, schema_type) {
            self.configure_element(element, element_type, place)?;
        }
        let is_element = place.path.ends_with("[]");
        let mut optional = false;
        for (setting, location) in self.config.of(place.path) {
            let at = Place { location, ..place };
            match setting {
                Setting::Optional if is_element && !matches!(ty, Ty::Object(..)) => {
                    let help = "null reads as an empty value; a type of yours can take that for nothing: `extern_type`";
                    return self.report(at, "is not an object, and cannot be null in a list", help);
                }
                Setting::Optional if schema_type.is_boxed() => optional = true,
                Setting::Optional => {
                    let help = "only text, data, lists, structs and objects can be null; give others a companion `hasX :Bool`";
                    return self.report(at, "cannot be null", help);
                }
                Setting::Bytes => match as_bytes(&ty) {
                    Some(bytes) => ty = bytes,
                    None => {
                        let help = "`bytes` is for fields of type Text or lists of it";
                        return self.report(at, "is not Text", help);
                    }
                },
                Setting::Collection(Collection::BTreeMap | Collection::HashMap) if is_element => {
                    let help = "give the elements a type of yours: `extern_type`";
                    return self.report(at, "is a map in a list, which cannot be carried", help);
                }
                Setting::Collection(collection) => {
                    ty = self.collection(*collection, ty, schema_type, at)?;
                }
                Setting::Extern(name) => match syn::parse_str::<syn::Type>(name) {
                    Ok(path) => {
                        self.check_convertible(&ty, at)?;
                        ty = Ty::Extern(quote!(#path), Box::new(ty));
                    }
                    Err(error) => {
                        let message = format!("cannot be `{name}`: {error}");
                        return self.report(at, &message, "write a Rust type");
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

    /// Applies the settings for a list's elements, whose path is the list's with `[]`.
    fn configure_element(&self, element: &mut Ty, ty: &Type, list: Place<'_>) -> Option<()> {
        let path = format!("{}[]", list.path);
        self.known.borrow_mut().push(path.clone());
        let place = Place {
            path: &path,
            ..list
        };
        let (configured, optional) = self.configured(element.clone(), ty, place)?;
        *element = if optional {
            Ty::Nullable(Box::new(configured))
        } else {
            configured
        };
        Some(())
    }

    /// Reports what cannot be given a type of the user's.
    fn check_convertible(&self, ty: &Ty, at: Place<'_>) -> Option<()> {
        match ty {
            Ty::Object(..) => self.report(
                at,
                "is an object, which cannot be converted",
                "implement its trait instead",
            ),
            Ty::Extern(..) => self.report(at, "has two conversions", "remove one of them"),
            ty if ty.has_converted_elements() => {
                let help = "remove one of them";
                self.report(at, "has a conversion, and so have its elements", help)
            }
            _ => Some(()),
        }
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
        if matches!(*element, Ty::Extern(..)) && matches!(**element_type, Type::Struct(_)) {
            let help = format!("use `{0}[key]` or `{0}[value]`", at.path);
            return self.report(at, "has elements with a conversion", &help);
        }
        if matches!(collection, Collection::BTreeSet | Collection::HashSet) {
            if !is_key(&element) {
                let help = "sets can hold integers, Bool, Text, Data and enums";
                return self.report(at, "is a list of elements that cannot be compared", help);
            }
            return Some(Ty::Set(collection, element));
        }
        let entry = self.entry_slots(element_type, at)?;
        if !is_key(&entry.0.ty) || entry.0.presence != Presence::Always {
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
            let own = Place {
                path: &path,
                location: &field.location,
                objects: true,
            };
            let field_type = field.ty.substitute(&target.brand);
            let plain = self.plain(&field_type, own)?;
            // The settings of the struct's field hold in every map, and then there are those of this one.
            let (ty, optional) = self.configured(plain, &field_type, own)?;
            let here = format!("{}[{name}]", at.path);
            self.known.borrow_mut().push(here.clone());
            let (ty, optional_here) =
                self.configured(ty, &field_type, Place { path: &here, ..at })?;
            let mut slot = self.slot(field, path.clone(), ty);
            slot.name = names::ident(name);
            if optional || optional_here {
                slot.presence = Presence::Null;
            }
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

/// Whether values can be compared and hashed. Of types of the user's the compiler will tell.
fn is_key(ty: &Ty) -> bool {
    match ty {
        Ty::Number(name) => !name.starts_with('f'),
        Ty::Text | Ty::TextBytes | Ty::Data | Ty::Enum(_) | Ty::Extern(..) => true,
        _ => false,
    }
}
