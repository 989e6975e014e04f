"""The mock node, and how a client on the C++ runtime of Cap'n Proto talks to it.

The program's arguments: the program `bitcoin-client`, the directory with the schema of one version, the directory with what
it imports, the version, and a path for sockets to begin with.
"""

import asyncio
import select
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import capnp
from blocks import Candidate

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

    def __init__(self, path, *options, wait=True):
        command = [program, "mock-node", f"unix:{path}", "--schema", version, "--stop-at-eof", "--debug=ipc", *options]
        self.path = path
        self.log = open(f"{path}.log", "w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        if wait:
            assert self.process.stdout.readline() == f"listening on unix:{path}\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)

    async def logged(self, *texts):
        """Waits until the node has logged all of the texts."""
        while not all(text in Path(self.log.name).read_text() for text in texts):
            await asyncio.sleep(0.01)

    async def waiting(self, count):
        """Waits until that many calls wait at the node, which has then done all that it was told before."""
        self.tell(f"waiting {count}")
        # It prints a line only when it is asked to. A thread that reads could not be given up.
        while not select.select([self.process.stdout], [], [], 0)[0]:
            await asyncio.sleep(0.001)
        line = self.process.stdout.readline()
        assert line == f"waiting {count}\n", line


async def bootstrap(mock):
    stream = await capnp.AsyncIoStream.create_unix_connection(mock.path)
    return capnp.TwoPartyClient(stream).bootstrap().cast_as(INIT.Init)


async def connect(mock):
    init = await bootstrap(mock)
    # All of it goes out at once, before the first answer.
    context = PROXY.Context()
    context.thread = init.construct().threadMap.makeThread("python").result
    return context, init


async def connect_mining(mock):
    context, init = await connect(mock)
    return context, init.makeMining(context).result


async def create(mining, context, options=None, cooldown=True):
    options = options or create_options()
    if version == "v30":
        return await mining.createNewBlock(options)
    return await mining.createNewBlock(context, options, cooldown)


@asynccontextmanager
async def created(mining, context, options=None, cooldown=True):
    """A template, which is destroyed at the end."""
    template = (await create(mining, context, options, cooldown)).result
    try:
        yield template
    finally:
        await template.destroy(context)


async def candidate(template, context, extra=b""):
    """A block of a template that lacks nothing but work."""
    block = bytes((await template.getBlock(context)).result)
    path = (await template.getCoinbaseMerklePath(context)).result
    coinbase = await template.getCoinbaseTx(context)
    return Candidate(block, coinbase.result, path, extra)


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


async def started(mock, promise):
    """Sends a call, and waits until it waits at the node, where no other does."""
    task = asyncio.ensure_future(promise_of(promise))
    await mock.waiting(1)
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
