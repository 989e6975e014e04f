//! Splits schema text into tokens with their places. Lenient: the compiler has the last word on what is valid.

/// One token, with the place where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// From 1.
    pub(super) line: u32,
    /// In bytes, from 1.
    pub(super) column: u32,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// An identifier or keyword.
    Word(&'a str),
    /// A number, as written.
    Number(&'a str),
    /// The inside of a string literal, escapes not resolved.
    Text(&'a str),
    /// Anything else.
    Sign(u8),
}

/// All tokens of a file, comments left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut line, mut line_start, mut at) = (1_u32, 0_usize, 0_usize);
    while at < bytes.len() {
        let start = at;
        let column = u32::try_from(start - line_start + 1).unwrap_or(0);
        let kind = match bytes[at] {
            b'\n' => {
                at += 1;
                line = line.saturating_add(1);
                line_start = at;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'#' => {
                at = end_of(bytes, at, |byte| byte != b'\n');
                continue;
            }
            b'"' => {
                at = end_of_text(bytes, at + 1);
                let inside = text.get(start + 1..at).unwrap_or("");
                at = (at + 1).min(bytes.len());
                Kind::Text(inside)
            }
            byte if byte.is_ascii_digit() => {
                at = end_of(bytes, at, |byte| {
                    byte.is_ascii_alphanumeric() || byte == b'.'
                });
                Kind::Number(&text[start..at])
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                at = end_of(bytes, at, |byte| {
                    byte.is_ascii_alphanumeric() || byte == b'_'
                });
                Kind::Word(&text[start..at])
            }
            byte => {
                at += 1;
                Kind::Sign(byte)
            }
        };
        found.push(Token { kind, line, column });
    }
    found
}

fn end_of(bytes: &[u8], from: usize, part: impl Fn(u8) -> bool) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| !part(*byte))
        .map_or(bytes.len(), |length| from + length)
}

/// The closing quote, or the end of the line or file for text that is not closed.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}
