//! The documents name only tests that exist: `file.rs::name_of_the_test`, or `file.py::scenario`.

use super::Findings;
use super::files::File;

/// Checks the words in backticks of all documents.
pub(crate) fn check(files: &[File]) -> Findings {
    let documents = files.iter().filter(|file| file.is("md"));
    documents
        .flat_map(|document| missing(document, files))
        .collect()
}

fn missing(document: &File, files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for (number, line) in (1..).zip(document.text.lines()) {
        for span in line.split('`').skip(1).step_by(2) {
            let Some((path, name)) = span.split_once("::") else {
                continue;
            };
            if !path.ends_with(".rs") && !path.ends_with(".py") {
                continue;
            }
            let exists = places(document, path)
                .iter()
                .filter_map(|path| files.iter().find(|file| file.path == *path))
                .any(|file| has_test(file, name));
            if !exists {
                findings.push(format!(
                    "{}:{number}: names the test {span}, which does not exist",
                    document.path
                ));
            }
        }
    }
    findings
}

/// Where a file may be that a document names: in the project, beside the document, or among the tests of its package.
fn places(document: &File, path: &str) -> [String; 3] {
    let directory = document
        .path
        .rsplit_once('/')
        .map_or("", |(parent, _)| parent);
    [
        path.to_owned(),
        format!("{directory}/{path}"),
        format!("{directory}/tests/{path}"),
    ]
}

fn has_test(file: &File, name: &str) -> bool {
    let mut lines = file.text.lines().map(str::trim);
    if file.is("py") {
        let wanted = format!("async def {name}(");
        return lines.any(|line| line.starts_with(&wanted));
    }
    let wanted = format!("fn {name}()");
    lines.any(|line| line == "#[test]") && lines.any(|line| line.starts_with(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(document: &str) -> Vec<File> {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
        };
        vec![
            file("a/README.md", document),
            file("a/tests/near.rs", "#[test]\nfn it_works() {}\n"),
            file("b/tests/far.rs", "    #[test]\n    fn it_works_too() {}\n"),
            file("b/src/lib.rs", "fn no_test() {}\n"),
            file("a/other/client.py", "async def echo(mock):\n"),
        ]
    }

    #[test]
    fn tests_that_exist_pass() {
        let document = "| `near.rs::it_works`, `b/tests/far.rs::it_works_too` | `Vec::new` | `other/client.py::echo` |\n";
        assert_eq!(check(&files(document)), Findings::new());
    }

    #[test]
    fn tests_that_do_not_exist_are_found() {
        for named in [
            "near.rs::it_does_not",
            "far.rs::it_works_too",
            "b/src/lib.rs::no_test",
            "other/client.py::ech",
        ] {
            let found = check(&files(&format!("first\n`{named}`\n")));
            assert_eq!(
                found,
                [format!(
                    "a/README.md:2: names the test {named}, which does not exist"
                )]
            );
        }
    }
}
