"""What a case is, and what it checks with."""

import asyncio

import capnp

CASES = []


def case(function):
    CASES.append(function)
    return function


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
