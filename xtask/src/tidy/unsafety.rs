//! Where `unsafe` may stand: in the few files listed here, each use with its argument.

use super::Findings;
use super::files::File;
use super::scan::{self, Line, has_word};

/// The files that hold `unsafe`, each with the reason why it cannot do without.
pub(crate) const ALLOWED: &[(&str, &str)] = &[
    (
        "crates/mp-conn/src/vat/confined.rs",
        "the vat's state is not `Send`, and goes from thread to thread behind its lock",
    ),
    (
        "crates/mp-conn/src/vat/memory.rs",
        "`capnp` knows the memory that it builds messages in by address, and zeroed memory has to be asked for",
    ),
    (
        "crates/mp-conn/src/spawn.rs",
        "a child must not inherit other descriptors than its own, which is settled between fork and exec",
    ),
    (
        "crates/mp-conn/src/access.rs",
        "rustix cannot hold the credentials of a peer in another process namespace",
    ),
    (
        "crates/mp-conn/src/stream.rs",
        "a descriptor that was inherited is known by its number only, and has no owner yet",
    ),
];

/// The one file that may say of a type that it is `Send` or `Sync`: there, all that is not is kept behind a lock.
const IMPL: &str = "crates/mp-conn/src/vat/confined.rs";

/// Checks all Rust files against the list, and the list against the files.
pub(crate) fn check(files: &[File], allowed: &[(&str, &str)]) -> Findings {
    let mut findings = Findings::new();
    let mut used = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let lines = scan::lines(&file.text);
        let is_allowed = allowed.iter().any(|(path, _)| *path == file.path);
        for (index, _) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| has_word(&line.code, "unsafe"))
        {
            used.push(file.path.as_str());
            let place = format!("{}:{}", file.path, index + 1);
            let code = &lines[index].code;
            let says_send = has_word(code, "Send") || has_word(code, "Sync");
            if has_word(code, "impl") && says_send && file.path != IMPL {
                findings.push(format!(
                    "{place}: the one `unsafe impl` of `Send` or `Sync` is in {IMPL}"
                ));
            } else if !is_allowed {
                findings.push(format!(
                    "{place}: `unsafe` outside the files that {LIST} lists"
                ));
            } else if !has_argument(&lines, index) {
                findings.push(format!(
                    "{place}: `unsafe` without a `SAFETY:` comment right above"
                ));
            }
        }
    }
    for (path, _) in allowed.iter().filter(|(path, _)| !used.contains(path)) {
        findings.push(format!("{LIST}: lists {path}, where no `unsafe` is"));
    }
    findings
}

/// Whether the argument stands in the line itself, or in the comments and attributes right above it.
fn has_argument(lines: &[Line], index: usize) -> bool {
    let above = lines[..index].iter().rev().take_while(|line| {
        let code = line.code.trim();
        (code.is_empty() && !line.comment.is_empty()) || code.starts_with("#[")
    });
    let mut here = std::iter::once(&lines[index]).chain(above);
    here.any(|line| line.comment.contains("SAFETY:") || line.comment.contains("# Safety"))
}

const LIST: &str = "xtask/src/tidy/unsafety.rs";

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Findings {
        check(
            &[File {
                path: "a.rs".into(),
                text: text.into(),
            }],
            &[("a.rs", "a test")],
        )
    }

    #[test]
    fn an_argued_use_in_a_listed_file_passes() {
        let text =
            "// SAFETY: one owner,\n// which is this.\n#[expect(unsafe_code)]\nunsafe { f() };\n";
        assert_eq!(findings(text), Findings::new());
    }

    #[test]
    fn a_use_in_another_file_is_found() {
        let file = File {
            path: "b.rs".into(),
            text: "// SAFETY: ...\nunsafe { f() }\n".into(),
        };
        let found = check(&[file], &[]);
        assert!(
            found[0].starts_with("b.rs:2: `unsafe` outside"),
            "{found:?}"
        );
    }

    #[test]
    fn a_use_without_an_argument_is_found() {
        assert!(findings("unsafe { f() }\n")[0].starts_with("a.rs:1: `unsafe` without"));
        assert!(findings("// SAFETY: for g.\ng();\nunsafe { f() }\n")[0].starts_with("a.rs:3: "));
    }

    #[test]
    fn an_implementation_is_found_even_in_a_listed_file() {
        let found = findings("// SAFETY: ...\nunsafe impl Send for A {}\n");
        assert!(
            found[0].starts_with("a.rs:2: the one `unsafe impl`"),
            "{found:?}"
        );
    }

    #[test]
    fn a_stale_entry_is_found() {
        assert!(findings("fn f() {}\n")[0].contains("where no `unsafe` is"));
    }

    #[test]
    fn words_in_comments_and_strings_do_not_count() {
        let file = File {
            path: "b.rs".into(),
            text: "// unsafe\nlet a = \"unsafe\";\n".into(),
        };
        assert_eq!(check(&[file], &[]), Findings::new());
    }
}
