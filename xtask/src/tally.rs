//! How many tests ran, read from what `cargo test` prints.

use std::fmt;

/// How many tests ran, and how they went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds up the `test result:` lines of all test programs.
    pub(crate) fn read(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            let Some(counts) = line.trim_start().strip_prefix("test result: ") else {
                continue;
            };
            sum.passed += count(counts, " passed");
            sum.failed += count(counts, " failed");
        }
        sum
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed; {} failed", self.passed, self.failed)
    }
}

/// The number in front of a word.
fn count(line: &str, word: &str) -> u64 {
    let digits = line
        .split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_programs_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(
            Tally::read(output),
            Tally {
                passed: 13,
                failed: 2
            }
        );
        assert_eq!(Tally::read(output).to_string(), "13 passed; 2 failed");
        assert_eq!(Tally::read("nothing ran"), Tally::default());
    }
}
