# Block templates, blocks, and the tip of the chain.

@0xc77d03df6a41b505;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipc::capnp::messages");

using Common = import "common.capnp";
using Proxy = import "/mp/proxy.capnp";
$Proxy.include("interfaces/mining.h");
$Proxy.includeTypes("ipc/capnp/mining-types.h");

const maxMoney :Int64 = 2100000000000000;
# More than any fee: as a threshold, "never".

const maxDouble :Float64 = 1.7976931348623157e308;
# As a time in milliseconds, "forever".

const defaultBlockReservedWeight :UInt32 = 8000;
const defaultCoinbaseOutputMaxAdditionalSigops :UInt32 = 400;

interface Mining $Proxy.wrap("interfaces::Mining") {
    # What a miner needs of a node.

    isTestChain @0 (context :Proxy.Context) -> (result :Bool);
    # Whether the chain's coins are worth nothing.

    isInitialBlockDownload @1 (context :Proxy.Context) -> (result :Bool);
    # Whether the node is still catching up with the network.

    getTip @2 (context :Proxy.Context) -> (result :Common.BlockRef, hasResult :Bool);
    # The last block of the best chain. None before the chain is loaded.

    waitTipChanged @3 (context :Proxy.Context, currentTip :Data, timeout :Float64 = .maxDouble) -> (result :Common.BlockRef);
    # Waits until the tip is another block, or for that many milliseconds, and answers with the tip. Null when the wait was
    # interrupted or the node stops.

    createNewBlock @4 (context :Proxy.Context, options :BlockCreateOptions, cooldown :Bool = true) -> (result :BlockTemplate);
    # Makes a block template on top of the tip. With a cooldown, waits until the node has caught up with the blocks that it
    # knows of. Null when interrupted.

    checkBlock @5 (context :Proxy.Context, block :Data, options :BlockCheckOptions) -> (reason :Text, debug :Text, result :Bool);
    # Whether the block would be valid as the next one; if not, why.

    interrupt @6 () -> ();
    # Ends the waits of this object.

    submitBlock @7 (context :Proxy.Context, block :Data) -> (reason :Text, debug :Text, result :Bool);
    # Adds a complete block to the chain. True if it was new and valid; else says why not.

    getTransactionsByTxID @8 (context :Proxy.Context, txids :List(Data)) -> (result :List(Data));
    # The transactions of the memory pool with these ids, in the same order. Empty data for one that is not there.

    getTransactionsByWitnessID @9 (context :Proxy.Context, wtxids :List(Data)) -> (result :List(Data));
    # The same by ids that cover witnesses.
}

interface BlockTemplate $Proxy.wrap("interfaces::BlockTemplate") {
    # A block that lacks a coinbase transaction of the miner's, and work.

    destroy @0 (context :Proxy.Context) -> ();

    getBlockHeader @1 (context :Proxy.Context) -> (result :Data);
    # The header, 80 bytes.

    getBlock @2 (context :Proxy.Context) -> (result :Data);
    # The whole block, with a placeholder for a coinbase transaction.

    getTxFees @3 (context :Proxy.Context) -> (result :List(Int64));
    # What each transaction but the coinbase pays, in satoshis.

    getTxSigops @4 (context :Proxy.Context) -> (result :List(Int64));
    # The cost of signature checks of each transaction but the coinbase.

    getCoinbaseTx @5 (context :Proxy.Context) -> (result :CoinbaseTx);
    # What the coinbase transaction must contain.

    getCoinbaseMerklePath @6 (context :Proxy.Context) -> (result :List(Data));
    # The hashes that lead from the coinbase transaction to the merkle root, the deepest first.

    submitSolution @10 (context :Proxy.Context, version :UInt32, timestamp :UInt32, nonce :UInt32, coinbase :Data)
        -> (reason :Text, debug :Text, result :Bool);
    # Completes the block and adds it to the chain. True if it was new and valid; else says why not.

    waitNext @8 (context :Proxy.Context, options :BlockWaitOptions) -> (result :BlockTemplate);
    # Waits for a better template: after a new tip, or when fees have risen. Null after the timeout, or when interrupted.

    interruptWait @9 () -> ();
    # Ends a wait for the next template.

    submitSolutionOld7 @7 (context :Proxy.Context, version :UInt32, timestamp :UInt32, nonce :UInt32, coinbase :Data) -> (result :Bool);
    # What submitSolution was in version 31. Always fails.
}

struct BlockCreateOptions $Proxy.wrap("node::BlockCreateOptions") {
    # What goes into a template.

    useMempool @0 :Bool = true $Proxy.name("use_mempool");
    # Whether to include transactions.

    blockReservedWeight @1 :UInt64 = .defaultBlockReservedWeight $Proxy.name("block_reserved_weight");
    # The weight to keep free for the header and the coinbase transaction.

    coinbaseOutputMaxAdditionalSigops @2 :UInt64 = .defaultCoinbaseOutputMaxAdditionalSigops $Proxy.name("coinbase_output_max_additional_sigops");
    # The cost of signature checks to keep free for the coinbase transaction's outputs.
}

struct BlockWaitOptions $Proxy.wrap("node::BlockWaitOptions") {
    # What to wait for.

    timeout @0 :Float64 = .maxDouble $Proxy.name("timeout");
    # How long, in milliseconds.

    feeThreshold @1 :Int64 = .maxMoney $Proxy.name("fee_threshold");
    # By how many satoshis all fees together must rise.
}

struct BlockCheckOptions $Proxy.wrap("node::BlockCheckOptions") {
    # What to check of a block.

    checkMerkleRoot @0 :Bool = true $Proxy.name("check_merkle_root");
    checkPow @1 :Bool = true $Proxy.name("check_pow");
}

struct CoinbaseTx $Proxy.wrap("node::CoinbaseTx") {
    # What a miner's coinbase transaction is made from.

    version @0 :UInt32 $Proxy.name("version");
    sequence @1 :UInt32 $Proxy.name("sequence");

    scriptSigPrefix @2 :Data $Proxy.name("script_sig_prefix");
    # The input's script begins with this.

    witness @3 :Data $Proxy.name("witness");
    # The one element of the input's witness. Null if it must have none.

    blockRewardRemaining @4 :Int64 $Proxy.name("block_reward_remaining");
    # The satoshis that the miner's outputs may spend.

    requiredOutputs @5 :List(Data) $Proxy.name("required_outputs");
    # Outputs that it must have, serialized.

    lockTime @6 :UInt32 $Proxy.name("lock_time");
}
