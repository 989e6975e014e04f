# The interfaces that the scenarios are played with.

@0xa4f1c0de5ce2a210;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("scenarios::messages");

using Proxy = import "/mp/proxy.capnp";

# What the serving end offers first. It has no `construct`, so that thread maps are exchanged only by `initThreadMap`.
interface Party $Proxy.wrap("scenarios::Party") {
    initThreadMap @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    # Values. Without a context: they run where the connection is served.
    add @1 (a :Int32, b :Int32) -> (result :Int32);
    addOut @2 (a :Int32, b :Int32) -> (sum :Int32);
    addInOut @3 (x :Int32, sum :Int32) -> (sum :Int32);
    mapSize @4 (map :List(Entry(Text, Text))) -> (result :Int32);
    pass @5 (arg :Basket) -> (result :Basket);
    raise @6 (arg :Basket) -> (error :Basket $Proxy.exception("scenarios::BasketError"));
    passEnum @7 (arg :Int32) -> (result :Int32);
    passEmpty @8 (arg :Empty) -> (result :Empty);
    passData @9 (arg :Data) -> (result :Data);
    passDouble @10 (arg :Float64) -> (result :Float64);
    passBlobs @11 (arg :List(Data)) -> (result :List(Data));
    passCustom @12 (arg :Text) -> (result :Text);
    passMessage @13 (arg :Text) -> (result :Text);
    passMutable @14 (arg :Text) -> (arg :Text);

    # Objects.
    callback @15 (context :Proxy.Context, callback :Callback, arg :Int32) -> (result :Int32);
    callbackExtended @16 (context :Proxy.Context, callback :ExtendedCallback, arg :Int32) -> (result :Int32);
    saveCallback @17 (context :Proxy.Context, callback :Callback) -> ();
    callbackSaved @18 (context :Proxy.Context, arg :Int32) -> (result :Int32);
    sameCallback @19 (context :Proxy.Context, callback :Callback) -> (result :Callback);
    asBase @20 (context :Proxy.Context, callback :ExtendedCallback) -> (result :Callback);
    makeCounter @21 (context :Proxy.Context, start :Int32) -> (result :Counter);
    nextOf @22 (context :Proxy.Context, counter :Counter) -> (result :Int32);
    makeThing @23 (context :Proxy.Context) -> (result :Thing);
    touchThing @24 (context :Proxy.Context, thing :Thing) -> (result :Int32);

    # Functions, and methods that do what the test says.
    passFn @25 (context :Proxy.Context, fn :IntFn) -> (result :Int32);
    passFnInline @26 (fn :IntFn) -> (result :Int32);
    recurse @27 (context :Proxy.Context, fn :StepFn, depth :Int32) -> (result :Int32);
    callFn @28 () -> ();
    runFn @29 (context :Proxy.Context) -> ();
    callIntFn @30 (context :Proxy.Context, arg :Int32) -> (result :Int32);
    fail @31 (context :Proxy.Context, text :Text) -> ();
    saveFn @32 (context :Proxy.Context, fn :IntFn) -> ();

    # Exchanges thread maps as `initThreadMap` does, and makes a counter besides.
    meet @33 (threadMap :Proxy.ThreadMap, start :Int32) -> (threadMap :Proxy.ThreadMap, result :Counter);
}

# With `construct`, as the first object of an application has it.
interface Door $Proxy.wrap("scenarios::Door") {
    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
    makeParty @1 (context :Proxy.Context) -> (result :Party);
}

interface Callback $Proxy.wrap("scenarios::Callback") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context, arg :Int32) -> (result :Int32);
}

interface ExtendedCallback extends(Callback) $Proxy.wrap("scenarios::ExtendedCallback") {
    callExtended @0 (context :Proxy.Context, arg :Int32) -> (result :Int32);
}

# No `destroy`: gone with its last reference.
interface Counter $Proxy.wrap("scenarios::Counter") {
    next @0 (context :Proxy.Context) -> (result :Int32);
}

interface Thing $Proxy.wrap("scenarios::Thing") {
    destroy @0 (context :Proxy.Context) -> ();
    touch @1 (context :Proxy.Context) -> (result :Int32);
}

interface IntFn $Proxy.wrap("ProxyCallback<std::function<int()>>") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context) -> (result :Int32);
}

interface StepFn $Proxy.wrap("ProxyCallback<std::function<int(int)>>") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context, arg :Int32) -> (result :Int32);
}

struct Basket $Proxy.wrap("scenarios::Basket") {
    name @0 :Text;
    numbers @1 :List(Int32);
    flags @2 :List(Bool);
    age @3 :Int32;
    hasAge @4 :Bool;
    others @5 :List(Int32);
    prices @6 :List(TextIntEntry);
}

struct Empty $Proxy.wrap("scenarios::Empty") {
}

struct Entry(Key, Value) {
    key @0 :Key;
    value @1 :Value;
}

struct TextIntEntry {
    key @0 :Text;
    value @1 :Int32;
}
