"""The public API as a type-checked file that is never run."""

from typing import assert_type

from shared.core import checks
from shared.core.callables import Kind, decorate, kind_of, wrap
from shared.core.loops import Awaiter
from shared.core.redaction import one_line, scrub
from shared.core.testing import VirtualClock
from shared.core.waiting import Line, TaskWaiter, ThreadWaiter


def fetch(url: str, *, retries: int = 1) -> bytes:
    return b""


async def wait(waiter: TaskWaiter[str]) -> None:
    assert_type(await waiter.wait(1.0), bool)
    assert_type(waiter.value, str)


class Around:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


wrapped = wrap(fetch, lambda args, kwargs: Around())
assert_type(wrapped("x", retries=2), bytes)
wrapped(1)  # type: ignore[arg-type]
assert_type(decorate(fetch, lambda fn: fn, by="x")("x"), bytes)
kind: Kind = kind_of(fetch)
assert_type(checks.number("x", 1), float)
assert_type(checks.whole("x", 1), int)
assert_type(checks.choice("x", "a", ("a", "b")), str)
assert_type(checks.text("x", "a"), str)
assert_type(ThreadWaiter[int]().wait(1.0), bool)
assert_type(Line[int]().head() is None, bool)
assert_type(VirtualClock()(), float)
assert_type(scrub(one_line("x")), str)
Awaiter().close()
