//! A listener in a process that has no descriptor left. The limit is the process's: this test has a process of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mp_conn::{Capability, EventLoop, Limits, ListenOptions, Stream, connect, listen};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::util::{Echo, echo, until, within_deadline};

fn client(event_loop: &EventLoop, path: &Path) -> Capability {
    connect(event_loop, Stream::unix(path).unwrap(), Limits::default()).unwrap()
}

/// Leaves this many numbers for descriptors free.
fn leave_descriptors(count: usize) {
    let mut limit = 0;
    let mut free = 0;
    while free <= count {
        let path = format!("/proc/self/fd/{limit}");
        free += usize::from(std::fs::symlink_metadata(path).is_err());
        limit += 1;
    }
    let limit = Rlimit {
        current: Some(limit - 1),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// The time that this process has been computing for, in hundredths of a second, from its `stat` file.
fn computed(stat: &mut File) -> u64 {
    let mut text = String::new();
    stat.rewind().unwrap();
    stat.read_to_string(&mut text).unwrap();
    let fields: Vec<_> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_listener_without_descriptors_waits_until_there_are_some() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("server").unwrap();
        let listener = listen(&event_loop, &*path, ListenOptions::default(), |_| {
            Arc::new(Echo)
        })
        .unwrap();
        let first = client(&event_loop, &path);
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");

        let mut stat = File::open("/proc/self/stat").unwrap();
        // One for the client's end, none for the server's.
        leave_descriptors(1);
        let second = client(&event_loop, &path);
        let mut waiting = util::send(&second, 0, "2").unwrap();
        let start = (Instant::now(), computed(&mut stat));
        until("time passes", || start.0.elapsed().as_millis() > 700);
        assert!(computed(&mut stat) - start.1 < 20, "the event loop spins");
        assert!(util::is_pending(&mut waiting));
        assert_eq!(echo(&first, 0, "1").unwrap(), "1");

        // A connection that ends leaves room.
        drop(first);
        assert_eq!(util::wait(waiting).unwrap(), "2");

        // So does a limit that is raised, though nothing tells of it.
        leave_descriptors(1);
        let third = client(&event_loop, &path);
        let waiting = util::send(&third, 0, "3").unwrap();
        assert_eq!(echo(&second, 0, "2").unwrap(), "2");
        leave_descriptors(10);
        assert_eq!(util::wait(waiting).unwrap(), "3");
        assert_eq!(listener.connections().len(), 2);
    });
}
