//! Generates the proxies of the calculator's interfaces.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/init.capnp")
        .file("schema/calculator.capnp")
        .file("schema/printer.capnp")
        .compile()
}
