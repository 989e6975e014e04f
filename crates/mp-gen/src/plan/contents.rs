//! What a type holds, however deep: objects, conversions, itself, a default.

use std::collections::BTreeSet;

use mp_schema::{Brand, ScopeBinding, Struct, Type};

use super::structs::is_shown;
use super::{Planner, Presence, Slot, Ty};
use crate::rust_annotations;

impl Planner<'_> {
    /// Whether a value of this type has to be built apart: it holds an object, or a value with a conversion.
    pub(super) fn is_apart(&self, ty: &Type) -> bool {
        let is_apart = |structure: &Struct| {
            let path = structure.decl.path.join(".");
            let mut fields = structure.fields.iter().filter(|field| is_shown(field));
            self.is_elsewhere(structure)
                || fields.any(|field| self.config.is_converted(&format!("{path}.{}", field.name)))
        };
        self.holds_object_or(ty, &is_apart, &mut BTreeSet::new())
    }

    /// Whether another crate has the code for a struct: what it configured is not known here.
    fn is_elsewhere(&self, structure: &Struct) -> bool {
        let file = self.files.get(structure.decl.file);
        file.is_some_and(|file| file.external.is_some())
    }

    /// Whether there is an object in a value of this type.
    pub(super) fn holds_object(&self, ty: &Type) -> bool {
        self.holds_object_or(ty, &|_| false, &mut BTreeSet::new())
    }

    fn holds_object_or(
        &self,
        ty: &Type,
        test: &impl Fn(&Struct) -> bool,
        seen: &mut BTreeSet<u64>,
    ) -> bool {
        let target = match ty {
            Type::Interface(_) => return true,
            Type::List(element) => return self.holds_object_or(element, test, seen),
            Type::Struct(target) => target,
            _ => return false,
        };
        // What generic parameters are bound to is looked at here, so that fields may be looked at once for all uses.
        if bound(&target.brand).any(|ty| self.holds_object_or(ty, test, seen)) {
            return true;
        }
        let Some(structure) = self.schema.structure(target.id) else {
            return false;
        };
        seen.insert(target.id)
            && (test(structure)
                || (structure.fields.iter().filter(|field| is_shown(field)))
                    .any(|field| self.holds_object_or(&field.ty, test, seen)))
    }

    /// Whether the type of a place has a default.
    pub(super) fn has_default(&self, slot: &Slot, ty: &Type) -> bool {
        slot.presence != Presence::Always
            || match &slot.ty {
                Ty::Object(..) | Ty::Extern(..) => false,
                _ => !self.lacks_default(ty, &mut BTreeSet::new()),
            }
    }

    /// Whether a struct has no default, because a field that is always there is an object or of a type of the user's; or may
    /// have none, because it is another crate's.
    fn lacks_default(&self, ty: &Type, seen: &mut BTreeSet<u64>) -> bool {
        let Type::Struct(target) = ty else {
            return matches!(ty, Type::Interface(_));
        };
        let Some(structure) = self.schema.structure(target.id) else {
            return false;
        };
        if self.is_elsewhere(structure) {
            return true;
        }
        let path = structure.decl.path.join(".");
        // Of a union, the first member is the default.
        let fields = structure.fields.iter().filter(|field| {
            is_shown(field) && field.has.is_none() && field.discriminant.unwrap_or_default() == 0
        });
        seen.insert(target.id)
            && fields.into_iter().any(|field| {
                let path = format!("{path}.{}", field.name);
                !self.config.is_optional(&path)
                    && !rust_annotations::is_option(&field.annotations)
                    && (self.config.is_extern(&path) || self.lacks_default(&field.ty, seen))
            })
            || bound(&target.brand).any(|ty| self.lacks_default(ty, seen))
    }

    /// Whether a struct type contains another, not counting lists.
    pub(super) fn reaches(&self, ty: &Type, wanted: u64) -> bool {
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

/// The types that generic parameters are bound to.
fn bound(brand: &Brand) -> impl Iterator<Item = &Type> {
    brand
        .scopes
        .iter()
        .flat_map(|scope| match &scope.binding {
            ScopeBinding::Bind(types) => types.as_slice(),
            _ => &[],
        })
        .flatten()
}
