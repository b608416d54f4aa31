"""What pings and closing found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from .reasons import described

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


@dataclass(frozen=True)
class Ping:
    """One store's answer.

    Attributes:
        ok: Whether it answered.
        latency: Seconds that the answer took; None if there was none.
        error: Why there was none.
    """

    ok: bool
    latency: float | None = None
    error: str | None = None

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True)
class CloseReport:
    """What closing did.

    Attributes:
        cancelled: How many calls were cut off by the timeout.
        finished: How many ended by themselves while closing.
        stores: The two figures per store.
        undelivered: Rows not delivered by writers.
    """

    cancelled: int = 0
    finished: int = 0
    stores: dict[str, dict[str, int]] = field(default_factory=dict)
    undelivered: int = 0


def answer_of(answer: float | BaseException) -> Ping:
    """Return what a check has found, from its seconds or its error."""
    if not isinstance(answer, BaseException):
        return Ping(ok=True, latency=answer)
    if not isinstance(answer, Exception):
        raise answer
    return Ping(ok=False, error=described(answer))


def values_of(results: Iterable[T | BaseException]) -> list[T]:
    """Return what calls made at once have returned; the first error is raised."""
    values: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        values.append(result)
    return values
