//! Methods: what each value becomes, and what the method gives back.

use mp_schema::{Arg, Decl, Field, Interface, Method, Role, Type, TypeRef};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::interfaces::special_plan;
use super::types::Place;
use super::{
    ArgPlan, ErrorPlan, ExceptionPlan, MethodPlan, OutPlan, Output, Planner, Presence, Slot, Ty,
};
use crate::names::{self, Names};

impl Planner<'_> {
    /// Plans a method, by its Rust name. `None` after reporting what is wrong with it.
    pub(super) fn method(
        &self,
        interface: &Interface,
        method: &Method,
        name: &str,
    ) -> Option<MethodPlan> {
        let path = format!("{}.{}", interface.decl.path.join("."), method.name);
        let place = Place {
            path: &path,
            location: &method.location,
            objects: true,
        };
        self.check_method(method, place)?;
        let attributes = self.attributes(&path);
        let mut fields = Fields::default();
        for arg in method.args.iter().filter(|arg| arg.count != 0) {
            self.argument(method, arg, &path, &mut fields);
        }
        if fields.failed {
            return None;
        }
        fields.args.sort_by_key(|(order, _)| *order);
        let (output, error) = self.method_types(interface, (name, &path), attributes, &mut fields);
        let special = special_plan(method);
        Some(MethodPlan {
            schema_name: method.name.clone(),
            doc: method.comment.clone(),
            name: names::ident(name),
            async_name: names::ident(&names::async_twin(name)),
            shared_name: names::ident(&names::shared(name)),
            constant: self.static_name(interface, method, name),
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

    /// Reports methods that cannot be carried at all.
    fn check_method(&self, method: &Method, place: Place<'_>) -> Option<()> {
        if !method.type_params.is_empty() {
            return self.report(
                place,
                "has generic parameters, which cannot be carried",
                "declare one method for each type",
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
        Some(())
    }

    /// What a method gives back, and how it can fail.
    fn method_types(
        &self,
        interface: &Interface,
        (name, path): (&str, &str),
        attributes: Vec<TokenStream>,
        fields: &mut Fields,
    ) -> (Output, Option<ErrorPlan>) {
        let type_name = |suffix: &str| {
            let trait_name = self
                .rust_name(interface.decl.id)
                .map(|name| names::stem(&name))
                .unwrap_or_default();
            let name = self.derived_name(
                &interface.decl,
                &format!("{path}.{suffix}"),
                format!("{trait_name}{}{suffix}", names::pascal(name)),
            );
            let path = self.derived_path(&interface.decl, &name);
            (name, path)
        };
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
                variants: std::mem::take(&mut fields.exceptions),
                attributes,
            }
        });
        (output, error)
    }

    /// The name of the static that names a method.
    fn static_name(&self, interface: &Interface, method: &Method, name: &str) -> Ident {
        let decl = &interface.decl;
        let path = format!("{}.{}.static", decl.path.join("."), method.name);
        let trait_name = self
            .rust_name(decl.id)
            .map(|name| names::screaming(&names::stem(&name)))
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
        let pointer = field.pointer_index();
        fields.outs.push(OutPlan {
            slot,
            want,
            pointer,
        });
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
        slot.is_default = self.has_default(&slot, &field.ty);
        Some(slot)
    }

    fn exception(
        &self,
        slot: Slot,
        field: &Field,
        cxx_type: &str,
        path: &str,
        fields: &Fields,
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
        if message.target.id == STREAM_RESULT {
            return Some(quote!(mp::capnp::any_pointer::Owned));
        }
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

/// What `capnpc` calls the module of a method's params or results.
fn message_module(method: &Method, suffix: &str) -> Ident {
    names::ident(&names::message_module(&method.name, suffix))
}

/// `StreamResult` of `/capnp/stream.capnp`, which has no fields: what `-> stream` means.
const STREAM_RESULT: u64 = 0x995f_9a33_77c0_b16e;
