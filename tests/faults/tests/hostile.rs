//! A server in a process of its own, under attack: another client is served as ever. `MP_HOSTILE` says how many connections
//! are left half open, and gives the server its usual limits; without it the limits are lower, and the test is short.

#![expect(clippy::print_stdout, reason = "the figures are what one wants to see")]

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use faults::attack::{ATTACKS, Attack, Target};
use faults::faults::{Site, SiteClient};
use faults::patience::{deadline, eventually, within};
use faults::process::Usage;
use faults::site::SiteObject;
use multiprocess::{EventLoop, Limits, Options};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn a_server_under_attack_serves_others() {
    within("the attacks", 10 * deadline(), || {
        let descriptors = raise_descriptors();
        let asked = asked().unwrap_or(HALF_OPEN);
        let half_open = asked.min(descriptors.saturating_sub(SPARE));
        if half_open < asked {
            println!("only {half_open} connections: {descriptors} descriptors are allowed");
        }
        let directory = tempfile::tempdir().expect("directories can be made");
        let target = Target {
            path: directory.path().join("site.sock"),
            event_loop: EventLoop::new("client").expect("an event loop can be started"),
            half_open,
        };
        let server = Server::start(&target);
        let site = target.client().with_timeout(in_time());
        // Its threads are there from now on.
        Latency::of(&site);
        for attack in ATTACKS {
            survives(attack, &target, &server, &site);
        }
    });
}

/// The server that the test above starts. On its own it does nothing.
#[test]
fn the_server() {
    let Some(path) = std::env::var_os(SOCKET) else {
        return;
    };
    raise_descriptors();
    let event_loop = EventLoop::new("server").expect("an event loop can be started");
    let site: Arc<dyn Site> = SiteObject::new();
    let options = Options::new()
        .limits(limits())
        .max_connections(asked().unwrap_or(HALF_OPEN) + SPARE);
    let listener = options.listen(&event_loop, std::path::Path::new(&path), site);
    let _listener = listener.expect("it can listen");
    println!("{LISTENS}");
    // Until the test is over, however it ends.
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
}

fn survives(attack: Attack, target: &Target, server: &Server, site: &SiteClient) {
    let (usage, latency) = (server.usage(), Latency::of(site));
    let running = attack.start(target);
    let (attacked, during) = (server.usage(), Latency::of(site));
    println!("{attack:?}:");
    println!("    before: {latency}; {usage}");
    println!("    during: {during}; {attacked}");
    assert!(running.goes_on(), "{attack:?}: it was over too soon");
    let late = target.client().with_timeout(in_time());
    assert_eq!(late.add(1, 2).expect("others can still connect"), 3);
    drop(late);
    let limits = limits();
    let most = limits.queued_bytes + 4 * limits.message_bytes + limits.request_bytes;
    let grown = server.usage().memory.saturating_sub(usage.memory);
    assert!(
        grown < most / 1024 + SLACK,
        "{attack:?}: {grown} KiB more than before"
    );
    running.stop();
    eventually("the server is as it was", || {
        let now = server.usage();
        now.threads <= usage.threads && now.descriptors <= usage.descriptors
    });
}

/// How long calls take.
struct Latency {
    median: Duration,
    worst: Duration,
}

impl Latency {
    /// Measures calls on a thread of the server's and on its event loop. The client is served
    /// meanwhile: each call has its answer before the client's timeout.
    fn of(site: &SiteClient) -> Self {
        let call = |number: i32| {
            let begin = Instant::now();
            assert_eq!(site.work(number).expect("served in time"), number);
            assert_eq!(site.add(number, 1).expect("served in time"), number + 1);
            begin.elapsed() / 2
        };
        let mut times: Vec<_> = (0..CALLS).map(call).collect();
        times.sort_unstable();
        Self {
            median: times[times.len() / 2],
            worst: times[times.len() - 1],
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, worst } = self;
        write!(f, "a call takes {median:.0?}, at worst {worst:.0?}")
    }
}

/// The process with the server. Dropping it ends it.
struct Server(Child);

impl Server {
    fn start(target: &Target) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["the_server", "--exact", "--nocapture"])
            .env(SOCKET, &target.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let output = child.stdout.take().expect("it is piped");
        let listens = BufReader::new(output)
            .lines()
            .any(|line| line.is_ok_and(|line| line.contains(LISTENS)));
        assert!(listens, "the server ended");
        Self(child)
    }

    fn usage(&self) -> Usage {
        Usage::of(self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself when its input does; a test that failed does not wait for that.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// How long a call may take while others attack: much longer than any takes, even on a busy machine.
fn in_time() -> Duration {
    deadline() / 3
}

/// How many half-open connections are asked for.
fn asked() -> Option<usize> {
    std::env::var("MP_HOSTILE").ok()?.parse().ok()
}

/// The usual limits in a long run, and in a short one limits that are reached soon.
fn limits() -> Limits {
    let mut limits = Limits::default();
    if asked().is_none() {
        limits.threads = 200;
        limits.pool_threads = 8;
        limits.exports = 2_000;
        limits.queued_bytes = 1 << 20;
        limits.message_bytes = 1 << 20;
        limits.request_bytes = 16 << 20;
    }
    limits
}

/// Allows this process as many descriptors as the system lets it. How many that are.
fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Then as many as there were.
    setrlimit(Resource::Nofile, raised).ok();
    let now = getrlimit(Resource::Nofile).current;
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

const SOCKET: &str = "MP_HOSTILE_SOCKET";
const LISTENS: &str = "the server listens";
/// Half-open connections in a short run.
const HALF_OPEN: usize = 500;
/// Connections and descriptors for everything else.
const SPARE: usize = 300;
/// Calls that are measured.
const CALLS: i32 = 200;
/// KiB that the server may use beside what its limits are about.
const SLACK: usize = 128 << 10;
