//! Both ends of connections whose other end sends the input.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use faults::convert::Fragile;
use faults::faults::{Listener, Site, SiteClient};
use faults::live::Register;
use faults::pair::{Loops, connection, nothing_left};
use faults::patience::{eventually, soon, start, within};
use faults::site::{SiteObject, Tracked};
use futures::executor::block_on;
use multiprocess::{Connection, Error};

use super::Run;
use crate::mutate::split;

/// A server gets the input.
pub(super) fn server() -> Run {
    let loops = Loops::new();
    Box::new(move |input| drop(serve(&loops, input, Pace::of(input))))
}

/// The numbers of the objects that a server makes and lets go of when it gets an input that needs no answers: each frame when
/// the calls of those before are answered.
#[must_use]
pub fn made(input: &[u8]) -> Vec<i32> {
    serve(&Loops::new(), input, Pace::Patient)
}

/// The same with inputs that hold values of many kinds, whose generated readers see what is in them.
pub(super) fn readers() -> Run {
    server()
}

/// A client gets the input, whatever it asks for.
pub(super) fn client() -> Run {
    let loops = Loops::new();
    Box::new(move |input| {
        let (loops, input) = (loops.clone(), input.to_vec());
        within("the client", LONG, move || connect(&loops, &input));
    })
}

fn serve(loops: &Loops, input: &[u8], pace: Pace) -> Vec<i32> {
    let (mut ours, theirs) = UnixStream::pair().expect("sockets can be made");
    let receives = theirs.try_clone().expect("descriptors can be copied");
    let object = SiteObject::new();
    let served: Arc<dyn Site> = Arc::<SiteObject>::clone(&object);
    let server = multiprocess::serve(&loops.server, theirs, served).expect("it can be served");
    let mut reading = ours.try_clone().expect("descriptors can be copied");
    let reader = start("reads", move || {
        while matches!(reading.read(&mut [0; 4096]), Ok(1..)) {}
    });
    send(&mut ours, input, pace, &server, &receives);
    drop(receives);
    ours.shutdown(Shutdown::Write).ok();
    server
        .wait_closed(Some(soon()))
        .expect("the server notices the end");
    reader.join().expect("it only reads");
    object.forget().expect("it forgets");
    nothing_left(&server, "server");
    eventually("the server's objects are gone", || {
        object.register.live() == 0
    });
    object.register.gone()
}

fn connect(loops: &Loops, input: &[u8]) {
    let (ours, mut theirs) = UnixStream::pair().expect("sockets can be made");
    let receives = ours.try_clone().expect("descriptors can be copied");
    let register = Register::default();
    if let Ok(site) = multiprocess::connect::<dyn Site>(&loops.client, ours) {
        let client = connection::<dyn Site>(&site);
        let mut reading = theirs.try_clone().expect("descriptors can be copied");
        let reader = start("reads", move || {
            while matches!(reading.read(&mut [0; 4096]), Ok(1..)) {}
        });
        let objects = register.clone();
        let calls = start("calls", move || {
            // Which of them fail is up to the other end.
            call(&site, &objects).ok();
        });
        send(&mut theirs, input, Pace::of(input), &client, &receives);
        drop(receives);
        theirs.shutdown(Shutdown::Write).ok();
        calls.join().expect("calls only fail");
        client
            .wait_closed(Some(soon()))
            .expect("the client notices the end");
        reader.join().expect("it only reads");
        nothing_left(&client, "client");
    }
    eventually("the client's objects are gone", || register.live() == 0);
}

/// How an input is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// All at once.
    Hasty,
    /// Frame by frame, as a peer would that waits a little until each has been dealt with: some never are.
    Brisk,
    /// Frame by frame, each when the calls of those before are answered.
    Patient,
}

impl Pace {
    /// One input in four is sent in haste, always the same ones.
    fn of(input: &[u8]) -> Self {
        let sum = input.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if sum % 4 == 3 {
            Self::Hasty
        } else {
            Self::Brisk
        }
    }
}

fn send(
    stream: &mut UnixStream,
    input: &[u8],
    pace: Pace,
    receiver: &Connection,
    receives: &UnixStream,
) {
    if pace == Pace::Hasty {
        // It may be cut off before it has said everything.
        stream.write_all(input).ok();
        return;
    }
    // Read by now, and run; or it waits for an answer, which is in one of the next frames.
    let dealt_with = || {
        let unread = rustix::io::ioctl_fionread(receives).unwrap_or(0);
        let stats = receiver.stats();
        receiver.is_closed() || unread == 0 && (stats.requests == 0 || stats.calls > 0)
    };
    for frame in split(input) {
        if stream.write_all(&frame).is_err() {
            return;
        }
        if pace == Pace::Patient {
            eventually("the frame is dealt with", dealt_with);
            continue;
        }
        for _ in 0..WAITS {
            std::thread::park_timeout(Duration::from_micros(150));
            if dealt_with() {
                break;
            }
        }
    }
}

/// One call of each kind. Their answers do not matter.
///
/// # Errors
///
/// When not even the first gets through.
pub fn call(site: &SiteClient, register: &Register) -> Result<(), Error> {
    let listener: Arc<dyn Listener> = Tracked::new(register, 1);
    site.add(1, 2)?;
    let waiting = site.work_async(1);
    drop(site.borrow(Arc::clone(&listener), 1));
    drop(site.apply(Arc::new(|number: i32| Ok(number)), 1));
    if let Ok(same) = site.same(Arc::clone(&listener)) {
        drop(same.hear(1));
    }
    drop(site.convert(&Fragile("text".to_owned())));
    if let Ok(item) = site.make(1) {
        drop(item.number());
        drop(site.touch(item));
    }
    drop(site.make_async(2));
    if let Ok(token) = site.make_token(1) {
        drop(token.read());
    }
    drop(site.save(listener));
    drop(site.forget());
    drop(block_on(waiting));
    Ok(())
}

const WAITS: usize = 30;
const LONG: Duration = Duration::from_secs(40);
