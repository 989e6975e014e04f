//! Makes a corpus: what the two ends of a session say to each other, and compiled schemas.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use faults::convert::Fragile;
use faults::faults::{Site, SiteClient};
use faults::live::Register;
use faults::pair::Loops;
use faults::patience::start;
use faults::script;

use crate::corpus::directory;
use crate::targets::connection;

/// Writes the corpus of all targets.
///
/// # Panics
///
/// When a file cannot be written, or a call fails.
pub fn all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."));
    for name in [
        "tests/faults/schema/faults.capnp",
        "examples/calculator/schema/calculator.capnp",
    ] {
        let path = root.join(name);
        let parent = path.parent().unwrap_or(root);
        let loader = mp_schema::Loader::new().src_prefix(parent).file(&path);
        let schema = loader.load().expect("the schema is right");
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        save("schema", &name, &schema.request);
    }
    let (said, answered) = session(|site| {
        script::play(site, &Register::default()).expect("nothing disturbs it");
    });
    save("server", "session", &said);
    save("client", "other", &answered);
    let (said, answered) = session(|site| {
        connection::call(site, &Register::default()).expect("nothing disturbs it");
    });
    save("server", "calls", &said);
    save("client", "session", &answered);
    let (said, answered) = session(|site| {
        site.add(1, 2).expect("it adds");
        site.make(1).expect("it makes an item");
    });
    save("server", "short", &said);
    save("client", "short", &answered);
    let (said, _) = session(|site| {
        for text in [
            "",
            "text",
            "a longer text that needs several words",
            "\u{fc}\u{20ac}\u{1f600}",
        ] {
            site.convert(&Fragile(text.to_owned()))
                .expect("it gives texts back");
        }
        for number in [0, 1, -1, i32::MAX, i32::MIN] {
            site.add(number, number).expect("it adds");
            site.work(number).expect("it gives numbers back");
        }
    });
    save("readers", "values", &said);
}

/// The bytes that a client and its server sent.
fn session(body: impl FnOnce(&SiteClient)) -> (Vec<u8>, Vec<u8>) {
    let pair = || UnixStream::pair().expect("sockets can be made");
    let ((ours, near), (theirs, far)) = (pair(), pair());
    let said = tee(&near, &far);
    let answered = tee(&far, &near);
    let pair = Loops::new().pair_on(ours, theirs);
    body(&pair.site);
    pair.object.forget().expect("it forgets");
    pair.end();
    let bytes = |thread: std::thread::JoinHandle<Vec<u8>>| thread.join().expect("it only copies");
    (bytes(said), bytes(answered))
}

fn tee(from: &UnixStream, to: &UnixStream) -> std::thread::JoinHandle<Vec<u8>> {
    let copy = |stream: &UnixStream| stream.try_clone().expect("descriptors can be copied");
    let (mut from, mut to) = (copy(from), copy(to));
    start("copies", move || {
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            all.extend_from_slice(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        all
    })
}

fn save(target: &str, name: &str, bytes: &[u8]) {
    let directory = directory(target);
    fs::create_dir_all(&directory).expect("the corpus can be written");
    fs::write(directory.join(name), bytes).expect("the corpus can be written");
}
