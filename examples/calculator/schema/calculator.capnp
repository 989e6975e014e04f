# An object that solves equations.

@0xb67dbf34061180a9;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("calculator::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.include("calculator.h");
$Proxy.includeTypes("types.h");

interface CalculatorInterface $Proxy.wrap("Calculator") {
    # Solves equations, and prints what it found.

    destroy @0 (context :Proxy.Context) -> ();

    solveEquation @1 (context :Proxy.Context, eqn :Text) -> ();
    # Solves one equation. The result has been printed when this returns.
}
