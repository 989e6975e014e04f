"""Scenarios with blocks, transactions, and what goes into templates."""

import json

from blocks import double_sha256
from node import (
    MINING, Mock, candidate, connect, connect_mining, create_options, created, fails, started, version, wait_options,
)

END_OF_DATA = "remote exception: std::exception: SpanReader::read(): end of data:"


def verdict(response):
    return response.result, response.reason, response.debug


async def low_heights(mock):
    """run_low_height_test"""
    if version == "v30":
        return
    context, mining = await connect_mining(mock)
    for height in range(1, 18):
        async with created(mining, context, cooldown=False) as template:
            extra = b"\xaa\xbb\xcc\xdd" if height <= 16 else b""
            block = (await candidate(template, context, extra)).solve()
            response = await template.submitSolution(context, *block.solution())
            assert response.result, response
            tip = (await mining.getTip(context)).result
            assert tip.height == height and bytes(tip.hash)[::-1].hex() == block.hash()


async def submission(mock):
    """run_coinbase_and_submission_test"""
    context, mining = await connect_mining(mock)
    async with created(mining, context) as template:
        assert (await template.submitSolution(context, 0, 0, 0, b"")).result is False
        await fails(template.submitSolution(context, 0, 0, 0, b"\0"), END_OF_DATA)
        if version != "v32":
            return
        await fails(template.submitSolutionOld7(context, 0, 0, 0, b""), "Old submitSolution (@7) not supported")
    rpc = await json_rpc(mock)
    await rpc("addtransaction")

    async with created(mining, context) as template:
        check = {"checkMerkleRoot": True, "checkPow": True}
        block = await candidate(template, context)
        assert block.count == 2
        right_version, block.version = block.version, 0
        await rejected(mining, context, template, block.solve(), "bad-version(0x00000000)", "rejected nVersion=0x00000000 block")
        block.version = right_version
        block.solve()
        assert verdict(await mining.checkBlock(context, block.bytes(), check)) == (True, "", "")
        before = bytes((await template.getBlock(context)).result)
        refused = (False, "bad-witness-nonce-size", "CheckWitnessMalleation : invalid witness reserved value size")
        bare = block.solution(with_witness=False)
        assert verdict(await template.submitSolution(context, *bare)) == refused
        assert bytes((await template.getBlock(context)).result) != before
        bare = block.bytes(with_witness=False)
        assert verdict(await mining.submitBlock(context, bare)) == refused
        assert verdict(await template.submitSolution(context, *block.solution())) == (True, "", "")
        refused = (False, "inconclusive-not-best-prevblk", "")
        assert verdict(await mining.checkBlock(context, block.bytes(), check)) == refused
        duplicate = (False, "duplicate", "")
        assert verdict(await mining.submitBlock(context, block.bytes())) == duplicate

    async with created(mining, context) as template:
        block = (await candidate(template, context)).solve()
        assert verdict(await mining.submitBlock(context, block.bytes())) == (True, "", "")
        assert verdict(await template.submitSolution(context, *block.solution())) == duplicate

    async with created(mining, context) as template:
        active, solution, stale = [(await candidate(template, context, bytes([n]))).solve() for n in (1, 2, 3)]
        assert verdict(await mining.submitBlock(context, active.bytes())) == (True, "", "")
        inconclusive = (False, "inconclusive", "")
        assert verdict(await template.submitSolution(context, *solution.solution())) == inconclusive
        assert verdict(await mining.submitBlock(context, stale.bytes())) == inconclusive

    async with created(mining, context) as template:
        late = await candidate(template, context)
        late.lock_time = 2**32 - 1
        late.solve()
        refused = (False, "bad-txns-nonfinal", "non-final transaction")
        assert verdict(await mining.submitBlock(context, late.bytes())) == refused
        refused = (False, "duplicate-invalid", f"block {late.hash()} was previously marked invalid")
        assert verdict(await mining.submitBlock(context, late.bytes())) == refused

    for broken in [block.bytes()[:-15], b""]:
        await fails(mining.submitBlock(context, broken), END_OF_DATA)
    assert (await mining.getTip(context)).hasResult


async def rejected(mining, context, template, block, reason, debug):
    """All three ways to show a block give the same answer."""
    refused = (False, reason, debug)
    check = {"checkMerkleRoot": True, "checkPow": True}
    assert verdict(await mining.checkBlock(context, block.bytes(), check)) == refused
    assert verdict(await template.submitSolution(context, *block.solution())) == refused
    assert verdict(await mining.submitBlock(context, block.bytes())) == refused


async def options(mock):
    """run_ipc_option_override_test"""
    if version != "v32":
        return
    context, mining = await connect_mining(mock)
    # What is left out has the schema's default.
    async with created(mining, context, MINING.BlockCreateOptions()):
        pass
    for weight, text in [
        (0, "block_reserved_weight (0) is lower than minimum safety value of (2000)"),
        (4_000_001, "block_reserved_weight (4000001) exceeds consensus maximum block weight (4000000)"),
    ]:
        bad = create_options()
        bad.blockReservedWeight = weight
        await fails(mining.createNewBlock(context, bad), text)
    bad = create_options()
    bad.coinbaseOutputMaxAdditionalSigops = 80_001
    text = "coinbase_output_max_additional_sigops (80001) exceeds consensus maximum block sigops cost (80000)"
    await fails(mining.createNewBlock(context, bad), text)


async def policies(mock):
    """run_waitnext_mining_policy_test, run_block_max_weight_test"""
    if version != "v32":
        return
    for option, fees, first, fee, second in [
        ("--blockmintxfee=0.00010000", [100], [], 5_000, [5_000]),
        ("--blockmaxweight=8600", [1_000, 1_001, 1_002], [1_002, 1_001], 5_000, [5_000, 1_002]),
    ]:
        with Mock(mock.path + ".policy", option) as strict:
            context, mining = await connect_mining(strict)
            rpc = await json_rpc(strict)
            for low in fees:
                await rpc("addtransaction", low)
            async with created(mining, context) as template:
                assert list((await template.getTxFees(context)).result) == first
                wait = await started(strict, template.waitNext(context, wait_options(20_000.0)))
                await rpc("addtransaction", fee)
                second_template = (await wait).result
                assert list((await second_template.getTxFees(context)).result) == second
                await second_template.destroy(context)


async def lookup(mock):
    """run_transaction_lookup_test"""
    if version != "v32":
        return
    context, mining = await connect_mining(mock)
    rpc = await json_rpc(mock)
    ids = [bytes.fromhex(await rpc("addtransaction"))[::-1] for _ in range(2)]
    found = [bytes(data) for data in (await mining.getTransactionsByTxID(context, [*ids, bytes(32)])).result]
    assert len(found) == 3 and found[0] and found[1] and not found[2]
    witness_ids = [double_sha256(data) for data in found[:2]]
    by_witness = (await mining.getTransactionsByWitnessID(context, [*witness_ids, bytes(32)])).result
    assert [bytes(data) for data in by_witness] == found
    await rpc("generate")
    for mined in [
        await mining.getTransactionsByTxID(context, ids[:1]),
        await mining.getTransactionsByWitnessID(context, witness_ids[:1]),
    ]:
        assert [bytes(data) for data in mined.result] == [b""]


async def json_rpc(mock):
    """A function that calls JSON-RPC methods of the node."""
    context, init = await connect(mock)
    rpc = init.makeRpc(context).result

    async def call(method, *params):
        request = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        return json.loads((await rpc.executeRpc(context, request, "/", "python")).result)["result"]

    return call
