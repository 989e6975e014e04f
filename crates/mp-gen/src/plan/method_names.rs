//! What methods are called in Rust: each has a name, one more for its async twin, and one for what both share.

use std::collections::BTreeMap;
use std::rc::Rc;

use mp_schema::{Interface, MethodKind};

use super::Planner;
use crate::names::{self, Names};

/// Rust names by ordinal.
pub(super) type MethodNames = Rc<BTreeMap<u16, String>>;

impl Planner<'_> {
    /// The names of an interface's own methods. Where two would clash, or one with what every client has, the later one by
    /// ordinal gets a number: so a method that is added never renames an older one.
    pub(super) fn method_names(&self, interface: &Interface) -> MethodNames {
        let id = interface.decl.id;
        if let Some(names) = self.method_names.borrow().get(&id) {
            return Rc::clone(names);
        }
        let mut taken = Names::with(RESERVED.iter().copied());
        let hidden = |name: &_| [names::as_client(name), names::start(name)];
        taken.reserve(self.rust_name(id).iter().flat_map(hidden));
        for ancestor in self.schema.ancestors(id) {
            taken.reserve(self.rust_name(ancestor.decl.id).iter().flat_map(hidden));
            for name in self.method_names(ancestor).values() {
                taken.reserve(family(name));
            }
        }
        let mut methods: Vec<_> = interface.methods.iter().collect();
        methods.sort_by_key(|method| method.ordinal);
        let mut planned = BTreeMap::new();
        for method in methods.into_iter().filter(|m| m.kind == MethodKind::Plain) {
            let wanted = names::snake(names::wanted(&[], method.cxx_name.as_deref(), &method.name));
            planned.insert(method.ordinal, taken.take_family(&wanted, family));
        }
        let planned = Rc::new(planned);
        self.method_names
            .borrow_mut()
            .insert(id, Rc::clone(&planned));
        planned
    }
}

/// All names that a method of this name takes.
fn family(name: &str) -> [String; 3] {
    [
        name.to_owned(),
        names::async_twin(name),
        names::shared(name),
    ]
}

/// What clients, or references to objects, have of themselves or from traits that are always in scope: a method of the same
/// name could not be called without saying which.
const RESERVED: &[&str] = &[
    "as_ref",
    "clone",
    "clone_from",
    "destroy",
    "destroy_async",
    "drop",
    "into",
    "to_owned",
    "try_into",
    "with_timeout",
];
