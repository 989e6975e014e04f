# Annotations that describe how an interface is offered to another process, and the types that
# carry threads over the wire. Ids, names and numbers are those of the C++ library: peers depend on them.

@0xcc316e3f71a040fb;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("mp");

annotation include(file): Text;
# A header for the C++ generator. Rust does not need it.

annotation includeTypes(file): Text;
# The same, for the header that declares conversions of types.

annotation wrap(interface, struct): Text;
# The type of the program that this interface or struct stands for, by its C++ name. An interface
# without it gets no proxies. `ProxyCallback<std::function<F>>` makes it a function.

annotation count(param, struct, interface): Int32;
# How many arguments of the method a param becomes, 1 unless stated. A param with 0 is not shown to the
# caller: the library fills it in. On a struct or interface it holds for every param of that type.

annotation exception(param): Text;
# On a result: the error type that is carried in it. It is set instead of the other results
# when the method fails with that type. Stands before `result`.

annotation name(field, method): Text;
# Another name for a field or method in the program.

annotation skip(field): Void;
# The field is neither sent nor read.

interface ThreadMap $count(0) {
    # Where a peer asks for threads on this side to run its calls.

    makeThread @0 (name :Text) -> (result :Thread);
    # Starts a thread. It lives as long as the returned handle; the name is for logs.

    makePool @1 (count :UInt32) -> ();
    # Starts threads that take the calls which name no thread. Once for each connection.
}

interface Thread {
    # A thread of the side that handed it out.

    getName @0 () -> (result: Text);
    # The thread's name in that side's logs.
}

struct Context $count(0) {
    # Says where a call runs. Added to a call by the library, not by the caller.

    thread @0 : Thread;
    # The receiver's thread that runs the call. Null: any thread of its pool.

    callbackThread @1 : Thread;
    # The sender's thread that made the call, which runs the calls made back in the meantime.
}
