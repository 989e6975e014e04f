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

/// Makes Markdown of plain text that may have been meant as Markdown. Indented text would be a test: it becomes a block of text.
fn markdown(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let (mut fenced, mut block) = (false, false);
    for line in text.lines() {
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        if !fenced && !block && is_indented && out.last().is_none_or(String::is_empty) {
            out.push("```text".to_owned());
            block = true;
        } else if block && !is_indented && !line.trim().is_empty() {
            end_block(&mut out);
            block = false;
        }
        let info = line.trim_start().strip_prefix("```");
        let is_fence = !block && info.is_some_and(|info| !info.contains('`'));
        match info.map(str::trim) {
            Some("") if is_fence && !fenced => out.push(format!("{}text", line.trim_end())),
            _ if is_fence || fenced || block => out.push(line.to_owned()),
            _ => out.push(escaped(line)),
        }
        fenced ^= is_fence;
    }
    if block {
        end_block(&mut out);
    }
    if fenced {
        out.push("```".to_owned());
    }
    out.join("\n")
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
        ] {
            assert_eq!(markdown(text), expected);
        }
    }
}
