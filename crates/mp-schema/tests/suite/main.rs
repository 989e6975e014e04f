//! Tests of the public interface, in one program: compilers are slow to run unoptimized, their models are shared.

mod conformance;
mod errors;
mod requests;
mod support;
