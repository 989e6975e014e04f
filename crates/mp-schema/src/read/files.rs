//! The list of files.

use std::collections::BTreeMap;

use capnp::schema_capnp::code_generator_request;

use super::annotations::Annotations;
use super::{Bad, Tables};
use crate::{File, Import};

/// All files: the requested ones in their order, then the others by id.
pub(super) fn files(
    root: code_generator_request::Reader<'_>,
    tables: &Tables<'_>,
) -> Result<Vec<File>, Bad> {
    let mut rest = BTreeMap::new();
    for id in tables.files.keys() {
        rest.insert(*id, file(*id, tables)?);
    }
    let mut files = Vec::new();
    for requested in root.get_requested_files()? {
        tables.budget.take(1)?;
        let id = requested.get_id();
        let mut file = rest
            .remove(&id)
            .ok_or_else(|| Bad::missing("the file", id))?;
        file.requested = true;
        for import in requested.get_imports()? {
            tables.budget.take(1)?;
            file.imports.push(Import {
                id: import.get_id(),
                name: import.get_name()?.to_string()?,
            });
        }
        files.push(file);
    }
    files.extend(rest.into_values());
    Ok(files)
}

fn file(id: u64, tables: &Tables<'_>) -> Result<File, Bad> {
    let node = tables.node(id)?;
    let annotations = Annotations::read(node.get_annotations()?, &tables.budget)?;
    let mut items = Vec::new();
    for nested in node.get_nested_nodes()? {
        tables.budget.take(1)?;
        // A name that `using` gives to something else is not among the nodes.
        items.extend(Some(nested.get_id()).filter(|id| tables.nodes.contains_key(id)));
    }
    let (name, location) = tables
        .files
        .get(&id)
        .cloned()
        .ok_or_else(|| Bad::missing("the file", id))?;
    Ok(File {
        id,
        name,
        location,
        comment: tables.comment(id),
        requested: false,
        namespace: annotations.namespace,
        includes: annotations.includes,
        include_types: annotations.include_types,
        annotations: annotations.all,
        imports: Vec::new(),
        items,
    })
}
