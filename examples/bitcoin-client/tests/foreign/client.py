"""A client on the C++ runtime of Cap'n Proto: calls the mock node in the sequences in which a node's own tests call it.

A scenario's text names the functional test of Bitcoin Core's whose sequence it is.
"""

import asyncio
import json
import os
import time

import capnp
import mining
from node import (
    FOREVER, INIT, PROXY, SHORT, Mock, bootstrap, connect, connect_mining, create, created, fails, path, started, version,
    wait_options,
)


async def echo(mock):
    """run_echo_test"""
    context, init = await connect(mock)
    echo = init.makeEcho(context).result
    for text in ["hallo", "", "haha"]:
        assert (await echo.echo(context, text)).result == text
    await echo.destroy(context)
    await fails(echo.echo(context, "after"), "destroyed")


async def inspection(mock):
    """run_mining_test"""
    context, miner = await connect_mining(mock)
    assert (await miner.isTestChain(context)).result
    assert not (await miner.isInitialBlockDownload(context)).result
    tip = await miner.getTip(context)
    assert tip.hasResult and len(tip.result.hash) == 32


async def deprecated(mock):
    """run_deprecated_mining_test"""
    init = await bootstrap(mock)
    if version == "v30":
        return
    text = "remote exception: std::exception: Old mining interface (@2) not supported. Please update your client!"
    error = await fails(init.makeMiningOld2(), text)
    assert error.type == "FAILED", error.type


async def no_thread(mock):
    _, init = await connect(mock)
    await fails(init.makeEcho(PROXY.Context()), "no thread specified and no pool configured")


async def tips(mock):
    """run_mining_interface_test"""
    context, miner = await connect_mining(mock)
    old = (await miner.getTip(context)).result
    wait = await started(mock, miner.waitTipChanged(context, old.hash, FOREVER))
    mock.tell("mine")
    new = (await wait).result
    assert len(new.hash) == 32 and new.height == old.height + 1
    same = (await miner.waitTipChanged(context, new.hash, SHORT)).result
    assert bytes(same.hash) == bytes(new.hash)
    if version != "v30":
        wait = await started(mock, miner.waitTipChanged(context, new.hash, FOREVER))
        await miner.interrupt()
        assert len((await wait).result.hash) == 0


async def templates(mock):
    """run_block_template_test, without the cooldown"""
    context, miner = await connect_mining(mock)
    template = (await create(miner, context)).result
    assert len((await template.getBlockHeader(context)).result) == 80
    assert len((await template.getTxFees(context)).result) == 0
    assert len((await template.getTxSigops(context)).result) == 0
    assert len((await template.getCoinbaseMerklePath(context)).result) == 0
    coinbase = (await template.getCoinbaseTx(context)).result
    if version != "v30":
        assert coinbase.blockRewardRemaining == 50 * 100_000_000 and len(coinbase.requiredOutputs) == 1

    wait = await started(mock, template.waitNext(context, wait_options(FOREVER)))
    mock.tell("mine")
    second = (await wait).result
    assert not (await second.waitNext(context, wait_options(SHORT)))._has("result")
    wait = await started(mock, second.waitNext(context, wait_options(FOREVER)))
    mock.tell("tx 1000")
    third = (await wait).result
    assert len((await third.getTxFees(context)).result) == 1
    fourth = (await third.waitNext(context, wait_options(FOREVER, 0))).result
    wait = await started(mock, fourth.waitNext(context, wait_options(FOREVER)))
    await fourth.interruptWait()
    assert not (await wait)._has("result")
    for template in [template, second, third, fourth]:
        await template.destroy(context)


async def three_on_one_thread(mock):
    """run_thread_busy_test"""
    context, init = await connect(mock)
    template = (await create(init.makeMining(context).result, context)).result
    waits = [template.waitNext(context, wait_options(FOREVER)) for _ in range(3)]
    # Its answer comes when the node has read all that was sent before.
    await init.construct()
    await mock.waiting(1)
    mock.tell("mine")
    for wait in waits:
        await (await wait).result.destroy(context)
    await template.destroy(context)


async def cooldown(mock):
    """run_block_template_test, the cooldown"""
    if version == "v30":
        return
    context, miner = await connect_mining(mock)
    start = time.monotonic()
    mock.tell("header 1")
    await mock.waiting(0)
    async with created(miner, context):
        assert time.monotonic() - start >= 1
    # Longer than a scenario may take.
    for_ever = "header 86400"
    mock.tell(for_ever)
    await mock.waiting(0)
    create_one = await started(mock, create(miner, context))
    mock.tell("mine")
    assert (await create_one)._has("result")
    mock.tell(for_ever)
    await mock.waiting(0)
    create_one = await started(mock, create(miner, context))
    await miner.interrupt()
    assert not (await create_one)._has("result")
    mock.tell("mine")
    await mock.waiting(0)


async def early_startup(mock):
    """run_early_startup_test"""
    with Mock(mock.path + ".early", wait=False) as early:
        while True:
            try:
                context, miner = await connect_mining(early)
                break
            except (ConnectionRefusedError, FileNotFoundError):
                await asyncio.sleep(0.005)
        async with created(miner, context):
            pass


async def rpc(mock):
    if version != "v32":
        return
    context, init = await connect(mock)
    rpc = init.makeRpc(context).result
    request = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "uptime", "params": []})
    reply = json.loads((await rpc.executeRpc(context, request, "/", "python")).result)
    assert reply["id"] == 7 and reply["result"] >= 0, reply
    reply = json.loads((await rpc.executeRpc(context, "no JSON", "/", "python")).result)
    assert reply["error"]["code"] == -32700, reply


async def unclean_disconnect(mock):
    """run_unclean_disconnect_test"""
    context, miner = await connect_mining(mock)
    template = (await create(miner, context)).result
    promise = template.waitNext(context, wait_options(FOREVER))
    await mock.waiting(1)
    del promise


async def after_unclean_disconnect(mock):
    """run_unclean_disconnect_test, when the connection is gone"""
    await mock.logged("IPC server: socket disconnected", "canceled while executing", "interrupted (canceled)")
    await echo(mock)


SCENARIOS = [
    mining.low_heights, echo, inspection, deprecated, no_thread, tips, templates, cooldown, early_startup,
    three_on_one_thread, mining.submission, mining.options, mining.policies, mining.lookup, rpc, unclean_disconnect,
    after_unclean_disconnect,
]

# Seconds for one scenario, much more than it takes.
DEADLINE = 30 * int(os.environ.get("MP_PATIENCE", "1"))

with Mock(path) as mock:
    for scenario in SCENARIOS:
        # A connection of its own for each: it ends with the event loop.
        asyncio.run(capnp.run(asyncio.wait_for(scenario(mock), DEADLINE)))
        print(f"{version} {scenario.__name__}: ok", flush=True)
print(f"{version}: all {len(SCENARIOS)} scenarios", flush=True)
