//! Types and constants that no proxy uses: they are for the program itself.

use std::collections::{BTreeMap, BTreeSet};

use mp_schema::{Diagnostic, Diagnostics, Item};

use super::{ItemPlan, Planner};

impl Planner<'_> {
    /// Plans what no proxy uses. A type that cannot be carried is left out, as are those that refer to it, with a warning for
    /// each: the program may well not need it. It is an error if the builder has settings for it, and for a constant.
    pub(super) fn plan_spare(
        &self,
        spare: &[u64],
        items: &mut BTreeMap<u64, ItemPlan>,
    ) -> Diagnostics {
        let mut warnings = Diagnostics::default();
        let mut waiting = BTreeMap::new();
        for &id in spare {
            let Some(item) = self.schema.item(id) else {
                continue;
            };
            // Without $Proxy.wrap, an interface is not meant to be one of the program's.
            if items.contains_key(&id) || matches!(item, Item::Interface(_)) {
                continue;
            }
            let errors = self.diagnostics.borrow().0.len();
            let (mut planned, mut needed) = (BTreeMap::new(), BTreeSet::new());
            let is_planned = self.plan_item(item, &mut planned, &mut needed);
            let path = item.decl().path.join(".");
            if !is_planned && !matches!(item, Item::Constant(_)) && !self.config.is_about(&path) {
                let found = self.diagnostics.borrow_mut().0.split_off(errors);
                warnings.0.extend(found.into_iter().map(|error| Diagnostic {
                    message: format!("{}: `{path}` is left out", error.message),
                    ..error
                }));
            }
            waiting.extend(
                planned
                    .into_iter()
                    .map(|(id, item)| (id, (item, needed.clone()))),
            );
        }
        while let Some((id, missing)) = self.incomplete(&waiting, items) {
            waiting.remove(&id);
            if let (Some(item), Some(missing)) = (self.schema.item(id), self.schema.item(missing)) {
                let (decl, missing) = (item.decl(), missing.decl().path.join("."));
                let path = decl.path.join(".");
                let message = format!("`{path}` is left out, for `{missing}` is");
                let diagnostic = Diagnostic::new(&decl.location, message);
                if self.config.is_about(&path) {
                    let help = "remove its settings, or what cannot be carried";
                    self.diagnostics.borrow_mut().push(diagnostic.help(help));
                } else {
                    warnings.push(diagnostic);
                }
            }
        }
        items.extend(waiting.into_iter().map(|(id, (item, _))| (id, item)));
        warnings
    }

    /// A planned item that refers to one that is left out, and that one.
    fn incomplete(
        &self,
        waiting: &BTreeMap<u64, (ItemPlan, BTreeSet<u64>)>,
        items: &BTreeMap<u64, ItemPlan>,
    ) -> Option<(u64, u64)> {
        let is_missing = |id: &u64| {
            let item = self.schema.item(*id);
            !items.contains_key(id)
                && !waiting.contains_key(id)
                && item.is_some_and(|item| self.is_generated(item.decl().file))
        };
        waiting.iter().find_map(|(id, (_, needed))| {
            let missing = needed.iter().copied().find(is_missing)?;
            Some((*id, missing))
        })
    }
}
