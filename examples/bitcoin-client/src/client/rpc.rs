//! JSON-RPC over the node's socket.

use serde_json::{Value, json};

use super::answer::{Answer, answer};
use crate::schema::v32;
use crate::{Error, Result};

/// The node's JSON-RPC methods, without a password.
#[derive(Clone, Debug)]
pub struct Rpc {
    raw: v32::rpc::RpcClient,
}

impl Rpc {
    pub(crate) fn new(raw: v32::rpc::RpcClient) -> Self {
        Self { raw }
    }

    /// Calls a method; `params` is an array or an object. The node's errors are [`Error::Rpc`].
    #[must_use]
    pub fn call(&self, method: &str, params: Value) -> Answer<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let reply = self.execute(&request.to_string(), "/", "");
        Box::pin(async move { result(&reply.await?) })
    }

    /// Sends a request as it is, and gives the reply's text. `uri` is `/`, or `/wallet/NAME`; `user` is for the node's log.
    #[must_use]
    pub fn execute(&self, request: &str, uri: &str, user: &str) -> Answer<String> {
        answer(self.raw.execute_rpc_async(request, uri, user), Ok)
    }
}

fn result(reply: &str) -> Result<Value> {
    let bad = |reason: &str| Error::bad_value("JSON-RPC reply", reason);
    let mut reply: Value = serde_json::from_str(reply).map_err(|error| bad(&error.to_string()))?;
    match reply.get("error") {
        None | Some(Value::Null) => {}
        Some(error) => {
            return Err(Error::Rpc {
                code: error
                    .get("code")
                    .and_then(Value::as_i64)
                    .unwrap_or_default(),
                message: error
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            });
        }
    }
    reply
        .get_mut("result")
        .map(Value::take)
        .ok_or_else(|| bad("neither a result nor an error"))
}
