# The annotations of the Rust generator, for machines where Cap'n Proto is not installed.

@0x83b3c14c3c8dd083;

annotation name @0xc2fe4c6d100166d0 (field, struct, enum, enumerant, union, group): Text;
# Another name in Rust, in the style of the schema.

annotation parentModule @0xabee386cd1450364 (file): Text;
# The module that the generated code is put into.

annotation option @0xabfef22c4ee1964e (field): Void;
# The getter gives an Option.
