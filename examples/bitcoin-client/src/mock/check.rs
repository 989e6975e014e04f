//! Checks blocks, as far as that needs no coins.

use bitcoin::{Amount, Block};

use super::assemble::{SUBSIDY, commitment};
use super::chain::State;
use crate::CheckOptions;

/// Why a block is not valid: in the words of BIP 22, and for people.
pub(super) type Rejected = (String, String);

/// Checks a block that is to be the next one.
pub(super) fn check(state: &State, block: &Block, options: CheckOptions) -> Result<(), Rejected> {
    if block.header.prev_blockhash != state.tip().hash {
        return reject("inconclusive-not-best-prevblk", "");
    }
    check_content(state, block, options)
}

/// Adds a block to the chain, or beside it.
pub(super) fn submit(state: &mut State, block: &Block) -> Result<(), Rejected> {
    let hash = block.block_hash();
    match state.known.get(&hash) {
        Some(true) => return reject("duplicate", ""),
        Some(false) => {
            let debug = format!("block {hash} was previously marked invalid");
            return reject("duplicate-invalid", debug);
        }
        None => {}
    }
    let on_tip = block.header.prev_blockhash == state.tip().hash;
    if !on_tip && !state.known.contains_key(&block.header.prev_blockhash) {
        return reject("prev-blk-not-found", "");
    }
    let checked = if on_tip {
        check_content(state, block, CheckOptions::default())
    } else {
        check_form(block, CheckOptions::default())
    };
    if let Err(rejected) = checked {
        // What a header or its form decides is judged again each time; another block with the same header can be valid.
        if REMEMBERED.contains(&rejected.0.as_str()) {
            state.known.insert(hash, false);
        }
        return Err(rejected);
    }
    if !on_tip {
        state.known.insert(hash, true);
        return reject("inconclusive", "");
    }
    state.connect(block.clone());
    Ok(())
}

/// Checks what does not depend on the block's place in the chain.
fn check_form(block: &Block, options: CheckOptions) -> Result<(), Rejected> {
    if options.proof_of_work && block.header.validate_pow(block.header.target()).is_err() {
        return reject("high-hash", "proof of work failed");
    }
    if options.merkle_root && !block.check_merkle_root() {
        return reject("bad-txnmrklroot", "hashMerkleRoot mismatch");
    }
    let Some(coinbase) = block.txdata.first().filter(|first| first.is_coinbase()) else {
        return reject("bad-cb-missing", "first tx is not coinbase");
    };
    if !(2..=100).contains(&coinbase.input[0].script_sig.len()) {
        let id = coinbase.compute_txid();
        let debug = format!("Transaction check failed (tx hash {id}) ");
        return reject("bad-cb-length", debug);
    }
    Ok(())
}

fn check_content(state: &State, block: &Block, options: CheckOptions) -> Result<(), Rejected> {
    check_form(block, options)?;
    let version = block.header.version.to_consensus();
    if version < 4 {
        return reject(
            format!("bad-version(0x{version:08x})"),
            format!("rejected nVersion=0x{version:08x} block"),
        );
    }
    let height = state.tip().height + 1;
    let too_early = |t: &bitcoin::Transaction| {
        let lock = t.lock_time.to_consensus_u32();
        lock >= height
            && t.input
                .iter()
                .any(|input| input.sequence.enables_absolute_lock_time())
    };
    if block.txdata.iter().any(too_early) {
        return reject("bad-txns-nonfinal", "non-final transaction");
    }
    let coinbase = &block.txdata[0];
    let prefix = bitcoin::script::Builder::new()
        .push_int(i64::from(height))
        .into_script();
    if !coinbase.input[0]
        .script_sig
        .as_bytes()
        .starts_with(prefix.as_bytes())
    {
        return reject("bad-cb-height", "block height mismatch in coinbase");
    }
    check_witnesses(block)?;
    let fee = |t: &bitcoin::Transaction| {
        let id = t.compute_txid();
        state
            .mempool
            .iter()
            .find(|entry| entry.id == id)
            .map_or(Amount::ZERO, |entry| entry.fee)
    };
    let limit = SUBSIDY + block.txdata.iter().map(fee).sum();
    let paid: Amount = coinbase.output.iter().map(|output| output.value).sum();
    if paid > limit {
        return reject(
            "bad-cb-amount",
            format!(
                "coinbase pays too much (actual={} vs limit={})",
                paid.to_sat(),
                limit.to_sat()
            ),
        );
    }
    Ok(())
}

fn check_witnesses(block: &Block) -> Result<(), Rejected> {
    let coinbase = &block.txdata[0];
    let committed = coinbase.output.iter().rev().find(|output| {
        output.script_pubkey.len() >= 38
            && output
                .script_pubkey
                .as_bytes()
                .starts_with(&COMMITMENT_HEADER)
    });
    match committed {
        None if block
            .txdata
            .iter()
            .any(|t| t.input.iter().any(|input| !input.witness.is_empty())) =>
        {
            reject(
                "unexpected-witness",
                "CheckWitnessMalleation : unexpected witness data found",
            )
        }
        None => Ok(()),
        Some(output) => {
            let witness = &coinbase.input[0].witness;
            if witness.len() != 1 || witness.nth(0).map(<[u8]>::len) != Some(32) {
                reject(
                    "bad-witness-nonce-size",
                    "CheckWitnessMalleation : invalid witness reserved value size",
                )
            } else if output.script_pubkey != commitment(block) {
                reject(
                    "bad-witness-merkle-match",
                    "CheckWitnessMalleation : witness merkle commitment mismatch",
                )
            } else {
                Ok(())
            }
        }
    }
}

fn reject<T>(reason: impl Into<String>, debug: impl Into<String>) -> Result<T, Rejected> {
    Err((reason.into(), debug.into()))
}

/// How an output's script begins that commits to the witnesses: `OP_RETURN`, a push of 36 bytes, and a mark.
const COMMITMENT_HEADER: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Reasons for which a block is never looked at again.
const REMEMBERED: [&str; 3] = ["bad-txns-nonfinal", "bad-cb-height", "bad-cb-amount"];
