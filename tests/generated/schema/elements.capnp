# Conversions of a list's elements, and of a map's keys and values.

@0xc6e8f0b1d2a39475;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("elements::messages");

using Proxy = import "/mp/proxy.capnp";

struct Price {
    ware @0 :Text;
    amount @1 :Data;
}

struct Account {
    owner @0 :Text;
    parts @1 :List(Data);
}

interface Bank $Proxy.wrap("elements::Bank") {
    sum @0 (amounts :List(Data)) -> (result :Int64);
    sort @1 (amounts :List(List(Data))) -> (result :List(List(Data)));
    # -> each list in order
    distinct @2 (amounts :List(Data)) -> (result :List(Data));
    prices @3 (value :List(Price)) -> (result :List(Price));
    account @4 (value :Account) -> (result :Account);
}
