//! What `capnpc` gets: the schema without what it would make no Rust of.
//!
//! It knows not all of Rust's keywords, and obeys the annotations of `rust.capnp`, which are for the types that users see. So
//! it gets other names ([`names::for_capnpc`]) and no annotations, where it matters. And a file whose accessors
//! are in another crate is only imported, never asked for: else `capnpc` would look for it in this one.

use std::borrow::Cow;

use capnp::message::{Builder, ReaderOptions};
use capnp::schema_capnp::{code_generator_request, node};
use mp_schema::{Item, Schema, well_known};

use crate::names;
use crate::plan::Files;

/// The request that the schema was made from, or a changed copy.
///
/// # Errors
///
/// If the request cannot be read, which it has been before.
pub(super) fn prepared<'s>(schema: &'s Schema, files: &Files) -> capnp::Result<Cow<'s, [u8]>> {
    let options = ReaderOptions {
        traversal_limit_in_words: None,
        ..ReaderOptions::new()
    };
    let message = capnp::serialize::read_message(schema.request.as_slice(), options)?;
    let original = message.get_root::<code_generator_request::Reader<'_>>()?;
    let requested = original.get_requested_files()?;
    let is_here = |id| files.get(id).is_some_and(|info| info.external.is_none());
    let here: Vec<_> = (requested.iter())
        .filter(|file| is_here(file.get_id()))
        .collect();
    if here.len() == requested.len() as usize && !schema.items.values().any(needs_change) {
        return Ok(Cow::Borrowed(&schema.request));
    }
    let mut copy = Builder::new_default();
    copy.set_root(original)?;
    let mut root = copy.get_root::<code_generator_request::Builder<'_>>()?;
    let mut asked_for = (root.reborrow()).init_requested_files(here.len() as u32);
    for (index, file) in (0..).zip(here) {
        asked_for.set_with_caveats(index, file)?;
    }
    let mut nodes = root.get_nodes()?;
    for index in 0..nodes.len() {
        change(nodes.reborrow().get(index))?;
    }
    Ok(Cow::Owned(capnp::serialize::write_message_to_words(&copy)))
}

fn needs_change(item: &Item) -> bool {
    let is_bad = |name: &str| names::for_capnpc(name) != name;
    let (decl, names): (_, Vec<&str>) = match item {
        Item::Struct(item) => (&item.decl, item.fields.iter().map(|f| &*f.name).collect()),
        Item::Enum(item) => (
            &item.decl,
            item.enumerants.iter().map(|e| &*e.name).collect(),
        ),
        Item::Interface(item) => (&item.decl, item.methods.iter().map(|m| &*m.name).collect()),
        _ => (item.decl(), Vec::new()),
    };
    is_bad(&decl.name)
        || names.into_iter().any(is_bad)
        || matches!(
            decl.id,
            well_known::RUST_NAME | well_known::RUST_OPTION | well_known::RUST_PARENT_MODULE
        )
}

fn change(mut node: node::Builder<'_>) -> capnp::Result<()> {
    node.reborrow().init_annotations(0);
    let mut nested = node.reborrow().get_nested_nodes()?;
    for index in 0..nested.len() {
        let mut nested = nested.reborrow().get(index);
        let name = renamed(nested.reborrow().get_name()?)?;
        nested.set_name(&*name);
    }
    match node.which()? {
        node::Which::Struct(structure) => {
            let mut fields = structure.get_fields()?;
            for index in 0..fields.len() {
                let mut field = fields.reborrow().get(index);
                field.reborrow().init_annotations(0);
                let name = renamed(field.reborrow().get_name()?)?;
                field.set_name(&*name);
            }
        }
        node::Which::Enum(enumeration) => {
            let mut values = enumeration.get_enumerants()?;
            for index in 0..values.len() {
                let mut value = values.reborrow().get(index);
                value.reborrow().init_annotations(0);
                let name = renamed(value.reborrow().get_name()?)?;
                value.set_name(&*name);
            }
        }
        node::Which::Interface(interface) => {
            let mut methods = interface.get_methods()?;
            for index in 0..methods.len() {
                let mut method = methods.reborrow().get(index);
                let name = renamed(method.reborrow().get_name()?)?;
                method.set_name(&*name);
            }
        }
        _ => {}
    }
    Ok(())
}

fn renamed(name: capnp::text::Builder<'_>) -> capnp::Result<String> {
    Ok(names::for_capnpc(name.into_reader().to_str()?).into_owned())
}
