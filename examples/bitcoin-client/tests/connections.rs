//! Many calls at once, nodes that stop, and what the library says when there is no node.

mod util;

use std::sync::Arc;

use bitcoin_client::mock::MockNode;
use bitcoin_client::{BlockTemplate, Echo, Error, Mining, Node, Version};
use futures::future::{join_all, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use patience::within_deadline;

use self::util::{MockProcess, SCHEMAS, comes_about, with_node};

#[test]
fn handles_can_go_anywhere() {
    fn goes_anywhere<T: Send + Sync + Clone + 'static>() {}
    goes_anywhere::<Node>();
    goes_anywhere::<Mining>();
    goes_anywhere::<BlockTemplate>();
    goes_anywhere::<Echo>();
}

#[test]
fn calls_are_answered_while_many_others_wait() {
    within_deadline(|| {
        let mut mock = MockProcess::start("v32");
        smol::block_on(async {
            let node = Node::connect(&mock.address).await.unwrap();
            let mining = node.mining().await.unwrap();
            let tip = mining.tip().await.unwrap().unwrap();
            let waits: Vec<_> = (0..100)
                .map(|_| mining.wait_tip_changed(tip.hash, None))
                .collect();
            assert_eq!(
                node.echo().await.unwrap().echo("still here").await.unwrap(),
                "still here"
            );
            mock.tell("mine");
            let tips = try_join_all(waits).await.unwrap();
            assert!(
                tips.iter()
                    .all(|tip| tip.is_some_and(|tip| tip.height == 1))
            );
        });
    });
}

#[test]
fn calls_that_wait_fail_when_the_node_is_killed() {
    within_deadline(|| {
        for schema in SCHEMAS {
            let mut mock = MockProcess::start(schema);
            smol::block_on(async {
                let node = Node::connect(&mock.address).await.unwrap();
                let mining = node.mining().await.unwrap();
                let tip = mining.tip().await.unwrap().unwrap();
                let template = mining.template(&util::no_cooldown()).await.unwrap();
                let mut waits: Vec<_> = (0..20)
                    .map(|_| {
                        mining
                            .wait_tip_changed(tip.hash, None)
                            .map(|result| result.map(drop))
                            .boxed()
                    })
                    .collect();
                waits.push(
                    template
                        .next(Default::default())
                        .map(|result| result.map(drop))
                        .boxed(),
                );
                assert_eq!(node.echo().await.unwrap().echo("x").await.unwrap(), "x");
                mock.kill();
                for result in join_all(waits).await {
                    assert!(matches!(result, Err(Error::NodeStopped)), "{result:?}");
                }
                let after = mining.tip().await;
                assert!(matches!(after, Err(Error::NodeStopped)), "{after:?}");
                let mut tips = mining.tips();
                assert!(tips.next().await.is_some_and(|tip| tip.is_err()));
                drop(template);
            });
        }
    });
}

#[test]
fn a_node_outlives_clients_that_vanish() {
    with_node(Version::V32, |f| async move {
        let address = f.mock.address();
        for _ in 0..20 {
            let node = Node::connect(&address).await.unwrap();
            let mining = node.mining().await.unwrap();
            let template = mining.template(&util::no_cooldown()).await.unwrap();
            let wait = template.next(Default::default());
            f.wait_for_waiting(1).await;
            drop((wait, template, mining, node));
        }
        f.wait_for_waiting(0).await;
        assert!(f.mining.tip().await.is_ok());
    });
}

#[test]
fn two_nodes_serve_five_clients_each() {
    within_deadline(|| {
        let directory = tempfile::tempdir().unwrap();
        let nodes = ["one", "two"].map(|name| {
            let path = directory.path().join(name);
            MockNode::listen(path, Version::V32).unwrap()
        });
        smol::block_on(async {
            let mut clients = Vec::new();
            for number in 0..10 {
                let node = &nodes[number % 2];
                clients.push(Node::connect(&node.address()).await.unwrap());
            }
            for (number, client) in clients.iter().enumerate() {
                let text = format!("client {number}");
                let echo = client.echo().await.unwrap();
                assert_eq!(echo.echo(&text).await.unwrap(), text);
            }
            assert_eq!(nodes.each_ref().map(MockNode::connections), [5, 5]);
        });
    });
}

#[test]
fn the_last_handle_closes_the_connection() {
    with_node(Version::V32, |f| async move {
        let node = Node::connect(&f.mock.address()).await.unwrap();
        let mut tips = node.mining().await.unwrap().tips();
        drop(node);
        assert!(
            tips.try_next().await.unwrap().is_some(),
            "the stream is a handle, too"
        );
        assert_eq!(f.mock.connections(), 2);
        drop(tips);
        comes_about(|| f.mock.connections() == 1).await;
    });
}

#[test]
fn errors_say_what_to_do() {
    within_deadline(|| {
        smol::block_on(async {
            let error = Node::connect("unix:/nowhere/node.sock")
                .await
                .unwrap_err()
                .to_string();
            assert_eq!(
                error,
                "no node listens on /nowhere/node.sock: is bitcoin-node running, and started with -ipcbind=unix?"
            );
            let error = Node::connect("tcp:127.0.0.1")
                .await
                .unwrap_err()
                .to_string();
            assert_eq!(error, "Unrecognized address 'tcp:127.0.0.1'");
            let error = Node::connect(&format!("unix:/{}", "x".repeat(200)))
                .await
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("exceeded maximum socket path length"),
                "{error}"
            );
        });
    });
}

#[test]
fn a_peer_that_is_no_node_is_told_apart() {
    struct NoMining;
    impl bitcoin_client::schema::v30::init::Init for NoMining {
        fn make_echo(
            &self,
        ) -> Result<Arc<dyn bitcoin_client::schema::v30::echo::Echo>, multiprocess::Error> {
            Err(multiprocess::Error::failed("no"))
        }

        fn make_mining(
            &self,
        ) -> Result<Arc<dyn bitcoin_client::schema::v30::mining::Mining>, multiprocess::Error>
        {
            Err(multiprocess::Error::NotImplemented(
                "nothing here".to_owned(),
            ))
        }
    }
    within_deadline(|| {
        smol::block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("x.sock");
            let event_loop = multiprocess::EventLoop::new("x").unwrap();
            let _listener = multiprocess::listen::<dyn bitcoin_client::schema::v30::init::Init>(
                &event_loop,
                path.as_path(),
                Arc::new(NoMining),
            )
            .unwrap();
            let error = Node::connect(&format!("unix:{}", path.display()))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::NotANode { .. }), "{error}");
            let silent = directory.path().join("silent.sock");
            let listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
            let address = format!("unix:{}", silent.display());
            let connect = Node::connect(&address);
            let hang_up = smol::unblock(move || drop(listener.accept().unwrap()));
            let (result, ()) = futures::join!(connect, hang_up);
            assert!(matches!(result, Err(Error::NodeStopped)), "{result:?}");
        });
    });
}
