//! Two ends of a connection in one process.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use multiprocess::codegen::Interface;
use multiprocess::{Connection, EventLoop};

/// A client and a server, each with an event loop of its own. Both end with it.
#[derive(Debug)]
pub struct Pair<Client> {
    /// The client's reference to the server's object.
    pub client: Client,
    _server: Connection,
}

impl<Client: Clone + Send + Sync + 'static> Pair<Client> {
    /// Serves the object, and connects to it.
    ///
    /// # Panics
    ///
    /// Where there are no sockets or threads to be had.
    #[must_use]
    pub fn new<I: Interface<Client = Client> + ?Sized>(object: Arc<I>) -> Self {
        let (ours, theirs) = UnixStream::pair().expect("sockets can be made");
        let event_loop = |name| EventLoop::new(name).expect("an event loop can be started");
        let server = multiprocess::serve(&event_loop("server"), theirs, object);
        let client = multiprocess::connect::<I>(&event_loop("client"), ours).expect("it connects");
        let object = I::into_object(client.clone());
        if let Some(proxy) = object.as_proxy()
            && let Ok(connection) = proxy.connection()
        {
            connection.set_timeout(Some(PATIENCE));
        }
        Self {
            client,
            _server: server.expect("it can be served"),
        }
    }
}

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(60);
