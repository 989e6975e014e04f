"""Failures, and calls of what is not there."""

from cases import case, equal, fails
from session import RAW, S, Session


@case
async def failures():
    session = await Session().open()
    values = session.values()
    await fails(values.fail(session.context, "on purpose"), "remote exception: std::exception: on purpose")
    await fails(values.failInline("inline"), "remote exception: std::exception: inline")
    await fails(session.init.retired(), "remote exception: std::exception: retired: use makeValues")
    answer = await getattr(values, "raise")(session.context, {"name": "Ann"})
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
