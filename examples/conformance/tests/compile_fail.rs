//! What the compiler says about mistakes that programs make.
//!
//! `TRYBUILD=overwrite cargo test -p conformance --test compile_fail` accepts what it says now.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
