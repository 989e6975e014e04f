//! Generates the proxies of the scenarios' interfaces.

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/scenarios.capnp")
        .map_type("Party.mapSize.map", mp_gen::Collection::BTreeMap)
        .map_type("Basket.numbers", mp_gen::Collection::BTreeSet)
        .map_type("Basket.others", mp_gen::Collection::HashSet)
        .map_type("Basket.prices", mp_gen::Collection::BTreeMap)
        .optional("Party.saveCallback.callback")
        .extern_type("Party.passCustom.arg", "crate::convert::Temperature")
        .extern_type("Party.passCustom.result", "crate::convert::Temperature")
        .extern_type("Party.passMessage.arg", "crate::convert::Trail")
        .extern_type("Party.passMessage.result", "crate::convert::Trail")
        .extern_type("Party.passMutable.arg", "crate::convert::Trail")
        .extern_type("Party.passBlobs.arg", "crate::convert::Pointers")
        .extern_type("Party.passBlobs.result", "crate::convert::Pointers")
        .extern_type("Party.passEnum.arg", "crate::convert::Size")
        .extern_type("Party.passEnum.result", "crate::convert::Size")
        .compile()
}
