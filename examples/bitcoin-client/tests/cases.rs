//! The table in README.md beside this file names tests that exist.

use std::fs;
use std::path::Path;

#[test]
fn every_case_has_its_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let table = fs::read_to_string(tests.join("README.md")).unwrap();
    let cases = table.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for (case, named) in cases.filter_map(|row| row.trim_matches('|').split_once('|')) {
        // A heading: of the table, or of a part of it.
        if named.trim().is_empty() || named.trim() == "tests" {
            continue;
        }
        for test in named.split(',') {
            let words: Vec<&str> = test.split('`').collect();
            let ["" | " ", file, " ", name, "" | " "] = words[..] else {
                panic!("{case}: not a file and a test: {test}");
            };
            let (path, function) = if file.ends_with(".py") {
                (
                    tests.join("foreign").join(file),
                    format!("\nasync def {name}("),
                )
            } else {
                (tests.join(file), format!("#[test]\nfn {name}()"))
            };
            let source = fs::read_to_string(&path).unwrap();
            assert!(source.contains(&function), "{case}: no {name} in {file}");
        }
        count += 1;
    }
    assert!(count > 30, "{count} cases");
}
