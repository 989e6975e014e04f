//! Tells code from comments and strings, so that a check does not take a word for what it names.

use std::iter::Peekable;
use std::str::Chars;

/// A line of Rust, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The code, with the contents of strings and characters left out.
    pub(crate) code: String,
    /// What stands in comments, their marks included.
    pub(crate) comment: String,
}

/// Takes a Rust file apart, line by line.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner {
        chars: text.chars().peekable(),
        lines: vec![Line::default()],
    };
    scanner.run();
    scanner.lines
}

/// Whether a line of code holds a word, not merely as a part of another.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.split(|c| !is_part(c)).any(|part| part == word)
}

struct Scanner<'a> {
    chars: Peekable<Chars<'a>>,
    lines: Vec<Line>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '/' if self.chars.peek() == Some(&'/') => self.line_comment(),
                '/' if self.chars.peek() == Some(&'*') => self.block_comment(),
                '"' => {
                    let hashes = self.hashes_of_raw_string();
                    self.code(c);
                    self.string(hashes);
                    self.code(c);
                }
                '\'' => self.character_or_lifetime(),
                _ => self.code(c),
            }
        }
    }

    /// The next character; a line's end begins a new line, whatever it stands in.
    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.lines.push(Line::default());
        }
        Some(c)
    }

    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn code(&mut self, c: char) {
        if c != '\n' {
            self.line().code.push(c);
        }
    }

    fn comment(&mut self, c: char) {
        if c != '\n' {
            self.line().comment.push(c);
        }
    }

    fn line_comment(&mut self) {
        self.comment('/');
        while let Some(c) = self.next_if(|c| c != '\n') {
            self.comment(c);
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0;
        let mut last = '/';
        self.comment(last);
        while let Some(c) = self.next() {
            self.comment(c);
            match (last, c) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    last = c;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
            last = ' ';
        }
    }

    /// `None` for a plain string; for a raw one the number of `#` in front of it, which stand in the line's code already.
    fn hashes_of_raw_string(&mut self) -> Option<usize> {
        let before = &self.line().code;
        let stem = before.trim_end_matches('#');
        let hashes = before.len() - stem.len();
        let stem = stem.strip_suffix('r')?;
        let stem = stem.strip_suffix(['b', 'c']).unwrap_or(stem);
        let starts_a_word = !stem.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        starts_a_word.then_some(hashes)
    }

    fn string(&mut self, raw_hashes: Option<usize>) {
        while let Some(c) = self.next() {
            match (c, raw_hashes) {
                ('\\', None) => {
                    self.next();
                }
                ('"', None | Some(0)) => return,
                ('"', Some(hashes)) => {
                    let mut seen = 0;
                    while seen < hashes && self.next_if(|c| c == '#').is_some() {
                        seen += 1;
                    }
                    if seen == hashes {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// `'x'` and `'\n'` are characters, `'x` is a lifetime.
    fn character_or_lifetime(&mut self) {
        self.code('\'');
        let mut ahead = self.chars.clone();
        let (first, second) = (ahead.next(), ahead.next());
        if first != Some('\\') && second != Some('\'') {
            return;
        }
        while let Some(c) = self.next() {
            match c {
                '\\' => {
                    self.next();
                }
                '\'' => return self.code('\''),
                _ => {}
            }
        }
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        self.chars
            .next_if(|c| wanted(*c))
            .inspect(|c| debug_assert!(*c != '\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn comments_are_told_from_code() {
        let taken = lines("let a = 1; // unsafe\n/* b /* c */ d */ e\n/// f");
        assert_eq!(
            taken[0],
            Line {
                code: "let a = 1; ".into(),
                comment: "// unsafe".into()
            }
        );
        assert_eq!(
            taken[1],
            Line {
                code: " e".into(),
                comment: "/* b /* c */ d */".into()
            }
        );
        assert_eq!(
            taken[2],
            Line {
                code: String::new(),
                comment: "/// f".into()
            }
        );
    }

    #[test]
    fn strings_are_emptied() {
        assert_eq!(code(r#"f("// a \" b", 'c');"#), [r#"f("", '');"#]);
        assert_eq!(code("r#\"a \" b\"# c"), ["r#\"\" c"]);
        assert_eq!(code("\"a\nunsafe\" b"), ["\"", "\" b"]);
        assert_eq!(code(r#"br"\" a"#), [r#"br"" a"#]);
    }

    #[test]
    fn lifetimes_are_not_characters() {
        assert_eq!(
            code("fn f<'a>(x: &'a str) { '\"' }"),
            ["fn f<'a>(x: &'a str) { '' }"]
        );
        assert_eq!(code(r"g('\'', '\\') // h"), ["g('', '') "]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("x = unsafe { y }", "unsafe"));
        assert!(!has_word("#![deny(unsafe_code)]", "unsafe"));
    }
}
