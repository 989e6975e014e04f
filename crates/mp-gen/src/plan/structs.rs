//! Structs, groups and unions.

use mp_schema::{Field, Struct, Value};
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
        let attributes = self.attributes(&path);
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
        let all = |test: fn(&Slot) -> bool| slots.iter().all(test);
        Some(StructPlan {
            schema_path: path.clone(),
            doc: decl.comment.clone(),
            name: self.rust_name(decl.id)?,
            type_params: self.param_names(decl.id),
            wire: self.wire_path(decl),
            is_default: match &union {
                Some(union) => union.is_default && all(|slot| slot.is_default),
                None => all(|slot| slot.is_default),
            },
            is_comparable: all(|slot| slot.is_comparable)
                && union
                    .iter()
                    .all(|union| (union.variants.iter()).all(|variant| variant.slot.is_comparable)),
            default_from_message: fields
                .iter()
                .any(|field| is_default_unknown(structure, field)),
            slots,
            union,
            attributes,
        })
    }

    fn field(&self, structure: &Struct, field: &Field, path: &str) -> Option<Slot> {
        let path = format!("{path}.{}", field.name);
        self.known.borrow_mut().push(path.clone());
        let place = Place {
            path: &path,
            location: &field.location,
            objects: true,
        };
        let plain = match field.group() {
            Some(group) => Ty::Struct(self.type_path(group.id, place)?, self.own_params(structure)),
            None => self.plain(&field.ty, place)?,
        };
        let (ty, optional) = self.configured(plain, &field.ty, place)?;
        let optional = optional | self.rust_annotations(field, place)?;
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
        slot.is_default = self.has_default(&slot, &field.ty);
        Some(slot)
    }

    /// The parameters of a generic struct as arguments of the groups in it.
    fn own_params(&self, structure: &Struct) -> Vec<Ty> {
        let params = self.param_names(structure.decl.id).into_iter();
        params.map(Ty::Param).collect()
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
                .map(|name| names::stem(&name))
                .unwrap_or_default();
            let path = format!("{}.which", structure.decl.path.join("."));
            (
                names::ident(&scope.take("which")),
                self.derived_name(&structure.decl, &path, format!("{name}Which")),
            )
        });
        let is_default = members.first().is_some_and(|(_, slot)| slot.is_default);
        let mut variants = Names::default();
        let variants = members.into_iter().map(|(field, slot)| VariantPlan {
            name: names::ident(&variants.take(names::pascal(&plain_name(&slot)))),
            wire: names::ident(&names::accessor_variant(&field.name)),
            slot,
        });
        UnionPlan {
            field,
            is_default,
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
}

/// Whether users see the field.
pub(super) fn is_shown(field: &Field) -> bool {
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
