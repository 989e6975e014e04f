//! Bytes of params that an object keeps without copying them.

mod util;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mp_conn::{Error, EventLoop, LentBytes, Limits, Object, ServerCall};

use crate::util::{echo, pair, within_deadline};

/// Keeps what is lent of each call's text, and answers with how many bytes that are.
#[derive(Default)]
struct Keeper {
    kept: Mutex<Vec<Option<LentBytes>>>,
}

impl Keeper {
    fn kept(&self) -> MutexGuard<'_, Vec<Option<LentBytes>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Keeper {
    fn context_field(&self, _interface_id: u64, _ordinal: u16) -> Option<u16> {
        None
    }

    fn call(&self, call: ServerCall) {
        let lent = call.lend_params(|params, lender| {
            let text = params.get_as::<capnp::text::Reader<'_>>()?;
            Ok(lender.lend(text.as_bytes()))
        });
        let Ok(lent) = lent else {
            return call.fail(&Error::failed("no text"));
        };
        let len = lent.as_ref().map_or(0, |lent| lent.len());
        self.kept().push(lent);
        // Fails when the connection has ended.
        call.reply(&[], |mut results| {
            Ok(results.set_as::<capnp::text::Owned>(&*len.to_string())?)
        })
        .unwrap_or_default();
    }
}

#[test]
fn lent_bytes_stay_as_they_are_while_others_come_and_when_the_connection_ends() {
    within_deadline(|| {
        let keeper = Arc::new(Keeper::default());
        let event_loop = EventLoop::new("lent").unwrap();
        let (peer, server) = pair(
            &event_loop,
            Arc::<Keeper>::clone(&keeper),
            Limits::default(),
        );
        let texts: Vec<String> = (0..40_usize)
            .map(|index| {
                let size = [100, 3000, 5000, 70_000, 1 << 20][index % 5];
                char::from(b'A' + index as u8)
                    .to_string()
                    .repeat(size + index)
            })
            .collect();
        for text in &texts {
            // A message of a few pages or more lends, a small one does not.
            let lent = if text.len() < 4096 { 0 } else { text.len() };
            assert_eq!(echo(&peer, 0, text).unwrap(), lent.to_string());
            if text.len() > 1 << 20 {
                // Its memory can be used for the next.
                keeper.kept().pop();
                keeper.kept().push(None);
            }
        }
        server.close();
        drop((peer, server));
        let kept = keeper.kept();
        assert!(kept.iter().flatten().count() >= texts.len() / 5 * 2);
        for (lent, text) in kept.iter().zip(&texts) {
            if let Some(lent) = lent {
                assert_eq!(**lent, *text.as_bytes());
            }
        }
    });
}
