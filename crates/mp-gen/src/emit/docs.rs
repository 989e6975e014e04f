//! Schema comments as doc comments: what they say, and nothing that `rustdoc` would take for a link, markup or a test.

use proc_macro2::TokenStream;
use quote::quote;

/// Text of this crate's own as a doc comment: Markdown.
pub(crate) fn doc(text: &str) -> TokenStream {
    let lines = text.lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!(" {line}")
        }
    });
    quote!(#(#[doc = #lines])*)
}

/// A comment of a schema as a doc comment.
pub(crate) fn comment(text: &str) -> TokenStream {
    doc(&markdown(text))
}

/// Makes Markdown of plain text that may have been meant as Markdown. What `rustdoc` would take for a test, indented text or
/// a block of Rust, becomes a block of text.
fn markdown(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let (mut fenced, mut block) = (None::<Fence<'_>>, false);
    for line in text.lines() {
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        if let Some(open) = fenced {
            out.push(line.to_owned());
            fenced = Some(open).filter(|open| !Fence::of(line).is_some_and(|end| end.ends(open)));
            continue;
        }
        if !block && is_indented && out.last().is_none_or(|last| !is_paragraph(last)) {
            out.push("```text".to_owned());
            block = true;
        } else if block && !is_indented && !line.trim().is_empty() {
            end_block(&mut out);
            block = false;
        }
        fenced = Fence::of(line).filter(|_| !block);
        match &fenced {
            Some(fence) => out.push(fence.as_text(line)),
            None if block => out.push(line.to_owned()),
            None => out.push(escaped(&flat(line))),
        }
    }
    if block {
        end_block(&mut out);
    }
    if let Some(fence) = fenced {
        out.push(fence.marks.to_owned());
    }
    out.join("\n")
}

/// A line that begins or ends a block of code.
#[derive(Clone, Copy)]
struct Fence<'l> {
    /// Three or more backticks or tildes.
    marks: &'l str,
    /// What follows: the language.
    info: &'l str,
}

impl<'l> Fence<'l> {
    fn of(line: &'l str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let info = line.trim_start_matches(mark);
        let marks = &line[..line.len() - info.len()];
        let is_code_in_a_line = mark == '`' && info.contains('`');
        let info = info.trim();
        (marks.len() >= 3 && !is_code_in_a_line).then_some(Self { marks, info })
    }

    /// Whether this ends the block that the other one began.
    fn ends(&self, open: &Self) -> bool {
        self.info.is_empty() && self.marks.starts_with(open.marks)
    }

    /// The line that begins the block, of a language that `rustdoc` does not compile.
    fn as_text(&self, line: &str) -> String {
        let info = self.info;
        let is_other = !info.is_empty() && info.chars().all(|c| c.is_ascii_lowercase());
        if is_other && !["rust", "ignore", "custom"].contains(&info) {
            return line.to_owned();
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        format!("{indent}{}text", self.marks)
    }
}

/// Whether the next line belongs to the same paragraph, however it is indented.
fn is_paragraph(line: &str) -> bool {
    let is_rule = line.trim_start().starts_with(['#', '-', '*', '_', '='])
        && line.chars().all(|c| "-*_= ".contains(c));
    let is_heading = line.starts_with('#');
    !(line.trim().is_empty() || is_rule || is_heading || Fence::of(line).is_some())
}

/// A line of prose without code in a quotation or in an item of a list, where it would be a test.
fn flat(line: &str) -> String {
    let mut rest = line.trim_start();
    while let Some(inner) = after_marker(rest) {
        rest = inner.trim_start();
    }
    let (before, is_nested) = (
        &line[..line.len() - rest.len()],
        after_marker(line.trim_start()),
    );
    if is_nested.is_none() {
        return line.to_owned();
    }
    let escape = if Fence::of(rest).is_some() { "\\" } else { "" };
    format!("{} {escape}{rest}", before.trim_end())
}

/// What follows the mark of a quotation or of an item of a list.
fn after_marker(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('>') {
        return Some(rest);
    }
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = if digits.len() < text.len() {
        digits.strip_prefix(['.', ')'])
    } else {
        text.strip_prefix(['-', '*', '+'])
    };
    rest.filter(|rest| rest.starts_with([' ', '\t']))
}

/// Ends a block of text before the empty lines that follow it.
fn end_block(lines: &mut Vec<String>) {
    let end = lines.iter().rposition(|line| !line.trim().is_empty());
    lines.insert(end.map_or(lines.len(), |end| end + 1), "```".to_owned());
}

/// One line of prose, outside of code, without links and HTML; addresses become links as they are.
fn escaped(line: &str) -> String {
    let mut out = String::new();
    for (index, part) in line.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        // Every other part is code, if its end is there.
        if index % 2 == 1 && line.matches('`').count() > index {
            out.push_str(part);
            continue;
        }
        for (index, word) in part.split(' ').enumerate() {
            if index > 0 {
                out.push(' ');
            }
            let word = word.replace('[', "\\[").replace('<', "\\<");
            let begin = word.trim_start_matches('(');
            let is_address = begin.starts_with("https://") || begin.starts_with("http://");
            let address = begin.trim_end_matches(['.', ',', ')', ';', ':']);
            if is_address {
                let before = &word[..word.len() - begin.len()];
                out.extend([before, "<", address, ">", &begin[address.len()..]]);
            } else {
                out.push_str(&word);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn comments_are_neither_links_nor_markup_nor_tests() {
        for (text, expected) in [
            ("plain `code[0]` text", "plain `code[0]` text"),
            ("a [range, of) values", "a \\[range, of) values"),
            ("a List<T> of `List<T>`", "a List\\<T> of `List<T>`"),
            ("see https://x.org/a.", "see <https://x.org/a>."),
            ("an odd ` and [this", "an odd ` and \\[this"),
            (
                "For example:\n\n    1 + 1\n\n    [2]\n\nand so on",
                "For example:\n\n```text\n    1 + 1\n\n    [2]\n```\n\nand so on",
            ),
            ("```\nx\n```", "```text\nx\n```"),
            ("```\nno end", "```text\nno end\n```"),
            ("- a\n  ``` \n  x\n  ```", "- a\n  ```text\n  x\n  ```"),
            ("```capnp\nx\n```", "```capnp\nx\n```"),
            ("```a[0]``` is [code]", "```a[0]``` is \\[code]"),
            ("(https://x.org/a).", "(<https://x.org/a>)."),
            ("- item\n    continued", "- item\n    continued"),
            ("```rust\nx\n```", "```text\nx\n```"),
            ("```rust,no_run\nx\n```", "```text\nx\n```"),
            ("```should_panic\nx\n```", "```text\nx\n```"),
            ("~~~\n```\nx\n~~~\n[y]", "~~~text\n```\nx\n~~~\n\\[y]"),
            ("````rust\n```\n````", "````text\n```\n````"),
            ("~~~ json\nx\n~~~~", "~~~ json\nx\n~~~~"),
            ("> ```\n> x\n> ```", "> \\```\n> x\n> \\```"),
            (">     x", "> x"),
            ("1.     x", "1. x"),
            ("- a -     b", "- a -     b"),
            ("# A\n    x", "# A\n```text\n    x\n```"),
            ("a\n  \n    x", "a\n  \n```text\n    x\n```"),
            ("```\nx\n```\n    y", "```text\nx\n```\n```text\n    y\n```"),
        ] {
            assert_eq!(markdown(text), expected);
        }
    }
}
