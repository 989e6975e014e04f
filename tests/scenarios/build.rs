//! Generates the proxies of the scenarios' interfaces.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/scenarios.capnp")
        .map_type("Foo.mapSize.map", mp_gen::Collection::BTreeMap)
        .map_type("Basket.numbers", mp_gen::Collection::BTreeSet)
        .map_type("Basket.others", mp_gen::Collection::HashSet)
        .map_type("Basket.prices", mp_gen::Collection::BTreeMap)
        .optional("Foo.saveCallback.callback")
        .extern_type("Foo.passCustom.arg", "crate::convert::Temperature")
        .extern_type("Foo.passCustom.result", "crate::convert::Temperature")
        .extern_type("Foo.passMessage.arg", "crate::convert::Trail")
        .extern_type("Foo.passMessage.result", "crate::convert::Trail")
        .extern_type("Foo.passMutable.arg", "crate::convert::Trail")
        .extern_type("Foo.passBlobs.arg", "crate::convert::Pointers")
        .extern_type("Foo.passBlobs.result", "crate::convert::Pointers")
        .extern_type("Foo.passEnum.arg", "crate::convert::Size")
        .extern_type("Foo.passEnum.result", "crate::convert::Size")
        .compile()
}
