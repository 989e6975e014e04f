//! Values of the interfaces, typed, and how they are read from what the node sends.

use bitcoin::consensus::{Decodable, deserialize};
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{
    Amount, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Txid,
    Witness, absolute, transaction,
};

use crate::{Error, Result};

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Its hash.
    pub hash: BlockHash,
    /// How many blocks come before it.
    pub height: u32,
}

/// What a miner's coinbase transaction is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coinbase {
    /// The transaction's version.
    pub version: transaction::Version,
    /// The input's sequence number.
    pub sequence: Sequence,
    /// What the input's script begins with. The whole script must have 2 to 100 bytes.
    pub script_sig_prefix: ScriptBuf,
    /// The one element of the input's witness, if it must have one.
    pub witness: Option<Vec<u8>>,
    /// What the miner's outputs may spend: subsidy and fees.
    pub reward: Amount,
    /// Outputs that it must have besides.
    pub required_outputs: Vec<TxOut>,
    /// The transaction's lock time.
    pub lock_time: absolute::LockTime,
}

/// What a node thinks of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Verdict {
    /// It is valid, and new if it was submitted.
    Accepted,
    /// It is not.
    Rejected {
        /// Why, in the words of BIP 22: `high-hash`, `duplicate`, … Empty if the node's version does not tell.
        reason: String,
        /// Why, for people. Often empty.
        debug: String,
    },
}

impl Verdict {
    pub(crate) fn new(accepted: bool, reason: String, debug: String) -> Self {
        if accepted {
            Self::Accepted
        } else {
            Self::Rejected { reason, debug }
        }
    }

    /// Whether the block is accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        *self == Self::Accepted
    }
}

impl Coinbase {
    /// A transaction that pays the whole reward to a script. The bytes come after the prefix of the input's script: an extra
    /// nonce, the miner's name. At the first 16 heights there must be at least one.
    #[must_use]
    pub fn transaction(&self, extra: &[u8], payout: ScriptBuf) -> Transaction {
        let mut script_sig = self.script_sig_prefix.to_bytes();
        script_sig.extend(extra);
        let mut output = vec![TxOut {
            value: self.reward,
            script_pubkey: payout,
        }];
        output.extend_from_slice(&self.required_outputs);
        Transaction {
            version: self.version,
            lock_time: self.lock_time,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: script_sig.into(),
                sequence: self.sequence,
                witness: Witness::from_slice(self.witness.as_slice()),
            }],
            output,
        }
    }

    /// What the placeholder transaction of a node of version 30 says.
    pub(crate) fn from_placeholder(transaction: Transaction) -> Result<Self> {
        let input = transaction.input.into_iter().next();
        let input = input.ok_or_else(|| Error::bad_value("coinbase transaction", "no input"))?;
        // The height, and then `OP_0` as a placeholder for the miner's own bytes.
        let script = input.script_sig.as_bytes();
        let prefix = script.strip_suffix(&[0]).unwrap_or(script);
        let (required, own): (Vec<_>, Vec<_>) = transaction
            .output
            .into_iter()
            .partition(|output| output.value == Amount::ZERO);
        Ok(Self {
            version: transaction.version,
            sequence: input.sequence,
            script_sig_prefix: ScriptBuf::from_bytes(prefix.to_vec()),
            witness: input.witness.nth(0).map(<[u8]>::to_vec),
            reward: own.iter().map(|output| output.value).sum(),
            required_outputs: required,
            lock_time: transaction.lock_time,
        })
    }
}

/// The merkle root of a block whose coinbase transaction is this one, by the path of its template.
#[must_use]
pub fn merkle_root(coinbase: Txid, path: &[TxMerkleNode]) -> TxMerkleNode {
    let mut root = TxMerkleNode::from_raw_hash(coinbase.to_raw_hash());
    for node in path {
        let mut engine = sha256d::Hash::engine();
        engine.input(root.as_ref());
        engine.input(node.as_ref());
        root = TxMerkleNode::from_raw_hash(sha256d::Hash::from_engine(engine));
    }
    root
}

/// Reads a value in the network's format.
pub(crate) fn decode<T: Decodable>(bytes: &[u8], what: &'static str) -> Result<T> {
    deserialize(bytes).map_err(|error| Error::bad_value(what, error))
}

/// Reads a list of such values.
pub(crate) fn decode_all<T: Decodable>(list: &[Vec<u8>], what: &'static str) -> Result<Vec<T>> {
    list.iter().map(|bytes| decode(bytes, what)).collect()
}

/// Reads an amount, which the wire carries with a sign.
pub(crate) fn amount(satoshis: i64, what: &'static str) -> Result<Amount> {
    u64::try_from(satoshis)
        .map(Amount::from_sat)
        .map_err(|error| Error::bad_value(what, error))
}

/// Satoshis as the wire carries them. What does not fit is more than there are.
pub(crate) fn satoshis(amount: Amount) -> i64 {
    i64::try_from(amount.to_sat()).unwrap_or(i64::MAX)
}

/// Reads a reference to a block.
pub(crate) fn block_ref(hash: &[u8], height: i32) -> Result<BlockRef> {
    let hash =
        BlockHash::from_slice(hash).map_err(|error| Error::bad_value("block hash", error))?;
    let height = u32::try_from(height).map_err(|error| Error::bad_value("block height", error))?;
    Ok(BlockRef { hash, height })
}

/// Reads what a node from version 31 on says of a coinbase transaction.
macro_rules! coinbase {
    ($raw:expr) => {{
        let raw = $raw;
        Ok($crate::Coinbase {
            version: bitcoin::transaction::Version(raw.version.cast_signed()),
            sequence: bitcoin::Sequence(raw.sequence),
            script_sig_prefix: bitcoin::ScriptBuf::from_bytes(raw.script_sig_prefix),
            witness: Some(raw.witness).filter(|witness| !witness.is_empty()),
            reward: $crate::client::types::amount(raw.block_reward_remaining, "block reward")?,
            required_outputs: $crate::client::types::decode_all(&raw.required_outputs, "output")?,
            lock_time: bitcoin::absolute::LockTime::from_consensus(raw.lock_time),
        })
    }};
}
pub(crate) use coinbase;
