//! Generates the proxies of the conformance suite's interfaces.

use mp_gen::Collection::{BTreeMap, BTreeSet};

fn main() -> Result<(), mp_gen::Error> {
    mp_gen::Builder::new()
        .src_prefix("schema")
        .file("schema/conformance.capnp")
        // Null has a meaning here; everywhere else it is an error, or the schema's default.
        .optional("Init.makeNothing.result")
        .optional("Objects.isNull.callback")
        .optional("Objects.sameObject.callback")
        .optional("Objects.sameObject.result")
        .optional("Objects.saveCallback.callback")
        .optional("Values.passOptionalStruct.result")
        .optional("Values.passOptionalStruct.value")
        // Gives back what it gets, UTF-8 or not. Other text has to be UTF-8.
        .bytes("Values.passText.result")
        .bytes("Values.passText.value")
        .map_type("Values.mapSize.value", BTreeMap)
        .map_type("Values.passMap.result", BTreeMap)
        .map_type("Values.passMap.value", BTreeMap)
        .map_type("Values.passSet.result", BTreeSet)
        .map_type("Values.passSet.value", BTreeSet)
        .compile()
}
