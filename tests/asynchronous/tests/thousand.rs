//! What many calls at once cost this process. The only test here: others would have threads, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command;

use asynchronous::desk::Desk;
use faults::patience::within_deadline;
use futures::future::try_join_all;
use multiprocess::EventLoop;
use tokio::task::JoinHandle;

#[test]
fn a_thousand_waits_at_once_take_no_thread_here() {
    within_deadline(|| {
        let event_loop = EventLoop::new("client").unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_desk"));
        let (desk, _process) = multiprocess::spawn::<dyn Desk>(&event_loop, program).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        runtime.block_on(async {
            assert_eq!(desk.echo_async("first").await.unwrap(), "first");
            let before = threads();
            let calls: Vec<_> = (0..1_000)
                .map(|number| {
                    let desk = desk.clone();
                    tokio::spawn(async move { desk.wait_async(number).await.unwrap() })
                })
                .collect();
            // As many as there may be run at a time, each blocking a thread over there. When there are so many, all are let go,
            // and so are those that come then.
            let mut most = 0;
            while !calls.iter().all(JoinHandle::is_finished) {
                most = most.max(desk.waiting_async().await.unwrap());
                assert!(most <= 256 && threads() <= before);
                if most == 256 {
                    desk.release_async().await.unwrap();
                }
                tokio::task::yield_now().await;
            }
            let answers = try_join_all(calls).await.unwrap();
            assert!(answers.into_iter().eq(0..1_000));
            assert!(threads() <= before, "{before} threads, now {}", threads());
        });
    });
}

/// How many threads this process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
