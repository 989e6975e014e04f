"""A client on the C++ Cap'n Proto runtime, for what a program of this library never sends.

    foreign.py SOCKET SCHEMA IMPORTS [PART]

Prints a line for each case whose name contains PART, then "N passed, N failed". Exits with 1 if one failed.
"""

import asyncio
import os
import re
import sys
import tempfile
import traceback

import capnp

SOCKET, SCHEMA, IMPORTS = sys.argv[1:4]
PART = sys.argv[4] if len(sys.argv) > 4 else ""
DEADLINE = 30

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

CASES = []


def case(function):
    CASES.append(function)
    return function


class CallbackServer(S.Callback.Server):
    def __init__(self, factor=3):
        self.factor = factor
        self.contexts = []
        self.destroyed = asyncio.Event()
        self.released = asyncio.Event()

    async def call(self, context, arg, _context, **kwargs):
        self.contexts.append((has_cap(context, "thread"), has_cap(context, "callbackThread")))
        return self.factor * arg

    async def destroy(self, context, _context, **kwargs):
        self.destroyed.set()


def has_cap(struct, field):
    """Whether a capability field is not null."""
    return struct._has(field)


class Session:
    """A connection, with a thread of the server's."""

    async def open(self, thread_map=True, types=TYPES):
        self.stream = await capnp.AsyncIoStream.create_unix_connection(SOCKET)
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


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"got {found!r}, expected {expected!r}")


async def fails(promise, text):
    try:
        await promise
    except capnp.KjException as error:
        if text not in str(error):
            raise AssertionError(f"the error is {error}, expected {text!r}") from error
        return str(error)
    raise AssertionError(f"no error, expected {text!r}")


async def eventually(condition):
    deadline = asyncio.get_running_loop().time() + 10
    while not await condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("did not happen")
        await asyncio.sleep(0.005)


def person(name="Ann"):
    return {"name": name, "luckyNumbers": [7, -1], "flags": [True, False], "scores": [{"first": "a", "second": 1}]}


# Fields that are left out, and null.


@case
async def one_flight():
    session = await Session().open()
    equal((await session.values().addOnThread(session.context, 1, 2)).result, 3)


@case
async def text_left_out_is_empty():
    session = await Session().open()
    equal((await session.values().passText()).result, "")
    equal((await session.values().passData()).result, b"")


@case
async def struct_left_out_is_the_default():
    session = await Session().open()
    values = session.values()
    result = (await values.passPerson(session.context)).result
    equal((result.name, list(result.luckyNumbers), result.hasAge, len(result.scores)), ("", [], False, 0))
    request = values.withDefault_request()
    request.context = session.context
    answer = await request.send()
    equal((answer.result.useCache, answer.result.limit, answer.result.label), (True, 8000, "none"))
    equal(answer.flag, True)
    answer = await values.withDefault(session.context, {"limit": 7}, False)
    equal((answer.result.useCache, answer.result.limit, answer.result.label, answer.flag), (True, 7, "none", False))


@case
async def optional_struct():
    session = await Session().open()
    values = session.values()
    equal((await values.passOptionalStruct())._has("result"), False)
    answer = await values.passOptionalStruct(person())
    equal((answer._has("result"), answer.result.name), (True, "Ann"))


@case
async def companions():
    session = await Session().open()
    values = session.values()
    answer = await values.passOptional(5, False)
    equal((answer.result, answer.hasResult), (0, False))
    answer = await values.passOptional(0, True)
    equal((answer.result, answer.hasResult), (0, True))
    answer = await values.passPerson(session.context, {"age": 5})
    equal((answer.result.age, answer.result.hasAge), (0, False))
    answer = await values.stats(session.context, [5, 9], False, True)
    equal((answer.max, answer.min, answer.result), (0, 5, 2))


@case
async def skipped_field():
    session = await Session().open()
    answer = await session.values().passPerson(session.context, {"internal": 77})
    equal(answer.result.internal, 0)


@case
async def lists_left_out_are_empty():
    session = await Session().open()
    values = session.values()
    for method in ["passList", "passNested", "passBlobs", "passPeople", "passMap", "passSet"]:
        answer = await getattr(values, method)()
        equal((method, len(answer.result), answer._has("result")), (method, 0, True))
    equal((await values.mapSize()).result, 0)


@case
async def list_elements_that_are_null():
    session = await Session().open()
    values = session.values()
    for method, empty in [("passNested", []), ("passBlobs", b""), ("passSet", "")]:
        request = getattr(values, method + "_request")()
        request.init("value", 1)
        equal([element if isinstance(element, (bytes, str)) else list(element) for element in (await request.send()).result], [empty])
    request = values.passPeople_request()
    request.init("value", 2)[1].init("scores", 2)
    result = (await request.send()).result
    equal([(one.name, len(one.scores)) for one in result], [("", 0), ("", 2)])
    request = values.passMap_request()
    request.init("value", 1)
    equal([(one.first, one.second) for one in (await request.send()).result], [("", "")])


@case
async def duplicates():
    session = await Session().open()
    values = session.values()
    pairs = [{"first": "b", "second": "1"}, {"first": "a", "second": "2"}, {"first": "b", "second": "3"}]
    result = (await values.passMap(pairs)).result
    equal([(one.first, one.second) for one in result], [("a", "2"), ("b", "1")])
    equal((await values.mapSize(pairs)).result, 2)
    equal(list((await values.passSet(["b", "a", "b"])).result), ["a", "b"])


# Values that Rust's types do not have.


@case
async def text_that_is_not_utf_8():
    session = await Session().open(types=RAW)
    values = session.values()
    # A Text is its bytes and a zero.
    equal((await values.passText(b"\xff\xfea\0b\xc3\0")).result, b"\xff\xfea\0b\xc3\0")
    await fails(values.fail(session.context, b"\xff\0"), "bad value in message: not UTF-8")
    await fails(values.passPerson(session.context, {"name": b"\xc3\0"}), "bad value in Person.name: not UTF-8")
    await fails(values.passNested([[b"\xff\0"]]), "bad value in value: not UTF-8")
    equal((await values.add(1, 1)).result, 2)


@case
async def text_without_its_zero():
    session = await Session().open(types=RAW)
    values = session.values()
    await fails(values.passText(b"abc"), "")
    await fails(values.passPerson(session.context, {"name": b"abc"}), "")
    await fails(values.passSet([b"abc"]), "")
    equal((await values.add(1, 1)).result, 2)


@case
async def unknown_enumerants():
    session = await Session().open(types=RAW)
    values = session.values()
    equal((await values.passColor(2)).result, 2)
    await fails(values.passColor(3), "bad value in value: unknown enum value 3")
    await fails(values.passColor(65535), "unknown enum value 65535")
    equal((await values.passEnum(77)).result, 77)
    equal((await values.add(1, 1)).result, 2)


@case
async def large_data():
    session = await Session().open()
    data = bytes(range(256)) * 4096
    equal((await session.values().passData(data)).result == data, True)


@case
async def a_tree_that_is_too_deep():
    session = await Session().open()
    values = session.values()
    request = values.passTree_request()
    request.context = session.context
    tree = request.init("value")
    for _ in range(100):
        tree = tree.init("children", 1)[0]
    await fails(request.send(), "std::exception: ")
    equal((await values.addOnThread(session.context, 1, 1)).result, 2)


# Errors.


@case
async def failures():
    session = await Session().open()
    values = session.values()
    error = await fails(values.fail(session.context, "on purpose"), "remote exception: std::exception: on purpose")
    await fails(values.failInline("inline"), "remote exception: std::exception: inline")
    await fails(session.init.retired(), "remote exception: std::exception: retired: use makeValues")
    del error
    answer = await values.raise_(session.context, person()) if hasattr(values, "raise_") else await getattr(values, "raise")(session.context, person())
    equal((answer._has("error"), answer.error.name), (True, "Ann"))
    answer = await values.raiseIf(session.context, 3)
    equal((answer._has("error"), answer.error.name, answer.result), (True, "odd", 0))
    answer = await values.raiseIf(session.context, 4)
    equal((answer._has("error"), answer.result), (False, 4))


@case
async def unknown_method():
    session = await Session().open(types=RAW)
    values = session.values()
    await fails(values.unknown(), "Method not implemented.; interfaceName = ")
    error = await fails(values.unknown(), "; methodId = 34")
    equal("Values" in error, True)
    equal((await values.add(1, 1)).result, 2)


@case
async def unknown_interface():
    session = await Session().open()
    values = session.values()
    error = await fails(values.cast_as(S.Counter).next(session.context), "Requested interface not implemented.")
    equal("actualInterfaceName = " in error, True)
    equal((await values.add(1, 1)).result, 2)


# Threads.


@case
async def no_thread_and_no_pool():
    session = await Session().open()
    values = session.values()
    text = "remote exception: std::exception: no thread specified and no pool configured"
    await fails(values.addOnThread({}, 1, 2), text)
    await fails(values.addOnThread_request(a=1, b=2).send(), text)
    equal((await values.addOnThread(session.context, 1, 2)).result, 3)


@case
async def a_thread_of_somebody_else():
    session = await Session().open()
    values = session.values()
    text = "remote exception: std::exception: invalid thread handle"
    await fails(values.addOnThread({"thread": ThreadServer()}, 1, 2), text)
    await fails(values.addOnThread({"thread": values.cast_as(PROXY.Thread)}, 1, 2), text)


@case
async def a_promise_of_a_thread_that_breaks():
    session = await Session().open()
    values = session.values()
    broken = session.init.makeValues().result.cast_as(PROXY.Thread)
    await fails(values.addOnThread({"thread": broken}, 1, 2), "no thread specified and no pool configured")
    null = session.init.makeNothing(session.context).result.cast_as(PROXY.Thread)
    await fails(values.addOnThread({"thread": null}, 1, 2), "")
    equal((await values.add(1, 1)).result, 2)


@case
async def a_thread_that_is_not_there_yet():
    session = await Session().open()
    values = session.values()
    context = {"thread": session.threads.makeThread("late").result}
    sums = [values.addOnThread(context, value, 1) for value in range(10)]
    equal([(await one).result for one in sums], list(range(1, 11)))


@case
async def threads_have_names():
    session = await Session().open()
    thread = (await session.threads.makeThread("abc")).result
    name = (await thread.getName()).result
    equal(name.endswith(" (from abc)"), True)
    equal((await session.threads_object().threadName({"thread": thread})).result, name)
    null = session.threads.makeThread().result
    equal((await null.getName()).result.endswith(" (from )"), True)


@case
async def a_pool():
    session = await Session().open()
    values = session.values()
    await session.threads.makePool(2)
    equal((await values.addOnThread({}, 1, 2)).result, 3)
    equal((await values.addOnThread_request(a=1, b=2).send()).result, 3)
    name = (await session.threads_object().threadName({})).result
    equal("(pool/" in name, True)
    await fails(session.threads.makePool(1), "std::exception: makePool called on connection with existing pool")
    # The one that is blocked is not given the next call.
    threads = session.threads_object()
    blocked = threads.block({}, "pool")
    for _ in range(4):
        equal((await values.addOnThread({}, 1, 2)).result, 3)
    await threads.unblock("pool")
    await blocked


@case
async def a_pool_of_none():
    session = await Session().open()
    await session.threads.makePool(0)
    await fails(session.values().addOnThread({}, 1, 2), "no thread specified and no pool configured")
    await session.threads.makePool(1)
    equal((await session.values().addOnThread({}, 1, 2)).result, 3)


@case
async def calls_of_one_thread_start_in_order():
    session = await Session().open()
    threads = session.threads_object()
    # Kept: a promise that is dropped is a call that is cancelled.
    kept = [threads.append(session.context, value) for value in range(3)]
    equal(list((await threads.appended(session.context)).result), [0, 1, 2])
    kept += [threads.append(session.context, value) for value in range(100)]
    equal(list((await threads.appended(session.context)).result), list(range(100)))
    del kept


@case
async def thread_locals():
    session = await Session().open()
    threads = session.threads_object()
    other = {"thread": session.threads.makeThread("other").result}
    await threads.setLocal(session.context, 42)
    equal((await threads.getLocal(session.context)).result, 42)
    equal((await threads.getLocal(other)).result, 0)


@case
async def without_context_it_gets_through():
    session = await Session().open()
    threads = session.threads_object()
    blocked = threads.block(session.context, "key")
    behind = threads.getLocal(session.context)
    other = {"thread": session.threads.makeThread("other").result}
    equal((await threads.getLocal(other)).result, 0)
    await threads.unblock("key")
    await blocked
    await behind


# Callbacks.


@case
async def callbacks():
    for callback_thread in [True, False]:
        session = await Session().open()
        objects = session.objects()
        callback = CallbackServer()
        context = dict(session.context)
        if callback_thread:
            context["callbackThread"] = ThreadServer()
        equal((await objects.callback(context, callback, 4)).result, 12)
        # Without a thread of ours, the call names only the server's.
        equal(callback.contexts, [(callback_thread, True)])
        equal(callback.destroyed.is_set(), True)
        equal((await objects.callbackMany(context, CallbackServer(1), 10)).result, 45)


@case
async def a_callback_without_any_thread_map():
    session = await Session().open(thread_map=False)
    objects = session.objects()
    equal((await objects.callback(session.context, CallbackServer(), 4)).result, 12)


@case
async def saved_callbacks():
    session = await Session().open()
    objects = session.objects()
    first, second = CallbackServer(2), CallbackServer(3)
    await objects.saveCallback(session.context, first)
    equal((await objects.callbackSaved(session.context, 5)).result, 10)
    await objects.saveCallback(session.context, second)
    equal((first.destroyed.is_set(), second.destroyed.is_set()), (True, False))
    await objects.saveCallback(session.context)
    equal(second.destroyed.is_set(), True)
    await fails(objects.callbackSaved(session.context, 5), "std::exception: nothing saved")


@case
async def what_a_released_object_held_is_destroyed():
    for thread_map in [True, False]:
        session = await Session().open(thread_map=thread_map)
        objects = session.objects()
        callback = CallbackServer()
        await objects.saveCallback(session.context, callback)
        # No destroy: the last reference goes.
        del objects

        async def destroyed():
            return callback.destroyed.is_set()

        await eventually(destroyed)


@case
async def null_objects():
    session = await Session().open()
    objects = session.objects()
    await fails(objects.callback(session.context, None, 1) if False else objects.callback_request(context=session.context).send(), "std::exception: null object in callback")
    await fails(objects.passFn_request(context=session.context).send(), "std::exception: null object in fn")
    await fails(objects.counterValue_request(context=session.context).send(), "std::exception: null object in counter")
    equal((await objects.isNull_request(context=session.context).send()).result, True)
    equal((await objects.isNull(session.context, CallbackServer())).result, False)
    equal((await objects.sameObject_request(context=session.context).send())._has("result"), False)
    equal((await session.init.makeNothing(session.context))._has("result"), False)


@case
async def an_object_comes_home():
    session = await Session().open()
    objects = session.objects()
    callback = CallbackServer(9)
    same = (await objects.sameObject(session.context, callback)).result
    equal((await same.call({}, 2)).result, 18)
    counter = objects.makeCounter(session.context, 4).result
    equal((await objects.counterValue(session.context, counter)).result, 4)
    equal((await counter.next(session.context)).result, 5)


@case
async def released_counters_are_gone():
    session = await Session().open()
    objects = session.objects()
    counter = (await objects.makeCounter(session.context, 4)).result
    equal((await objects.liveCounters(session.context)).result, 1)
    del counter

    async def none_lives():
        return (await objects.liveCounters(session.context)).result == 0

    await eventually(none_lives)


@case
async def use_after_destroy():
    session = await Session().open()
    values = session.values()
    await values.destroy(session.context)
    await fails(values.add(1, 1), "std::exception: Values object called after it was destroyed")
    await fails(values.addOnThread(session.context, 1, 1), "called after it was destroyed")
    await values.destroy(session.context)
    equal((await session.values().add(1, 1)).result, 2)


@case
async def destroy_without_a_thread():
    session = await Session().open()
    objects = session.objects()
    callback = CallbackServer()
    await objects.saveCallback(session.context, callback)
    await objects.destroy()
    equal(callback.destroyed.is_set(), True)


@case
async def leaving_while_a_call_is_under_way():
    session = await Session().open()
    threads = session.threads_object()
    threads.block(session.context, "left alone")
    await threads.getLocal({"thread": session.threads.makeThread("other").result})
    session.client.close() if hasattr(session.client, "close") else None
    session.stream.close()
    del session, threads
    again = await Session().open()
    equal((await again.values().add(1, 1)).result, 2)


async def run():
    passed = failed = 0
    for function in CASES:
        name = function.__name__
        if PART not in name:
            continue
        try:
            await asyncio.wait_for(function(), DEADLINE)
            passed += 1
            print(f"ok   {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            line = traceback.extract_tb(error.__traceback__)
            where = " (lines " + ", ".join(str(one.lineno) for one in line if one.filename == __file__) + ")"
            text = " ".join(str(error).split("\nstack:")[0].split()) or type(error).__name__
            print(f"FAIL {name}{where}: {text}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed == 0 and passed > 0


sys.exit(0 if asyncio.run(capnp.run(run())) else 1)
