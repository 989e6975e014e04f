# Objects in structs, unions, lists and maps, in both directions.

@0xa1f4c7d2e9b80365;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("holders::messages");

using Proxy = import "/mp/proxy.capnp";

interface Bell $Proxy.wrap("holders::Bell") {
    destroy @0 (context :Proxy.Context) -> ();
    ring @1 (context :Proxy.Context) -> (result :Text);
}

struct Holder $Proxy.wrap("holders::Holder") {
    label @0 :Text;
    bell @1 :Bell;
    maybe @2 :Bell;
    more @3 :List(Bell);
    other @4 :Inner;
    hasOther @5 :Bool;
    union {
        nothing @6 :Void;
        spare @7 :Bell;
    }
}

struct Inner {
    bells @0 :List(List(Bell));
}

struct Entry {
    key @0 :Text;
    value @1 :Bell;
}

interface Keeper $Proxy.wrap("holders::Keeper") {
    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
    pass @1 (context :Proxy.Context, value :Holder) -> (result :Holder);
    # -> the same objects, in the same places
    ringAll @2 (context :Proxy.Context, value :Holder) -> (result :List(Text));
    # -> what each bell answers, in the order of the fields
    keep @3 (context :Proxy.Context, objects :List(Bell), params :Int32) -> ();
    # -> keeps them in place of what it kept
    list @4 (context :Proxy.Context) -> (result :List(Bell));
    # -> a bell of its own, null, and what it keeps
    make @5 (context :Proxy.Context, label :Text) -> (result :Holder);
    # -> a holder with a bell of its own
    named @6 (context :Proxy.Context, value :List(Entry)) -> (result :List(Entry));
    raise @7 (context :Proxy.Context, value :Holder) -> (error :Holder $Proxy.exception("holders::Error"), result :Bell);
    # -> always raises
    two @8 (context :Proxy.Context) -> (first :List(Bell), second :Holder);
}
