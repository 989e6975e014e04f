@0xc0ffee7a3b5d9e11;

using Proxy = import "/mp/proxy.capnp";

interface CalculatorInterface $Proxy.wrap("app::Calculator") {
    # Solves equations.

    destroy @0 (context :Proxy.Context) -> ();
    solveEquation @1 (context :Proxy.Context, eqn :Text) -> (result :Int32);
    # Takes its time.
}
