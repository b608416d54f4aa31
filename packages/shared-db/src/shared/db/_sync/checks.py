# Generated from ../_async/checks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""Asking one store, with an answer in time."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import _clickhouse, _postgres, _qdrant, _redis
from .._errors import DriverMissing, Unavailable
from .._reports import Ping
from ._runtime import IS_ASYNC, Background

if TYPE_CHECKING:
    from collections.abc import Callable

_DRIVERS: dict[str, Callable[[], Any]] = {
    "postgres": _postgres.driver,
    "clickhouse": partial(_clickhouse.driver, tasks=IS_ASYNC),
    "qdrant": _qdrant.driver,
    "redis": _redis.driver,
}


class Check:
    """Asks one store. Answers in time, also when the driver does not: the question is left behind.

    The driver is imported when this is made: that takes longer than many a timeout.
    """

    def __init__(self, store: Any, timeout: float) -> None:
        with contextlib.suppress(DriverMissing):  # said when it is asked
            _DRIVERS[store.store]()
        self._store = store
        self._timeout = timeout
        self._asking: tuple[Background, list[BaseException | None]] | None = None

    def __call__(self) -> None:
        """Asks.

        Raises:
            Unavailable: No answer came in time.
        """
        if self._asking is None or self._asking[0].done():
            results: list[BaseException | None] = []

            def ask() -> None:
                try:
                    self._store.ping(self._timeout)
                except Exception as error:  # noqa: BLE001  raised where it was asked for
                    results.append(error)
                else:
                    results.append(None)

            self._asking = (Background(f"shared.db check {self._store.name}", ask), results)
        asking, results = self._asking
        if not asking.join(self._timeout + 0.05):
            raise Unavailable(
                f"{self._store!r} did not answer in {self._timeout:g} s", store=self._store.store
            )
        self._asking = None
        if results and results[0] is not None:
            raise results[0]


def answer_of(answer: float | BaseException) -> Ping:
    """What a check has found."""
    if isinstance(answer, BaseException):
        if not isinstance(answer, Exception):
            raise answer
        return Ping(ok=False, error=f"{type(answer).__name__}: {answer}")
    return Ping(ok=True, latency=answer)
