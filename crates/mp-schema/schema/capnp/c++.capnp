# The annotations of the C++ generator that schema files use, for machines where Cap'n Proto is not installed.

@0xbdf87d7bb8304e81;

$namespace("capnp::annotations");

annotation namespace(file): Text;
# The C++ namespace of the generated code.

annotation name(field, enumerant, struct, enum, interface, method, param, group, union): Text;
# Another name in C++.

annotation allowCancellation(interface, method, file): Void;
# A C++ server may stop a call that the caller gave up.
