//! What many calls at once cost this process. The only test here: others would have threads, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bitcoin_client::Node;
use futures::future::try_join_all;
use patience::within_deadline;

use self::util::MockProcess;

#[test]
fn a_thousand_calls_at_once_take_no_thread_here() {
    within_deadline(|| {
        let mock = MockProcess::start("v32");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let node = Node::connect(&mock.address).await.unwrap();
            let echo = node.echo().await.unwrap();
            let before = threads();
            let most = Arc::new(AtomicUsize::new(0));
            let calls = (0..1_000).map(|number| {
                let (echo, most) = (echo.clone(), Arc::clone(&most));
                tokio::spawn(async move {
                    let text = format!("call {number}");
                    assert_eq!(echo.echo(&text).await.unwrap(), text);
                    most.fetch_max(threads(), Ordering::Relaxed);
                })
            });
            try_join_all(calls).await.unwrap();
            let most = most.load(Ordering::Relaxed);
            assert!(most <= before, "{before} threads, and up to {most} later");
        });
    });
}

/// How many threads this process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
