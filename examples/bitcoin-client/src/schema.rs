//! What is generated from Bitcoin Core's schema, once for each version that is not compatible with the one before.
//!
//! Interfaces and structs have the same ids in all versions, but methods have other numbers and structs other defaults. So a
//! peer has to be talked to with the code of its own version.

/// The schema of Bitcoin Core 30.
pub mod v30 {
    include!(concat!(env!("OUT_DIR"), "/v30/multiprocess.rs"));
}

/// The schema of Bitcoin Core 31.
pub mod v31 {
    include!(concat!(env!("OUT_DIR"), "/v31/multiprocess.rs"));
}

/// The schema of Bitcoin Core 32.
pub mod v32 {
    include!(concat!(env!("OUT_DIR"), "/v32/multiprocess.rs"));
}
