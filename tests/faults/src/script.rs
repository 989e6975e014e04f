//! A session that uses everything: what is played again and again while something breaks it.

use std::sync::Arc;

use futures::executor::block_on;
use multiprocess::Error;

use crate::faults::{Item, Listener, Site, SiteClient, Token};
use crate::live::Register;
use crate::site::Tracked;

/// Plays the session. The objects that it passes are in the register as long as they live.
///
/// # Errors
///
/// Those of the first call that fails.
///
/// # Panics
///
/// When a call succeeds with a wrong answer.
pub fn play(site: &SiteClient, register: &Register) -> Result<(), Error> {
    assert_eq!(site.add(1, 2)?, 3);
    assert_eq!(site.work(5)?, 5);
    callbacks(site, register)?;
    objects(site)?;
    saved(site, register)?;
    let waiting = [site.work_async(1), site.work_async(2), site.work_async(3)];
    for (number, answer) in (1..).zip(waiting) {
        assert_eq!(block_on(answer)?, number);
    }
    drop(site.work_async(4));
    drop(site.make_async(5));
    drop(site.borrow_async(Tracked::new(register, 6), 7));
    assert_eq!(site.add(2, 3)?, 5);
    Ok(())
}

/// Objects and functions that are there for one call.
fn callbacks(site: &SiteClient, register: &Register) -> Result<(), Error> {
    assert_eq!(site.borrow(Tracked::new(register, 10), 1)?, 11);
    let (inner, entry) = (site.clone(), register.enter(11));
    let nested = move |number: i32| Ok(inner.work(number)? + inner.add(entry.number(), 1)?);
    assert_eq!(site.apply(Arc::new(nested), 1)?, 13);
    let listener: Arc<dyn Listener> = Tracked::new(register, 12);
    let same = site.same(Arc::clone(&listener))?;
    assert!(Arc::ptr_eq(&same, &listener));
    Ok(())
}

/// Objects of the server's: dropped, destroyed, passed back, asked for before they are there.
fn objects(site: &SiteClient) -> Result<(), Error> {
    let item = site.make(20)?;
    assert_eq!(item.number()?, 20);
    assert_eq!(site.touch(Arc::clone(&item))?, 20);
    drop(item);
    let token = site.make_token(21)?;
    assert_eq!(token.read()?, 21);
    drop(token);
    let item = block_on(site.make_async(22))?;
    assert_eq!(item.number()?, 22);
    item.destroy()?;
    let token = site.make_token_async(23).pipelined()?;
    assert_eq!(token.read()?, 23);
    let item = site.make_async(24).pipelined()?;
    assert_eq!(block_on(item.number_async())?, 24);
    Ok(())
}

/// Objects of the client's that the server keeps.
fn saved(site: &SiteClient, register: &Register) -> Result<(), Error> {
    site.save(Tracked::new(register, 30))?;
    site.save(Tracked::new(register, 31))?;
    assert_eq!(site.notify(1)?, 63);
    assert_eq!(block_on(site.notify_async(2))?, 65);
    site.forget()?;
    Ok(())
}
