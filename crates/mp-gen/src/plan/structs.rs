//! Structs, groups and unions.

use std::collections::BTreeSet;

use mp_schema::{Field, Struct, Type, Value};
use proc_macro2::TokenStream;
use quote::quote;

use super::types::Place;
use super::{Planner, Presence, Slot, StructPlan, Ty, UnionPlan, VariantPlan};
use crate::names::{self, Names};

impl Planner<'_> {
    /// Plans a struct or group. `None` after reporting what is wrong with it.
    pub(super) fn structure(&self, structure: &Struct) -> Option<StructPlan> {
        let decl = &structure.decl;
        let path = decl.path.join(".");
        let mut fields: Vec<&Field> = structure
            .fields
            .iter()
            .filter(|field| is_shown(field))
            .collect();
        fields.sort_by_key(|field| field.code_order);
        let mut scope = Names::default();
        let mut planned = Vec::new();
        // Every field is planned, so that all that is wrong is reported.
        for field in &fields {
            let slot = self.field(structure, field, &path);
            planned.push(slot.map(|mut slot| {
                slot.name = names::ident(&scope.take(plain_name(&slot)));
                (*field, slot)
            }));
        }
        let (members, slots): (Vec<_>, Vec<_>) = planned
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .partition(|(field, _)| field.discriminant.is_some());
        let slots: Vec<Slot> = slots.into_iter().map(|(_, slot)| slot).collect();
        let union = (!members.is_empty())
            .then(|| self.union(structure, members, slots.is_empty(), &mut scope));
        let params = self.generic_params(decl.id);
        Some(StructPlan {
            schema_path: path.clone(),
            doc: decl.comment.clone(),
            name: self.rust_name(decl.id)?,
            type_params: params
                .iter()
                .filter_map(|(scope, index)| {
                    Some(names::ident(
                        self.schema
                            .item(*scope)?
                            .decl()
                            .type_params
                            .get(usize::from(*index))?,
                    ))
                })
                .collect(),
            wire: self.wire_path(decl),
            default_from_message: fields
                .iter()
                .any(|field| is_default_unknown(structure, field)),
            slots,
            union,
            attributes: self.attributes(&path),
        })
    }

    /// Whether a value of this type has to be built apart: it holds an object, or a value with a conversion.
    pub(super) fn is_apart(&self, ty: &Type) -> bool {
        self.holds_conversion(ty, &mut BTreeSet::new())
    }

    fn holds_conversion(&self, ty: &Type, seen: &mut BTreeSet<u64>) -> bool {
        let target = match ty {
            Type::Interface(_) => return true,
            Type::List(element) => return self.holds_conversion(element, seen),
            Type::Struct(target) if seen.insert(target.id) => target,
            _ => return false,
        };
        let Some(structure) = self.schema.structure(target.id) else {
            return false;
        };
        // What another crate configured is not known here.
        let is_external = self
            .files
            .get(structure.decl.file)
            .is_some_and(|file| file.external.is_some());
        let path = structure.decl.path.join(".");
        is_external
            || structure
                .fields
                .iter()
                .filter(|field| is_shown(field))
                .any(|field| {
                    self.config.is_converted(&format!("{path}.{}", field.name))
                        || self.holds_conversion(&field.ty.substitute(&target.brand), seen)
                })
    }

    fn field(&self, structure: &Struct, field: &Field, path: &str) -> Option<Slot> {
        let path = format!("{path}.{}", field.name);
        self.known.borrow_mut().push(path.clone());
        let place = Place {
            path: &path,
            location: &field.location,
            objects: false,
        };
        let plain = match field.group() {
            Some(group) => Ty::Struct(self.type_path(group.id, place)?, self.own_params(structure)),
            None => self.plain(&field.ty, place)?,
        };
        let (ty, optional) = self.configured(plain, &field.ty, place)?;
        if field.count > 1 && !matches!(ty, Ty::Extern(..)) {
            return self.report_count(place, field.count);
        }
        let mut slot = self.slot(field, path.clone(), ty);
        slot.boxed = matches!(slot.ty, Ty::Struct(..))
            && !field.is_group
            && self.reaches(&field.ty, structure.decl.id);
        slot.presence = match field.has {
            _ if field.discriminant.is_some() => Presence::Always,
            Some(_) => Presence::Companion,
            None if optional || slot.boxed => Presence::Null,
            None => Presence::Always,
        };
        if optional && field.discriminant.is_some() {
            return self.report(
                place,
                "is a member of a union, which is there or not as such",
                "remove the setting",
            );
        }
        if slot.boxed && field.discriminant == Some(0) {
            return self.report(
                place,
                "is what the union holds at first, and contains itself",
                "declare another member first",
            );
        }
        slot.default = self.default(&slot, field);
        Some(slot)
    }

    /// The parameters of a generic struct as arguments of the groups in it.
    fn own_params(&self, structure: &Struct) -> Vec<Ty> {
        let params = self.generic_params(structure.decl.id);
        let name = |(scope, index): (u64, u16)| {
            Some(names::ident(
                self.schema
                    .item(scope)?
                    .decl()
                    .type_params
                    .get(usize::from(index))?,
            ))
        };
        params.into_iter().filter_map(name).map(Ty::Param).collect()
    }

    fn union(
        &self,
        structure: &Struct,
        mut members: Vec<(&Field, Slot)>,
        is_all: bool,
        scope: &mut Names,
    ) -> UnionPlan {
        members.sort_by_key(|(field, _)| field.discriminant);
        let field = (!is_all).then(|| {
            let name = self
                .rust_name(structure.decl.id)
                .map(|name| name.to_string())
                .unwrap_or_default();
            let path = format!("{}.which", structure.decl.path.join("."));
            (
                names::ident(&scope.take("which")),
                self.derived_name(&structure.decl, &path, format!("{name}Which")),
            )
        });
        let mut variants = Names::default();
        let variants = members.into_iter().map(|(field, slot)| VariantPlan {
            name: names::ident(&variants.take(names::pascal(&plain_name(&slot)))),
            wire: names::ident(&names::accessor_variant(&field.name)),
            slot,
        });
        UnionPlan {
            field,
            variants: variants.collect(),
        }
    }

    pub(super) fn report_count<T>(&self, place: Place<'_>, count: i32) -> Option<T> {
        let message = format!(
            "stands for {count} C++ arguments ($Proxy.count), for which there is no conversion"
        );
        self.report(
            place,
            &message,
            &format!(
                "give it a type of yours: `.extern_type(\"{}\", \"...\")`",
                place.path
            ),
        )
    }

    fn default(&self, slot: &Slot, field: &Field) -> Option<TokenStream> {
        if slot.presence != Presence::Always
            || !field.has_default
            || matches!(slot.ty, Ty::Extern(..))
        {
            return None;
        }
        let literal = self.literal(&slot.ty, &field.ty, &field.default)?;
        Some(match (&slot.ty, &field.default) {
            (Ty::Text, _) => quote!(#literal.to_owned()),
            (Ty::TextBytes, _) => quote!(#literal.as_bytes().to_vec()),
            (Ty::Data, _) => quote!(#literal.to_vec()),
            _ => literal,
        })
    }

    /// Whether a struct type contains another, not counting lists.
    fn reaches(&self, ty: &Type, wanted: u64) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = vec![ty];
        while let Some(ty) = stack.pop() {
            let Type::Struct(target) = ty else { continue };
            if target.id == wanted {
                return true;
            }
            if seen.insert(target.id)
                && let Some(structure) = self.schema.structure(target.id)
            {
                stack.extend(
                    structure
                        .fields
                        .iter()
                        .filter(|field| is_shown(field))
                        .map(|field| &field.ty),
                );
            }
        }
        false
    }
}

/// Whether users see the field.
fn is_shown(field: &Field) -> bool {
    !field.skip && field.has_of.is_none() && field.count != 0
}

/// The Rust name without `r#`, for making other names of it.
fn plain_name(slot: &Slot) -> String {
    slot.name.to_string().trim_start_matches("r#").to_owned()
}

/// Whether a default can only be had from the accessors: that of a list or struct, or an optional value that is there.
fn is_default_unknown(structure: &Struct, field: &Field) -> bool {
    matches!(field.default, Value::Pointer { null: false })
        || field.has.is_some_and(|has| {
            structure
                .fields
                .get(has)
                .is_some_and(|has| has.default == Value::Bool(true))
        })
}
