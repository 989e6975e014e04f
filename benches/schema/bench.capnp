# What is measured. The ids and ordinals are fixed, so that the programs of every library that has them can call one another.
@0xd1f7a2c94b8e6350;

using Proxy = import "/mp/proxy.capnp";

$Proxy.include("bench.h");
$Proxy.includeTypes("bench-types.h");

interface InitInterface @0xa4d1c7e3905b2f68 $Proxy.wrap("Init") {
    # The first object of a connection.

    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    makeBench @1 (context :Proxy.Context) -> (result :BenchInterface);
    # An object of its own for each call, which goes with its last reference.
}

interface BenchInterface @0xb93e5d2a7c0f4186 $Proxy.wrap("Bench") {
    # One method for each way in which a call can go.

    destroy @0 (context :Proxy.Context) -> ();

    add @1 (a :Int32, b :Int32) -> (result :Int32);
    # The sum, on the event loop's thread.

    addCtx @2 (context :Proxy.Context, a :Int32, b :Int32) -> (result :Int32);
    # The sum, on the caller's own thread over there.

    echoData @3 (context :Proxy.Context, arg :Data) -> (result :Data);
    # The bytes as they came.

    callback @4 (context :Proxy.Context, cb :CallbackInterface, n :Int32) -> (result :Int32);
    # Calls `cb` with 0, 1, ... n - 1, one after the other, and gives the sum of what it returned.
}

interface CallbackInterface @0xcb60f8e1d4a37295 $Proxy.wrap("Callback") {
    # An object of the caller's.

    destroy @0 (context :Proxy.Context) -> ();

    call @1 (context :Proxy.Context, arg :Int32) -> (result :Int32);
    # Gives its argument back.
}
