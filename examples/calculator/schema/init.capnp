# The first object that each of the example's processes offers, and what can be asked of it.

@0xba5a7448664901b1;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("calculator::messages");

using Proxy = import "/mp/proxy.capnp";
$Proxy.include("calculator.h");
$Proxy.include("init.h");
$Proxy.include("printer.h");
$Proxy.includeTypes("types.h");

using Calculator = import "calculator.capnp";
using Printer = import "printer.capnp";

interface InitInterface $Proxy.wrap("Init") {
    # What a process can do for another. Each program implements the part that is its own.

    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);

    makeCalculator @1 (context :Proxy.Context, print :Printer.PrinterInterface) -> (result :Calculator.CalculatorInterface);
    # Makes a calculator that writes its results to `print`.

    makePrinter @2 (context :Proxy.Context) -> (result :Printer.PrinterInterface);
    # Makes a printer that writes to the process's standard output.
}
