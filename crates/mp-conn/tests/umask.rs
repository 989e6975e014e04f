//! The mode of a socket does not depend on the process's umask. A process has one: this test has a process of its own.

mod util;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use mp_conn::{EventLoop, ListenOptions, listen};
use rustix::fs::Mode;

#[test]
fn the_mode_of_a_socket_does_not_depend_on_the_umask() {
    util::within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let event_loop = EventLoop::new("umask").unwrap();
        for umask in [0o000, 0o022, 0o077, 0o277, 0o777] {
            rustix::process::umask(Mode::from_raw_mode(umask));
            for mode in [0o600, 0o660, 0o666] {
                let path = directory.path().join(format!("{umask:o}-{mode:o}.sock"));
                let mut options = ListenOptions::default();
                options.mode = mode;
                let _listener =
                    listen(&event_loop, &*path, options, |_| Arc::new(util::Echo)).unwrap();
                let metadata = std::fs::symlink_metadata(&path).unwrap();
                assert_eq!(
                    metadata.permissions().mode() & 0o777,
                    mode,
                    "umask {umask:o}"
                );
            }
        }
    });
}
