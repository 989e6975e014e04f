//! Finds where things are declared in the text of a schema file. The compiler's own output does not say.

use std::collections::HashMap;

use super::lexer::{Kind, Token, tokens};

/// What a schema file's text tells that the compiler does not.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The file's id, if it has one.
    pub(super) id: Option<u64>,
    /// The paths that it imports, as written.
    pub(super) imports: Vec<String>,
    /// Line and column of the name of each declaration, by its path as in `capnp`'s display names: `Person.luckyNumbers`,
    /// `Values.add`, and for params and results `Values.add$Params.a`, `Values.add$Results.result`.
    pub(super) places: HashMap<String, (u32, u32)>,
}

/// Scans the text of one file.
pub(super) fn scan(text: &str) -> Scan {
    let tokens = tokens(text);
    let mut scanner = Scanner {
        tokens: &tokens,
        at: 0,
        scopes: Vec::new(),
        found: Scan::default(),
    };
    while scanner.at < tokens.len() {
        scanner.statement();
    }
    for pair in tokens.windows(2) {
        if let [
            Token {
                kind: Kind::Word("import"),
                ..
            },
            Token {
                kind: Kind::Text(path),
                ..
            },
        ] = pair
        {
            scanner.found.imports.push((*path).to_owned());
        }
    }
    scanner.found
}

struct Scanner<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// The full path of each open `{`.
    scopes: Vec<String>,
    found: Scan,
}

impl<'a> Scanner<'a> {
    fn kind(&self, ahead: usize) -> Option<Kind<'a>> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    /// Reads up to and including the `;` or `{` that ends a statement, or one `}`.
    fn statement(&mut self) {
        match (self.kind(0), self.kind(1), self.kind(2)) {
            (Some(Kind::Sign(b'}')), ..) => {
                self.scopes.pop();
                self.at += 1;
            }
            (Some(Kind::Sign(b'@')), Some(Kind::Number(id)), _) if self.scopes.is_empty() => {
                self.found.id = self.found.id.or_else(|| number(id));
                self.finish(None);
            }
            (
                Some(Kind::Word("struct" | "interface" | "enum" | "annotation" | "const")),
                Some(Kind::Word(name)),
                _,
            ) => {
                self.at += 1;
                let path = self.declare(name);
                self.finish(Some(path));
            }
            // A member: `name @0 ...`, `name :group {`, `name :union {`.
            (Some(Kind::Word(name)), Some(Kind::Sign(b'@' | b':')), _) if name != "union" => {
                let path = self.declare(name);
                self.member(path);
            }
            // An unnamed union: its members count as the struct's own.
            _ => self.finish(None),
        }
    }

    /// Notes the place of the name at the current token, and returns its path.
    fn declare(&mut self, name: &str) -> String {
        let path = match self.scopes.last() {
            Some(scope) if !scope.is_empty() => format!("{scope}.{name}"),
            _ => name.to_owned(),
        };
        if let Some(token) = self.tokens.get(self.at) {
            self.found
                .places
                .entry(path.clone())
                .or_insert((token.line, token.column));
        }
        path
    }

    /// Reads the rest of a member. Lists in parentheses directly after its number and after `->` are params and results.
    fn member(&mut self, path: String) {
        self.at += 1;
        if self.kind(0) == Some(Kind::Sign(b'@')) {
            self.at += 2;
        }
        if self.kind(0) == Some(Kind::Sign(b'[')) {
            self.skip_brackets();
        }
        if self.kind(0) == Some(Kind::Sign(b'(')) {
            self.parameters(&path, "$Params");
            if self.kind(0) == Some(Kind::Sign(b'-')) && self.kind(1) == Some(Kind::Sign(b'>')) {
                self.at += 2;
                if self.kind(0) == Some(Kind::Sign(b'(')) {
                    self.parameters(&path, "$Results");
                }
            }
        } else if matches!(self.kind(0), Some(Kind::Word(_))) {
            self.results_after_named_params(&path);
        }
        self.finish(Some(path));
    }

    /// `name @0 Params -> (result :Text);`
    fn results_after_named_params(&mut self, path: &str) {
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Sign(b';' | b'{' | b'}' | b':') => return,
                Kind::Sign(b'(') => self.skip_brackets(),
                Kind::Sign(b'-') if self.kind(1) == Some(Kind::Sign(b'>')) => {
                    self.at += 2;
                    if self.kind(0) == Some(Kind::Sign(b'(')) {
                        self.parameters(path, "$Results");
                    }
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads a list of params, from its `(` to after its `)`.
    fn parameters(&mut self, path: &str, which: &str) {
        self.scopes.push(format!("{path}{which}"));
        self.at += 1;
        let mut expect_name = true;
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Sign(b')') => {
                    self.at += 1;
                    break;
                }
                Kind::Sign(b';') => break,
                Kind::Sign(b'(' | b'[') => {
                    self.skip_brackets();
                    continue;
                }
                Kind::Word(name) if expect_name => {
                    let _path = self.declare(name);
                    expect_name = false;
                }
                Kind::Sign(b',') => expect_name = true,
                _ => {}
            }
            self.at += 1;
        }
        self.scopes.pop();
    }

    /// From an opening bracket to after the one that closes it, or to the end of the statement if none does.
    fn skip_brackets(&mut self) {
        let mut depth = 0_u32;
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                Kind::Sign(b';' | b'{') => return,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads to the end of the statement; a `{` opens the scope `path`, or one with the name of the scope around it.
    fn finish(&mut self, path: Option<String>) {
        while let Some(kind) = self.kind(0) {
            match kind {
                Kind::Sign(b'}') => return,
                Kind::Sign(b';') => {
                    self.at += 1;
                    return;
                }
                Kind::Sign(b'{') => {
                    self.at += 1;
                    let outer = self.scopes.last().cloned().unwrap_or_default();
                    self.scopes.push(path.unwrap_or(outer));
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
