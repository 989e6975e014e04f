//! Declarations of every kind, one by one. What ties them together is done by `methods`.

use capnp::schema_capnp::{field, node};

use super::annotations::Annotations;
use super::{Bad, Items, Tables, methods, types};
use crate::{
    Constant, Decl, Enum, Enumerant, Field, Interface, Item, Location, Struct, Superclass, Type,
    TypeRef, Value,
};

/// All declarations. Methods do not have their fields yet.
pub(super) fn items(tables: &Tables<'_>) -> Result<Items, Bad> {
    let mut items = Items::new();
    for (id, node) in &tables.nodes {
        // Implicit params and results have no scope: their method brings them in.
        if node.get_scope_id() == 0 {
            continue;
        }
        let file = tables.file_of(*id)?;
        if let Some(item) = item(*node, file, tables)? {
            if let Item::Interface(interface) = &item {
                methods::implicit_structs(interface, &mut items, tables)?;
            }
            items.insert(*id, item);
        }
    }
    Ok(items)
}

fn item(node: node::Reader<'_>, file: u64, tables: &Tables<'_>) -> Result<Option<Item>, Bad> {
    if let node::Which::Struct(_) = node.which()? {
        return Ok(Some(Item::Struct(structure(node, file, false, tables)?)));
    }
    let (decl, annotations) = decl(node, file, tables)?;
    Ok(Some(match node.which()? {
        node::Which::File(()) | node::Which::Struct(_) => return Ok(None),
        node::Which::Enum(reader) => Item::Enum(enumeration(decl, reader, tables)?),
        node::Which::Interface(reader) => {
            let mut superclasses = Vec::new();
            for superclass in reader.get_superclasses()? {
                let brand = types::brand(superclass.get_brand()?, &tables.budget)?;
                let id = superclass.get_id();
                tables.node(id)?;
                tables.budget.take(1)?;
                superclasses.push(Superclass {
                    target: TypeRef { id, brand },
                });
            }
            let methods = methods::methods(&decl, reader, tables)?;
            Item::Interface(Interface {
                wrap: annotations.wrap,
                count: annotations.count,
                superclasses,
                methods,
                decl,
            })
        }
        node::Which::Const(reader) => Item::Constant(Constant {
            decl,
            ty: types::ty(reader.get_type()?, &tables.budget)?,
            value: types::value(reader.get_value()?)?,
        }),
        node::Which::Annotation(_) => Item::Annotation(decl),
    }))
}

fn decl(
    node: node::Reader<'_>,
    file: u64,
    tables: &Tables<'_>,
) -> Result<(Decl, Annotations), Bad> {
    let id = node.get_id();
    let display = node.get_display_name()?.to_string()?;
    if display.len() > MAX_NAME {
        return Err(Bad(format!(
            "the name of 0x{id:016x} has more than {MAX_NAME} bytes"
        )));
    }
    let path = match tables
        .files
        .get(&file)
        .and_then(|(name, _)| display.strip_prefix(name.as_str())?.strip_prefix(':'))
    {
        Some(path) => path.to_owned(),
        None => display,
    };
    let annotations = Annotations::read(node.get_annotations()?, &tables.budget)?;
    let mut type_params = Vec::new();
    for parameter in node.get_parameters()? {
        tables.budget.take(1)?;
        type_params.push(parameter.get_name()?.to_string()?);
    }
    let mut nested = Vec::new();
    for child in node.get_nested_nodes()? {
        tables.budget.take(1)?;
        nested.extend(Some(child.get_id()).filter(|id| tables.nodes.contains_key(id)));
    }
    let implicit = node.get_scope_id() == 0;
    let decl = Decl {
        id,
        name: if implicit {
            String::new()
        } else {
            path.rsplit('.').next().unwrap_or("").to_owned()
        },
        location: tables.place(file, &path),
        path: path.split('.').map(str::to_owned).collect(),
        file,
        scope: node.get_scope_id(),
        comment: tables.comment(id),
        type_params,
        is_generic: node.get_is_generic(),
        annotations: annotations.all.clone(),
        nested,
    };
    Ok((decl, annotations))
}

/// Reads a struct node; an error if it is none.
pub(super) fn structure(
    node: node::Reader<'_>,
    file: u64,
    is_implicit: bool,
    tables: &Tables<'_>,
) -> Result<Struct, Bad> {
    let (decl, annotations) = decl(node, file, tables)?;
    let node::Which::Struct(reader) = node.which()? else {
        return Err(Bad(format!(
            "the declaration {} is not a struct",
            decl.path.join(".")
        )));
    };
    let scope = decl.path.join(".");
    let mut fields = Vec::new();
    for (index, field) in reader.get_fields()?.iter().enumerate() {
        tables.budget.take(1)?;
        let name = field.get_name()?.to_string()?;
        let location = tables.place(file, &format!("{scope}.{name}"));
        let comment = tables.member_comment(decl.id, index);
        fields.push(self::field(
            field,
            index,
            (name, location, comment),
            tables,
        )?);
    }
    resolve_companions(&mut fields);
    Ok(Struct {
        wrap: annotations.wrap,
        count: annotations.count,
        is_group: reader.get_is_group(),
        is_implicit,
        fields,
        union_members: reader.get_discriminant_count(),
        discriminant_offset: reader.get_discriminant_offset(),
        data_words: reader.get_data_word_count(),
        pointers: reader.get_pointer_count(),
        decl,
    })
}

fn field(
    reader: field::Reader<'_>,
    index: usize,
    (name, location, comment): (String, Location, Option<String>),
    tables: &Tables<'_>,
) -> Result<Field, Bad> {
    let annotations = Annotations::read(reader.get_annotations()?, &tables.budget)?;
    let discriminant = reader.get_discriminant_value();
    let (ty, is_group, offset, default, has_default) = match reader.which()? {
        field::Which::Slot(slot) => {
            let ty = types::ty(slot.get_type()?, &tables.budget)?;
            (
                ty,
                false,
                slot.get_offset(),
                types::value(slot.get_default_value()?)?,
                slot.get_had_explicit_default(),
            )
        }
        field::Which::Group(group) => {
            let target = TypeRef {
                id: group.get_type_id(),
                ..TypeRef::default()
            };
            (Type::Struct(target), true, 0, Value::Void, false)
        }
    };
    let ordinal = match reader.get_ordinal().which()? {
        field::ordinal::Which::Implicit(()) => None,
        field::ordinal::Which::Explicit(ordinal) => Some(ordinal),
    };
    Ok(Field {
        name,
        index,
        ordinal,
        code_order: reader.get_code_order(),
        count: annotations.count.unwrap_or_else(|| type_count(&ty, tables)),
        ty,
        is_group,
        offset,
        discriminant: (discriminant != field::NO_DISCRIMINANT).then_some(discriminant),
        default,
        has_default,
        location,
        comment,
        cxx_name: annotations.name,
        skip: annotations.skip,
        exception: annotations.exception,
        annotations: annotations.all,
        has: None,
        has_of: None,
    })
}

/// `$Proxy.count` of a field's type.
pub(super) fn type_count(ty: &Type, tables: &Tables<'_>) -> i32 {
    match ty {
        Type::Struct(target) | Type::Interface(target) => {
            tables.counts.get(&target.id).copied().unwrap_or(1)
        }
        _ => 1,
    }
}

fn resolve_companions(fields: &mut [Field]) {
    let by_name: std::collections::HashMap<String, usize> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.clone(), index))
        .collect();
    for index in 0..fields.len() {
        if let Some(&companion) = by_name.get(&methods::companion("has", &fields[index].name)) {
            fields[index].has = Some(companion);
            fields[companion].has_of = Some(index);
        }
    }
}

fn enumeration(
    decl: Decl,
    reader: node::enum_::Reader<'_>,
    tables: &Tables<'_>,
) -> Result<Enum, Bad> {
    let mut enumerants = Vec::new();
    let scope = decl.path.join(".");
    for (index, enumerant) in reader.get_enumerants()?.iter().enumerate() {
        tables.budget.take(1)?;
        let name = enumerant.get_name()?.to_string()?;
        enumerants.push(Enumerant {
            ordinal: u16::try_from(index)
                .map_err(|_| Bad(format!("the enum {scope} has too many values")))?,
            code_order: enumerant.get_code_order(),
            location: tables.place(decl.file, &format!("{scope}.{name}")),
            comment: tables.member_comment(decl.id, index),
            annotations: Annotations::read(enumerant.get_annotations()?, &tables.budget)?.all,
            name,
        });
    }
    Ok(Enum { decl, enumerants })
}

/// How long the path of a declaration may be, with its file: names of members are appended to it.
const MAX_NAME: usize = 16 << 10;
