//! The node in version 31: structs with defaults, and waits that can be interrupted.

use std::sync::Arc;

use bitcoin::consensus::serialize;
use multiprocess::Error;

use super::methods::{
    create_options, echo_methods, init_methods, mining_methods, template_methods,
};
use super::objects;
use crate::schema::v31 as schema;

impl schema::init::Init for objects::Init {
    init_methods!(since 30);
    init_methods!(since 31);
}

impl schema::echo::Echo for objects::Echo {
    echo_methods!(since 30);
}

impl schema::mining::Mining for objects::Mining {
    mining_methods!(since 30);
    mining_methods!(since 31);
}

impl schema::mining::BlockTemplate for objects::Template {
    template_methods!(since 30);
    template_methods!(until 31);
    template_methods!(since 31);
}
