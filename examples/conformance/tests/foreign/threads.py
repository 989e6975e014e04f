"""Every kind of thread that a call can name."""

from cases import case, equal, fails
from session import PROXY, Session, ThreadServer


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
