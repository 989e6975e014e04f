//! Code of a generator that is older than the library.

const _: () = multiprocess::codegen::generator_version(0);

fn main() {}
