//! A panic in a user's code is the failure of one call: other calls and connections go on.

use std::sync::Arc;

use faults::convert::{BREAKS_WHEN_BUILT, BREAKS_WHEN_READ, Fragile};
use faults::faults::{Item, Listener, Site, Token};
use faults::live::Register;
use faults::pair::{Loops, Pair, nothing_left};
use faults::patience::{eventually, soon, within_deadline};
use faults::site::{SiteObject, Tracked};
use futures::executor::block_on;
use multiprocess::Error;

/// Runs a test on one of two connections of the same event loops, and checks that both go on.
fn beside(body: impl FnOnce(&Pair) + Send + 'static) {
    within_deadline(|| {
        let loops = Loops::new();
        let (pair, other) = (loops.pair(), loops.pair());
        assert_eq!(other.site.work(1).expect("it goes on"), 1);
        body(&pair);
        for pair in [&pair, &other] {
            assert_eq!(pair.site.add(1, 2).expect("it goes on"), 3);
            assert_eq!(pair.site.work(2).expect("it goes on"), 2);
            assert_eq!(block_on(pair.site.work_async(3)).expect("it goes on"), 3);
            eventually("no call is left", || pair.client.stats().calls == 0);
            eventually("no request is left", || pair.server.stats().requests == 0);
        }
        pair.end();
        other.end();
    });
}

fn fails_with(text: &str, result: Result<i32, Error>) {
    let error = result.expect_err("it fails").to_string();
    assert_eq!(error, format!("remote exception: std::exception: {text}"));
}

#[test]
fn in_a_method() {
    beside(|pair| {
        pair.object.on_work(|number| match number {
            ..10 => Ok(number),
            10 => panic!("a text"),
            11 => panic!("number {number}"),
            12 => std::panic::panic_any(Bomb(Register::default())),
            _ => std::panic::panic_any(number),
        });
        fails_with("panicked: a text", pair.site.work(10));
        fails_with("panicked: number 11", pair.site.work(11));
        // What it panicked with panics when it is dropped.
        fails_with("panicked: (no text)", pair.site.work(12));
        fails_with("panicked: (no text)", pair.site.work(13));
        fails_with("panicked: a text", block_on(pair.site.work_async(10)));
    });
}

#[test]
fn in_a_closure_that_is_called_back() {
    beside(|pair| {
        let text = "panicked: in a closure";
        let nested = format!("remote exception: std::exception: {text}");
        for _ in 0..3 {
            let function = |_: i32| -> Result<i32, Error> { panic!("in a closure") };
            fails_with(&nested, pair.site.apply(Arc::new(function), 1));
            fails_with(
                &nested,
                block_on(pair.site.apply_async(Arc::new(function), 1)),
            );
        }
    });
}

/// Panics when it is dropped.
struct Bomb(Register);

impl Drop for Bomb {
    fn drop(&mut self) {
        drop(self.0.enter(0));
        panic!("in a destructor");
    }
}

impl Listener for Bomb {
    fn hear(&self, number: i32) -> Result<i32, Error> {
        Ok(number)
    }
}

impl Item for Bomb {
    fn number(&self) -> Result<i32, Error> {
        Ok(1)
    }
}

impl Token for Bomb {
    fn read(&self) -> Result<i32, Error> {
        Ok(2)
    }
}

#[test]
fn in_a_destructor() {
    beside(|pair| {
        let register = Register::default();
        let gone = |count| {
            eventually("the destructor ran", || register.gone().len() == count);
        };
        // By the `destroy` that the peer sends when the method is done.
        let borrowed = pair.site.borrow_async(Arc::new(Bomb(register.clone())), 4);
        assert_eq!(block_on(borrowed).unwrap(), 4);
        gone(1);
        // In a call that is given up.
        drop(pair.site.borrow_async(Arc::new(Bomb(register.clone())), 5));
        gone(2);
        pair.site.save(Arc::new(Bomb(register.clone()))).unwrap();
        pair.site.forget().unwrap();
        gone(3);
    });
}

#[test]
fn in_destructors_when_the_connection_ends() {
    within_deadline(|| {
        let (loops, register) = (Loops::new(), Register::default());
        let (pair, other) = (loops.pair(), loops.pair());
        for _ in 0..3 {
            pair.site.save(Arc::new(Bomb(register.clone()))).unwrap();
            pair.site.save(Tracked::new(&register, 7)).unwrap();
        }
        pair.server.close();
        pair.client.wait_closed(Some(soon())).unwrap();
        eventually("all are gone", || {
            register.gone().len() == 6 && register.live() == 0
        });
        nothing_left(&pair.client, "client");
        assert_eq!(other.site.work(1).unwrap(), 1);
        pair.end();
        other.end();
    });
}

/// Hands out bombs.
struct Maker(Register);
impl Site for Maker {
    fn add(&self, a: i32, b: i32) -> Result<i32, Error> {
        SiteObject::new().add(a, b)
    }
    fn work(&self, number: i32) -> Result<i32, Error> {
        Ok(number)
    }
    fn convert(&self, value: &Fragile) -> Result<Fragile, Error> {
        Ok(value.clone())
    }
    fn borrow(&self, listener: Arc<dyn Listener>, number: i32) -> Result<i32, Error> {
        listener.hear(number)
    }
    fn apply(
        &self,
        function: Arc<dyn faults::faults::NumberFn>,
        number: i32,
    ) -> Result<i32, Error> {
        function.call(number)
    }
    fn save(&self, _: Arc<dyn Listener>) -> Result<(), Error> {
        Ok(())
    }
    fn notify(&self, number: i32) -> Result<i32, Error> {
        Ok(number)
    }
    fn forget(&self) -> Result<(), Error> {
        Ok(())
    }
    fn same(&self, listener: Arc<dyn Listener>) -> Result<Arc<dyn Listener>, Error> {
        Ok(listener)
    }
    fn make(&self, _: i32) -> Result<Arc<dyn Item>, Error> {
        Ok(Arc::new(Bomb(self.0.clone())))
    }
    fn make_token(&self, _: i32) -> Result<Arc<dyn Token>, Error> {
        Ok(Arc::new(Bomb(self.0.clone())))
    }
    fn touch(&self, item: Arc<dyn Item>) -> Result<i32, Error> {
        item.number()
    }
}

#[test]
fn in_the_destructor_of_an_explicit_destroy() {
    within_deadline(|| {
        let (loops, register) = (Loops::new(), Register::default());
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let maker: Arc<dyn Site> = Arc::new(Maker(register.clone()));
        let server = multiprocess::serve(&loops.server, theirs, maker).unwrap();
        let site = multiprocess::connect::<dyn Site>(&loops.client, ours).unwrap();
        let item = block_on(site.make_async(1)).unwrap();
        let error = item.destroy().unwrap_err().to_string();
        assert!(
            error.ends_with("destructor panicked: in a destructor"),
            "{error}"
        );
        assert_eq!(register.gone().len(), 1);
        drop(site.make(1).unwrap());
        drop(site.make_token(1).unwrap());
        eventually("the destructors ran", || register.gone().len() == 3);
        assert_eq!(site.work(1).unwrap(), 1);
        drop((item, site));
        server.wait_closed(Some(soon())).unwrap();
        nothing_left(&server, "server");
    });
}

#[test]
fn in_a_conversion() {
    beside(|pair| {
        let convert = |text: &str| pair.site.convert(&Fragile(text.to_owned()));
        assert_eq!(convert("fine").unwrap(), Fragile("fine".to_owned()));
        // At the caller, when the params are built.
        let built = convert(BREAKS_WHEN_BUILT).unwrap_err().to_string();
        assert!(built.contains("cannot be built"), "{built}");
        // At the server, when the params are read, and when the results are built.
        let read = convert(BREAKS_WHEN_READ).unwrap_err().to_string();
        assert_eq!(
            read,
            "remote exception: std::exception: panicked: cannot be read"
        );
        let built = convert(&format!("give {BREAKS_WHEN_BUILT}"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            built,
            "remote exception: std::exception: panicked: cannot be built"
        );
        // At the caller, when the results are read.
        let read = convert(&format!("give {BREAKS_WHEN_READ}"))
            .unwrap_err()
            .to_string();
        assert!(read.contains("cannot be read"), "{read}");
        let waiting = pair
            .site
            .convert_async(&Fragile(format!("give {BREAKS_WHEN_READ}")));
        let read = block_on(waiting).unwrap_err().to_string();
        assert!(read.contains("cannot be read"), "{read}");
        assert_eq!(convert("fine").unwrap(), Fragile("fine".to_owned()));
    });
}
