//! What a thread waits for at the moment.

use crate::context::ThreadContext;

/// A wait for something on a connection.
pub(crate) struct Awaited<'a> {
    context: &'a ThreadContext,
    connection: u64,
}

impl<'a> Awaited<'a> {
    pub(crate) fn new(context: &'a ThreadContext, connection: u64) -> Self {
        context.awaited().borrow_mut().push(connection);
        Self {
            context,
            connection,
        }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.context.awaited().borrow_mut().pop();
        self.context.leave(self.connection);
    }
}
