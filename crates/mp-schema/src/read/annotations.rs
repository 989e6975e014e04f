//! Annotations, and those of them that the model knows by name.

use capnp::schema_capnp::annotation;

use super::budget::Budget;
use super::{Bad, types};
use crate::well_known::{
    COUNT, CXX_NAMESPACE, EXCEPTION, INCLUDE, INCLUDE_TYPES, NAME, SKIP, WRAP,
};
use crate::{Annotation, Value, Wrap};

/// All annotations of one thing.
#[derive(Default)]
pub(super) struct Annotations {
    pub(super) all: Vec<Annotation>,
    pub(super) wrap: Option<Wrap>,
    pub(super) count: Option<i32>,
    pub(super) exception: Option<String>,
    pub(super) name: Option<String>,
    pub(super) skip: bool,
    pub(super) namespace: Option<String>,
    pub(super) includes: Vec<String>,
    pub(super) include_types: Vec<String>,
}

impl Annotations {
    pub(super) fn read(
        list: capnp::struct_list::Reader<'_, annotation::Owned>,
        budget: &Budget,
    ) -> Result<Self, Bad> {
        let mut found = Self::default();
        for annotation in list {
            budget.take(1)?;
            let id = annotation.get_id();
            let value = types::value(annotation.get_value()?)?;
            found.note(id, &value);
            found.all.push(Annotation { id, value });
        }
        Ok(found)
    }

    fn note(&mut self, id: u64, value: &Value) {
        match (id, value) {
            (WRAP, Value::Text(text)) => self.wrap = Some(wrap(text)),
            (COUNT, Value::Int32(count)) => self.count = Some(*count),
            (EXCEPTION, Value::Text(text)) => self.exception = Some(text.clone()),
            (NAME, Value::Text(text)) => self.name = Some(text.clone()),
            (SKIP, _) => self.skip = true,
            (CXX_NAMESPACE, Value::Text(text)) => self.namespace = Some(text.clone()),
            (INCLUDE, Value::Text(text)) => self.includes.push(text.clone()),
            (INCLUDE_TYPES, Value::Text(text)) => self.include_types.push(text.clone()),
            _ => {}
        }
    }
}

fn wrap(text: &str) -> Wrap {
    let inside = |text: &str, head: &str| {
        Some(
            text.trim()
                .strip_prefix(head)?
                .trim_start()
                .strip_prefix('<')?
                .strip_suffix('>')?
                .to_owned(),
        )
    };
    let text = text.trim();
    let callback = inside(text.strip_prefix("mp::").unwrap_or(text), "ProxyCallback")
        .and_then(|function| inside(&function, "std::function"))
        .map(|signature| signature.trim().to_owned());
    Wrap {
        text: text.to_owned(),
        callback,
    }
}
