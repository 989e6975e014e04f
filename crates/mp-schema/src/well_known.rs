//! Ids of declarations that have a meaning of their own. They are part of the wire format or of C++ projects' schemas.

/// The file `/mp/proxy.capnp`.
pub const PROXY_FILE: u64 = 0xcc31_6e3f_71a0_40fb;
/// `Proxy.ThreadMap`, an interface.
pub const THREAD_MAP: u64 = 0xee5e_3717_9ad9_dc9d;
/// `Proxy.Thread`, an interface.
pub const THREAD: u64 = 0x81c1_e260_0d0b_56c5;
/// `Proxy.Context`, a struct.
pub const CONTEXT: u64 = 0x9c44_e664_5d0b_22c6;

// The annotations of that file; their ids follow from the file's id and their names.
pub(crate) const INCLUDE: u64 = 0xb899_f3c1_54fd_b458;
pub(crate) const INCLUDE_TYPES: u64 = 0xbcec_1564_8e8a_0cf1;
pub(crate) const WRAP: u64 = 0xe6f4_6079_b7b1_405e;
pub(crate) const COUNT: u64 = 0xd026_82b3_19f6_9b38;
pub(crate) const EXCEPTION: u64 = 0x996a_1832_0099_2f88;
pub(crate) const NAME: u64 = 0xb594_888f_63f4_dbb9;
pub(crate) const SKIP: u64 = 0x824c_08b8_2695_d8dd;

/// `$Cxx.namespace`.
pub(crate) const CXX_NAMESPACE: u64 = 0xb9c6_f99e_bf80_5f2c;

// The annotations of `/capnp/rust.capnp`.
/// `$Rust.name`: another name in Rust.
pub const RUST_NAME: u64 = 0xc2fe_4c6d_1001_66d0;
/// `$Rust.parentModule`: the module that the file's code is put into.
pub const RUST_PARENT_MODULE: u64 = 0xabee_386c_d145_0364;
/// `$Rust.option`: a field that can be null.
pub const RUST_OPTION: u64 = 0xabfe_f22c_4ee1_964e;
