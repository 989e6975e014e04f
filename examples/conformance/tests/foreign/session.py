"""Sessions with the server, and what its schema declares."""

import asyncio
import os
import re
import sys
import tempfile

import capnp

ADDRESS, SCHEMA, IMPORTS = sys.argv[1:4]

capnp.remove_import_hook()


class Types:
    """What a schema file declares, and what /mp/proxy.capnp does, as one parser sees them."""

    def __init__(self, path):
        parser = capnp.SchemaParser()
        schema = parser.load(path, imports=[IMPORTS])
        proxy = parser.load(os.path.join(IMPORTS, "mp", "proxy.capnp"), imports=[IMPORTS])
        self.schema, self.proxy = schema, proxy

        class ThreadServer(proxy.Thread.Server):
            """A thread that is not one of the server's, or a client's own for callbacks."""

            async def getName(self, _context, **kwargs):
                return "python"

        class ThreadMapServer(proxy.ThreadMap.Server):
            """Makes threads for the server's own use."""

            async def makeThread(self, name, _context, **kwargs):
                return ThreadServer()

        self.thread_server, self.thread_map_server = ThreadServer, ThreadMapServer


def raw_types():
    """The same ids, with types that let through what the real ones do not, and a method that nobody has."""
    with open(SCHEMA, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"\bText\b", "Data", text)
    text = text.replace("value :Color", "value :UInt16").replace("result :Color", "result :UInt16")
    text = text.replace("passSet @33", "unknown @34 () -> ();\n    passSet @33")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "conformance.capnp")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return Types(path)


TYPES = Types(SCHEMA)
RAW = raw_types()
S, PROXY, ThreadServer = TYPES.schema, TYPES.proxy, TYPES.thread_server


class CallbackServer(S.Callback.Server):
    """Multiplies, and notes what it was called with."""

    def __init__(self, factor=3):
        self.factor = factor
        self.contexts = []
        self.destroyed = asyncio.Event()

    async def call(self, context, arg, _context, **kwargs):
        self.contexts.append((context._has("thread"), context._has("callbackThread")))
        return self.factor * arg

    async def destroy(self, context, _context, **kwargs):
        self.destroyed.set()


class Session:
    """A connection, with a thread of the server's."""

    async def open(self, thread_map=True, types=TYPES):
        self.stream = await capnp.AsyncIoStream.create_unix_connection(ADDRESS.removeprefix("unix:"))
        self.client = capnp.TwoPartyClient(self.stream)
        self.init = self.client.bootstrap().cast_as(types.schema.Init)
        self.types = types
        # Nothing is awaited: all of it travels at once.
        construct = self.init.construct(types.thread_map_server()) if thread_map else self.init.construct()
        self.threads = construct.threadMap
        self.context = {"thread": self.threads.makeThread("session").result}
        return self

    def values(self):
        return self.init.makeValues(self.context).result

    def objects(self):
        return self.init.makeObjects(self.context).result

    def threads_object(self):
        return self.init.makeThreads(self.context).result
