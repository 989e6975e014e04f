//! A desk whose methods occupy the threads that call them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use multiprocess::Error;

use crate::desk::{
    Desk, DeskDivideError, DeskDivideResult, DeskEnterError, DeskRentResult, DeskSummaryResult,
    Listener, Named, NumberFn, Room,
};

/// The desk.
#[derive(Debug, Default)]
pub struct BlockingDesk {
    waits: Mutex<Waits>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct Waits {
    under_way: u32,
    releases: u32,
}

impl BlockingDesk {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk for BlockingDesk {
    fn echo(&self, text: &str) -> Result<String, Error> {
        Ok(text.to_owned())
    }

    fn wait(&self, number: i32) -> Result<i32, Error> {
        let mut waits = self.waits();
        waits.under_way += 1;
        let before = waits.releases;
        while waits.releases == before {
            waits = self
                .released
                .wait(waits)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waits.under_way -= 1;
        Ok(number)
    }

    fn release(&self) -> Result<(), Error> {
        self.waits().releases += 1;
        self.released.notify_all();
        Ok(())
    }

    fn waiting(&self) -> Result<u32, Error> {
        Ok(self.waits().under_way)
    }

    fn open(&self, number: i32) -> Result<Arc<dyn Room>, Error> {
        Ok(Arc::new(BlockingRoom(number)))
    }

    fn find(&self, number: i32) -> Result<Option<Arc<dyn Room>>, Error> {
        self.open(number).map(Some)
    }

    fn enter(&self, number: i32) -> Result<Arc<dyn Room>, DeskEnterError> {
        Ok(self.open(number)?)
    }

    fn rent(&self, number: i32) -> Result<DeskRentResult, Error> {
        let room = self.find(number)?;
        Ok(DeskRentResult { price: 0, room })
    }

    fn divide(&self, a: i32, b: i32) -> Result<DeskDivideResult, DeskDivideError> {
        Ok(DeskDivideResult {
            quotient: a / b,
            remainder: a % b,
        })
    }

    fn summary(&self, values: &[i32], want: bool) -> Result<DeskSummaryResult, Error> {
        Ok(DeskSummaryResult {
            max: values.iter().max().copied().filter(|_| want),
            result: values.iter().sum(),
        })
    }

    fn ask(&self, listener: Arc<dyn Listener>, number: i32) -> Result<i32, Error> {
        listener.hear(number)
    }

    fn apply(&self, function: Arc<dyn NumberFn>, number: i32) -> Result<i32, Error> {
        function.call(number)
    }
}

struct BlockingRoom(i32);

impl Named for BlockingRoom {
    fn name(&self) -> Result<String, Error> {
        Ok(format!("room {}", self.0))
    }
}

impl Room for BlockingRoom {
    fn number(&self) -> Result<i32, Error> {
        Ok(self.0)
    }
}
