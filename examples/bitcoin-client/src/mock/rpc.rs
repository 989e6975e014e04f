//! The few JSON-RPC methods that the node has.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::Amount;
use serde_json::{Value, json};

use super::chain::Chain;

/// Runs JSON-RPC requests.
#[derive(Debug)]
pub(super) struct Rpc {
    chain: Arc<Chain>,
    started: Instant,
}

/// An error's number and text.
type Failure = (i32, String);

impl Rpc {
    pub(super) fn new(chain: &Arc<Chain>) -> Self {
        Self {
            chain: Arc::clone(chain),
            started: Instant::now(),
        }
    }

    /// Runs a request, and gives the reply's JSON.
    pub(super) fn execute(&self, request: &str) -> String {
        let request: Value = serde_json::from_str(request).unwrap_or_default();
        let id = request.get("id").cloned().unwrap_or_default();
        let reply = match self.call(&request) {
            Ok(result) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
            Err((code, message)) => {
                json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message }, "id": id })
            }
        };
        reply.to_string()
    }

    fn call(&self, request: &Value) -> Result<Value, Failure> {
        if !request.is_object() {
            return Err((-32700, "Top-level object parse error".to_owned()));
        }
        let method = request.get("method").and_then(Value::as_str);
        let method = method.ok_or_else(|| (-32600, "Missing method".to_owned()))?;
        let first = request.get("params").and_then(|params| params.get(0));
        let number = |default: u64| {
            first
                .map_or(Some(default), Value::as_u64)
                .ok_or_else(|| (-3, "not a number".to_owned()))
        };
        match method {
            "uptime" => Ok(json!(self.started.elapsed().as_secs())),
            "getblockcount" => Ok(json!(self.chain.tip().height)),
            "getbestblockhash" => Ok(json!(self.chain.tip().hash.to_string())),
            "getrawmempool" => {
                let state = self.chain.lock();
                Ok(state
                    .mempool
                    .iter()
                    .map(|entry| entry.id.to_string())
                    .collect())
            }
            "generate" => {
                self.chain
                    .mine(u32::try_from(number(1)?).map_err(|error| (-8, error.to_string()))?);
                Ok(json!(self.chain.tip().hash.to_string()))
            }
            "addtransaction" => {
                let transaction = self.chain.add_transaction(Amount::from_sat(number(1_000)?));
                Ok(json!(transaction.compute_txid().to_string()))
            }
            "stop" => {
                self.chain.stop();
                Ok(json!("mock node stopping"))
            }
            _ => Err((-32601, "Method not found".to_owned())),
        }
    }
}
