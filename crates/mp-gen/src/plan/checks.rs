//! Names and annotations that would not become what they say.

use mp_schema::{Annotation, Diagnostic, Diagnostics, Item};

use super::Planner;
use super::types::Place;
use crate::{names, rust_annotations};

impl Planner<'_> {
    /// Reports each `$Rust.name` of a type or of an enum's values that is no name. Those of fields are looked at with the fields.
    pub(super) fn check_names(&self, item: &Item) {
        let decl = item.decl();
        let own = (decl.path.join("."), &decl.location, &decl.annotations);
        let mut named = vec![own];
        if let Item::Enum(enumeration) = item {
            named.extend(enumeration.enumerants.iter().map(|enumerant| {
                let path = format!("{}.{}", decl.path.join("."), enumerant.name);
                (path, &enumerant.location, &enumerant.annotations)
            }));
        }
        for (path, location, annotations) in named {
            let place = Place {
                path: &path,
                location,
                objects: false,
            };
            self.check_name(annotations, place);
        }
    }

    fn check_name(&self, annotations: &[Annotation], place: Place<'_>) -> Option<()> {
        match rust_annotations::name(annotations) {
            Some(name) if !names::is_plain(name) => self.report(
                place,
                "has a $Rust.name that is no name in Rust",
                "letters, digits and `_`, beginning with a letter",
            ),
            _ => Some(()),
        }
    }

    /// Looks at the annotations of `rust.capnp` on a field. Returns whether it is to be optional.
    pub(super) fn rust_annotations(
        &self,
        field: &mp_schema::Field,
        place: Place<'_>,
    ) -> Option<bool> {
        self.check_name(&field.annotations, place)?;
        let is_option = rust_annotations::is_option(&field.annotations);
        if is_option && (!field.ty.is_boxed() || field.is_group) {
            let help = "only text, data, lists, structs and objects can be null; give others a companion `hasX :Bool`";
            return self.report(place, "has $Rust.option but cannot be null", help);
        }
        Some(is_option)
    }

    /// Warns of files that `capnpc` alone would put elsewhere.
    pub(super) fn check_parent_modules(&self, warnings: &mut Diagnostics) {
        for file in self
            .schema
            .files
            .iter()
            .filter(|file| self.is_generated(file.id))
        {
            let Some(parent) = rust_annotations::parent_module(&file.annotations) else {
                continue;
            };
            let module = self.files.get(file.id).map(|info| info.module.to_string());
            let here = module.unwrap_or_default().replace(' ', "");
            if here.rsplit_once("::").map(|(around, _)| around) != Some(&format!("crate::{parent}"))
            {
                let message = format!(
                    "$Rust.parentModule says `{parent}`, but the code is for `{here}`: \
                     the builder's `.module(\"{parent}\")` decides"
                );
                warnings.push(Diagnostic::new(&file.location, message));
            }
        }
    }
}
