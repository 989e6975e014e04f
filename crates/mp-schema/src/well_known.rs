//! Ids of declarations that have a meaning of their own. They are part of the wire format or of C++ projects' schemas.

/// The file `/mp/proxy.capnp`.
pub const PROXY_FILE: u64 = 0xcc31_6e3f_71a0_40fb;
/// `Proxy.ThreadMap`, an interface.
pub const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
/// `Proxy.Thread`, an interface.
pub const THREAD: u64 = 0x81c1_e260_0d0b_56c5;
/// `Proxy.Context`, a struct.
pub const CONTEXT: u64 = 0x9c44_e664_5d0b_22c6;
