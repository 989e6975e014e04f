//! Writes the generated files that are committed.

fn main() {}
