//! Generates the proxies of the interfaces that the tests break.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/faults.capnp")
        .extern_type("Site.convert.value", "crate::convert::Fragile")
        .extern_type("Site.convert.result", "crate::convert::Fragile")
        .compile()
}
