//! Addresses, the files of sockets, and who may connect.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use mp_conn::{Address, Error, EventLoop, ListenOptions, Listener, Peers, Stream, listen};

use crate::util::{Echo, within_deadline};

fn start(event_loop: &EventLoop, path: &Path) -> Result<Listener, Error> {
    listen(event_loop, path, ListenOptions::default(), |_| {
        Arc::new(Echo)
    })
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn addresses_are_read_and_printed_as_bitcoin_core_does() {
    let parse = |text: &str| Address::parse(text, "/data", "node").map(|a| a.to_string());
    assert_eq!(parse("unix").unwrap(), "unix:/data/node.sock");
    assert_eq!(parse("unix:").unwrap(), "unix:/data/node.sock");
    assert_eq!(parse("unix:other.sock").unwrap(), "unix:/data/other.sock");
    assert_eq!(parse("unix:sub/x").unwrap(), "unix:/data/sub/x");
    assert_eq!(parse("unix:/run/x").unwrap(), "unix:/run/x");
    for text in ["", "unixx", "tcp:1", "UNIX:", "/run/x", " unix"] {
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            format!("Unrecognized address '{text}'")
        );
    }
    let long = "x".repeat(101);
    assert_eq!(
        parse(&format!("unix:{long}")).unwrap(),
        format!("unix:/data/{long}")
    );
    let error = parse(&format!("unix:{long}y")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Unix address path \"/data/{long}y\" exceeded maximum socket path length")
    );
    assert!(Address::unix("/a\0b").is_err());
    assert!(Address::unix("").is_err());
}

#[test]
fn files_and_directories_are_for_this_user_only() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("one/two/node.sock");
        let event_loop = EventLoop::new("access").unwrap();
        let address = Address::unix(&path).unwrap();
        let options = ListenOptions::default();
        let listener = listen(&event_loop, address.clone(), options, |_| Arc::new(Echo)).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&directory.path().join("one")), 0o700);
        assert_eq!(mode(&directory.path().join("one/two")), 0o700);
        let peer = address.connect(Peers::SameUser).unwrap().peer();
        assert_eq!(peer.pid, Some(std::process::id()));
        assert_eq!(peer.uid, Some(rustix::process::geteuid().as_raw()));
        drop(listener);
        assert!(!path.exists());
        let error = address.connect(Peers::Any).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    });
}

#[test]
fn a_path_of_the_greatest_length_is_used_and_one_longer_refused() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let event_loop = EventLoop::new("access").unwrap();
        let room = 107 - directory.path().as_os_str().len() - 1;
        let path = directory.path().join("x".repeat(room));
        let _listener = start(&event_loop, &path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        let path = directory.path().join("x".repeat(room + 1));
        let error = start(&event_loop, &path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Unix address path \"{}\" exceeded maximum socket path length",
                path.display()
            )
        );
    });
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("access").unwrap();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "stale");
        let listener = start(&event_loop, &path).unwrap();
        let error = start(&event_loop, &path).unwrap_err().to_string();
        assert_eq!(error, in_use(&path));
        assert!(UnixStream::connect(&path).is_ok(), "it still listens");
        // Replaced by hand meanwhile: it is not the listener's any more.
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(listener);
        assert!(UnixStream::connect(&path).is_ok());
        drop(other);
    });
}

fn in_use(path: &Path) -> String {
    format!(
        "cannot listen at {}: Address already in use (os error 98)",
        path.display()
    )
}

#[test]
fn a_socket_whose_queue_is_full_is_in_use() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.sock");
        let event_loop = EventLoop::new("access").unwrap();
        let busy = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&busy, 0).unwrap();
        let _waiting = UnixStream::connect(&path).unwrap();
        let error = start(&event_loop, &path).unwrap_err().to_string();
        assert_eq!(error, in_use(&path));
    });
}

#[test]
fn nothing_but_a_socket_is_replaced() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let event_loop = EventLoop::new("access").unwrap();
        fs::write(at("file"), "precious").unwrap();
        fs::create_dir(at("directory")).unwrap();
        drop(UnixListener::bind(at("stale")).unwrap());
        symlink(at("stale"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        let datagram = UnixDatagram::bind(at("datagram")).unwrap();
        let is_there = |what| format!("{what} is there, and is not replaced");
        for (name, what) in [
            ("file", is_there("a file that is not a socket")),
            ("directory", is_there("a directory")),
            ("link", is_there("a symbolic link")),
            ("dangling", is_there("a symbolic link")),
            (
                "datagram",
                "Protocol wrong type for socket (os error 91)".to_owned(),
            ),
        ] {
            let error = start(&event_loop, &at(name)).unwrap_err().to_string();
            let path = at(name);
            assert_eq!(
                error,
                format!("cannot listen at {}: {what}", path.display())
            );
        }
        let error = start(&event_loop, &at("file/below")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot create directory {}: File exists (os error 17)",
                at("file").display()
            )
        );
        assert_eq!(fs::read(at("file")).unwrap(), b"precious");
        assert!(at("stale").exists());
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert!(!at("nowhere").exists());
        drop(datagram);
    });
}

/// Connects as another user, when the test below runs it.
#[test]
fn a_stranger() {
    let Some(path) = std::env::var_os("MP_TEST_STRANGER") else {
        return;
    };
    let mut stream = UnixStream::connect(PathBuf::from(path)).unwrap();
    // The end of the stream: the server hung up.
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0);
}

#[test]
fn other_users_are_refused_unless_they_are_welcome() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can be another user");
        return;
    }
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("node.sock");
        // Where the program was built, others may have no access.
        let program = directory.path().join("stranger");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let event_loop = EventLoop::new("access").unwrap();
        for peers in [Peers::SameUser, Peers::Any] {
            let mut options = ListenOptions::default();
            options.mode = 0o666;
            options.peers = peers;
            let (sender, accepted) = std::sync::mpsc::channel();
            let listener = listen(&event_loop, &*path, options, move |peer| {
                sender.send(peer.uid).unwrap();
                Arc::new(Echo)
            })
            .unwrap();
            assert_eq!(mode(&path), 0o666);
            let mut stranger = Command::new(&program)
                .args(["a_stranger", "--exact"])
                .env("MP_TEST_STRANGER", &path)
                .uid(65534)
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            if peers == Peers::Any {
                assert_eq!(accepted.recv().unwrap(), Some(65534));
                util::until("the stranger is connected", || {
                    !listener.connections().is_empty()
                });
                listener.connections()[0].close();
            }
            assert!(stranger.wait().unwrap().success());
            assert!(accepted.try_recv().is_err());
            drop(listener);
        }
        // A stream that tells nothing of its peer is refused as well.
        let stream = Stream::new(futures::io::Cursor::new(Vec::new()));
        let error = stream.require(Peers::SameUser).unwrap_err().to_string();
        assert!(error.starts_with("peer of unknown user refused"), "{error}");
        stream.require(Peers::Any).unwrap();
    });
}
