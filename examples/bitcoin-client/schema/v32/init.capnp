# The first object of a connection: it makes all others.

@0xf2c5cfa319406aa6;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipc::capnp::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.include("interfaces/echo.h");
$Proxy.include("interfaces/init.h");
$Proxy.include("interfaces/mining.h");
$Proxy.includeTypes("ipc/capnp/init-types.h");

using Echo = import "echo.capnp";
using Mining = import "mining.capnp";
using Rpc = import "rpc.capnp";

interface Init $Proxy.wrap("interfaces::Init") {
    # What a node offers.

    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    makeEcho @1 (context :Proxy.Context) -> (result :Echo.Echo);
    # Makes a service for trying out the connection.

    makeMining @3 (context :Proxy.Context) -> (result :Mining.Mining);
    # Makes an object for block templates and the chain's tip. Its waits are interrupted together.

    makeRpc @4 (context :Proxy.Context) -> (result :Rpc.Rpc);
    # Makes an object for JSON-RPC requests.

    makeMiningOld2 @2 () -> ();
    # What makeMining was in version 30. Always fails.
}
