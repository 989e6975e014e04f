"""A client on the C++ runtime of Cap'n Proto: calls the mock node in the sequences in which a node's own tests call it.

Arguments: the program `bitcoin-client`, the directory with the schema of one version, the directory with what it imports,
the version, and the path for the socket.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import capnp

program, schema, imports, version, path = sys.argv[1:]
capnp.remove_import_hook()
IMPORTS = [imports, schema]
FOREVER = 60_000.0
SHORT = 300.0


def load(name):
    return capnp.load(str(Path(schema) / f"{name}.capnp"), imports=IMPORTS)


PROXY = capnp.load(str(Path(imports) / "mp" / "proxy.capnp"), imports=IMPORTS)
INIT, MINING = load("init"), load("mining")


class Mock:
    """The node, in a process of its own."""

    def __init__(self):
        command = [program, "mock-node", f"unix:{path}", "--schema", version, "--stop-at-eof", "--debug=ipc"]
        self.log = open(f"{path}.log", "w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout.readline() == f"listening on unix:{path}\n"

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)

    async def logged(self, *texts):
        """Waits until the node has logged all of the texts."""
        for _ in range(500):
            log = Path(self.log.name).read_text()
            if all(text in log for text in texts):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not logged: {texts}\n{log}")


async def connect():
    stream = await capnp.AsyncIoStream.create_unix_connection(path)
    init = capnp.TwoPartyClient(stream).bootstrap().cast_as(INIT.Init)
    # All of it goes out at once, before the first answer.
    context = PROXY.Context()
    context.thread = init.construct().threadMap.makeThread("python").result
    return context, init


async def connect_mining():
    context, init = await connect()
    return context, init.makeMining(context).result


async def create(mining, context, options=None):
    options = options or create_options()
    if version == "v30":
        return await mining.createNewBlock(options)
    return await mining.createNewBlock(context, options)


def create_options():
    options = MINING.BlockCreateOptions()
    options.useMempool = True
    options.blockReservedWeight = 8000
    return options


def wait_options(timeout, fee=1):
    options = MINING.BlockWaitOptions()
    options.timeout = timeout
    options.feeThreshold = fee
    return options


async def started(promise):
    """Sends a call and lets it start."""
    task = asyncio.ensure_future(promise_of(promise))
    await asyncio.sleep(0.1)
    return task


async def promise_of(promise):
    return await promise


async def fails(promise, text):
    try:
        await promise
    except capnp.KjException as error:
        assert text in error.description, error.description
        return error
    raise AssertionError(f"did not fail: {text}")


async def echo(mock):
    context, init = await connect()
    echo = init.makeEcho(context).result
    for text in ["hallo", "", "haha"]:
        assert (await echo.echo(context, text)).result == text
    await echo.destroy(context)
    await fails(echo.echo(context, "after"), "destroyed")


async def inspection(mock):
    context, mining = await connect_mining()
    assert (await mining.isTestChain(context)).result
    assert not (await mining.isInitialBlockDownload(context)).result
    tip = await mining.getTip(context)
    assert tip.hasResult and len(tip.result.hash) == 32


async def deprecated(mock):
    stream = await capnp.AsyncIoStream.create_unix_connection(path)
    init = capnp.TwoPartyClient(stream).bootstrap().cast_as(INIT.Init)
    if version == "v30":
        return
    text = "remote exception: std::exception: Old mining interface (@2) not supported. Please update your client!"
    error = await fails(init.makeMiningOld2(), text)
    assert error.type == "FAILED", error.type


async def no_thread(mock):
    _, init = await connect()
    await fails(init.makeEcho(PROXY.Context()), "no thread specified and no pool configured")


async def tips(mock):
    context, mining = await connect_mining()
    old = (await mining.getTip(context)).result
    wait = await started(mining.waitTipChanged(context, old.hash, FOREVER))
    mock.tell("mine")
    new = (await wait).result
    assert len(new.hash) == 32 and new.height == old.height + 1
    same = (await mining.waitTipChanged(context, new.hash, SHORT)).result
    assert bytes(same.hash) == bytes(new.hash)
    if version != "v30":
        wait = await started(mining.waitTipChanged(context, new.hash, FOREVER))
        await mining.interrupt()
        assert len((await wait).result.hash) == 0


async def templates(mock):
    context, mining = await connect_mining()
    template = (await create(mining, context)).result
    assert len((await template.getBlockHeader(context)).result) == 80
    assert len((await template.getTxFees(context)).result) == 0
    assert len((await template.getTxSigops(context)).result) == 0
    assert len((await template.getCoinbaseMerklePath(context)).result) == 0
    coinbase = (await template.getCoinbaseTx(context)).result
    if version != "v30":
        assert coinbase.blockRewardRemaining == 50 * 100_000_000 and len(coinbase.requiredOutputs) == 1

    wait = await started(template.waitNext(context, wait_options(FOREVER)))
    mock.tell("mine")
    second = (await wait).result
    assert not (await second.waitNext(context, wait_options(SHORT)))._has("result")
    wait = await started(second.waitNext(context, wait_options(FOREVER)))
    mock.tell("tx 1000")
    third = (await wait).result
    assert len((await third.getTxFees(context)).result) == 1
    fourth = (await third.waitNext(context, wait_options(FOREVER, 0))).result
    wait = await started(fourth.waitNext(context, wait_options(FOREVER)))
    await fourth.interruptWait()
    assert not (await wait)._has("result")
    for template in [template, second, third, fourth]:
        await template.destroy(context)


async def three_on_one_thread(mock):
    context, mining = await connect_mining()
    template = (await create(mining, context)).result
    waits = [await started(template.waitNext(context, wait_options(FOREVER))) for _ in range(3)]
    mock.tell("mine")
    for wait in waits:
        await (await wait).result.destroy(context)
    await template.destroy(context)


async def submission(mock):
    context, mining = await connect_mining()
    template = (await create(mining, context)).result
    result = await template.submitSolution(context, 0, 0, 0, b"")
    assert result.result is False
    text = "remote exception: std::exception: SpanReader::read(): end of data:"
    await fails(template.submitSolution(context, 0, 0, 0, b"\0"), text)
    if version != "v32":
        return
    await fails(template.submitSolutionOld7(context, 0, 0, 0, b""), "Old submitSolution (@7) not supported")
    for block in [b"", b"\0" * 10]:
        await fails(mining.submitBlock(context, block), text)
    unsolved = bytes((await template.getBlock(context)).result)
    checked = await mining.checkBlock(context, unsolved, {"checkMerkleRoot": True, "checkPow": False})
    assert checked.result and checked.reason == "" and checked.debug == ""
    missing = await mining.getTransactionsByTxID(context, [b"\0" * 32])
    assert [bytes(data) for data in missing.result] == [b""]


async def options(mock):
    if version != "v32":
        return
    context, mining = await connect_mining()
    bad = create_options()
    bad.blockReservedWeight = 0
    text = "block_reserved_weight (0) is lower than minimum safety value of (2000)"
    await fails(mining.createNewBlock(context, bad), text)
    # What is left out has the schema's default.
    template = (await mining.createNewBlock(context, MINING.BlockCreateOptions())).result
    await template.destroy(context)


async def rpc(mock):
    if version != "v32":
        return
    context, init = await connect()
    rpc = init.makeRpc(context).result
    request = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "uptime", "params": []})
    reply = json.loads((await rpc.executeRpc(context, request, "/", "python")).result)
    assert reply["id"] == 7 and reply["result"] >= 0, reply
    reply = json.loads((await rpc.executeRpc(context, "no JSON", "/", "python")).result)
    assert reply["error"]["code"] == -32700, reply


async def unclean_disconnect(mock):
    context, mining = await connect_mining()
    template = (await create(mining, context)).result
    promise = template.waitNext(context, wait_options(FOREVER))
    await mock.logged("BlockTemplate.waitNext$Params")
    await asyncio.sleep(0.1)
    del promise


async def after_unclean_disconnect(mock):
    await mock.logged("IPC server: socket disconnected", "canceled while executing", "interrupted (canceled)")
    await echo(mock)


SCENARIOS = [
    echo, inspection, deprecated, no_thread, tips, templates, three_on_one_thread, submission, options, rpc,
    unclean_disconnect, after_unclean_disconnect,
]

mock = Mock()
try:
    for scenario in SCENARIOS:
        # A connection of its own for each: it ends with the event loop.
        asyncio.run(capnp.run(asyncio.wait_for(scenario(mock), 20)))
        print(f"{version} {scenario.__name__}: ok", flush=True)
finally:
    mock.process.kill()
