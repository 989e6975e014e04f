//! Names: from the schema's spelling to Rust's, and to what `capnpc` calls its accessors.

use std::borrow::Cow;
use std::collections::BTreeSet;

use mp_schema::Annotation;
use proc_macro2::{Ident, Span};

use crate::rust_annotations;

/// `makeTxByTxID` → `make_tx_by_tx_id`. Runs of capitals are one word.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, &c) in chars.iter().enumerate() {
        let after_word =
            index > 0 && (chars[index - 1].is_lowercase() || chars[index - 1].is_ascii_digit());
        let before_word = index > 0
            && chars[index - 1].is_uppercase()
            && chars.get(index + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_word || before_word) {
            out.push('_');
        }
        out.extend(if c == '-' || c == '.' { '_' } else { c }.to_lowercase());
    }
    out
}

/// `getTip` → `GetTip`, `lucky_numbers` → `LuckyNumbers`.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::new();
    let mut upper = true;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// `defaultLimit` → `DEFAULT_LIMIT`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// What `capnpc` makes of a name in `get_x`, `set_x`, `init_x` and in file names: every capital starts a word.
pub(crate) fn accessor(name: &str) -> String {
    accessor_of(&for_capnpc(name))
}

fn accessor_of(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.chars().enumerate() {
        if c.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// What `capnpc` calls the module of a method's params or results.
pub(crate) fn message_module(method: &str, suffix: &str) -> String {
    accessor_of(&format!("{}{suffix}", for_capnpc(method)))
}

/// What `capnpc` makes of the name of a struct, group or interface, which is a module.
pub(crate) fn accessor_module(name: &str) -> String {
    let mut out = accessor(name);
    if CAPNPC_KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// What `capnpc` makes of the name of an enumerant or a union's member, which is a variant.
pub(crate) fn accessor_variant(name: &str) -> String {
    let name = for_capnpc(name);
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(chars)
        .collect()
}

/// What a name of the schema is called in the schema that `capnpc` gets: it does not know all keywords, makes `Self` of `self`,
/// and clones what may have a method `clone` of its own.
pub(crate) fn for_capnpc(name: &str) -> Cow<'_, str> {
    match accessor_of(name).as_str() {
        "async" | "await" | "clone" | "dyn" | "gen" | "self" | "try" => {
            Cow::Owned(format!("{name}_"))
        }
        _ => Cow::Borrowed(name),
    }
}

/// The name that a schema gives something in Rust: `$Rust.name`, else that of C++ if it is a plain name, else its own.
pub(crate) fn wanted<'n>(
    annotations: &'n [Annotation],
    cxx: Option<&'n str>,
    own: &'n str,
) -> &'n str {
    let rust = rust_annotations::name(annotations).filter(|name| is_plain(name));
    rust.or_else(|| cxx.filter(|name| is_plain(name)))
        .unwrap_or(own)
}

/// Whether it can be a name in Rust as it is.
pub(crate) fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// An identifier, raw if it is a keyword; the few that cannot be raw get a `_`.
pub(crate) fn ident(name: &str) -> Ident {
    match name {
        "self" | "Self" | "super" | "crate" | "_" => {
            Ident::new(&format!("{name}_"), Span::call_site())
        }
        "gen" => Ident::new_raw(name, Span::call_site()),
        _ if syn::parse_str::<Ident>(name).is_ok() => Ident::new(name, Span::call_site()),
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
            Ident::new(&format!("_{name}"), Span::call_site())
        }
        _ => Ident::new_raw(name, Span::call_site()),
    }
}

/// A name for making others of: without what was done to it so that it can stand alone.
pub(crate) fn stem(name: &Ident) -> String {
    let name = name.to_string();
    name.trim_start_matches("r#")
        .trim_end_matches('_')
        .to_owned()
}

/// The async twin of a method.
pub(crate) fn async_twin(method: &str) -> String {
    format!("{method}_async")
}

/// The private method that a method and its twin share.
pub(crate) fn shared(method: &str) -> String {
    format!("{method}_as")
}

/// The hidden method of a trait that gives its client.
pub(crate) fn as_client(trait_name: &Ident) -> String {
    format!("as_{}_client", snake(&stem(trait_name)))
}

/// The hidden method of a trait that takes calls for asynchronous objects.
pub(crate) fn start(trait_name: &Ident) -> String {
    format!("start_{}", snake(&stem(trait_name)))
}

/// Hands out names of one scope, each once.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// A scope in which these names are taken.
    pub(crate) fn with(taken: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(taken.into_iter().map(Into::into).collect())
    }

    /// The name, made new where it is taken: `Name_` for types and constants, `name_2` for the rest.
    pub(crate) fn take(&mut self, name: impl Into<String>) -> String {
        let wanted = name.into();
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            if wanted.starts_with(char::is_uppercase) {
                name.push('_');
            } else {
                name = format!("{wanted}_{number}");
                number += 1;
            }
        }
        name
    }

    /// The name, made new where it or another of the names that come with it is taken. Takes them all.
    pub(crate) fn take_family<const N: usize>(
        &mut self,
        wanted: &str,
        family: impl Fn(&str) -> [String; N],
    ) -> String {
        let (mut name, mut number) = (wanted.to_owned(), 2);
        while family(&name).iter().any(|name| self.0.contains(name)) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.0.extend(family(&name));
        name
    }

    /// Takes names that are there anyway.
    pub(crate) fn reserve(&mut self, names: impl IntoIterator<Item = String>) {
        self.0.extend(names);
    }

    /// Whether the name is taken.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// An identifier that no argument has: `params`, or `params_2` if one is called `params`.
    pub(crate) fn local(&mut self, name: &str) -> Ident {
        ident(&self.take(name.trim_start_matches("r#")))
    }
}

/// Type names that mean something in every Rust file, or in generated ones: a schema's `Option` becomes `Option_`.
pub(crate) const PRELUDE: &[&str] = &[
    "Arc", "BTreeMap", "BTreeSet", "Box", "Clone", "Debug", "Default", "Err", "F", "Fn", "From",
    "HashMap", "HashSet", "Into", "Local", "M", "None", "Ok", "Option", "Result", "Self", "Send",
    "Some", "String", "Sync", "ToOwned", "Vec",
];

const CAPNPC_KEYWORDS: &[&str] = &[
    "abstract", "alignof", "as", "be", "become", "box", "break", "const", "continue", "crate",
    "do", "else", "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "offsetof", "once", "override", "priv", "proc",
    "pub", "pure", "ref", "return", "self", "sizeof", "static", "struct", "super", "trait", "true",
    "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
