//! Methods: their params and results, and what a caller sees of them.

use std::collections::HashMap;

use capnp::schema_capnp::node;

use super::annotations::Annotations;
use super::{Bad, Items, Tables, nodes, types};
use crate::{
    Arg, Brand, Decl, Field, Interface, Item, Message, Method, MethodKind, Role, TypeRef, Value,
};

/// Reads the methods of an interface, without the fields of their params and results.
pub(super) fn methods(
    decl: &Decl,
    reader: node::interface::Reader<'_>,
    tables: &Tables<'_>,
) -> Result<Vec<Method>, Bad> {
    let mut methods = Vec::new();
    let scope = decl.path.join(".");
    for (index, method) in reader.get_methods()?.iter().enumerate() {
        tables.budget.take(1)?;
        let name = method.get_name()?.to_string()?;
        let annotations = Annotations::read(method.get_annotations()?, &tables.budget)?;
        let mut type_params = Vec::new();
        for parameter in method.get_implicit_parameters()? {
            tables.budget.take(1)?;
            type_params.push(parameter.get_name()?.to_string()?);
        }
        methods.push(Method {
            ordinal: u16::try_from(index)
                .map_err(|_| Bad(format!("the interface {scope} has too many methods")))?,
            interface: decl.id,
            code_order: method.get_code_order(),
            location: tables.place(decl.file, &format!("{scope}.{name}")),
            comment: tables.member_comment(decl.id, index),
            kind: match name.as_str() {
                "construct" => MethodKind::Construct,
                "destroy" => MethodKind::Destroy,
                _ => MethodKind::Plain,
            },
            name,
            annotations: annotations.all,
            cxx_name: annotations.name,
            type_params,
            params: message(
                method.get_param_struct_type(),
                method.get_param_brand()?,
                tables,
            )?,
            results: message(
                method.get_result_struct_type(),
                method.get_result_brand()?,
                tables,
            )?,
            args: Vec::new(),
        });
    }
    Ok(methods)
}

fn message(
    id: u64,
    brand: capnp::schema_capnp::brand::Reader<'_>,
    tables: &Tables<'_>,
) -> Result<Message, Bad> {
    let is_implicit = tables.node(id)?.get_scope_id() == 0;
    let brand = types::brand(brand, &tables.budget)?;
    Ok(Message {
        target: TypeRef { id, brand },
        is_implicit,
        fields: Vec::new(),
    })
}

/// Adds the implicit params and results structs of an interface's methods.
pub(super) fn implicit_structs(
    interface: &Interface,
    items: &mut Items,
    tables: &Tables<'_>,
) -> Result<(), Bad> {
    for method in &interface.methods {
        for message in [&method.params, &method.results] {
            let id = message.target.id;
            if message.is_implicit && !items.contains_key(&id) {
                let structure =
                    nodes::structure(tables.node(id)?, interface.decl.file, true, tables)?;
                items.insert(id, Item::Struct(structure));
            }
        }
    }
    Ok(())
}

/// Gives all methods their fields and arguments.
pub(super) fn with_fields(mut items: Items, tables: &Tables<'_>) -> Result<Items, Bad> {
    let ids: Vec<u64> = items.keys().copied().collect();
    for id in ids {
        let Some(Item::Interface(interface)) = items.get_mut(&id) else {
            continue;
        };
        let mut methods = std::mem::take(&mut interface.methods);
        for method in &mut methods {
            for message in [&mut method.params, &mut method.results] {
                message.fields = fields(&message.target, &items, tables)?;
            }
            method.args = args(&method.params.fields, &method.results.fields);
        }
        if let Some(Item::Interface(interface)) = items.get_mut(&id) {
            interface.methods = methods;
        }
    }
    Ok(items)
}

/// The fields of a struct with generic arguments filled in.
fn fields(target: &TypeRef, items: &Items, tables: &Tables<'_>) -> Result<Vec<Field>, Bad> {
    let Some(Item::Struct(structure)) = items.get(&target.id) else {
        return Err(Bad::missing("the params or results struct", target.id));
    };
    let mut fields = Vec::with_capacity(structure.fields.len());
    for field in &structure.fields {
        tables
            .budget
            .take(types::weight(&field.ty) + text_size(field) / 64)?;
        let mut field = field.clone();
        if target.brand != Brand::default() {
            tables.budget.take(
                types::weight(&field.ty).saturating_mul(types::brand_weight(&target.brand)),
            )?;
            field.ty = field.ty.substitute(&target.brand);
        }
        fields.push(field);
    }
    Ok(fields)
}

/// How many bytes of names, comments and values a copy of the field has.
fn text_size(field: &Field) -> usize {
    let annotations = field
        .annotations
        .iter()
        .map(|annotation| value_size(&annotation.value));
    let texts = [&field.comment, &field.cxx_name, &field.exception]
        .into_iter()
        .flatten()
        .map(String::len);
    field.name.len() + value_size(&field.default) + annotations.chain(texts).sum::<usize>()
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Data(data) => data.len(),
        _ => size_of::<Value>(),
    }
}

/// Sorts the fields of a method into what a caller sees (see [`Method::args`]).
fn args(params: &[Field], results: &[Field]) -> Vec<Arg> {
    let param_index = by_name(params);
    let result_index = by_name(results);
    let find = |name: &str| {
        (
            param_index.get(name).copied(),
            result_index.get(name).copied(),
        )
    };
    let exists = |name: &str| find(name) != (None, None);
    // `hasX` and `wantX` of an existing `x` are not shown. `wantX` counts only as a param.
    let hidden = |name: &str| {
        ["has", "want"].iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                let is_companion = lower_candidates(rest)
                    .iter()
                    .any(|x| exists(x) && companion(prefix, x) == name);
                is_companion && (*prefix == "has" || param_index.contains_key(name))
            })
        })
    };

    let mut args = Vec::new();
    let only_results = results
        .iter()
        .filter(|field| !param_index.contains_key(field.name.as_str()));
    for field in params.iter().chain(only_results) {
        let name = field.name.as_str();
        let (param, result) = find(name);
        let both = || {
            param
                .map(|index| &params[index])
                .into_iter()
                .chain(result.map(|index| &results[index]))
        };
        if hidden(name) || both().any(|field| field.skip) {
            continue;
        }
        let exception = both().find_map(|field| field.exception.clone());
        let role = match (exception, param, result) {
            (Some(exception), ..) => Role::Exception(exception),
            (None, None, _) if name == "result" => Role::Return,
            (None, None, _) => Role::Out,
            (None, Some(_), Some(_)) => Role::InOut,
            (None, Some(_), None) => Role::In,
        };
        let (has_param, has_result) = find(&companion("has", name));
        args.push(Arg {
            name: name.to_owned(),
            count: if matches!(role, Role::Return | Role::Exception(_)) {
                1
            } else {
                field.count
            },
            role,
            param,
            result,
            has_param,
            has_result,
            want: find(&companion("want", name)).0,
        });
    }
    args
}

fn by_name(fields: &[Field]) -> HashMap<&str, usize> {
    fields
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.as_str(), index))
        .collect()
}

/// `has`, `value` → `hasValue`.
pub(super) fn companion(prefix: &str, name: &str) -> String {
    let mut result = String::with_capacity(prefix.len() + name.len());
    result.push_str(prefix);
    let mut letters = name.chars();
    result.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
    result.push_str(letters.as_str());
    result
}

/// The names that a companion's rest may stand for: `Value` → `value` (names that begin with a capital letter do not exist).
fn lower_candidates(rest: &str) -> [String; 2] {
    let mut letters = rest.chars();
    let first: String = letters
        .next()
        .map(|letter| letter.to_ascii_lowercase())
        .into_iter()
        .collect();
    [first + letters.as_str(), rest.to_owned()]
}
