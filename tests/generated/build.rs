//! Generates four groups of schemas, each into a directory and a module of its own.

use std::path::PathBuf;

use mp_gen::{Builder, Collection};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let own = |name: &str| {
        Builder::new()
            .src_prefix("schema")
            .file(format!("schema/{name}.capnp"))
            .module(name)
            .out_dir(out.join(name))
    };
    own("holders")
        .optional("Holder.maybe")
        .optional("Keeper.list.result[]")
        .map_type("Keeper.named.result", Collection::BTreeMap)
        .map_type("Keeper.named.value", Collection::BTreeMap)
        .compile()?;
    own("names")
        .async_trait("Twins")
        .async_trait("Prelude")
        .compile()?;
    own("elements")
        .extern_type("Bank.sum.amounts[]", "crate::Money")
        .extern_type("Bank.sort.amounts[][]", "crate::Money")
        .extern_type("Bank.sort.result[][]", "crate::Money")
        .extern_type("Bank.distinct.amounts[]", "crate::Money")
        .map_type("Bank.distinct.amounts", Collection::BTreeSet)
        .extern_type("Bank.distinct.result[]", "crate::Money")
        .map_type("Bank.distinct.result", Collection::BTreeSet)
        .map_type("Bank.prices.value", Collection::BTreeMap)
        .extern_type("Bank.prices.value[key]", "crate::Ware")
        .extern_type("Bank.prices.value[value]", "crate::Money")
        .map_type("Bank.prices.result", Collection::HashMap)
        .extern_type("Bank.prices.result[key]", "crate::Ware")
        .optional("Bank.prices.result[value]")
        .extern_type("Account.parts[]", "crate::Money")
        .extern_type("Account.owner", "crate::Ware")
        .compile()?;
    shapes(&out)
}

/// The schema of the generator's golden files, with what its test configures.
fn shapes(out: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let schema = "../../crates/mp-gen/tests/schema";
    Builder::new()
        .src_prefix(schema)
        .file(format!("{schema}/shapes.capnp"))
        .module("shapes")
        .out_dir(out.join("shapes"))
        .extern_type("Studio.pay.amount", "crate::Money")
        .extern_type("Option.hash", "crate::Money")
        .map_type("Studio.counts.value", Collection::HashMap)
        .map_type("Studio.set.result", Collection::BTreeSet)
        .optional("Studio.attach.other")
        .compile()?;
    Ok(())
}
