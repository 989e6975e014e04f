//! Rules for annotated schemas, beyond those of the schema language. What a program cannot carry is for the generator to
//! say; here stands what makes no sense in any program.

use crate::{
    Diagnostic, Diagnostics, Field, Interface, Item, Location, Method, MethodKind, Role, Schema,
    Struct, Type, Wrap, well_known,
};

/// Finds everything that is wrong in the requested files.
pub(crate) fn check(schema: &Schema) -> Diagnostics {
    let mut checker = Checker {
        schema,
        found: Diagnostics::default(),
    };
    checker.proxy_file();
    for item in schema.items.values() {
        if !schema
            .file(item.decl().file)
            .is_some_and(|file| file.requested)
        {
            continue;
        }
        match item {
            Item::Interface(interface) => checker.interface(interface),
            Item::Struct(structure) => checker.structure(structure),
            _ => {}
        }
    }
    checker.found
}

struct Checker<'a> {
    schema: &'a Schema,
    found: Diagnostics,
}

impl Checker<'_> {
    fn report(&mut self, location: &Location, message: impl Into<String>, help: impl Into<String>) {
        self.found
            .push(Diagnostic::new(location, message).help(help));
    }

    /// Annotations and threads are recognised by id: a file of the same name with other ids would be ignored in silence.
    fn proxy_file(&mut self) {
        for file in &self.schema.files {
            let is_named_so =
                file.name == "mp/proxy.capnp" || file.name.ends_with("/mp/proxy.capnp");
            if is_named_so && file.id != well_known::PROXY_FILE {
                let message = format!(
                    "this proxy.capnp has the id 0x{:016x} instead of 0x{:016x}",
                    file.id,
                    well_known::PROXY_FILE
                );
                self.report(
                    &file.location,
                    message,
                    "remove its directory from the import paths: the library brings the file along",
                );
            }
        }
        let parts = [
            (well_known::THREAD_MAP, "ThreadMap"),
            (well_known::THREAD, "Thread"),
            (well_known::CONTEXT, "Context"),
        ];
        for (id, name) in parts {
            let Some(item) = self.schema.item(id) else {
                continue;
            };
            let decl = item.decl();
            let fits = match item {
                Item::Interface(_) => id != well_known::CONTEXT,
                Item::Struct(_) => id == well_known::CONTEXT,
                _ => false,
            };
            if !fits || decl.file != well_known::PROXY_FILE {
                let message = format!(
                    "`{}` has the id 0x{id:016x}, which belongs to `{name}` of /mp/proxy.capnp",
                    decl.path.join(".")
                );
                self.report(
                    &decl.location.clone(),
                    message,
                    "leave its id out or give it another one (`capnp id` makes one)",
                );
            }
        }
    }

    fn interface(&mut self, interface: &Interface) {
        let location = &interface.decl.location;
        self.count(location, interface.count);
        self.wrap(location, interface.wrap.as_ref());
        let is_function = interface
            .wrap
            .as_ref()
            .is_some_and(|wrap| wrap.callback.is_some());
        let has_call = |schema: &Schema| {
            schema
                .all_methods(interface.decl.id)
                .iter()
                .any(|method| method.name == "call")
        };
        if is_function && !has_call(self.schema) {
            let message = format!(
                "`{}` wraps a function but has no method `call`",
                interface.decl.name
            );
            self.report(
                location,
                message,
                "add `call`, with the function's arguments and `result`",
            );
        }
        for method in &interface.methods {
            self.method(method);
            if interface.wrap.is_some() && method.kind != MethodKind::Plain {
                self.special(method);
            }
        }
    }

    fn structure(&mut self, structure: &Struct) {
        self.count(&structure.decl.location, structure.count);
        self.wrap(&structure.decl.location, structure.wrap.as_ref());
        for field in &structure.fields {
            self.name(&field.location, field.cxx_name.as_deref());
            self.count(&field.location, field_count(field));
            if field.has_of.is_some() {
                self.companion(field, "has");
            }
            if field.exception.is_some() && !structure.is_implicit {
                self.report(
                    &field.location,
                    "$Proxy.exception stands on a field of a struct",
                    "put it on a result in the parentheses of a method",
                );
            }
        }
    }

    fn wrap(&mut self, location: &Location, wrap: Option<&Wrap>) {
        let Some(wrap) = wrap else { return };
        if wrap.text.is_empty() {
            self.report(
                location,
                "the text of $Proxy.wrap is empty",
                "name the type: $Proxy.wrap(\"space::Name\")",
            );
        } else if wrap.callback.is_none() && wrap.text.contains("ProxyCallback") {
            self.report(
                location,
                format!("`{}` is not a function that can be wrapped", wrap.text),
                "write ProxyCallback<std::function<int(int)>>, with the function's own types",
            );
        }
    }

    fn name(&mut self, location: &Location, name: Option<&str>) {
        if name.is_some_and(|name| name.trim().is_empty()) {
            self.report(
                location,
                "the text of $Proxy.name is empty",
                "give the name, or leave the annotation out",
            );
        }
    }

    fn count(&mut self, location: &Location, count: Option<i32>) {
        if let Some(count) = count.filter(|count| *count < 0) {
            self.report(
                location,
                format!("$Proxy.count is {count}"),
                "write 0 for a param that the library fills in, else the number of arguments",
            );
        }
    }

    fn companion(&mut self, field: &Field, prefix: &str) {
        if field.ty != Type::Bool {
            let rest = field.name.strip_prefix(prefix).unwrap_or(&field.name);
            let message = format!(
                "`{}` is the companion of another field, but not a Bool",
                field.name
            );
            self.report(
                &field.location,
                message,
                format!(
                    "make it `:Bool`, or rename it so that it is not `{prefix}` before `{rest}`"
                ),
            );
        }
    }

    fn method(&mut self, method: &Method) {
        self.name(&method.location, method.cxx_name.as_deref());
        self.exceptions(method);
        let (params, results) = (&method.params, &method.results);
        for arg in &method.args {
            let name = &arg.name;
            // Companions within one struct were reported with the struct.
            if let (Some(has), true) = (arg.has_param, arg.param.is_none()) {
                self.companion(&params.fields[has], "has");
            }
            if let (Some(has), true) = (arg.has_result, arg.result.is_none()) {
                self.companion(&results.fields[has], "has");
            }
            if let Some(want) = arg.want.map(|want| &params.fields[want]) {
                self.companion(want, "want");
                if arg.result.is_none() {
                    let message =
                        format!("`{}` asks for `{name}`, which is not a result", want.name);
                    self.report(
                        &want.location,
                        message,
                        format!("add `{name}` to the results, or rename `{}`", want.name),
                    );
                }
            }
            if name == "result" && arg.role == Role::InOut {
                let location = &params.fields[arg.param.unwrap_or(0)].location;
                self.report(
                    location,
                    "`result` is a param and the return value",
                    "rename the param",
                );
            }
        }
        let contexts = params.fields.iter().filter(|field| is_context(&field.ty));
        for second in contexts.skip(1) {
            self.report(
                &second.location,
                "a method has one Context only",
                format!("remove `{}`", second.name),
            );
        }
    }

    /// `construct` and `destroy` have no caller who could give or take values.
    fn special(&mut self, method: &Method) {
        for arg in method.args.iter().filter(|arg| arg.count != 0) {
            let param = arg.param.and_then(|at| method.params.fields.get(at));
            let field = param.or_else(|| method.results.fields.get(arg.result?));
            let location = field.map_or(&method.location, |field| &field.location);
            let message = format!(
                "`{}` is called by the library, which has no use for `{}`",
                method.name, arg.name
            );
            self.report(
                location,
                message,
                format!("remove `{}`, or rename the method", arg.name),
            );
        }
    }

    fn exceptions(&mut self, method: &Method) {
        for field in method
            .params
            .fields
            .iter()
            .filter(|field| field.exception.is_some())
        {
            let message = format!("$Proxy.exception stands on the param `{}`", field.name);
            self.report(&field.location, message, "put it on a result");
        }
        let result = method.results.field("result");
        for field in &method.results.fields {
            let Some(exception) = &field.exception else {
                continue;
            };
            if exception.trim().is_empty() {
                self.report(
                    &field.location,
                    "the text of $Proxy.exception is empty",
                    "name the error type: $Proxy.exception(\"space::Error\")",
                );
            }
            if result.is_some_and(|result| result.code_order < field.code_order) {
                let message = format!(
                    "`{}` carries an exception but stands after `result`",
                    field.name
                );
                self.report(
                    &field.location,
                    message,
                    format!(
                        "move `{}` before `result`: a C++ peer cannot be built otherwise",
                        field.name
                    ),
                );
            }
            if field.name == "result" {
                self.report(
                    &field.location,
                    "the return value `result` cannot be an exception",
                    "rename it, for example to `error`",
                );
            }
        }
    }
}

/// The count on the field itself: one that comes from its type was reported there.
fn field_count(field: &Field) -> Option<i32> {
    let own = field
        .annotations
        .iter()
        .any(|annotation| annotation.id == well_known::COUNT);
    own.then_some(field.count)
}

fn is_context(ty: &Type) -> bool {
    matches!(ty, Type::Struct(target) if target.id == well_known::CONTEXT)
}
