# An object that prints text.

@0x893db95f456ed0e3;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("calculator::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.include("printer.h");
$Proxy.includeTypes("types.h");

interface PrinterInterface $Proxy.wrap("Printer") {
    # Writes lines to the standard output of the process it lives in.

    destroy @0 (context :Proxy.Context) -> ();

    print @1 (context :Proxy.Context, text :Text) -> ();
    # Prints one line.
}
