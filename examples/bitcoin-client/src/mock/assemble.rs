//! Makes block templates, and blocks of them.

use std::cmp::Reverse;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::script::Builder;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode,
    TxOut, Txid, Weight, Witness, opcodes, transaction,
};

use super::Policy;
use super::chain::State;
use crate::Coinbase;

/// A template's content.
#[derive(Clone, Debug)]
pub(super) struct Assembled {
    pub(super) block: Block,
    pub(super) fees: Vec<Amount>,
    pub(super) coinbase: Coinbase,
    /// Which output of the placeholder commits to the witnesses.
    pub(super) commitment: usize,
}

impl Assembled {
    /// What all transactions pay.
    pub(super) fn total_fees(&self) -> Amount {
        self.fees.iter().copied().sum()
    }

    /// The hashes that lead from the first transaction to the merkle root.
    pub(super) fn merkle_path(&self) -> Vec<TxMerkleNode> {
        let mut level: Vec<TxMerkleNode> = self
            .block
            .txdata
            .iter()
            .map(|t| TxMerkleNode::from_raw_hash(t.compute_txid().to_raw_hash()))
            .collect();
        let mut path = Vec::new();
        while level.len() > 1 {
            path.push(level[1]);
            level = level
                .chunks(2)
                .map(|pair| combine(&pair[0], pair.last().unwrap_or(&pair[0])))
                .collect();
        }
        path
    }
}

/// Makes a template on top of the tip, with the best paying transactions that fit beside the reserved weight.
pub(super) fn template(state: &State, use_mempool: bool, reserved: Weight) -> Assembled {
    let height = i64::from(state.tip().height) + 1;
    let Policy {
        max_weight,
        min_fee_rate,
    } = state.policy;
    let mut room = max_weight.checked_sub(reserved).unwrap_or(Weight::ZERO);
    let mut pool: Vec<_> = state.mempool.iter().filter(|_| use_mempool).collect();
    pool.retain(|entry| entry.fee_rate() >= min_fee_rate);
    pool.sort_by_key(|entry| Reverse(entry.fee_rate()));
    let mut txdata = vec![placeholder(height, Amount::ZERO, Vec::new())];
    let mut fees = Vec::new();
    for entry in pool {
        if let Some(left) = room.checked_sub(entry.transaction.weight()) {
            room = left;
            txdata.push(entry.transaction.clone());
            fees.push(entry.fee);
        }
    }
    let mut block = Block {
        header: next_header(state),
        txdata,
    };
    let required = TxOut {
        value: Amount::ZERO,
        script_pubkey: commitment(&block),
    };
    let reward = SUBSIDY + fees.iter().copied().sum();
    block.txdata[0] = placeholder(height, reward, vec![required.clone()]);
    block.header.merkle_root = block
        .compute_merkle_root()
        .unwrap_or_else(TxMerkleNode::all_zeros);
    let coinbase = Coinbase {
        version: transaction::Version::TWO,
        sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
        script_sig_prefix: Builder::new().push_int(height).into_script(),
        witness: Some(RESERVED_VALUE.to_vec()),
        reward,
        required_outputs: vec![required],
        lock_time: lock_time(height),
    };
    Assembled {
        block,
        fees,
        coinbase,
        commitment: 1,
    }
}

/// Mines the next block, with all transactions.
pub(super) fn mined(state: &State) -> Block {
    let mut block = template(state, true, Weight::from_wu(8000)).block;
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    block
}

/// A transaction that differs from every other one.
pub(super) fn transaction(number: u32) -> Transaction {
    let mut id = [0xee; 32];
    id[..4].copy_from_slice(&number.to_le_bytes());
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array(id), 0),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[number.to_le_bytes()]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(10_000),
            script_pubkey: anyone(),
        }],
    }
}

/// The script of the output that commits to the witnesses of a block.
pub(super) fn commitment(block: &Block) -> ScriptBuf {
    let root = block
        .witness_root()
        .unwrap_or_else(bitcoin::WitnessMerkleNode::all_zeros);
    let hash = Block::compute_witness_commitment(&root, &RESERVED_VALUE);
    let mut content = [0; 36];
    content[..4].copy_from_slice(&[0xaa, 0x21, 0xa9, 0xed]);
    content[4..].copy_from_slice(hash.as_ref());
    Builder::new()
        .push_opcode(opcodes::all::OP_RETURN)
        .push_slice(content)
        .into_script()
}

/// The first transaction of a template's block, which a miner replaces.
fn placeholder(height: i64, reward: Amount, required: Vec<TxOut>) -> Transaction {
    let mut output = vec![TxOut {
        value: reward,
        script_pubkey: anyone(),
    }];
    output.extend(required);
    Transaction {
        version: transaction::Version::TWO,
        lock_time: lock_time(height),
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: Builder::new().push_int(height).push_int(0).into_script(),
            sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
            witness: Witness::from_slice(&[RESERVED_VALUE]),
        }],
        output,
    }
}

/// One second after the last block, so that a chain is the same whenever it is made.
fn next_header(state: &State) -> Header {
    let tip = &state.blocks[state.blocks.len() - 1].header;
    Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: tip.block_hash(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: tip.time + 1,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    }
}

fn lock_time(height: i64) -> LockTime {
    u32::try_from(height - 1)
        .ok()
        .and_then(|height| LockTime::from_height(height).ok())
        .unwrap_or(LockTime::ZERO)
}

fn anyone() -> ScriptBuf {
    Builder::new().push_opcode(opcodes::OP_TRUE).into_script()
}

fn combine(left: &TxMerkleNode, right: &TxMerkleNode) -> TxMerkleNode {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_ref());
    engine.input(right.as_ref());
    TxMerkleNode::from_raw_hash(sha256d::Hash::from_engine(engine))
}

/// What a block may create. It is never halved here.
pub(super) const SUBSIDY: Amount = Amount::from_sat(50 * 100_000_000);

/// The one element of the coinbase transaction's witness.
const RESERVED_VALUE: [u8; 32] = [0; 32];
