//! A crate outside of the workspace uses the library as any other would: two path dependencies and a build script of three
//! lines. Generated code has no warning in it, under clippy's lints, with warnings as errors.

mod package;

use package::Package;

#[test]
fn typed_errors_and_comments_are_clean_in_a_crate_with_warnings_as_errors() {
    let package = Package::new("outside");
    package.write("schema/outside.capnp", SCHEMA);
    package.write(
        "build.rs",
        "fn main() -> Result<(), mp_gen::Error> {\n    \
         mp_gen::Builder::new().src_prefix(\"schema\").file(\"schema/outside.capnp\").compile()\n}\n",
    );
    package.write("src/lib.rs", PROGRAM);
    package.check();
}

/// An error larger than clippy lets an error be, a union with a large member, and comments that are no Markdown.
const SCHEMA: &str = r#"@0xd7f9a1c3e5b20486;
using Proxy = import "/mp/proxy.capnp";

interface Desk $Proxy.wrap("outside::Desk") {
    # Takes [orders] of List<Order>:
    # - one
    # and another
    #
    #     not.a.test();
    construct @0 (threadMap :Proxy.ThreadMap) -> (threadMap :Proxy.ThreadMap);
    order @1 (context :Proxy.Context, what :Order) -> (error :Order $Proxy.exception("outside::Refused"), result :Int32);
    toOrder @2 (context :Proxy.Context) -> (result :Order);
    isOpen @3 (context :Proxy.Context) -> (result :Bool);
}

struct Order {
    a @0 :Text; b @1 :Text; c @2 :Text; d @3 :Text; e @4 :Text; f @5 :Text;
    union { none @6 :Void; other @7 :Large; }
}
struct Large { a @0 :Text; b @1 :Text; c @2 :Text; d @3 :Text; e @4 :Text; f @5 :Text; g @6 :Text; h @7 :Text; i @8 :Text; }
"#;

/// What a user of that writes: a helper with the typed error in its signature, too.
const PROGRAM: &str = r#"//! Orders.

multiprocess::include_proxies!();

use crate::outside::{Desk, DeskOrderError, Order};

/// Refuses every order.
#[derive(Debug)]
pub struct Closed;

fn refuse(what: &Order) -> Result<i32, DeskOrderError> {
    Err(what.clone().into())
}

impl Desk for Closed {
    fn order(&self, what: &Order) -> Result<i32, DeskOrderError> {
        refuse(what)
    }

    fn to_order(&self) -> Result<Order, multiprocess::Error> {
        Ok(Order::default())
    }

    fn is_open(&self) -> Result<bool, multiprocess::Error> {
        Ok(false)
    }
}
"#;
