//! What the log says about threads.

use std::io::Write;
use std::sync::{Arc, Mutex};

use scenarios::pair::Pair;
use scenarios::patience::{start, within_deadline};
use scenarios::scenarios::Party;

/// The first request on a thread that was just made says the thread's whole name, as do all others.
#[test]
fn requests_say_the_names_of_their_threads() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
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
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
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

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
