# A service that says whether the connection works.

@0x888b4f7f51e691f7;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipc::capnp::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.include("interfaces/echo.h");
$Proxy.includeTypes("ipc/capnp/echo-types.h");

interface Echo $Proxy.wrap("interfaces::Echo") {
    # Answers with what it is told.

    destroy @0 (context :Proxy.Context) -> ();

    echo @1 (context :Proxy.Context, echo :Text) -> (result :Text);
    # Answers with the text.
}
