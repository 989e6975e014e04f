"""Fields that are left out, null elements, and values that Rust's types do not have."""

from cases import case, equal, fails
from session import RAW, Session


def person(name="Ann"):
    return {"name": name, "luckyNumbers": [7, -1], "flags": [True, False], "scores": [{"first": "a", "second": 1}]}


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
