# What `-> stream` stands for, for machines where Cap'n Proto is not installed.

@0x86c366a91393f3f8;

$import "/capnp/c++.capnp".namespace("capnp");

struct StreamResult @0x995f9a3377c0b16e {
    # The empty result of a streaming method.
}
