//! Connections that end before, during and after a call.

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use multiprocess::Error;
use patience::{deadline, eventually, start, stress, within_deadline};
use scenarios::pair::{Pair, connection, event_loop};
use scenarios::party::PartyObject;
use scenarios::scenarios::{Callback, Party};

const AFTER: &str = "IPC client method called after disconnect.";
const INTERRUPTED: &str = "IPC client method call interrupted by disconnect.";

/// "Call IPC method after client connection is closed"
#[test]
fn call_ipc_method_after_client_connection_is_closed() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
        pair.client.close();
        assert_eq!(pair.party.add(1, 2).unwrap_err().to_string(), AFTER);
    });
}

/// "Calling IPC method after server connection is closed"
#[test]
fn calling_ipc_method_after_server_connection_is_closed() {
    within_deadline(|| {
        let pair = Pair::without_thread_maps();
        assert_eq!(pair.party.add(1, 2).unwrap(), 3);
        pair.server.close();
        assert_eq!(pair.party.add(1, 2).unwrap_err().to_string(), INTERRUPTED);
    });
}

/// "Calling IPC method and disconnecting during the call": a method without a context, and which of the two ends ends it.
#[test]
fn calling_ipc_method_and_disconnecting_during_the_call_stress() {
    stress(|| {
        for by_client in [true, false] {
            let pair = Pair::without_thread_maps();
            assert_eq!(pair.party.add(1, 2).unwrap(), 3);
            let ending = if by_client {
                &pair.client
            } else {
                &pair.server
            };
            let ending = ending.clone();
            pair.object.on_call(move || {
                ending.close();
                Ok(())
            });
            let error = pair.party.call_fn().unwrap_err().to_string();
            // The end that closed the connection itself knows that it did.
            let expected: &[&str] = if by_client {
                &[AFTER, INTERRUPTED]
            } else {
                &[INTERRUPTED]
            };
            assert!(expected.contains(&error.as_str()), "{error}");
        }
    });
}

/// "Calling IPC method, disconnecting and blocking during the call": the call fails at once, and what its method does later
/// hurts nobody.
#[test]
fn calling_ipc_method_disconnecting_and_blocking_during_the_call_stress() {
    stress(|| {
        let pair = Pair::new();
        let (release, released) = channel::<()>();
        let (finished, ends) = channel();
        let released = Mutex::new(released);
        let client = pair.client.clone();
        pair.object.on_call(move || {
            client.close();
            released.lock().unwrap().recv_timeout(deadline()).unwrap();
            finished.send(()).unwrap();
            Ok(())
        });
        let error = pair.party.run_fn().unwrap_err();
        assert!(error.is_disconnected(), "{error}");
        assert!(ends.try_recv().is_err(), "the method still runs");
        release.send(()).unwrap();
        ends.recv_timeout(deadline()).unwrap();
        eventually("the server's thread ends", || {
            pair.server.stats().threads == 0
        });
    });
}

/// "Worker thread destroyed before it is initialized": the connection ends while the thread is made.
#[test]
fn worker_thread_destroyed_before_it_is_initialized_stress() {
    stress(|| {
        for _ in 0..10 {
            let pair = Pair::new();
            pair.object.on_call(|| Ok(()));
            let server = pair.server.clone();
            // On the loop's thread, where it meets the making of the thread at one point or another.
            let closing = start("closes", move || {
                let event_loop = server.event_loop().clone();
                event_loop.post(move || server.close());
            });
            match pair.party.run_fn() {
                Ok(()) => {}
                Err(error) => assert_eq!(error.to_string(), INTERRUPTED),
            }
            closing.join().unwrap();
            eventually("the thread ends", || pair.server.stats().threads == 0);
        }
    });
}

/// "Calling async IPC method, with server disconnect racing the call": cancelled before it is executed, or not.
#[test]
fn calling_async_ipc_method_with_server_disconnect_racing_the_call_stress() {
    stress(|| {
        for _ in 0..10 {
            let pair = Pair::new();
            pair.object.on_int(Ok);
            pair.party.call_int_fn(1).unwrap();
            let server = pair.server.clone();
            let closing = start("closes", move || server.close());
            let ended = (0..).find_map(|number| pair.party.call_int_fn(number).err());
            assert_eq!(ended.unwrap().to_string(), INTERRUPTED);
            closing.join().unwrap();
        }
    });
}

/// "Calling async IPC method, with server disconnect after cleanup": the connection ends when the method is done, and its
/// answer is not out yet.
#[test]
fn calling_async_ipc_method_with_server_disconnect_after_cleanup_stress() {
    stress(|| {
        /// Ends the connection when it is dropped: after the method, before the answer.
        struct Closes(multiprocess::Connection);
        impl Drop for Closes {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        let pair = Pair::new();
        let closes = Mutex::new(Some(Closes(pair.server.clone())));
        pair.object.on_call(move || {
            drop(closes.lock().unwrap().take());
            Ok(())
        });
        assert_eq!(pair.party.run_fn().unwrap_err().to_string(), INTERRUPTED);
        eventually("the thread ends", || pair.server.stats().threads == 0);
    });
}

/// "Destroying ProxyClient<> with destroy method after peer disconnect": the server drops its reference to an object of a
/// client that is gone.
#[test]
fn destroying_proxy_client_with_destroy_method_after_peer_disconnect_stress() {
    stress(|| {
        let pair = Pair::new();
        let callback = Arc::new(Nothing);
        pair.party
            .save_callback(Some(Arc::<Nothing>::clone(&callback)))
            .unwrap();
        pair.client.close();
        let held = pair.object.saved().unwrap();
        assert!(held.call(1).unwrap_err().is_disconnected());
        pair.object.save_callback(None).unwrap();
        drop(held);
        eventually("the object is let go of", || {
            Arc::strong_count(&callback) == 1
        });
    });
}

/// The same while the server's method still runs: the answer waits for the `destroy` of what the method borrowed, but not
/// when there is nobody to answer.
#[test]
fn a_client_that_goes_away_while_its_callback_is_destroyed_does_not_hang_the_server_stress() {
    stress(|| {
        struct Slow(
            Mutex<std::sync::mpsc::Receiver<()>>,
            std::sync::mpsc::Sender<()>,
        );
        impl Callback for Slow {
            fn call(&self, arg: i32) -> Result<i32, Error> {
                Ok(arg)
            }
        }
        impl Drop for Slow {
            fn drop(&mut self) {
                self.1.send(()).unwrap();
                self.0.get_mut().unwrap().recv_timeout(deadline()).unwrap();
            }
        }
        let pair = Pair::new();
        let (go, going) = channel();
        let (started, starts) = channel();
        let party = pair.party.clone();
        party
            .save_callback(Some(Arc::new(Slow(Mutex::new(going), started))))
            .unwrap();
        let calling = start("calls", move || party.save_callback(None));
        // The destructor runs on the caller's own thread, and keeps it there.
        starts.recv_timeout(deadline()).unwrap();
        pair.client.close();
        eventually("the server's thread ends", || {
            pair.server.stats().threads == 0
        });
        go.send(()).unwrap();
        assert!(calling.join().unwrap().unwrap_err().is_disconnected());
    });
}

/// "SpawnProcess does not run callback in child": between fork and exec nothing is run that could wait for another thread.
#[test]
fn spawn_process_does_not_run_callback_in_child() {
    within_deadline(|| {
        // Other threads hold the allocator's locks at the moment of the fork, now and then.
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let busy = start("allocates", move || {
            while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
                drop(vec![0_u8; 4000]);
            }
        });
        for _ in 0..20 {
            let (process, stream) = mp_conn::spawn(Command::new("true")).unwrap();
            let status = process
                .wait(Some(Instant::now() + Duration::from_secs(30)))
                .unwrap();
            assert!(status.success());
            drop(stream);
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        busy.join().unwrap();
    });
}

/// A program that is not there is an error that names it.
#[test]
fn a_program_that_is_not_there_is_named() {
    let error = mp_conn::spawn(Command::new("/nowhere/to-be-found")).unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/to-be-found"),
        "{error}"
    );
}

/// A server that never was: the first call tells.
#[test]
fn a_socket_that_nobody_serves() {
    within_deadline(|| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        match multiprocess::connect::<dyn Party>(&event_loop("client"), ours) {
            Ok(party) => assert!(party.add(1, 2).unwrap_err().is_disconnected()),
            Err(error) => assert!(error.is_disconnected()),
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        let object: Arc<dyn Party> = PartyObject::new();
        multiprocess::serve(&event_loop("server"), theirs, object).unwrap();
        let party = multiprocess::connect::<dyn Party>(&event_loop("client"), ours).unwrap();
        assert_eq!(party.add(1, 2).unwrap(), 3);
        assert_eq!(connection::<dyn Party>(&party).stats().calls, 0);
    });
}

struct Nothing;

impl Callback for Nothing {
    fn call(&self, arg: i32) -> Result<i32, Error> {
        Ok(arg)
    }
}
