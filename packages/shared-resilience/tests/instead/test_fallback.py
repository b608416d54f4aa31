"""Another answer, another provider."""

import asyncio
import threading
from typing import Any

import pytest

from shared.resilience import Fallback, ProviderFallback, with_fallback


def fail(*args, **kwargs):
    raise ConnectionError("down")


async def afail(*args):
    raise ConnectionError("down")


async def backup(x):
    return x


async def backup_stream(*args):
    yield (yield "backup")


async def two_way(good):
    """Answer what is sent, or fail before the first item."""
    if not good:
        raise ConnectionError
    try:
        got = yield "first"
    except KeyError:
        got = "thrown"
    yield got


@pytest.mark.parametrize(
    ("answer", "args", "expected"),
    [
        ([], (), []),
        (lambda: "nothing", (1, 2), "nothing"),
        (lambda a, b: a + b, (1, 2), 3),
    ],
)
def test_an_answer_is_a_value_or_a_function(answer, args, expected):
    assert Fallback(answer).call(fail, *args) == expected


@pytest.mark.parametrize("word", ["exceptions", "on"])
@pytest.mark.parametrize("which", [ValueError, lambda exc: False], ids=["class", "predicate"])
def test_other_failures_are_raised(word, which):
    with pytest.raises(ConnectionError):
        Fallback(0, **{word: which}).call(fail)


def test_an_interrupt_is_not_a_failure():
    @Fallback(0)
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()


@pytest.mark.parametrize(("answer", "args", "expected"), [(0, (), 0), (backup, (5,), 5)])
async def test_async_calls_may_have_an_async_answer(answer, args, expected):
    assert await Fallback(answer).acall(afail, *args) == expected


def test_a_plain_call_cannot_have_an_async_answer():
    with pytest.raises(TypeError, match="async"):
        Fallback(backup)(fail)


def test_a_generator_falls_back_before_its_first_item_only():
    @Fallback(["backup"])
    def stream(good):
        yield from good
        raise ConnectionError

    assert list(stream([])) == ["backup"]
    with pytest.raises(ConnectionError):
        list(stream(["begun"]))


async def test_an_async_generator_falls_back_to_items():
    @Fallback(["a", "b"])
    async def items():
        raise ConnectionError
        yield  # type: ignore[unreachable]

    assert [item async for item in items()] == ["a", "b"]


@pytest.mark.parametrize(("good", "first"), [("good", "first"), ("", "backup")])
async def test_what_is_sent_reaches_either_generator(good, first):
    stream = Fallback(backup_stream)(two_way)(good)
    assert await anext(stream) == first
    assert await stream.asend("sent") == "sent"
    await stream.aclose()


async def test_what_is_thrown_reaches_the_generator():
    stream = Fallback([])(two_way)("good")
    await anext(stream)
    assert await stream.athrow(KeyError()) == "thrown"
    await stream.aclose()


@pytest.mark.parametrize("word", ["exceptions", "on"])
def test_providers_are_tried_in_their_order(word):
    tried = []

    decorate: Any = with_fallback

    @decorate("primary", ["one", "two"], **{word: ConnectionError})
    async def price(symbol, *, provider):
        tried.append(provider)
        if provider != "two":
            raise ConnectionError(provider)
        return symbol, provider

    answer = asyncio.run(price("ACME"))
    assert answer == ("ACME", "two")
    assert tried == ["primary", "one", "two"]


def test_when_all_providers_fail_the_last_failure_names_the_others():
    with pytest.raises(ConnectionError) as caught:
        ProviderFallback("primary", ["one"]).call(fail)
    assert caught.value.__notes__ == ["primary failed before: ConnectionError: down"]


def test_no_secret_stands_in_the_notes():
    def connect(provider):
        raise ConnectionError(f"no route to redis://app:hunter2@{provider}:6379 token=abc123")

    with pytest.raises(ConnectionError) as caught:
        ProviderFallback("primary", ["one"]).call(connect)  # type: ignore[call-arg]
    (note,) = caught.value.__notes__
    assert "hunter2" not in note
    assert "abc123" not in note
    assert "redis://app:[REDACTED]@primary:6379" in note


def test_a_function_must_accept_the_argument():
    with pytest.raises(TypeError, match="'provider'"):
        with_fallback("primary")(lambda: 0)
    with pytest.raises(TypeError, match="'source'"):
        with_fallback("primary", argument="source")(lambda symbol: symbol)


class Shop:
    @with_fallback("primary", ["backup"])
    def price(self, provider_id, symbol, *, currency="EUR"):
        return self.asked(provider_id, symbol, currency)

    @classmethod
    @with_fallback("primary", ["backup"])
    def price_of_class(cls, provider_id, symbol, currency="EUR"):
        return cls.asked(provider_id, symbol, currency)

    @with_fallback("primary", ["backup"])
    @classmethod
    def decorated_class_method(cls, provider_id, symbol, currency="EUR"):
        return cls.asked(provider_id, symbol, currency)

    @with_fallback("primary", ["backup"])
    @staticmethod
    def static(provider_id, symbol, currency="EUR"):
        return Shop.asked(provider_id, symbol, currency)

    @with_fallback("primary", ["backup"])
    async def aprice(self, provider_id, symbol, currency="EUR"):
        return self.asked(provider_id, symbol, currency)

    @staticmethod
    def asked(*order):
        if order[0] == "primary":
            raise ConnectionError("down")
        return order


@pytest.mark.parametrize(
    "method", ["price", "price_of_class", "decorated_class_method", "static", "aprice"]
)
def test_the_provider_is_the_first_argument_whatever_its_name(method):
    price = getattr(Shop(), method)
    answer = price("ACME", currency="USD")
    if asyncio.iscoroutine(answer):
        answer = asyncio.run(answer)
    assert answer == ("backup", "ACME", "USD")


def first(provider, symbol):
    return provider, symbol


def second(symbol, provider=""):
    return provider, symbol


def keyword(symbol, *, provider):
    return provider, symbol


def any_keyword(*, symbol="ACME", **others):
    return others["provider"], symbol


def any_position(*args):
    return args


@pytest.mark.parametrize(
    ("fn", "args"),
    [
        (first, ["ACME"]),
        (second, ["ACME"]),
        (keyword, ["ACME"]),
        (any_keyword, []),
        (any_position, ["ACME"]),
    ],
)
def test_where_the_provider_goes(fn, args):
    assert with_fallback("primary")(fn)(*args) == ("primary", "ACME")


@pytest.mark.parametrize("answer", [[], {}, set(), bytearray(), [[]], {"items": []}])
def test_every_caller_gets_its_own_container(answer):
    fetch: Any = Fallback(answer)(fail)
    given = fetch()
    assert given == answer
    inner = given
    while inner and not isinstance(inner, bytearray):
        inner = inner[0] if isinstance(inner, list) else inner["items"]
    getattr(inner, "append", None) and inner.append(1)
    getattr(inner, "update", None) and inner.update([(1, 1)])
    assert given != answer
    assert fetch() == answer


def test_a_container_of_what_cannot_be_copied_is_copied_itself():
    lock = threading.Lock()
    fetch: Any = Fallback([lock])(fail)
    assert fetch() == [lock]
    assert fetch() is not fetch()


def test_a_failure_without_a_text_is_not_replaced():
    class Silent(Exception):
        def __str__(self):
            raise ZeroDivisionError

    def silent(provider):
        raise Silent

    with pytest.raises(Silent) as caught:
        ProviderFallback("a", ["b"]).call(silent)  # type: ignore[call-arg]
    assert caught.value.__notes__ == ["a failed before: Silent: <unprintable>"]
