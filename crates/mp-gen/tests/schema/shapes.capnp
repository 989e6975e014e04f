# Types and names that the conformance schema does not have: unions, groups, recursion, generics, keywords, clashes,
# defaults of every kind, named params, conversions.

@0xe5b7a0d1f0a4c3b2;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("shapes::messages");

using Proxy = import "/mp/proxy.capnp";
using Base = import "base.capnp";

const unit :Text = "mm";
const raw :Data = 0x"00 ff 41";
const favourite :Hue = teal;
const huge :Float64 = inf;
const table :List(Int32) = [1, 2, 3];

enum Hue {
    red @0;
    # Like a rose.
    teal @1;
}

struct Shape $Proxy.wrap("shapes::Shape") {
    # A figure with a place.
    name @0 :Text = "figure";
    union {
        nothing @1 :Void;
        circle @2 :Float64;
        polygon @3 :List(Base.Point);
        label :group {
            text @4 :Text;
            hue @5 :Hue;
        }
        inner @12 :Shape;
    }
    place :group {
        x @6 :Int32 = -1;
        y @7 :Int32;
    }
    weight :union {
        none @8 :Void;
        grams @9 :UInt64;
        tag @10 :Hue;
    }
    next @11 :Shape;
}

struct Either {
    # One of two.
    union {
        left @0 :Text;
        right @1 :Int64;
    }
}

struct Defaults $Proxy.wrap("shapes::Defaults") {
    numbers @0 :List(Int32) = [1, 2, 3];
    point @1 :Base.Point = (x = 7, y = 8);
    hue @2 :Hue = teal;
    bytes @3 :Data = 0x"01 02";
    ratio @4 :Float32 = -inf;
    odd @5 :Float64 = nan;
    big @6 :Int64 = -9223372036854775808;
    nickname @7 :Text = "quote \" and \\ and {}";
}

struct Option {
    type @0 :Text;
    match @1 :Int32;
    self @2 :Bool;
    hues @3 :List(Hue);
    matrix @4 :List(List(Float64));
    blobs @5 :List(List(Data));
    either @6 :List(Either);
    hash @7 :Data;
    loose @8 :Text;
    hasLoose @9 :Bool;
    voids @10 :List(Void);
    bits @11 :List(List(Bool));
}

struct Box(Value) {
    value @0 :Value;
    spare @1 :Value;
    count @2 :Int32;
}

struct Outer {
    inner @0 :Inner;
    boxed @1 :Box(Text);
    struct Inner {
        level @0 :Level;
        enum Level { low @0; high @1; }
    }
}

struct Named {
    context @0 :Proxy.Context;
    text @1 :Text;
}

struct Money $Proxy.count(2) {
    amount @0 :Int64;
    unit @1 :Text;
}

interface Studio $Proxy.wrap("shapes::Studio") {
    # Draws.
    #
    #  * indented
    destroy @0 (context :Proxy.Context) -> ();
    draw @1 (context :Proxy.Context, shape :Shape) -> (result :Shape);
    either @2 (value :Either, params :Int32, results :Int32, objects :Int32, this :Int32, client :Int32, n :Int32) -> (result :Either);
    type @3 (self :Text, fn :Hue) -> (result :Hue);
    options @4 (value :Option) -> (value :Option, result :Bool);
    named @5 Named -> Base.Point;
    boxes @6 (value :Box(Text), list :List(Box(Data)), nested :Box(Box(Shape))) -> (result :Box(List(Int32)));
    pay @7 (amount :Money) -> (amount :Money);
    hash @8 (hash :Data, number :Int64, text :Text, list :List(Data)) -> (result :Data, hasResult :Bool);
    raw @9 (text :Text, list :List(Text)) -> (result :Text);
    maybe @10 (context :Proxy.Context, text :Text, hasText :Bool, list :List(Int32), hasList :Bool, shape :Shape, hasShape :Bool, hue :Hue, hasHue :Bool) -> (text :Text, hasText :Bool, hue :Hue, hasHue :Bool);
    attach @11 (context :Proxy.Context, studio :Studio, other :Studio) -> (result :Studio, other :Studio);
    find @12 (wantShape :Bool, wantCount :Bool) -> (shape :Shape, count :Int32);
    defaults @13 (value :Defaults) -> (result :Defaults);
    outer @14 (value :Outer, point :Base.Point) -> (result :Outer);
    fooBar @15 () -> ();
    second @16 () -> () $Proxy.name("foo_bar");
    clash @17 () -> () $Proxy.name("foo_bar");
    throwing @18 (context :Proxy.Context) -> (broken :Shape $Proxy.exception("a::Broken"), text :Text $Proxy.exception("std::exception"), result :Studio);
    voids @19 (value :Void) -> (result :Void);
    counts @20 (value :List(Base.Entry)) -> (result :List(Base.Entry));
    set @21 (value :List(Int32)) -> (result :List(Hue));
    watch @22 (context :Proxy.Context, listener :Base.Listener, both :Both) -> (result :Base.Listener);
    tree @23 (nodes :List(Node)) -> (result :Node);
}

interface Both extends (Base.Listener, Studio) $Proxy.wrap("shapes::Both") {
    extra @0 (context :Proxy.Context) -> ();
}

struct Node {
    name @0 :Text;
    left @1 :Node;
    right @2 :Node;
    children @3 :List(Node);
}

interface Unwrapped {
    something @0 (any :AnyPointer) -> ();
}

struct Unused {
    any @0 :AnyPointer;
}

struct UsesUnused {
    unused @0 :Unused;
}
