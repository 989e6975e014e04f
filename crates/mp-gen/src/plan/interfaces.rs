//! Interfaces and their methods.

use mp_schema::{Decl, Field, Interface, Method, MethodKind};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::types::Place;
use super::{AncestorPlan, AsyncPlan, InterfacePlan, MethodPlan, Planner, SpecialPlan};
use crate::names;

impl Planner<'_> {
    /// Plans an interface with `$Proxy.wrap`. `None` after reporting what is wrong with it.
    pub(super) fn interface(&self, interface: &Interface) -> Option<InterfacePlan> {
        let decl = &interface.decl;
        let path = decl.path.join(".");
        let place = Place {
            path: &path,
            location: &decl.location,
            objects: true,
        };
        if decl.is_generic {
            let help = "declare one interface for each type";
            return self.report(place, "is generic, which proxies cannot be", help);
        }
        let name = self.rust_name(decl.id)?;
        let snake = names::snake(&names::stem(&name));
        let screaming = snake.to_uppercase();
        let private = |kind, name| self.derived_name(decl, &format!("{path}.{kind}"), name);
        let methods = self.methods(interface);
        let ancestors = self.schema.ancestors(decl.id).into_iter();
        let ancestors: Option<Vec<_>> = ancestors.map(|a| self.ancestor(a, place)).collect();
        // All of it is planned, so that all that is wrong is reported.
        let asynchronous = self.asynchronous(interface, place);
        let (methods, ancestors) = (methods?, ancestors?);
        let special = |kind| {
            let method = interface
                .methods
                .iter()
                .find(|method| method.kind == kind)?;
            Some(special_plan(method))
        };
        Some(InterfacePlan {
            schema_name: decl.name.clone(),
            id: decl.id,
            doc: decl.comment.clone(),
            client: self.client_name(interface)?,
            id_constant: private("id", format!("{screaming}_ID")),
            scope: private("scope", screaming.clone()),
            as_client: names::ident(&names::as_client(&name)),
            start: names::ident(&names::start(&name)),
            asynchronous: asynchronous?,
            all_methods: private("all", format!("{screaming}_METHODS")),
            wire_name: private("wire", format!("{snake}_wire")),
            wire: self.wire_path(decl),
            is_callback: interface
                .wrap
                .as_ref()
                .is_some_and(|wrap| wrap.callback.is_some())
                && methods.len() == 1
                && ancestors.is_empty(),
            construct: special(MethodKind::Construct),
            destroy: special(MethodKind::Destroy),
            supertraits: interface
                .superclasses
                .iter()
                .filter_map(|s| self.type_path(s.target.id, place))
                .collect(),
            methods,
            ancestors,
            name,
        })
    }

    /// The second trait of an interface, if one was asked for. `None` after reporting what is wrong with that.
    fn asynchronous(
        &self,
        interface: &Interface,
        place: Place<'_>,
    ) -> Option<Option<Box<AsyncPlan>>> {
        self.known.borrow_mut().push(place.path.to_owned());
        if !self.config.is_async(place.path) {
            return Some(None);
        }
        let mut supertraits = Vec::new();
        for superclass in &interface.superclasses {
            let parent = self.schema.interface(superclass.target.id)?;
            let path = parent.decl.path.join(".");
            if !self.config.is_async(&path) {
                let help = format!("add `.async_trait(\"{path}\")`");
                let message =
                    format!("cannot be asynchronous, as `{path}`, which it extends, is not");
                return self.report(place, &message, &help);
            }
            supertraits.push(self.derived_path(&parent.decl, &self.async_name(parent)?));
        }
        Some(Some(Box::new(AsyncPlan {
            name: self.async_name(interface)?,
            supertraits,
        })))
    }

    fn async_name(&self, interface: &Interface) -> Option<Ident> {
        let (decl, name) = (&interface.decl, self.rust_name(interface.decl.id)?);
        let key = format!("{}.Async", decl.path.join("."));
        Some(self.derived_name(decl, &key, format!("{}Async", names::stem(&name))))
    }

    /// The name of an interface's client.
    pub(super) fn client_name(&self, interface: &Interface) -> Option<Ident> {
        let (decl, name) = (&interface.decl, self.rust_name(interface.decl.id)?);
        Some(self.derived_name(
            decl,
            &format!("{}.Client", decl.path.join(".")),
            format!("{}Client", names::stem(&name)),
        ))
    }

    /// A name for a type that the schema does not name. The same path always gets the same name.
    pub(super) fn derived_name(&self, decl: &Decl, path: &str, wanted: String) -> Ident {
        let key = (decl.file, path.to_owned());
        if let Some(name) = self.derived.borrow().get(&key) {
            return name.clone();
        }
        let name = names::ident(
            &self
                .scopes
                .borrow_mut()
                .entry(decl.file)
                .or_default()
                .take(wanted),
        );
        self.derived.borrow_mut().insert(key, name.clone());
        name
    }

    fn ancestor(&self, interface: &Interface, place: Place<'_>) -> Option<AncestorPlan> {
        let name = &interface.decl.name;
        if interface.wrap.is_none() {
            let message = format!("extends `{name}`, which has no $Proxy.wrap");
            return self.report(
                place,
                &message,
                &format!("write `interface {name} $Proxy.wrap(\"...\")`"),
            );
        }
        let has = |kind| interface.methods.iter().any(|method| method.kind == kind);
        let trait_name = self.rust_name(interface.decl.id)?;
        Some(AncestorPlan {
            id: interface.decl.id,
            path: self.type_path(interface.decl.id, place)?,
            as_client: names::ident(&names::as_client(&trait_name)),
            start: names::ident(&names::start(&trait_name)),
            above: self
                .schema
                .ancestors(interface.decl.id)
                .iter()
                .map(|above| above.decl.id)
                .collect(),
            methods: self.methods(interface)?,
            has_construct: has(MethodKind::Construct),
            has_destroy: has(MethodKind::Destroy),
        })
    }

    fn methods(&self, interface: &Interface) -> Option<Vec<MethodPlan>> {
        let names = self.method_names(interface);
        let mut methods: Vec<&Method> = interface
            .methods
            .iter()
            .filter(|method| method.kind == MethodKind::Plain)
            .collect();
        methods.sort_by_key(|method| method.code_order);
        // Every method is planned, so that all that is wrong is reported.
        let planned: Vec<_> = methods
            .into_iter()
            .map(|method| self.method(interface, method, names.get(&method.ordinal)?))
            .collect();
        planned.into_iter().collect()
    }

    /// The path of such a type, as seen from the file of the item being planned.
    pub(super) fn derived_path(&self, decl: &Decl, name: &Ident) -> TokenStream {
        match self.files.get(decl.file) {
            Some(file) => self.imported(file, name),
            None => quote!(#name),
        }
    }
}

/// What names `construct` and `destroy`, and every other method.
pub(super) fn special_plan(method: &Method) -> SpecialPlan {
    SpecialPlan {
        schema_name: method.name.clone(),
        ordinal: method.ordinal,
        context: method.context().and_then(Field::pointer_index),
        thread_map_param: method.thread_map_param().and_then(Field::pointer_index),
        thread_map_result: method.thread_map_result().and_then(Field::pointer_index),
    }
}
