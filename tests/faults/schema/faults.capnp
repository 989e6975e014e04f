# The interfaces whose calls are broken, given up, or panic.

@0xd06b1ea6d1f2c7a3;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("faults::messages");

using Proxy = import "/mp/proxy.capnp";

# What the serving end offers first.
interface Site $Proxy.wrap("faults::Site") {
    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    # Without a context: it runs where the connection is served.
    add @1 (a :Int32, b :Int32) -> (result :Int32);
    # Does what the test says, on the caller's thread.
    work @2 (context :Proxy.Context, number :Int32) -> (result :Int32);
    convert @3 (context :Proxy.Context, value :Text) -> (result :Text);

    # Objects of the caller's: used during the call, kept for later, given back.
    borrow @4 (context :Proxy.Context, listener :Listener, number :Int32) -> (result :Int32);
    apply @5 (context :Proxy.Context, function :NumberFn, number :Int32) -> (result :Int32);
    save @6 (context :Proxy.Context, listener :Listener) -> ();
    notify @7 (context :Proxy.Context, number :Int32) -> (result :Int32);
    forget @8 (context :Proxy.Context) -> ();
    same @9 (context :Proxy.Context, listener :Listener) -> (result :Listener);

    # Objects of the server's.
    make @10 (context :Proxy.Context, number :Int32) -> (result :Item);
    makeToken @11 (context :Proxy.Context, number :Int32) -> (result :Token);
    touch @12 (context :Proxy.Context, item :Item) -> (result :Int32);
}

interface Listener $Proxy.wrap("faults::Listener") {
    destroy @0 (context :Proxy.Context) -> ();
    hear @1 (context :Proxy.Context, number :Int32) -> (result :Int32);
}

interface Item $Proxy.wrap("faults::Item") {
    destroy @0 (context :Proxy.Context) -> ();
    number @1 (context :Proxy.Context) -> (result :Int32);
}

# No `destroy`: gone with its last reference.
interface Token $Proxy.wrap("faults::Token") {
    read @0 (context :Proxy.Context) -> (result :Int32);
}

interface NumberFn $Proxy.wrap("ProxyCallback<std::function<int(int)>>") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context, number :Int32) -> (result :Int32);
}
