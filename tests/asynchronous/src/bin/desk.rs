//! Serves a desk whose methods block to the process that started it.

use std::sync::Arc;

use asynchronous::blocking_desk::BlockingDesk;
use multiprocess::{Error, EventLoop, Stream};

fn main() -> Result<(), Error> {
    let descriptor = std::env::args().nth(1).ok_or("usage: desk <fd>")?;
    let stream = Stream::inherited(descriptor.parse().map_err(Error::failed)?)?;
    let desk: Arc<dyn asynchronous::desk::Desk> = Arc::new(BlockingDesk::default());
    multiprocess::serve(&EventLoop::new("desk")?, stream, desk)?.wait_closed(None)
}
