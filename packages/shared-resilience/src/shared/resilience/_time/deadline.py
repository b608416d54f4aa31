"""A point in time after which an answer is useless, known to everything that is called."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Self, overload

from shared.core import checks
from shared.core.callables import decorate, kind_of
from shared.core.checks import function, refuse

from .._base.later import is_later, stand_in

if TYPE_CHECKING:
    import asyncio
    from datetime import timedelta
    from types import TracebackType

    from .._policy.policy import F

LONGEST = 1e9  # seconds: 30 years

# (end, the clock it is on) of the tightest deadline that applies here.
current: ContextVar[tuple[float, Callable[[], float]] | None] = ContextVar(
    "shared.resilience.deadline", default=None
)


def remaining() -> float | None:
    """Return the seconds left until the current deadline; `None` without one.

    Never below zero: 0.0 means that it is over.

    Example:
        >>> remaining() is None
        True
        >>> with deadline(5.0):
        ...     4.0 < remaining() <= 5.0
        True
    """
    entry = current.get()
    return None if entry is None else max(0.0, entry[0] - entry[1]())


class deadline:  # noqa: N801 - used like a function
    """Limit a block, or each call of a function, to `seconds` seconds.

    No policy of this package that waits or limits time inside it runs longer than what is
    left: timeouts, retries and their pauses, limiters, bulkheads. Nested deadlines
    can only tighten. `async with` and a decorated async function are also interrupted
    with `TimeoutError` at the deadline; plain code cannot be: there the next policy raises.

    Args:
        seconds: How long; `None` sets no deadline.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: `seconds` is negative or not a number.

    Example:
        >>> with deadline(2.0) as outer, deadline(60.0):
        ...     remaining() <= 2.0
        True
    """

    __slots__ = ("_clock", "_seconds", "_timeout", "_token", "end")

    def __init__(
        self, seconds: float | timedelta | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if seconds is None:
            self._seconds = math.inf
        else:
            self._seconds = checks.seconds("seconds", seconds, unlimited=True)
        self._clock = function("clock", clock)
        self.end: float = clock() + self._seconds
        self._token: Token[Any] | None = None
        self._timeout: asyncio.Timeout | None = None

    def remaining(self) -> float:
        """Return the seconds left of this deadline, never below zero."""
        return max(0.0, self.end - self._clock())

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("this deadline is entered already; make one for each block")
        left = remaining()
        mine = self.remaining()
        if (left is None and mine < math.inf) or (left is not None and mine < left):
            self._token = current.set((self.end, self._clock))
        else:
            self._token = current.set(current.get())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            # A generator may be finalised in a context that never saw this deadline.
            with suppress(ValueError):
                current.reset(token)

    async def __aenter__(self) -> Self:
        import asyncio

        self.__enter__()
        left = remaining()
        self._timeout = asyncio.timeout(left)
        try:
            await self._timeout.__aenter__()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(None, None, None)
        assert self._timeout is not None
        await self._timeout.__aexit__(exc_type, exc, traceback)

    def __call__(self, fn: F, /) -> F:
        """Decorate: each call gets the whole time."""
        return decorate(fn, self._limited, by="deadline")

    def _limited(self, fn: Any) -> Any:
        seconds, clock = self._seconds, self._clock
        kind = kind_of(fn)
        if kind not in {"sync", "async"}:
            raise TypeError("deadline cannot decorate a generator: use it as a context inside")

        def limited(*args: Any, **kwargs: Any) -> Any:
            with deadline(seconds, clock=clock) as whole:
                result = fn(*args, **kwargs)
            if not (hasattr(result, "__await__") and is_later(result)):
                return result

            async def in_time(awaitable: Any) -> Any:
                async with deadline(whole.remaining(), clock=clock):
                    return await awaitable

            return stand_in(result, in_time, fn)

        async def alimited(*args: Any, **kwargs: Any) -> Any:
            async with deadline(seconds, clock=clock):
                return await fn(*args, **kwargs)

        return limited if kind == "sync" else alimited

    @overload
    @staticmethod
    def to_header() -> str | None: ...
    @overload
    @staticmethod
    def to_header(name: str) -> dict[str, str]: ...
    @staticmethod
    def to_header(name: str | None = None) -> Any:
        """Return the milliseconds left of the current deadline, to send to the next service.

        Args:
            name: The header's name, of your choice.

        Returns:
            Without a name the text, or `None` if there is no deadline. With a name a dict
            with that one header, empty if there is no deadline, to merge into others.

        Example:
            >>> with deadline(1.5):
            ...     1 <= int(deadline.to_header()) <= 1500
            True
            >>> deadline.to_header("X-Time-Left-Ms")
            {}
        """
        left = remaining()
        if name is None:
            return None if left is None else str(math.floor(left * 1000))
        return {} if left is None else {name: str(math.floor(left * 1000))}

    @classmethod
    def from_header(
        cls,
        value: str | Mapping[str, str] | None,
        name: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Return the deadline that a caller sent along.

        Args:
            value: The header's text, or `None` if it was not sent (no deadline); or all
                headers, together with `name`.
            name: The header's name if `value` holds all headers. Case does not matter.
            clock: Returns seconds that never go back.

        Raises:
            ValueError: The text is not a whole number of milliseconds of at least 0.

        Example:
            >>> with deadline.from_header("250"):
            ...     remaining() <= 0.25
            True
        """
        if isinstance(value, Mapping):
            if name is None:
                raise TypeError("name is missing: which of the headers to read")
            wanted = name.lower()
            value = next((text for key, text in value.items() if key.lower() == wanted), None)
        if value is None:
            return cls(None, clock=clock)
        text = value.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise refuse("value", "whole milliseconds, at least 0", text[:40])
        return cls(min(int(text) / 1000, LONGEST), clock=clock)


def limit(timeout: float) -> float:
    """Return `timeout` or what is left of the current deadline, whichever is less."""
    entry = current.get()
    if entry is None:
        return timeout
    left = entry[0] - entry[1]()
    return min(timeout, left)
