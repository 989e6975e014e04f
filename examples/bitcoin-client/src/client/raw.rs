//! Generated clients of all versions, as one.

use multiprocess::ObjectFuture;

use super::answer::GiveUp;
use crate::schema::{v30, v31, v32};

/// The client of one interface in the version of the node.
#[derive(Clone, Debug)]
pub(crate) enum Raw<A, B, C> {
    V30(A),
    V31(B),
    V32(C),
}

pub(crate) type Init = Raw<v30::init::InitClient, v31::init::InitClient, v32::init::InitClient>;
pub(crate) type Echo = Raw<v30::echo::EchoClient, v31::echo::EchoClient, v32::echo::EchoClient>;
pub(crate) type Mining =
    Raw<v30::mining::MiningClient, v31::mining::MiningClient, v32::mining::MiningClient>;
pub(crate) type Template = Raw<
    v30::mining::BlockTemplateClient,
    v31::mining::BlockTemplateClient,
    v32::mining::BlockTemplateClient,
>;

/// The same expression for each version. `$schema` becomes the module with that version's generated code.
macro_rules! each {
    ($raw:expr, $client:ident, $schema:ident => $body:expr) => {
        match $raw {
            $crate::client::raw::Raw::V30($client) => {
                #[allow(
                    clippy::allow_attributes,
                    unused_imports,
                    reason = "not every call names a type"
                )]
                use $crate::schema::v30 as $schema;
                $body
            }
            $crate::client::raw::Raw::V31($client) => {
                #[allow(
                    clippy::allow_attributes,
                    unused_imports,
                    reason = "not every call names a type"
                )]
                use $crate::schema::v31 as $schema;
                $body
            }
            $crate::client::raw::Raw::V32($client) => {
                #[allow(
                    clippy::allow_attributes,
                    unused_imports,
                    reason = "not every call names a type"
                )]
                use $crate::schema::v32 as $schema;
                $body
            }
        }
    };
}
pub(crate) use each;

macro_rules! from_clients {
    ($($name:ident: $module:ident :: $client:ident),* $(,)?) => { $(
        impl From<v30::$module::$client> for $name {
            fn from(client: v30::$module::$client) -> Self {
                Self::V30(client)
            }
        }

        impl From<v31::$module::$client> for $name {
            fn from(client: v31::$module::$client) -> Self {
                Self::V31(client)
            }
        }

        impl From<v32::$module::$client> for $name {
            fn from(client: v32::$module::$client) -> Self {
                Self::V32(client)
            }
        }
    )* };
}

from_clients! {
    Init: init::InitClient,
    Echo: echo::EchoClient,
    Mining: mining::MiningClient,
    Template: mining::BlockTemplateClient,
}

macro_rules! give_up_templates {
    ($($version:ident),*) => { $(
        impl<A> GiveUp for ObjectFuture<$version::mining::BlockTemplateClient, A> {
            fn give_up(self, keep: impl Send + 'static) {
                // The call may give a template even now. It is destroyed as soon as it is there; if there is none, that fails.
                if let Ok(template) = self.pipelined() {
                    template.destroy_async().detach(keep);
                }
            }
        }
    )* };
}

give_up_templates!(v30, v31, v32);
