# Interfaces whose methods wait, make objects, call back and fail.

@0xb9d5a16fa4bd5c1d;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("desk::messages");

using Proxy = import "/mp/proxy.capnp";

interface Desk $Proxy.wrap("desk::Desk") {
    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    echo @1 (context :Proxy.Context, text :Text) -> (result :Text);
    # Waits for `release`, or does what the test says.
    wait @2 (context :Proxy.Context, number :Int32) -> (result :Int32);
    # Ends all waits that are under way.
    release @3 () -> ();
    # How many waits are under way.
    waiting @4 () -> (result :UInt32);

    # The object is not the first pointer of the results.
    open @5 (context :Proxy.Context, number :Int32) -> Opened;
    # None for negative numbers.
    find @6 (context :Proxy.Context, number :Int32) -> (result :Room);

    divide @7 (context :Proxy.Context, a :Int32, b :Int32) -> (error :Text $Proxy.exception("std::domain_error"), quotient :Int32, remainder :Int32);
    summary @8 (context :Proxy.Context, values :List(Int32), wantMax :Bool) -> (max :Int32, result :Int32);

    ask @9 (context :Proxy.Context, listener :Listener, number :Int32) -> (result :Int32);
    apply @10 (context :Proxy.Context, function :NumberFn, number :Int32) -> (result :Int32);

    # An object, or an exception for negative numbers.
    enter @11 (context :Proxy.Context, number :Int32) -> (error :Text $Proxy.exception("std::domain_error"), result :Room);
    # An object, none for negative numbers, and something else.
    rent @12 (context :Proxy.Context, number :Int32) -> (price :Int32, room :Room, hasRoom :Bool);
}

interface Named $Proxy.wrap("desk::Named") {
    destroy @0 (context :Proxy.Context) -> ();
    name @1 (context :Proxy.Context) -> (result :Text);
}

interface Room extends(Named) $Proxy.wrap("desk::Room") {
    number @0 (context :Proxy.Context) -> (result :Int32);
}

interface Listener $Proxy.wrap("desk::Listener") {
    destroy @0 (context :Proxy.Context) -> ();
    hear @1 (context :Proxy.Context, number :Int32) -> (result :Int32);
}

interface NumberFn $Proxy.wrap("ProxyCallback<std::function<int(int)>>") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context, number :Int32) -> (result :Int32);
}

struct Opened {
    unused @0 :Text $Proxy.skip;
    result @1 :Room;
}
