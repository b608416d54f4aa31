"""What asking and closing found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


@dataclass(frozen=True)
class Ping:
    """One store's answer.

    Attributes:
        ok: Whether it answered.
        latency: Seconds that the answer took, None without one.
        error: Why there is none.
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
        cancelled: How many uses were cut off by the timeout.
        finished: How many ended by themselves while closing.
        stores: The two figures by store.
        undelivered: Rows that writers could not deliver.
    """

    cancelled: int = 0
    finished: int = 0
    stores: dict[str, dict[str, int]] = field(default_factory=dict)
    undelivered: int = 0


def values_of(results: Iterable[T | BaseException]) -> list[T]:
    """What calls made at once have returned; the first error is raised."""
    values: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        values.append(result)
    return values
