//! What the log says about threads.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use patience::{eventually, soon, start, stress, within_deadline};
use scenarios::pair::Pair;
use scenarios::scenarios::Party;

/// The first request on a thread that was just made says the thread's whole name, as do all others.
#[test]
fn requests_say_the_names_of_their_threads() {
    let lines = Lines::subscribed();
    within_deadline(|| {
        let pair = Pair::new();
        pair.object.on_int(Ok);
        for name in ["first", "second", "third"] {
            let party = pair.party.clone();
            start(name, move || party.call_int_fn(1).unwrap())
                .join()
                .unwrap();
        }
        assert_eq!(pair.party.pass_fn(Arc::new(|| Ok(1))).unwrap(), 1);
        pair.end();
    });
    let text = lines.text();
    let process = std::process::id();
    let posted: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("IPC server post request"))
        .collect();
    for name in ["first", "second", "third"] {
        let from = format!(" (from client-{process}/{name}-");
        let said = posted.iter().filter(|line| line.contains(&from)).count();
        assert_eq!(said, 1, "{name}: {text}");
    }
    for line in &posted {
        assert!(!line.contains("{}"), "a thread without a name: {line}");
    }
    // A callback goes to the thread that waits.
    let waits = format!("{{client-{process}/requests_say_the_names_of_their_threads-");
    assert!(posted.iter().any(|line| line.contains(&waits)), "{text}");
}

/// A method whose caller went away is reported as that, at whatever moment it was, and not as one that failed.
#[test]
fn a_caller_that_went_away_is_no_exception_of_the_method_stress() {
    let lines = Lines::subscribed();
    stress(|| {
        for _ in 0..10 {
            let pair = Pair::named("leaver");
            pair.object.on_int(Ok);
            pair.party.call_int_fn(1).unwrap();
            let server = pair.server.clone();
            let closing = start("closes", move || server.close());
            while pair.party.call_int_fn(2).is_ok() {}
            closing.join().unwrap();
        }
        // And one that certainly ends in the middle.
        let pair = Pair::named("leaver");
        let client = pair.client.clone();
        let server = pair.server.clone();
        pair.object.on_call(move || {
            client.close();
            server.wait_closed(Some(soon()))
        });
        pair.party.run_fn().unwrap_err();
        eventually("the method ends", || pair.server.stats().threads == 0);
    });
    let text = lines.text();
    let of_server = |line: &&str| line.contains("leaver") && line.contains("IPC server request #");
    let said: Vec<&str> = text.lines().filter(of_server).collect();
    let interrupted = "interrupted (canceled): nobody waits for its answer";
    assert!(said.iter().any(|line| line.contains(interrupted)), "{text}");
    for line in said {
        assert!(!line.contains("uncaught exception"), "{line}");
    }
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// What all tests of this process log.
    fn subscribed() -> Self {
        static LINES: OnceLock<Lines> = OnceLock::new();
        let start = || {
            let lines = Self::default();
            let writer = lines.clone();
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::DEBUG)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .init();
            lines
        };
        LINES.get_or_init(start).clone()
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
