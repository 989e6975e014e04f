# What several schema files share.

@0xd0c1b2a39485f6e7;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("base::messages");

using Proxy = import "/mp/proxy.capnp";

struct Point $Proxy.wrap("base::Point") {
    x @0 :Int32;
    y @1 :Int32;
}

struct Entry {
    key @0 :Text;
    value @1 :Int32;
}

interface Listener $Proxy.wrap("base::Listener") {
    # Is told what happens.
    destroy @0 (context :Proxy.Context) -> ();
    notify @1 (context :Proxy.Context, text :Text) -> (first :Int32, second :Text);
}
