//! What many calls at once cost this process. The only test here: others would have threads, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod util;

use bitcoin_client::Node;
use futures::future::try_join_all;

use self::util::{MockProcess, with_deadline};

#[test]
fn a_thousand_calls_at_once_take_no_thread_here() {
    with_deadline(|| {
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
            let tasks: Vec<_> = (0..1_000)
                .map(|number| {
                    let echo = echo.clone();
                    tokio::spawn(async move {
                        let text = format!("call {number}");
                        assert_eq!(echo.echo(&text).await.unwrap(), text);
                    })
                })
                .collect();
            let during = threads();
            try_join_all(tasks).await.unwrap();
            assert!(
                during <= before && threads() <= before,
                "{before} threads, then {during}, then {}",
                threads()
            );
        });
    });
}

/// How many threads this process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}
