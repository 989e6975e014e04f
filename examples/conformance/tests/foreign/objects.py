"""Objects and callbacks."""

from cases import case, equal, eventually, fails
from session import CallbackServer, Session, ThreadServer


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
    await fails(objects.callback_request(context=session.context).send(), "std::exception: null object in callback")
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
    session.stream.close()
    del session, threads
    again = await Session().open()
    equal((await again.values().add(1, 1)).result, 2)
