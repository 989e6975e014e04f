//! What xtask itself prints: results on standard output, errors on standard error.

/// Prints a line of result.
#[expect(clippy::print_stdout, reason = "a command's result is what it prints")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints text as it is: what another program has printed.
#[expect(clippy::print_stdout, reason = "a command's result is what it prints")]
pub(crate) fn part(text: &str) {
    print!("{text}");
}

/// Prints how far a command has come, which is no result.
#[expect(
    clippy::print_stderr,
    reason = "there is no log: this is a command line tool"
)]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Prints what went wrong.
#[expect(
    clippy::print_stderr,
    reason = "there is no log: this is a command line tool"
)]
pub(crate) fn error(text: &str) {
    eprintln!("xtask: {text}");
}
