//! Interfaces and their methods.

use mp_schema::{Arg, Decl, Field, Interface, Method, MethodKind, Role, Type, TypeRef};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::types::Place;
use super::{
    AncestorPlan, ArgPlan, ErrorPlan, ExceptionPlan, InterfacePlan, MethodPlan, OutPlan, Output,
    Planner, Presence, Slot, SpecialPlan, Ty,
};
use crate::names::{self, Names};

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
            return self.report(
                place,
                "is generic, which proxies cannot be",
                "declare one interface for each type",
            );
        }
        let name = self.rust_name(decl.id)?;
        let snake = names::snake(&name.to_string());
        let methods = self.methods(interface);
        let ancestors: Option<Vec<_>> = self
            .schema
            .ancestors(decl.id)
            .into_iter()
            .map(|a| self.ancestor(a, place))
            .collect();
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
            id_constant: self.derived_name(
                decl,
                &format!("{path}.id"),
                format!("{}_ID", snake.to_uppercase()),
            ),
            scope: self.derived_name(decl, &format!("{path}.scope"), snake.to_uppercase()),
            as_client: format_ident!("as_{snake}_client"),
            all_methods: self.derived_name(
                decl,
                &format!("{path}.all"),
                format!("{}_METHODS", snake.to_uppercase()),
            ),
            wire_name: self.derived_name(decl, &format!("{path}.wire"), format!("{snake}_wire")),
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

    /// The name of an interface's client.
    pub(super) fn client_name(&self, interface: &Interface) -> Option<Ident> {
        let (decl, name) = (&interface.decl, self.rust_name(interface.decl.id)?);
        Some(self.derived_name(
            decl,
            &format!("{}.Client", decl.path.join(".")),
            format!("{name}Client"),
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
        Some(AncestorPlan {
            id: interface.decl.id,
            path: self.type_path(interface.decl.id, place)?,
            as_client: format_ident!(
                "as_{}_client",
                names::snake(&self.rust_name(interface.decl.id)?.to_string())
            ),
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
        let mut scope = Names::default();
        let mut methods: Vec<&Method> = interface
            .methods
            .iter()
            .filter(|method| method.kind == MethodKind::Plain)
            .collect();
        methods.sort_by_key(|method| method.code_order);
        // Every method is planned, so that all that is wrong is reported.
        let planned: Vec<_> = methods
            .into_iter()
            .map(|method| self.method(interface, method, &mut scope))
            .collect();
        planned.into_iter().collect()
    }

    fn method(
        &self,
        interface: &Interface,
        method: &Method,
        scope: &mut Names,
    ) -> Option<MethodPlan> {
        let path = format!("{}.{}", interface.decl.path.join("."), method.name);
        let place = Place {
            path: &path,
            location: &method.location,
            objects: true,
        };
        if !method.type_params.is_empty() {
            return self.report(
                place,
                "has generic parameters, which cannot be carried",
                "declare one method for each type",
            );
        }
        if method.results.target.id == STREAM_RESULT {
            return self.report(
                place,
                "is a streaming method, which cannot be carried",
                "write `-> ()` instead of `-> stream`",
            );
        }
        if method
            .params
            .fields
            .iter()
            .chain(&method.results.fields)
            .any(|field| field.discriminant.is_some())
        {
            let help = "make the struct with the union a param or result, instead of all params or results";
            return self.report(place, "has a union for params or results", help);
        }
        let name = scope.take(names::snake(
            method.cxx_name.as_deref().unwrap_or(&method.name),
        ));
        let mut fields = Fields::default();
        for arg in method.args.iter().filter(|arg| arg.count != 0) {
            self.argument(method, arg, &path, &mut fields);
        }
        if fields.failed {
            return None;
        }
        fields.args.sort_by_key(|(order, _)| *order);
        let type_name = |suffix: &str| {
            let trait_name = self
                .rust_name(interface.decl.id)
                .map(|name| name.to_string())
                .unwrap_or_default();
            let name = self.derived_name(
                &interface.decl,
                &format!("{path}.{suffix}"),
                format!("{trait_name}{}{suffix}", names::pascal(&name)),
            );
            let path = self.derived_path(&interface.decl, &name);
            (name, path)
        };
        let attributes = self.attributes(&path);
        let output = match fields.outs.len() {
            0 => Output::Nothing,
            1 => Output::One,
            _ => {
                let (name, path) = type_name("Result");
                Output::Struct {
                    name,
                    path,
                    attributes: attributes.clone(),
                }
            }
        };
        let error = (!fields.exceptions.is_empty()).then(|| {
            let (name, path) = type_name("Error");
            ErrorPlan {
                name,
                path,
                variants: fields.exceptions,
                attributes,
            }
        });
        let special = special_plan(method);
        Some(MethodPlan {
            schema_name: method.name.clone(),
            doc: method.comment.clone(),
            name: names::ident(&name),
            async_name: format_ident!("{name}_async"),
            shared_name: format_ident!("{name}_as"),
            constant: self.static_name(interface, method, &name),
            ordinal: special.ordinal,
            context: special.context,
            thread_map_param: special.thread_map_param,
            thread_map_result: special.thread_map_result,
            apart_params: self.is_message_apart(&method.params.fields, &path),
            apart_results: self.is_message_apart(&method.results.fields, &path),
            messages: (method.params.is_implicit && method.results.is_implicit).then(|| {
                (
                    message_module(method, "_params"),
                    message_module(method, "_results"),
                )
            }),
            params: self.message(&interface.decl, method, &method.params, "_params", place)?,
            results: self.message(&interface.decl, method, &method.results, "_results", place)?,
            args: fields.args.into_iter().map(|(_, arg)| arg).collect(),
            outs: fields.outs,
            output,
            error,
        })
    }

    /// The name of the static that names a method.
    fn static_name(&self, interface: &Interface, method: &Method, name: &str) -> Ident {
        let decl = &interface.decl;
        let path = format!("{}.{}.static", decl.path.join("."), method.name);
        let trait_name = self
            .rust_name(decl.id)
            .map(|name| names::screaming(&name.to_string()))
            .unwrap_or_default();
        self.derived_name(
            decl,
            &path,
            format!("{trait_name}_{}", names::screaming(name)),
        )
    }

    /// Plans one value that goes into a method or comes out of it.
    fn argument(&self, method: &Method, arg: &Arg, path: &str, fields: &mut Fields) {
        let param = arg.param.and_then(|index| method.params.fields.get(index));
        let result = arg
            .result
            .and_then(|index| method.results.fields.get(index));
        if let Some(field) = param {
            match self.value(field, path, arg.has_param.is_some()) {
                Some(mut slot) => {
                    slot.name = names::ident(&fields.arg_names.take(names::snake(&field.name)));
                    fields.args.push((field.code_order, ArgPlan { slot }));
                }
                None => fields.failed = true,
            }
        }
        let want = arg
            .want
            .and_then(|index| method.params.fields.get(index))
            .map(|field| {
                let mut slot = self.slot(field, field.name.clone(), Ty::Number("bool"));
                slot.name = names::ident(&fields.arg_names.take(names::snake(&field.name)));
                let name = slot.name.clone();
                fields.args.push((field.code_order, ArgPlan { slot }));
                name
            });
        let Some(field) = result else { return };
        let Some(mut slot) = self.value(field, path, arg.has_result.is_some()) else {
            fields.failed = true;
            return;
        };
        if let Role::Exception(cxx_type) = &arg.role {
            match self.exception(slot, field, cxx_type, path, fields) {
                Some(exception) => fields.exceptions.push(exception),
                None => fields.failed = true,
            }
            return;
        }
        slot.name = names::ident(&fields.out_names.take(names::snake(&field.name)));
        fields.outs.push(OutPlan { slot, want });
    }

    fn value(&self, field: &Field, method: &str, has_companion: bool) -> Option<Slot> {
        let path = format!("{method}.{}", field.name);
        self.known.borrow_mut().push(path.clone());
        let place = Place {
            path: &path,
            location: &field.location,
            objects: true,
        };
        let (ty, optional) = self.configured(self.plain(&field.ty, place)?, &field.ty, place)?;
        if field.count > 1 && !matches!(ty, Ty::Extern(..)) {
            return self.report_count(place, field.count);
        }
        let mut slot = self.slot(field, field.name.clone(), ty);
        slot.presence = match (has_companion, optional) {
            (true, _) => Presence::Companion,
            (false, true) => Presence::Null,
            (false, false) => Presence::Always,
        };
        Some(slot)
    }

    fn exception(
        &self,
        slot: Slot,
        field: &Field,
        cxx_type: &str,
        path: &str,
        fields: &mut Fields,
    ) -> Option<ExceptionPlan> {
        if slot.presence == Presence::Always && !field.ty.is_boxed() {
            let path = format!("{path}.{}", field.name);
            let place = Place {
                path: &path,
                location: &field.location,
                objects: true,
            };
            return self.report(
                place,
                "is an exception that is always there",
                "use a struct or text, or add a companion `hasX :Bool`",
            );
        }
        let short: String = cxx_type
            .rsplit("::")
            .next()
            .unwrap_or(cxx_type)
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        Some(ExceptionPlan {
            name: names::ident(&fields.exception_names().take(names::pascal(&short))),
            cxx_type: cxx_type.to_owned(),
            slot,
        })
    }

    fn is_message_apart(&self, fields: &[Field], path: &str) -> bool {
        fields
            .iter()
            .filter(|field| !field.skip && field.count != 0)
            .any(|field| {
                self.config.is_converted(&format!("{path}.{}", field.name))
                    || self.is_apart(&field.ty)
            })
    }

    /// The accessors' type of a message.
    fn message(
        &self,
        decl: &Decl,
        method: &Method,
        message: &mp_schema::Message,
        suffix: &str,
        place: Place<'_>,
    ) -> Option<TokenStream> {
        if message.is_implicit {
            let module = message_module(method, suffix);
            let interface = self.wire_path(decl);
            return Some(quote!(#interface::#module::Owned));
        }
        self.wire_type(&Type::Struct(message.target.clone()), place)
    }

    /// The accessors' `Owned` type for a pointer type.
    fn wire_type(&self, ty: &Type, place: Place<'_>) -> Option<TokenStream> {
        Some(match ty {
            Type::Text => quote!(mp::capnp::text::Owned),
            Type::Data => quote!(mp::capnp::data::Owned),
            Type::Struct(TypeRef { id, brand }) => {
                let path = self.wire_path(self.schema.item(*id)?.decl());
                let bound = |(scope, index)| self.wire_type(brand.binding(scope, index)?, place);
                let args: Option<Vec<_>> =
                    self.generic_params(*id).into_iter().map(bound).collect();
                match args? {
                    args if args.is_empty() => quote!(#path::Owned),
                    args => quote!(#path::Owned<#(#args),*>),
                }
            }
            _ => {
                return self.report(
                    place,
                    "has params or results with generic arguments that cannot be carried",
                    "declare a struct for them",
                );
            }
        })
    }

    /// The path of such a type, as seen from the file of the item being planned.
    pub(super) fn derived_path(&self, decl: &Decl, name: &Ident) -> TokenStream {
        match self.files.get(decl.file) {
            Some(file) => self.imported(file, name),
            None => quote!(#name),
        }
    }
}

/// What the values of a method became.
#[derive(Default)]
struct Fields {
    args: Vec<(u16, ArgPlan)>,
    outs: Vec<OutPlan>,
    exceptions: Vec<ExceptionPlan>,
    arg_names: Names,
    out_names: Names,
    failed: bool,
}

impl Fields {
    /// The names of the variants so far, and that of the one for everything else.
    fn exception_names(&self) -> Names {
        Names::with(
            self.exceptions
                .iter()
                .map(|e| e.name.to_string())
                .chain(["Other".to_owned()]),
        )
    }
}

fn special_plan(method: &Method) -> SpecialPlan {
    SpecialPlan {
        schema_name: method.name.clone(),
        ordinal: method.ordinal,
        context: method.context().and_then(Field::pointer_index),
        thread_map_param: method.thread_map_param().and_then(Field::pointer_index),
        thread_map_result: method.thread_map_result().and_then(Field::pointer_index),
    }
}

/// What `capnpc` calls the module of a method's params or results.
fn message_module(method: &Method, suffix: &str) -> Ident {
    names::ident(&names::accessor_module(&format!("{}{suffix}", method.name)))
}

/// `StreamResult` of `/capnp/stream.capnp`: what `-> stream` means.
const STREAM_RESULT: u64 = 0x995f_9a33_77c0_b16e;
