//! Generates the proxies and accessors of the benchmark's interface.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/bench.capnp")
        .compile()
}
