# Names that clash with each other, with Rust's, or with those of generated code.

@0xb5d3e1a7c2948f06;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("names::messages");

using Proxy = import "/mp/proxy.capnp";
using Rust = import "/capnp/rust.capnp";

interface Twins $Proxy.wrap("names::Twins") {
    # Methods that would be called like others, or like what every client has.
    x @0 (context :Proxy.Context) -> (result :Int32);
    xAsync @1 (context :Proxy.Context) -> (result :Int32);
    xAs @2 () -> (result :Int32);
    destroy @3 (context :Proxy.Context) -> ();
    clone @4 () -> (result :Text);
    asTwinsClient @5 () -> (result :Text);
    withTimeout @6 (seconds :Int32) -> (result :Int32);
    into @7 () -> ();
    drop @8 () -> ();
    toOwned @9 () -> ();
    asRef @10 () -> ();
    dispatch @11 (call :Int32, this :Int32) -> (result :Int32);
    fromProxy @12 (proxy :Int32) -> ();
    info @13 () -> ();
    fmt @14 (f :Int32) -> ();
    new @15 (objects :List(Int32), params :List(Int32), results :Text, wantObjects :Bool) -> (objects :Int32);
    odd @16 () -> () $Proxy.name("operator()");
    late @17 () -> () $Proxy.name("destroy");
    stream @18 (value :Int32) -> stream;
    async @19 (self :Int32, await :Async) -> (dyn :Async, try :Gen);
    self @20 () -> ();
    construct @21 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
}

struct Async {
    union {
        self @0 :Void;
        dyn @1 :Self;
        crate :group { super @2 :Int32; await @3 :Gen; }
    }
    clone @4 :Text;
    async :union { gen @5 :Void; try @6 :Dyn; }
}
struct Self { self @0 :Int32; }
struct Dyn { dyn @0 :Int32 = 3; }
enum Gen { self @0; try @1; crate @2; }

interface More extends (Twins) $Proxy.wrap("names::More") {
    x @0 (context :Proxy.Context) -> (result :Int32);
    own @1 () -> ();
    asTwinsClient @2 () -> (result :Int32);
}

interface Deepest extends (More) $Proxy.wrap("names::Deepest") {
    x @0 () -> ();
}

struct Result { value @0 :Int32; }
struct Some { value @0 :Result; none @1 :None; }
struct None { ok @0 :Ok; err @1 :Err; }
struct Ok { text @0 :String; }
struct Err { list @0 :List(Vec); }
struct String { text @0 :Text; }
struct Vec { fn @0 :Fn; }
struct Fn { m @0 :M; f @1 :F; }
struct M { value @0 :Int32; }
struct F { value @0 :Int32; }
struct T { value @0 :Int32; }
struct TwinsClient { value @0 :Int32; }
struct First { value @0 :Int32; }
struct Pair(First, M) { first @0 :First; second @1 :M; outer @2 : .First; }

interface Prelude $Proxy.wrap("names::Prelude") {
    pass @0 (result :Result) -> (value :Result);
    some @1 (value :Some) -> (result :Some);
    twinsClient @2 (value :TwinsClient) -> (result :TwinsClient);
    pair @3 (value :Pair(Text, Data)) -> (result :Pair(Text, Data));
    call @4 (f :FFn) -> ();
    t @5 (value :T) -> (result :T);
}

interface FFn $Proxy.wrap("ProxyCallback<std::function<void(F)>>") {
    destroy @0 (context :Proxy.Context) -> ();
    call @1 (context :Proxy.Context, f :F, m :M) -> (result :F);
}

interface Debug $Proxy.wrap("names::Debug") {
    debug @0 (other :Debug) -> (result :Debug);
}

struct Renamed $Proxy.wrap("names::OldName") $Rust.name("NewName") {
    # Names of `$Rust.name`; see [nothing] and Vec<u8>, at https://example.org/names.
    #
    #     this.is(no_test);
    #
    type @0 :Text $Rust.name("kind");
    hue @1 :Colour $Rust.name("colour");
    size :group $Rust.name("extent") {
        width @2 :Int32 $Rust.name("across");
    }
    maybe @3 :Text $Rust.option;
    choice :union {
        first @4 :Void $Rust.name("initial");
        second @5 :Int32;
    }
    list @6 :List(Text) $Rust.option;
}

enum Colour $Rust.name("Paint") {
    red @0 $Rust.name("crimson");
    green @1;
}

interface Renames $Proxy.wrap("names::Renames") {
    pass @0 (value :Renamed) -> (result :Renamed);
}

const favourite :Colour = red;
const numbers :List(Int32) = [1, 2, 3];
const people :List(String) = [(text = "Ada"), (text = "Grace")];
const inner :Fn = (m = (value = 7), f = (value = 8));
const words :List(List(Text)) = [["a"], [], ["b", "c"]];
const nothing :Void = void;
const type :List(Int8) = [-1];

struct Outer {
    const depth :List(UInt8) = [9];
    value @0 :Int32 = 5;
}
