//! What has another name in Rust is called by it, and what clashed can be called at all.

use std::sync::Arc;

use futures::executor::block_on;
use generated::Pair;
use generated::names::names::{
    Async, FAVOURITE, Gen, INNER, More, NOTHING, NUMBERS, NewName, OUTER_DEPTH, PEOPLE, Paint,
    Renames, TYPE, Twins, TwinsAsyncResult, WORDS,
};
use multiprocess::Error;

type Result<T> = std::result::Result<T, Error>;

/// Answers with the number of the method.
struct Numbers;

impl Twins for Numbers {
    fn x(&self) -> Result<i32> {
        Ok(0)
    }
    fn x_async_2(&self) -> Result<i32> {
        Ok(1)
    }
    fn x_as_2(&self) -> Result<i32> {
        Ok(2)
    }
    fn clone_2(&self) -> Result<String> {
        Ok("clone".to_owned())
    }
    fn as_twins_client_2(&self) -> Result<String> {
        Ok("client".to_owned())
    }
    fn with_timeout_2(&self, seconds: i32) -> Result<i32> {
        Ok(seconds)
    }
    fn into_2(&self) -> Result<()> {
        Ok(())
    }
    fn drop_2(&self) -> Result<()> {
        Ok(())
    }
    fn to_owned_2(&self) -> Result<()> {
        Ok(())
    }
    fn as_ref_2(&self) -> Result<()> {
        Ok(())
    }
    fn dispatch(&self, call: i32, this: i32) -> Result<i32> {
        Ok(call + this)
    }
    fn from_proxy(&self, _proxy: i32) -> Result<()> {
        Ok(())
    }
    fn info(&self) -> Result<()> {
        Ok(())
    }
    fn fmt(&self, _f: i32) -> Result<()> {
        Ok(())
    }
    fn new(
        &self,
        objects: &[i32],
        params: &[i32],
        results: &str,
        _want_objects: bool,
    ) -> Result<Option<i32>> {
        let count = objects.len() + params.len() + results.len();
        Ok(i32::try_from(count).ok())
    }
    fn odd(&self) -> Result<()> {
        Ok(())
    }
    fn destroy_2(&self) -> Result<()> {
        Ok(())
    }
    fn stream(&self, value: i32) -> Result<()> {
        match value {
            0 => Err(Error::failed("nothing to stream")),
            _ => Ok(()),
        }
    }
    fn r#async(&self, self_: i32, r#await: &Async) -> Result<TwinsAsyncResult> {
        assert_eq!(self_, 7);
        Ok(TwinsAsyncResult {
            r#dyn: r#await.clone(),
            r#try: Gen::Crate,
        })
    }
    fn self_(&self) -> Result<()> {
        Ok(())
    }
}

impl More for Numbers {
    fn x_2(&self) -> Result<i32> {
        Ok(100)
    }
    fn own(&self) -> Result<()> {
        Ok(())
    }
    fn as_twins_client_3(&self) -> Result<i32> {
        Ok(102)
    }
}

#[test]
fn methods_that_would_clash_reach_their_own_implementation() {
    let object: Arc<dyn More> = Arc::new(Numbers);
    let pair = Pair::new(object);
    let more = &pair.client;
    assert_eq!(more.x().unwrap(), 0);
    assert_eq!(block_on(more.x_async()).unwrap(), 0);
    assert_eq!(more.x_async_2().unwrap(), 1);
    assert_eq!(block_on(more.x_async_2_async()).unwrap(), 1);
    assert_eq!(more.x_as_2().unwrap(), 2);
    assert_eq!(more.x_2().unwrap(), 100);
    assert_eq!(block_on(more.x_2_async()).unwrap(), 100);
    assert_eq!(more.clone().clone_2().unwrap(), "clone");
    assert_eq!(more.as_twins_client_2().unwrap(), "client");
    assert_eq!(more.as_twins_client_3().unwrap(), 102);
    assert_eq!(more.with_timeout_2(3).unwrap(), 3);
    let patient = more.with_timeout(std::time::Duration::from_secs(60));
    assert_eq!(patient.dispatch(20, 3).unwrap(), 23);
    assert_eq!(more.new(&[1], &[2, 3], "four", true).unwrap(), Some(7));
    assert_eq!(more.new(&[1], &[2, 3], "four", false).unwrap(), None);
    let sent = Async::default();
    assert_eq!(more.r#async(7, &sent).unwrap().r#try, Gen::Crate);
    assert_eq!(more.r#async(7, &sent).unwrap().r#dyn, sent);
}

#[test]
fn a_streaming_method_is_one_without_results() {
    let object: Arc<dyn More> = Arc::new(Numbers);
    let pair = Pair::new(object);
    pair.client.stream(1).unwrap();
    block_on(pair.client.stream_async(1)).unwrap();
    let error = pair.client.stream(0).unwrap_err().to_string();
    assert!(error.contains("nothing to stream"), "{error}");
}

/// Gives back what it gets.
struct Echo;

impl Renames for Echo {
    fn pass(&self, value: &NewName) -> Result<NewName> {
        Ok(value.clone())
    }
}

#[test]
fn names_and_options_of_rust_capnp_are_honoured() {
    let object: Arc<dyn Renames> = Arc::new(Echo);
    let pair = Pair::new(object);
    let mut value = NewName {
        kind: "kind".to_owned(),
        colour: Paint::Crimson,
        ..NewName::default()
    };
    value.extent.across = 9;
    assert_eq!(pair.client.pass(&value).unwrap(), value);
    assert_eq!(value.maybe, None);
    value.maybe = Some(String::new());
    value.list = Some(Vec::new());
    assert_eq!(pair.client.pass(&value).unwrap(), value);
}

#[test]
fn constants_of_every_type_are_there() {
    assert_eq!(FAVOURITE, Paint::Crimson);
    assert_eq!(*NUMBERS, [1, 2, 3]);
    assert_eq!(PEOPLE[1].text, "Grace");
    assert_eq!((INNER.m.value, INNER.f.value), (7, 8));
    assert_eq!(*WORDS, [vec!["a"], vec![], vec!["b", "c"]]);
    assert_eq!(NOTHING, ());
    assert_eq!((&*TYPE, &*OUTER_DEPTH), (&vec![-1], &vec![9]));
}
