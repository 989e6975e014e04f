# Values that several interfaces share.

@0xcd2c6232cb484a28;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipc::capnp::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.includeTypes("ipc/capnp/common-types.h");

struct BlockRef $Proxy.wrap("interfaces::BlockRef") {
    # A block of the chain.

    hash @0 :Data;
    # 32 bytes in the order in which they are hashed, which is the reverse of the displayed one.

    height @1 :Int32;
    # How many blocks come before it.
}
