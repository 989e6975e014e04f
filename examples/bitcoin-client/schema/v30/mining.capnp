# Block templates, blocks, and the tip of the chain.

@0xc77d03df6a41b505;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipc::capnp::messages");

using Common = import "common.capnp";
using Proxy = import "/mp/proxy.capnp";
$Proxy.include("interfaces/mining.h");
$Proxy.includeTypes("ipc/capnp/mining-types.h");

interface Mining $Proxy.wrap("interfaces::Mining") {
    # What a miner needs of a node.

    isTestChain @0 (context :Proxy.Context) -> (result :Bool);
    # Whether the chain's coins are worth nothing.

    isInitialBlockDownload @1 (context :Proxy.Context) -> (result :Bool);
    # Whether the node is still catching up with the network.

    getTip @2 (context :Proxy.Context) -> (result :Common.BlockRef, hasResult :Bool);
    # The last block of the best chain. None before the chain is loaded.

    waitTipChanged @3 (context :Proxy.Context, currentTip :Data, timeout :Float64) -> (result :Common.BlockRef);
    # Waits until the tip is another block, or for that many milliseconds, and answers with the tip. Null when the wait was
    # interrupted or the node stops.

    createNewBlock @4 (options :BlockCreateOptions) -> (result :BlockTemplate);
    # Makes a block template on top of the tip.

    checkBlock @5 (block :Data, options :BlockCheckOptions) -> (reason :Text, debug :Text, result :Bool);
    # Whether the block would be valid as the next one; if not, why.
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

    getCoinbaseTx @5 (context :Proxy.Context) -> (result :Data);
    # The placeholder for the coinbase transaction.

    getCoinbaseCommitment @6 (context :Proxy.Context) -> (result :Data);
    # The script of the output that commits to the witnesses.

    getWitnessCommitmentIndex @7 (context :Proxy.Context) -> (result :Int32);
    # Which output of the placeholder that is. Negative if there is none.

    getCoinbaseMerklePath @8 (context :Proxy.Context) -> (result :List(Data));
    # The hashes that lead from the coinbase transaction to the merkle root, the deepest first.

    submitSolution @9 (context :Proxy.Context, version :UInt32, timestamp :UInt32, nonce :UInt32, coinbase :Data) -> (result :Bool);
    # Completes the block and adds it to the chain. Whether it was new and valid.

    waitNext @10 (context :Proxy.Context, options :BlockWaitOptions) -> (result :BlockTemplate);
    # Waits for a better template: after a new tip, or when fees have risen. Null after the timeout, or when interrupted.

    interruptWait @11 () -> ();
    # Ends a wait for the next template.
}

struct BlockCreateOptions $Proxy.wrap("node::BlockCreateOptions") {
    # What goes into a template.

    useMempool @0 :Bool $Proxy.name("use_mempool");
    # Whether to include transactions.

    blockReservedWeight @1 :UInt64 $Proxy.name("block_reserved_weight");
    # The weight to keep free for the header and the coinbase transaction.

    coinbaseOutputMaxAdditionalSigops @2 :UInt64 $Proxy.name("coinbase_output_max_additional_sigops");
    # The cost of signature checks to keep free for the coinbase transaction's outputs.
}

struct BlockWaitOptions $Proxy.wrap("node::BlockWaitOptions") {
    # What to wait for.

    timeout @0 :Float64 $Proxy.name("timeout");
    # How long, in milliseconds.

    feeThreshold @1 :Int64 $Proxy.name("fee_threshold");
    # By how many satoshis all fees together must rise.
}

struct BlockCheckOptions $Proxy.wrap("node::BlockCheckOptions") {
    # What to check of a block.

    checkMerkleRoot @0 :Bool $Proxy.name("check_merkle_root");
    checkPow @1 :Bool $Proxy.name("check_pow");
}
