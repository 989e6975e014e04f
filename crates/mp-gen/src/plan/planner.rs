//! The way from a schema to a plan: names first, then every declaration, then the settings that nothing used.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use mp_schema::{Diagnostic, Diagnostics, Error, Item, Schema};
use proc_macro2::{Ident, TokenStream};

use super::method_names::MethodNames;
use super::scopes::{declarations, wanted_name};
use super::types::Place;
use super::{FilePlan, Files, ItemPlan, Plan, Slot};
use crate::config::{Collection, Config, Setting};
use crate::names::{self, Names};

/// Plans all files of one schema.
pub(crate) struct Planner<'a> {
    pub(super) schema: &'a Schema,
    pub(super) config: &'a Config,
    pub(super) files: Files,
    /// The Rust name of every declaration that has one.
    names: BTreeMap<u64, String>,
    /// All names of each file, so that types that come from methods can be added.
    pub(super) scopes: RefCell<BTreeMap<u64, Names>>,
    pub(super) diagnostics: RefCell<Diagnostics>,
    /// Every path that a setting can have.
    pub(super) known: RefCell<Vec<String>>,
    /// The declarations that the item being planned refers to.
    dependencies: RefCell<BTreeSet<u64>>,
    /// The types of other files that each file names, and whether they are imported.
    pub(super) imports: RefCell<BTreeMap<u64, Imports>>,
    /// The collections used in each file.
    pub(super) collections: RefCell<BTreeMap<u64, BTreeSet<Collection>>>,
    /// Names of types that the schema does not name, by file and path.
    pub(super) derived: RefCell<BTreeMap<(u64, String), Ident>>,
    /// The names of methods, by interface.
    pub(super) method_names: RefCell<BTreeMap<u64, MethodNames>>,
    /// The file of the item being planned.
    pub(super) current_file: Cell<u64>,
}

impl<'a> Planner<'a> {
    /// A planner. `diagnostics` is what was found wrong so far.
    pub(crate) fn new(
        schema: &'a Schema,
        config: &'a Config,
        files: Files,
        diagnostics: Diagnostics,
    ) -> Self {
        let mut scopes = BTreeMap::new();
        let mut rust_names = BTreeMap::new();
        for file in &schema.files {
            let mut scope = Names::with(names::PRELUDE.iter().copied());
            for id in declarations(schema, &file.items) {
                if let Some(name) = schema.item(id).and_then(wanted_name) {
                    rust_names.insert(id, scope.take(name));
                }
            }
            scopes.insert(file.id, scope);
        }
        let planner = Self {
            schema,
            config,
            files,
            names: rust_names,
            scopes: RefCell::new(scopes),
            diagnostics: RefCell::new(diagnostics),
            known: RefCell::default(),
            dependencies: RefCell::default(),
            imports: RefCell::default(),
            collections: RefCell::default(),
            derived: RefCell::default(),
            method_names: RefCell::default(),
            current_file: Cell::default(),
        };
        // Names that follow from others come before anything imported.
        for interface in schema
            .items
            .values()
            .filter_map(|item| schema.interface(item.decl().id))
        {
            planner.client_name(interface);
        }
        planner
    }

    /// Plans everything.
    ///
    /// # Errors
    ///
    /// All that is wrong, together.
    pub(crate) fn plan(self) -> Result<Plan, Error> {
        let mut items = BTreeMap::new();
        let mut needed = BTreeSet::new();
        let mut spare = Vec::new();
        for id in self
            .schema
            .files
            .iter()
            .flat_map(|file| declarations(self.schema, &file.items))
        {
            let Some(item) = self.schema.item(id) else {
                continue;
            };
            if !self.is_generated(item.decl().file) {
                self.note_external(item);
            } else if is_wrapped(item) {
                self.plan_item(item, &mut items, &mut needed);
            } else {
                spare.push(id);
            }
        }
        self.plan_needed(&mut items, &mut needed);
        let mut warnings = self.plan_spare(&spare, &mut items);
        self.check_parent_modules(&mut warnings);
        self.config
            .report_unused(&self.known.borrow(), &mut self.diagnostics.borrow_mut());
        self.diagnostics.take().into_result()?;
        Ok(self.assemble(items, warnings))
    }

    /// Reports an error of the item being planned, which is then the only one about its settings. Always `None`.
    pub(super) fn report<T>(&self, place: Place<'_>, message: &str, help: &str) -> Option<T> {
        self.config.accept(place.path);
        let message = format!("`{}` {message}", place.path);
        self.diagnostics
            .borrow_mut()
            .push(Diagnostic::new(place.location, message).help(help));
        None
    }

    /// Remembers that the item being planned needs another.
    pub(super) fn depends_on(&self, id: u64) {
        self.dependencies.borrow_mut().insert(id);
    }

    /// The Rust name of a declaration.
    pub(super) fn rust_name(&self, id: u64) -> Option<Ident> {
        self.names.get(&id).map(|name| names::ident(name))
    }

    /// Whether code is written for a file.
    pub(super) fn is_generated(&self, file: u64) -> bool {
        let is_requested = self.schema.file(file).is_some_and(|file| file.requested);
        is_requested
            && self
                .files
                .get(file)
                .is_some_and(|info| info.external.is_none())
    }

    /// The attributes configured for a type.
    pub(super) fn attributes(&self, path: &str) -> Vec<TokenStream> {
        self.known.borrow_mut().push(path.to_owned());
        let mut attributes = Vec::new();
        for (setting, location) in self.config.of(path) {
            let place = Place {
                path,
                location,
                objects: false,
            };
            match setting {
                Setting::Attribute(text) => match text.parse() {
                    Ok(tokens) => attributes.push(tokens),
                    Err(error) => {
                        self.report::<()>(
                            place,
                            &format!("cannot have `{text}`: {error}"),
                            "write a Rust attribute",
                        );
                    }
                },
                _ => {
                    let help =
                        "name a field, param or result: `Struct.field`, `Interface.method.param`";
                    self.report::<()>(
                        place,
                        "is a type, to which this setting does not apply",
                        help,
                    );
                }
            }
        }
        attributes
    }

    /// The place of a field with nothing configured.
    pub(super) fn slot(&self, field: &mp_schema::Field, label: String, ty: super::Ty) -> Slot {
        Slot {
            name: names::ident(&names::snake(names::wanted(
                &field.annotations,
                field.cxx_name.as_deref(),
                &field.name,
            ))),
            accessor: names::accessor(&field.name),
            label,
            ty,
            presence: super::Presence::Always,
            boxed: false,
            generic: matches!(field.ty, mp_schema::Type::Parameter { .. }),
            group: field.is_group,
            is_default: true,
            is_comparable: !self.holds_object(&field.ty),
            doc: field
                .comment
                .clone()
                .unwrap_or_else(|| match field.ordinal {
                    Some(ordinal) => format!("`{} @{ordinal}`", field.name),
                    None => format!("`{}`", field.name),
                }),
            default: None,
        }
    }

    pub(super) fn plan_item(
        &self,
        item: &Item,
        items: &mut BTreeMap<u64, ItemPlan>,
        needed: &mut BTreeSet<u64>,
    ) -> bool {
        let decl = item.decl();
        self.current_file.set(decl.file);
        self.dependencies.take();
        self.check_names(item);
        let planned = match item {
            Item::Interface(interface) => self.interface(interface).map(ItemPlan::Interface),
            Item::Struct(structure) => self.structure(structure).map(ItemPlan::Struct),
            Item::Enum(enumeration) => Some(ItemPlan::Enum(self.enumeration(enumeration))),
            Item::Constant(constant) => self.constant(constant).map(ItemPlan::Constant),
            _ => None,
        };
        needed.extend(self.dependencies.take());
        match planned {
            Some(planned) => items.insert(decl.id, planned).is_none(),
            None => false,
        }
    }

    /// Plans what the planned items refer to, until nothing new comes.
    fn plan_needed(&self, items: &mut BTreeMap<u64, ItemPlan>, needed: &mut BTreeSet<u64>) {
        let mut done: BTreeSet<u64> = items.keys().copied().collect();
        while let Some(&id) = needed.iter().find(|id| !done.contains(*id)) {
            done.insert(id);
            if let Some(item) = self.schema.item(id)
                && self.is_generated(item.decl().file)
            {
                self.plan_item(item, items, needed);
            }
        }
    }

    fn assemble(&self, mut items: BTreeMap<u64, ItemPlan>, warnings: Diagnostics) -> Plan {
        let mut files = Vec::new();
        for file in self
            .schema
            .files
            .iter()
            .filter(|file| self.is_generated(file.id))
        {
            let Some(info) = self.files.get(file.id) else {
                continue;
            };
            let ids = declarations(self.schema, &file.items);
            files.push(FilePlan {
                info: info.clone(),
                doc: file.comment.clone(),
                collections: self
                    .collections
                    .borrow_mut()
                    .remove(&file.id)
                    .unwrap_or_default(),
                imports: self.imports_of(file.id),
                items: ids.into_iter().filter_map(|id| items.remove(&id)).collect(),
            });
        }
        Plan {
            files,
            warnings,
            local_marker: self.config.has_conversions(),
        }
    }

    /// Paths into files of other crates are known, and fields there can have settings, though nothing is generated for them.
    fn note_external(&self, item: &Item) {
        let path = item.decl().path.join(".");
        if let Item::Struct(structure) = item {
            for field in &structure.fields {
                let path = format!("{path}.{}", field.name);
                self.config.accept(&path);
                self.known.borrow_mut().push(path);
            }
        }
        self.known.borrow_mut().push(path);
    }
}

/// Whether something is generated for the item even if nothing refers to it.
fn is_wrapped(item: &Item) -> bool {
    match item {
        Item::Interface(interface) => interface.wrap.is_some(),
        Item::Struct(structure) => structure.wrap.is_some(),
        _ => false,
    }
}

/// Types by file and name, and whether they are imported.
pub(super) type Imports = BTreeMap<(u64, String), bool>;
