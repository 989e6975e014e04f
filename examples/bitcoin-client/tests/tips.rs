//! The tip of the chain, and waiting for it to change.

mod util;

use std::time::Duration;

use bitcoin_client::{Node, Version};
use futures::{FutureExt, StreamExt, TryStreamExt, future, join};
use patience::within_deadline;

use self::util::{timed, with_each_node, with_node};

#[test]
fn text_is_echoed() {
    with_each_node(|f| async move {
        let echo = f.node.echo().await.unwrap();
        for text in ["hallo", "", "haha"] {
            assert_eq!(echo.echo(text).await.unwrap(), text);
        }
    });
}

#[test]
fn a_node_says_what_chain_it_has() {
    with_each_node(|f| async move {
        assert!(f.mining.is_test_chain().await.unwrap());
        assert!(!f.mining.is_initial_block_download().await.unwrap());
        f.mock.mine(3);
        let tip = f.mining.tip().await.unwrap().unwrap();
        assert_eq!(tip, f.mock.tip());
        assert_eq!(tip.height, 3);
    });
}

#[test]
fn a_wait_ends_with_a_new_tip() {
    with_each_node(|f| async move {
        let old = f.mock.tip();
        let mut wait = f.mining.wait_tip_changed(old.hash, None);
        f.wait_for_waiting_of(1, &mut wait).await;
        f.mock.mine(1);
        let new = wait.await.unwrap().unwrap();
        assert_eq!((new, new.height), (f.mock.tip(), 1));
    });
}

#[test]
fn a_wait_ends_with_its_timeout() {
    with_each_node(|f| async move {
        let old = f.mock.tip();
        let timeout = Duration::from_millis(1200);
        let (tip, took) = timed(|| f.mining.wait_tip_changed(old.hash, Some(timeout))).await;
        assert_eq!(tip.unwrap().unwrap(), old);
        // It goes to the node as a fraction of milliseconds, and is rounded.
        let least = timeout - Duration::from_millis(1);
        assert!(took >= least, "took {took:?}");
    });
}

#[test]
fn dropping_a_wait_ends_it_at_the_node() {
    with_each_node(|f| async move {
        let mut other = f.mining.wait_tip_changed(f.mock.tip().hash, None);
        let mut given_up = f.mining.wait_tip_changed(f.mock.tip().hash, None);
        let both = future::join(&mut other, &mut given_up);
        f.wait_for_waiting_of(2, both).await;
        drop(given_up);
        f.node.settled().await;
        // Waits of version 30 are short ones, repeated when they are polled.
        if f.node.version() > Version::V30 {
            assert_eq!(f.mock.waiting(), 1, "the other wait goes on");
        }
        f.mock.mine(1);
        assert_eq!(other.await.unwrap().unwrap(), f.mock.tip());
    });
}

#[test]
fn a_stream_of_tips_follows_the_chain() {
    with_each_node(|f| async move {
        let mut tips = f.mining.tips();
        for height in 0..4 {
            let tip = tips.try_next().await.unwrap().unwrap();
            assert_eq!((tip, tip.height), (f.mock.tip(), height));
            f.mock.mine(1);
        }
        let mut next = tips.next();
        assert!(
            (&mut next).now_or_never().is_some_and(|tip| tip.is_some()) || next.await.is_some()
        );
        drop(tips);
        f.node.settled().await;
        assert_eq!(f.mock.waiting(), 0);
    });
}

#[test]
fn streams_end_when_the_node_stops() {
    with_each_node(|f| async move {
        let mut tips = f.mining.tips();
        assert!(tips.try_next().await.unwrap().is_some());
        let (end, ()) = join!(tips.try_next(), async {
            f.wait_for_waiting(1).await;
            f.mock.request_stop();
        });
        assert_eq!(end.unwrap(), None);
    });
}

#[test]
fn a_program_that_starts_before_its_node_finds_it_later() {
    within_deadline(|| {
        smol::block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("node.sock");
            let address = format!("unix:{}", path.display());
            let error = Node::connect(&address).await.unwrap_err();
            assert!(
                matches!(error, bitcoin_client::Error::NoNode { .. }),
                "{error}"
            );
            let mock = bitcoin_client::mock::MockNode::listen(&path, Version::V32).unwrap();
            let node = Node::connect(&address).await.unwrap();
            let mining = node.mining().await.unwrap();
            let template = mining.template(&util::no_cooldown()).await.unwrap();
            assert_eq!(
                template.header().await.unwrap().prev_blockhash,
                mock.tip().hash
            );
        });
    });
}

#[test]
fn json_rpc_needs_the_newest_version() {
    with_each_node(|f| async move {
        match f.node.rpc().await {
            Ok(rpc) => {
                assert_eq!(f.node.version(), Version::V32);
                let count = rpc
                    .call("getblockcount", serde_json::json!([]))
                    .await
                    .unwrap();
                assert_eq!(count, 0);
                let error = rpc
                    .call("nonsense", serde_json::json!([]))
                    .await
                    .unwrap_err();
                assert!(
                    matches!(error, bitcoin_client::Error::Rpc { code: -32601, .. }),
                    "{error}"
                );
                let reply = rpc.execute("no JSON", "/", "").await.unwrap();
                assert!(reply.contains("Top-level object parse error"), "{reply}");
            }
            Err(error) => {
                assert!(f.node.version() < Version::V32);
                assert_eq!(
                    error.to_string(),
                    format!(
                        "JSON-RPC needs a node of version 32, this one has {}",
                        f.node.version()
                    )
                );
            }
        }
    });
}

#[test]
fn the_waits_of_one_object_are_interrupted_together() {
    use bitcoin_client::schema::v32::init::{Init, InitClient};
    use bitcoin_client::schema::v32::mining::Mining as _;
    use multiprocess::{EventLoop, Stream};
    with_node(Version::V32, |f| async move {
        let event_loop = EventLoop::new("test").unwrap();
        let stream = Stream::unix(f.mock.address().strip_prefix("unix:").unwrap()).unwrap();
        let init: InitClient = multiprocess::connect::<dyn Init>(&event_loop, stream).unwrap();
        let mining = init.make_mining_async().await.unwrap();
        let hash = *AsRef::<[u8; 32]>::as_ref(&f.mock.tip().hash);
        let wait = mining.wait_tip_changed_async(&hash, f64::MAX);
        f.wait_for_waiting(1).await;
        mining.interrupt().unwrap();
        assert_eq!(wait.await.unwrap(), None);
    });
}
