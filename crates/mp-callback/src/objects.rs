//! Object references in messages: objects of this process go out, the peer's come in, and each comes home.

use std::any::TypeId;
use std::sync::Arc;

use capnp::ErrorKind;
use capnp::capability::FromClientHook;
use capnp::private::capability::ClientHook;
use mp_conn::{Connection, Error, Lender, Object, Reference, ticket, ticket_index};

use crate::{Bytes, Interface, ProxyClient, ServerObject};

/// The object references of one message that is built or read.
#[derive(Debug, Default)]
pub struct Objects {
    /// `None`: the message is of plain data, and is built or read in place.
    connection: Option<Connection>,
    /// What was set in a message that is built.
    built: Vec<Reference>,
    /// The proxies among it, whose objects come home. They must not be destroyed before the peer has read the message.
    homes: Vec<ProxyClient>,
    /// What is in a message that is read.
    read: Vec<Option<Reference>>,
    /// Lends the bytes of a message that is read in place.
    lender: Lender,
}

impl Objects {
    /// For a message that is built.
    pub(crate) fn building(connection: &Connection) -> Self {
        Self {
            connection: Some(connection.clone()),
            ..Self::default()
        }
    }

    /// For a message that is read.
    pub(crate) fn reading(connection: &Connection, references: &[Option<Reference>]) -> Self {
        Self {
            connection: Some(connection.clone()),
            read: references.to_vec(),
            ..Self::default()
        }
    }

    /// For a message without objects that is read in place.
    pub(crate) fn lending(lender: Lender) -> Self {
        Self {
            lender,
            ..Self::default()
        }
    }

    /// Bytes of a message that is read, for longer than it can be borrowed.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Bytes {
        let lent = self.lender.lend(bytes);
        lent.map_or_else(|| Bytes::copied(bytes), Bytes::lent)
    }

    /// What was set, and the proxies of objects that come home with the message.
    pub(crate) fn into_built(self) -> (Vec<Reference>, Vec<ProxyClient>) {
        (self.built, self.homes)
    }

    /// Puts an object into the message. What comes back is for the field's setter.
    ///
    /// An object of the peer's goes home as itself. Any other is offered to the peer, and lives as long as the peer's
    /// reference; one that is itself a client of a third process's object is passed on through this process.
    pub fn set<I: Interface + ?Sized>(&mut self, object: &Arc<I>) -> Box<dyn ClientHook> {
        let reference = match self.home(object) {
            Some(proxy) => {
                let reference = Reference::Remote(proxy.capability().clone());
                self.homes.push(proxy);
                reference
            }
            None => Reference::Local(Arc::new(ServerObject::new(Arc::clone(object)))),
        };
        self.built.push(reference);
        ticket(self.built.len() - 1)
    }

    /// Takes an object out of the message.
    ///
    /// # Errors
    ///
    /// [`Error::NullObject`], which names the field; [`Error::Destroyed`] for an object of this process that was.
    pub fn get<I: Interface + ?Sized, C: FromClientHook>(
        &self,
        client: capnp::Result<C>,
        field: &'static str,
    ) -> Result<Arc<I>, Error> {
        self.get_optional::<I, C>(client, field)?
            .ok_or_else(|| null(field))
    }

    /// Takes an object out of the message. `None`: it is null.
    ///
    /// # Errors
    ///
    /// [`Error::Destroyed`] for an object of this process that was.
    pub fn get_optional<I: Interface + ?Sized, C: FromClientHook>(
        &self,
        client: capnp::Result<C>,
        field: &'static str,
    ) -> Result<Option<Arc<I>>, Error> {
        match self.reference(client, field)? {
            None => Ok(None),
            Some(Reference::Local(object)) => self.local::<I>(&object).map(Some),
            Some(Reference::Remote(capability)) => {
                let proxy = ProxyClient::new(capability, I::INFO)?;
                Ok(Some(I::into_object(I::from_proxy(proxy))))
            }
            Some(_) => Err(null(field)),
        }
    }

    /// Takes an object out of the message as a client.
    ///
    /// # Errors
    ///
    /// [`Error::NullObject`], which names the field.
    pub fn get_client<I: Interface + ?Sized, C: FromClientHook>(
        &self,
        client: capnp::Result<C>,
        field: &'static str,
    ) -> Result<I::Client, Error> {
        self.get_client_optional::<I, C>(client, field)?
            .ok_or_else(|| null(field))
    }

    /// Takes an object out of the message as a client. `None`: it is null.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`].
    pub fn get_client_optional<I: Interface + ?Sized, C: FromClientHook>(
        &self,
        client: capnp::Result<C>,
        field: &'static str,
    ) -> Result<Option<I::Client>, Error> {
        let capability = match self.reference(client, field)? {
            None => return Ok(None),
            Some(Reference::Remote(capability)) => capability,
            Some(Reference::Local(object)) => self.connection()?.loopback(&object)?,
            Some(_) => return Err(null(field)),
        };
        Ok(Some(I::from_proxy(ProxyClient::new(capability, I::INFO)?)))
    }

    /// The proxy of an object whose home is the connection's other end.
    fn home<I: Interface + ?Sized>(&self, object: &Arc<I>) -> Option<ProxyClient> {
        let proxy = object.as_proxy()?;
        let here = self.connection.as_ref()?.id();
        let there = proxy.connection().ok()?.id();
        (here == there).then(|| proxy.clone())
    }

    /// The object of this process behind a reference that came home.
    fn local<I: Interface + ?Sized>(&self, object: &Arc<dyn Object>) -> Result<Arc<I>, Error> {
        if let Some(cast) = object.cast(TypeId::of::<I>())
            && let Ok(original) = cast.downcast::<Option<Arc<I>>>()
        {
            return original.ok_or_else(|| Error::Destroyed {
                interface: I::INFO.name.to_owned(),
            });
        }
        // Not of this interface: the peer says so, and calls will tell.
        let capability = self.connection()?.loopback(object)?;
        let proxy = ProxyClient::new(capability, I::INFO)?;
        Ok(I::into_object(I::from_proxy(proxy)))
    }

    fn reference<C: FromClientHook>(
        &self,
        client: capnp::Result<C>,
        field: &'static str,
    ) -> Result<Option<Reference>, Error> {
        let hook = match client {
            Ok(client) => client.into_client_hook(),
            Err(error) if error.kind == ErrorKind::MessageContainsNullCapabilityPointer => {
                return Ok(None);
            }
            Err(error) => return Err(Error::bad_value(field, error)),
        };
        let index = ticket_index(hook.as_ref())
            .ok_or_else(|| Error::bad_value(field, "not an object of this message"))?;
        Ok(self.read.get(index).cloned().flatten())
    }

    fn connection(&self) -> Result<&Connection, Error> {
        self.connection
            .as_ref()
            .ok_or_else(|| Error::failed("a message of plain data holds an object"))
    }
}

fn null(field: &str) -> Error {
    Error::NullObject {
        field: field.to_owned(),
    }
}
