//! Names: from the schema's spelling to Rust's, and to what `capnpc` calls its accessors.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};

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
    let mut out = String::new();
    for (index, c) in name.chars().enumerate() {
        if c.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
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
    let mut chars = name.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(chars)
        .collect()
}

/// Whether `capnpc` would make a module of this name that no Rust compiler takes: it does not know all keywords.
pub(crate) fn is_bad_module(name: &str) -> bool {
    matches!(
        accessor(name).as_str(),
        "async" | "await" | "dyn" | "gen" | "try"
    )
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

    /// An identifier that no argument has: `params`, or `params_2` if one is called `params`.
    pub(crate) fn local(&mut self, name: &str) -> Ident {
        ident(&self.take(name.trim_start_matches("r#")))
    }
}

/// Type names that mean something in every Rust file: a schema's `Option` becomes `Option_`.
pub(crate) const PRELUDE: &[&str] = &[
    "Arc", "BTreeMap", "BTreeSet", "Box", "Clone", "Debug", "Default", "From", "HashMap",
    "HashSet", "Into", "Local", "Option", "Self", "Send", "String", "Sync", "ToOwned", "Vec",
];

const CAPNPC_KEYWORDS: &[&str] = &[
    "abstract", "alignof", "as", "be", "become", "box", "break", "const", "continue", "crate",
    "do", "else", "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "offsetof", "once", "override", "priv", "proc",
    "pub", "pure", "ref", "return", "self", "sizeof", "static", "struct", "super", "trait", "true",
    "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
