//! Turns a `CodeGeneratorRequest` into the model. The bytes may come from anywhere: nothing here panics, recurses
//! without a bound, or makes a model much larger than the request.

mod annotations;
mod budget;
mod files;
mod methods;
mod nodes;
mod types;

use std::collections::{BTreeMap, HashMap};

use capnp::message::ReaderOptions;
use capnp::schema_capnp::{code_generator_request, node};

use crate::source::Sources;
use crate::{Error, Item, Location, Schema};
use budget::Budget;

/// Reads a request. Places come from `sources`; a declaration whose source is not among them is placed in its file only.
pub(crate) fn schema(request: &[u8], sources: &Sources) -> Result<Schema, Error> {
    let options = ReaderOptions {
        traversal_limit_in_words: Some(MAX_WORDS),
        nesting_limit: MAX_NESTING,
    };
    let schema = (|| {
        let message = capnp::serialize::read_message(request, options)?;
        let root = message.get_root::<code_generator_request::Reader<'_>>()?;
        let tables = Tables::new(root, sources)?;
        let items = nodes::items(&tables)?;
        let items = methods::with_fields(items, &tables)?;
        Ok(Schema {
            files: files::files(root, &tables)?,
            items,
            request: request.to_vec(),
            sources: Vec::new(),
        })
    })();
    schema.map_err(|error: Bad| Error::Request(error.0))
}

/// Why bytes are not a request.
#[derive(Debug)]
struct Bad(String);

impl Bad {
    fn missing(what: &str, id: u64) -> Self {
        Self(format!(
            "it names {what} 0x{id:016x} but does not contain it"
        ))
    }
}

impl From<capnp::Error> for Bad {
    fn from(error: capnp::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<capnp::NotInSchema> for Bad {
    fn from(error: capnp::NotInSchema) -> Self {
        Self(format!(
            "{error}; the schema compiler is newer than this library"
        ))
    }
}

impl From<std::str::Utf8Error> for Bad {
    fn from(error: std::str::Utf8Error) -> Self {
        Self(error.to_string())
    }
}

/// The request, indexed.
struct Tables<'a> {
    nodes: BTreeMap<u64, node::Reader<'a>>,
    docs: HashMap<u64, Docs>,
    /// `$Proxy.count` of types that have it.
    counts: HashMap<u64, i32>,
    /// Display name and place of each file.
    files: HashMap<u64, (String, Location)>,
    sources: &'a Sources,
    budget: Budget,
}

/// The comments of a declaration and of its members.
#[derive(Default)]
struct Docs {
    own: Option<String>,
    members: Vec<Option<String>>,
}

impl<'a> Tables<'a> {
    fn new(root: code_generator_request::Reader<'a>, sources: &'a Sources) -> Result<Self, Bad> {
        let budget = Budget::new();
        let mut tables = Self {
            nodes: BTreeMap::new(),
            docs: docs(root, &budget)?,
            counts: HashMap::new(),
            files: HashMap::new(),
            sources,
            budget,
        };
        for node in root.get_nodes()? {
            tables.budget.take(1)?;
            let id = node.get_id();
            if tables.nodes.insert(id, node).is_some() {
                return Err(Bad(format!(
                    "it contains two declarations with the id 0x{id:016x}"
                )));
            }
            if let Some(count) =
                annotations::Annotations::read(node.get_annotations()?, &tables.budget)?.count
            {
                tables.counts.insert(id, count);
            }
            if let node::Which::File(()) = node.which()? {
                let name = node.get_display_name()?.to_string()?;
                let location = sources.file(id, &name);
                tables.files.insert(id, (name, location));
            }
        }
        Ok(tables)
    }

    fn node(&self, id: u64) -> Result<node::Reader<'a>, Bad> {
        self.nodes
            .get(&id)
            .copied()
            .ok_or_else(|| Bad::missing("the declaration", id))
    }

    /// The file that a declaration stands in, found along the scopes around it.
    fn file_of(&self, id: u64) -> Result<u64, Bad> {
        let mut at = id;
        for _ in 0..MAX_SCOPES {
            if self.files.contains_key(&at) {
                return Ok(at);
            }
            at = self.node(at)?.get_scope_id();
        }
        Err(Bad(format!(
            "the scopes around 0x{id:016x} do not end in a file"
        )))
    }

    /// The place of a declaration or member: `path` in the file with the id `file`.
    fn place(&self, file: u64, path: &str) -> Location {
        match self.files.get(&file) {
            Some((_, location)) => self.sources.place(file, location, path),
            None => Location::default(),
        }
    }

    /// The comment of a declaration.
    fn comment(&self, id: u64) -> Option<String> {
        self.docs.get(&id)?.own.clone()
    }

    /// The comment of a field, enumerant or method.
    fn member_comment(&self, id: u64, index: usize) -> Option<String> {
        self.docs.get(&id)?.members.get(index)?.clone()
    }
}

/// The comments, if the compiler sent them (`capnp` before 0.8 does not).
fn docs(
    root: code_generator_request::Reader<'_>,
    budget: &Budget,
) -> Result<HashMap<u64, Docs>, Bad> {
    let mut docs = HashMap::new();
    for info in root.get_source_info()? {
        budget.take(1)?;
        let mut members = Vec::new();
        for member in info.get_members()? {
            budget.take(1)?;
            members.push(comment(member.get_doc_comment()?));
        }
        // Implicit params and results share the id 0.
        if info.get_id() != 0 {
            docs.insert(
                info.get_id(),
                Docs {
                    own: comment(info.get_doc_comment()?),
                    members,
                },
            );
        }
    }
    Ok(docs)
}

fn comment(text: capnp::text::Reader<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(text.as_bytes());
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

type Items = BTreeMap<u64, Item>;

/// 128 MiB of schema.
const MAX_WORDS: usize = 16 << 20;
/// How deep pointers of the request may nest; types as deep as this are refused.
const MAX_NESTING: i32 = 64;
/// How deep declarations may nest.
const MAX_SCOPES: usize = 256;
