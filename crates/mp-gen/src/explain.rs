//! `mpgen --explain`: what a newcomer wants to know of each method.

use mp_schema::{Field, Method, Schema, Type, well_known};

use crate::emit;
use crate::plan::{InterfacePlan, ItemPlan, MethodPlan, Plan};

/// Describes every interface of the plan.
pub(crate) fn explain(schema: &Schema, plan: &Plan) -> String {
    let mut text = String::new();
    for file in &plan.files {
        for item in &file.items {
            if let ItemPlan::Interface(interface) = item {
                text.push_str(&interface_text(schema, &file.info.name, interface));
            }
        }
    }
    text
}

fn interface_text(schema: &Schema, file: &str, plan: &InterfacePlan) -> String {
    let mut lines = vec![format!(
        "{file}: interface {} (0x{:016x}) is the trait {}",
        plan.schema_name, plan.id, plan.name
    )];
    for ancestor in &plan.ancestors {
        lines.push(format!("  inherits from {}", ancestor.path));
    }
    let Some(interface) = schema.interface(plan.id) else {
        return String::new();
    };
    for method in &interface.methods {
        lines.push(String::new());
        match plan.methods.iter().find(|m| m.ordinal == method.ordinal) {
            Some(planned) => lines.push(format!("  {}", signature(planned))),
            None => lines.push(format!("  {}: called by the library", method.name)),
        }
        lines.push(format!(
            "    wire: {} @{} of 0x{:016x}",
            method.name, method.ordinal, method.interface
        ));
        lines.push(format!("    runs: {}", place(method)));
        lines.extend(fields("param", &method.params.fields, method));
        lines.extend(fields("result", &method.results.fields, method));
    }
    lines.push(String::new());
    lines.push(String::new());
    lines.join("\n")
}

fn place(method: &Method) -> &'static str {
    match method.context() {
        Some(_) => {
            "on the thread of the serving process that stands for the calling one (Proxy.Context)"
        }
        None => "on the event loop's thread of the serving process, so it must not block",
    }
}

fn fields(kind: &str, fields: &[Field], method: &Method) -> Vec<String> {
    fields
        .iter()
        .map(|field| format!("    {kind} {}: {}", field.name, fate(kind, field, method)))
        .collect()
}

/// What became of a field.
fn fate(kind: &str, field: &Field, method: &Method) -> String {
    let is =
        |id| matches!(&field.ty, Type::Struct(target) | Type::Interface(target) if target.id == id);
    if is(well_known::CONTEXT) {
        return "not shown: the run-time fills it in with the calling thread".to_owned();
    }
    if is(well_known::THREAD_MAP) {
        return "not shown: the run-time exchanges thread maps with it".to_owned();
    }
    if field.skip || field.count == 0 {
        return "not shown".to_owned();
    }
    let is_companion = |index: Option<usize>, fields: &[Field]| {
        index.is_some_and(|i| fields[i].name == field.name)
    };
    for arg in &method.args {
        let has = match kind {
            "param" => is_companion(arg.has_param, &method.params.fields),
            _ => is_companion(arg.has_result, &method.results.fields),
        };
        if has {
            return format!("says whether there is a `{}`, which is an Option", arg.name);
        }
        if kind == "param" && is_companion(arg.want, &method.params.fields) {
            return format!("an argument: whether `{}` is wanted", arg.name);
        }
        if arg.name == field.name {
            return role(arg, kind).to_owned();
        }
    }
    "not shown".to_owned()
}

fn role(arg: &mp_schema::Arg, kind: &str) -> &'static str {
    match (&arg.role, kind) {
        (mp_schema::Role::InOut, "param") => "an argument, and a result of the same name",
        (mp_schema::Role::Exception(_), _) => "a variant of the method's error",
        (_, "param") => "an argument",
        _ => "returned",
    }
}

/// The method's signature in one line.
fn signature(method: &MethodPlan) -> String {
    let signature = emit::signature(method);
    let Ok(file) = syn::parse2::<syn::File>(quote::quote!(trait X { #signature; })) else {
        return String::new();
    };
    let printed = prettyplease::unparse(&file);
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    let inner = lines.get(1..lines.len() - 1).unwrap_or_default().join(" ");
    inner
        .trim_end_matches(';')
        .replace("( ", "(")
        .replace(", )", ")")
        .replace("mp::", "")
}
