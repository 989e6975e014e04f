//! What every Rust file is held to: it says what it is for, is short, and holds nothing that hides a fault.

use super::Findings;
use super::files::File;
use super::scan::{self, Line, has_word};

/// Checks all Rust files, but for those that a program wrote.
pub(crate) fn check(files: &[File]) -> Findings {
    let written = files
        .iter()
        .filter(|file| file.is("rs") && !file.is_generated());
    written.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Findings {
    let path = &file.path;
    let mut findings = Findings::new();
    if !file.text.starts_with("//!") {
        findings.push(format!(
            "{path}:1: begin the file with `//!` and a sentence that says what it is for"
        ));
    }
    let count = file.text.lines().count();
    if count > LONGEST {
        findings.push(format!(
            "{path}:{count}: longer than {LONGEST} lines: split it by what its parts are for"
        ));
    }
    for (number, line) in (1..).zip(scan::lines(&file.text)) {
        findings.extend(
            reasons(&line)
                .into_iter()
                .map(|reason| format!("{path}:{number}: {reason}")),
        );
    }
    findings
}

/// What is wrong with one line.
fn reasons(line: &Line) -> Vec<&'static str> {
    let attribute = |name: &str| line.code.contains(&format!("#[{name}"));
    let macros =
        |name: &str| line.code.contains(&format!("{name}!(")) && has_word(&line.code, name);
    let mut reasons = Vec::new();
    if attribute("ignore") {
        reasons.push("a test that does not run shows nothing: mend it or delete it");
    }
    if attribute("should_panic") {
        reasons.push("assert the error's value instead of a panic");
    }
    if line.code.contains("thread::sleep") {
        reasons.push("wait for the event itself, with a deadline");
    }
    if macros("todo")
        || macros("unimplemented")
        || UNFINISHED.iter().any(|word| has_word(&line.comment, word))
    {
        reasons.push("unfinished work is not marked in the code: do it, or leave it out");
    }
    if line.comment.contains("```ignore") {
        reasons.push("an example that is not compiled goes stale: use `no_run` or hidden lines");
    }
    reasons
}

/// No file is longer, in lines: what is longer than that does more than one thing.
const LONGEST: usize = 400;

const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Findings {
        check(&[File {
            path: "a.rs".into(),
            text: text.into(),
        }])
    }

    fn finding(text: &str) -> String {
        let mut all = findings(&format!("//! A file.\n{text}"));
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn a_plain_file_passes() {
        assert_eq!(
            findings("//! A file.\nfn todo() {}\n// An ignore attribute: \"#[ignore]\".\n"),
            Findings::new()
        );
        assert_eq!(findings(&"//! x\n".repeat(LONGEST)), Findings::new());
    }

    #[test]
    fn each_rule_can_be_broken() {
        assert!(findings("fn f() {}\n")[0].starts_with("a.rs:1: begin"));
        assert!(findings(&"//! x\n".repeat(LONGEST + 1))[0].starts_with("a.rs:401: longer"));
        assert!(finding("#[ignore]\n").contains("does not run"));
        assert!(finding("#[ignore = \"slow\"]\n").contains("does not run"));
        assert!(finding("#[should_panic(expected = \"x\")]\n").contains("error's value"));
        assert!(finding("std::thread::sleep(d);\n").contains("with a deadline"));
        for word in UNFINISHED {
            assert!(finding(&format!("// {word}: more\n")).contains("unfinished"));
        }
        assert!(finding("todo!()\n").contains("unfinished"));
        assert!(finding("/// ```ignore\n").contains("not compiled"));
    }

    #[test]
    fn findings_name_the_line() {
        assert!(finding("fn f() {\n    todo!()\n}\n").starts_with("a.rs:3: "));
    }

    #[test]
    fn generated_files_are_left_alone() {
        assert_eq!(findings(&"// @generated\n".repeat(1000)), Findings::new());
    }
}
