//! Objects in structs, unions, lists and maps: they arrive where they were put, and live as long as what holds them.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use generated::Pair;
use generated::holders::holders::{
    Bell, Holder, HolderWhich, Inner, Keeper, KeeperRaiseError, KeeperTwoResult,
};
use generated::holders::holders_capnp::holder as wire;
use multiprocess::codegen::{Objects, Read, capnp};
use multiprocess::{Error, client};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says its name, and tells when it ends.
struct Named(String, Option<Sender<String>>);

impl Bell for Named {
    fn ring(&self) -> Result<String, Error> {
        Ok(self.0.clone())
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(ended) = &self.1 {
            // Nobody may be waiting any more.
            ended.send(self.0.clone()).ok();
        }
    }
}

fn bell(name: &str) -> Arc<dyn Bell> {
    Arc::new(Named(name.to_owned(), None))
}

/// A bell, and who hears of its end.
fn mortal(name: &str) -> (Arc<dyn Bell>, Receiver<String>) {
    let (sender, ended) = channel();
    (Arc::new(Named(name.to_owned(), Some(sender))), ended)
}

fn holder(bell: &Arc<dyn Bell>) -> Holder {
    Holder {
        label: "label".to_owned(),
        bell: Arc::clone(bell),
        maybe: None,
        more: Vec::new(),
        other: None,
        which: HolderWhich::Nothing,
    }
}

#[derive(Default)]
struct Keeping(Mutex<Vec<Arc<dyn Bell>>>);

impl Keeper for Keeping {
    fn pass(&self, value: &Holder) -> Result<Holder, Error> {
        Ok(value.clone())
    }

    fn ring_all(&self, value: &Holder) -> Result<Vec<String>, Error> {
        let mut bells = vec![&value.bell];
        bells.extend(&value.maybe);
        bells.extend(&value.more);
        bells.extend(
            value
                .other
                .iter()
                .flat_map(|other| other.bells.iter().flatten()),
        );
        if let HolderWhich::Spare(bell) = &value.which {
            bells.push(bell);
        }
        bells.into_iter().map(|bell| bell.ring()).collect()
    }

    fn keep(&self, objects: &[Arc<dyn Bell>], _params: i32) -> Result<(), Error> {
        *self.0.lock().unwrap() = objects.to_vec();
        Ok(())
    }

    fn list(&self) -> Result<Vec<Option<Arc<dyn Bell>>>, Error> {
        let kept = self.0.lock().unwrap().clone();
        let own = [Some(bell("own")), None];
        Ok(own.into_iter().chain(kept.into_iter().map(Some)).collect())
    }

    fn make(&self, label: &str) -> Result<Holder, Error> {
        Ok(Holder {
            label: label.to_owned(),
            ..holder(&bell(label))
        })
    }

    fn named(
        &self,
        value: &BTreeMap<String, Arc<dyn Bell>>,
    ) -> Result<BTreeMap<String, Arc<dyn Bell>>, Error> {
        Ok(value.clone())
    }

    fn raise(&self, value: &Holder) -> Result<Arc<dyn Bell>, KeeperRaiseError> {
        Err(value.clone().into())
    }

    fn two(&self) -> Result<KeeperTwoResult, Error> {
        Ok(KeeperTwoResult {
            first: vec![bell("first")],
            second: holder(&bell("second")),
        })
    }
}

fn keeper() -> Pair<generated::holders::holders::KeeperClient> {
    let keeper: Arc<dyn Keeper> = Arc::new(Keeping::default());
    Pair::new(keeper)
}

#[test]
fn objects_arrive_where_they_were_put() {
    let pair = keeper();
    let full = Holder {
        maybe: Some(bell("maybe")),
        more: vec![bell("more 0"), bell("more 1")],
        other: Some(Inner {
            bells: vec![vec![], vec![bell("other 1 0")]],
        }),
        which: HolderWhich::Spare(bell("spare")),
        ..holder(&bell("bell"))
    };
    let rung = ["bell", "maybe", "more 0", "more 1", "other 1 0", "spare"];
    assert_eq!(pair.client.ring_all(&full).unwrap(), rung);
    assert_eq!(block_on(pair.client.ring_all_async(&full)).unwrap(), rung);
}

#[test]
fn objects_come_home_in_structs_lists_and_maps() {
    let pair = keeper();
    let ours = bell("ours");
    let sent = Holder {
        more: vec![Arc::clone(&ours)],
        ..holder(&ours)
    };
    for back in [
        pair.client.pass(&sent).unwrap(),
        block_on(pair.client.pass_async(&sent)).unwrap(),
        match pair.client.raise(&sent) {
            Err(KeeperRaiseError::Error(raised)) => *raised,
            _ => panic!("nothing was raised"),
        },
    ] {
        assert!(Arc::ptr_eq(&back.bell, &ours) && Arc::ptr_eq(&back.more[0], &ours));
        assert!(back.maybe.is_none() && back.other.is_none());
    }
    let map = BTreeMap::from([("key".to_owned(), Arc::clone(&ours))]);
    assert!(Arc::ptr_eq(&pair.client.named(&map).unwrap()["key"], &ours));
}

#[test]
fn objects_of_the_peer_are_clients() {
    let pair = keeper();
    let made = pair.client.make("made").unwrap();
    assert_eq!(made.bell.ring().unwrap(), "made");
    assert_eq!(format!("{:?}", made.bell), "Bell (of a peer)");
    assert_eq!(format!("{:?}", bell("ours")), "Bell");
    let twin = client(&made.bell).expect("it is a client");
    assert_eq!(block_on(twin.ring_async()).unwrap(), "made");
    assert!(client(&bell("ours")).is_none());
    let two = block_on(pair.client.two_async()).unwrap();
    assert_eq!(two.first[0].ring().unwrap(), "first");
    assert_eq!(two.second.bell.ring().unwrap(), "second");
}

#[test]
fn null_is_none_where_it_may_be_and_an_error_elsewhere() {
    let pair = keeper();
    pair.client.keep(&[bell("kept")], 0).unwrap();
    let list = pair.client.list().unwrap();
    let rung: Vec<_> = list
        .iter()
        .map(|bell| bell.as_ref().map(|bell| bell.ring().unwrap()))
        .collect();
    assert_eq!(
        rung,
        [Some("own".to_owned()), None, Some("kept".to_owned())]
    );
    // What a peer sends that leaves the field out.
    let mut empty = capnp::message::TypedBuilder::<wire::Owned>::new_default();
    empty.init_root();
    let empty = empty.into_reader();
    match Holder::read(empty.get().unwrap(), "value", &Objects::default()) {
        Err(Error::NullObject { field }) => assert_eq!(field, "Holder.bell"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_borrowed_is_free_when_the_call_returns() {
    let pair = keeper();
    let (ours, ended) = mortal("borrowed");
    let sent = Holder {
        more: vec![Arc::clone(&ours), Arc::clone(&ours)],
        ..holder(&ours)
    };
    assert_eq!(pair.client.ring_all(&sent).unwrap(), ["borrowed"; 3]);
    drop(sent);
    // The server destroyed its proxies before it answered.
    assert_eq!(Arc::strong_count(&ours), 1);
    drop(ours);
    assert_eq!(ended.try_recv().unwrap(), "borrowed");
}

#[test]
fn what_is_kept_lives_until_it_is_let_go() {
    let pair = keeper();
    let (ours, ended) = mortal("kept");
    pair.client.keep(&[Arc::clone(&ours)], 1).unwrap();
    assert!(Arc::strong_count(&ours) > 1);
    drop(ours);
    assert!(ended.try_recv().is_err());
    pair.client.keep(&[], 2).unwrap();
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap(), "kept");
}
