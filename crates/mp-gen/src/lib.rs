//! Generates Rust traits, client proxies and servers from annotated Cap'n Proto schema files.
