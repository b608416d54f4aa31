# Generated from _async/checks.py by generate_sync.py: change that file, not this one.
# fmt: off
"""Checks of one store, with an answer in time."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from .._base.errors import DriverMissing, Unavailable
from .._rules import clickhouse, postgres, qdrant, redis
from .runtime import IS_ASYNC, Background

if TYPE_CHECKING:
    from collections.abc import Callable

_DRIVERS: dict[str, Callable[[], Any]] = {
    "postgres": postgres.driver,
    "clickhouse": partial(clickhouse.driver, tasks=IS_ASYNC),
    "qdrant": qdrant.driver,
    "redis": redis.driver,
}


class Check:
    """Checks one store. Answers in time even if the driver does not: its call is left behind.

    The driver is imported when this is made: that takes longer than many timeouts.
    """

    def __init__(self, store: Any, timeout: float) -> None:
        with contextlib.suppress(DriverMissing):  # raised when it is called
            _DRIVERS[store.store]()
        self._store = store
        self._timeout = timeout
        self._asking: tuple[Background, list[BaseException | None]] | None = None

    def __call__(self) -> None:
        """Check the store.

        Raises:
            Unavailable: No answer came in time.
        """
        if self._asking is None or self._asking[0].done():
            results: list[BaseException | None] = []

            def ask() -> None:
                try:
                    self._store.ping(self._timeout)
                except Exception as error:  # noqa: BLE001 - raised in the caller
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
