//! Generates the proxies, with asynchronous traits.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/desk.capnp")
        .optional("Desk.find.result")
        .async_trait("Desk")
        .async_trait("Named")
        .async_trait("Room")
        .async_trait("Listener")
        .async_trait("NumberFn")
        .compile()
}
