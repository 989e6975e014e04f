//! Runs cases, says how each ended, and counts.

use std::fmt::Debug;
use std::io::{self, Write};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use multiprocess::Error;

/// Where cases tell how they ended. All run on one thread, which is therefore one thread at the peer, too.
pub(super) struct Report {
    part: String,
    events: Sender<Event>,
}

/// How a case ended.
pub(super) type Outcome = Result<(), Failure>;

/// Why a case failed. Any error becomes one with `?`.
#[derive(Debug)]
pub(super) struct Failure(String);

enum Event {
    Started(String),
    Ended(Outcome),
}

/// Runs cases, and prints what they report.
///
/// # Errors
///
/// [`Error::Io`] when it cannot be printed.
pub(super) fn run(part: &str, cases: impl FnOnce(&Report) + Send + 'static) -> Result<bool, Error> {
    let (events, received) = mpsc::channel();
    let report = Report {
        part: part.to_owned(),
        events,
    };
    thread::Builder::new()
        .name("cases".to_owned())
        .spawn(move || cases(&report))?;
    let (mut passed, mut failed) = (0, 0);
    let mut running = None;
    loop {
        let outcome = match received.recv_timeout(LONGEST).ok() {
            Some(Event::Started(name)) => {
                running = Some(name);
                continue;
            }
            Some(Event::Ended(outcome)) => outcome,
            // A case that hangs is the last one: its thread is lost.
            None if running.is_some() => Err(Failure::new("no answer")),
            None => break,
        };
        let name = running.take().unwrap_or_default();
        match outcome {
            Ok(()) => {
                passed += 1;
                say(&format!("ok   {name}"))?;
            }
            Err(Failure(why)) => {
                failed += 1;
                say(&format!("FAIL {name}: {}", why.replace('\n', " ")))?;
            }
        }
    }
    say(&format!("{passed} passed, {failed} failed"))?;
    Ok(failed == 0 && passed > 0)
}

impl Report {
    /// Runs a case.
    pub(super) fn case(&self, name: &str, case: impl FnOnce() -> Outcome) {
        if name.contains(&self.part) {
            self.needed(name, || case().map(|()| Some(())));
        }
    }

    /// Runs a case that others need. `None`: it failed.
    pub(super) fn needed<T>(
        &self,
        name: &str,
        case: impl FnOnce() -> Result<T, Failure>,
    ) -> Option<T> {
        self.tell(Event::Started(name.to_owned()));
        let (value, outcome) = match case() {
            Ok(value) => (Some(value), Ok(())),
            Err(failure) => (None, Err(failure)),
        };
        self.tell(Event::Ended(outcome));
        value
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when an earlier case took too long.
        self.events.send(event).ok();
    }
}

impl Failure {
    /// A failure with a text.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Fails unless both are the same.
pub(super) fn equal<T: PartialEq + Debug>(found: T, expected: T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!(
        "got {}, expected {}",
        show(&found),
        show(&expected)
    )))
}

/// Fails unless it holds.
pub(super) fn holds(condition: bool, what: &str) -> Outcome {
    if condition {
        Ok(())
    } else {
        Err(Failure::new(format!("not so: {what}")))
    }
}

/// Fails unless a call failed, with a text in its error.
pub(super) fn fails_with<T: Debug, E: std::error::Error>(
    result: Result<T, E>,
    text: &str,
) -> Outcome {
    match result {
        Ok(value) => Err(Failure(format!(
            "got {}, expected the error '{text}'",
            show(&value)
        ))),
        Err(error) if error.to_string().contains(text) => Ok(()),
        Err(error) => Err(Failure(format!(
            "the error is '{error}', expected '{text}'"
        ))),
    }
}

fn show(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn say(line: &str) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// More than any case takes.
const LONGEST: Duration = Duration::from_secs(60);
