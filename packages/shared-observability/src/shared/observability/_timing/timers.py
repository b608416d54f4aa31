"""Timers. All of them use a clock that changes of the wall clock do not affect."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

from shared.core import callables

from .._base.calls import is_failure, title, wrap
from .._logging.decorators import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from .._logging.logger import Logger

P = ParamSpec("P")
T = TypeVar("T")


class Timer:
    """Measures seconds: a `with` block, or `start()` and `stop()`.

    Args:
        name: What is measured.
        clock: Returns seconds that never go back.

    Example:
        >>> ticks = iter([10.0, 12.5])
        >>> with Timer("load", clock=lambda: next(ticks)) as timer:
        ...     pass
        >>> timer.elapsed
        2.5
    """

    def __init__(
        self, name: str | None = None, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.name = name
        self._clock = clock
        self._start: float | None = None
        self._elapsed = 0.0

    @property
    def running(self) -> bool:
        """Whether it is running."""
        return self._start is not None

    @property
    def elapsed(self) -> float:
        """Seconds so far, also while running; 0.0 before the first start."""
        if self._start is None:
            return self._elapsed
        return self._elapsed + self._clock() - self._start

    @property
    def elapsed_time(self) -> float:
        """An old name for `elapsed`."""
        return self.elapsed

    def start(self) -> Self:
        """Start from zero; starts again if it is running."""
        self._elapsed = 0.0
        self._start = self._clock()
        return self

    def stop(self) -> float:
        """Stop and return the seconds; a second call returns the same."""
        if self._start is not None:
            self._elapsed += self._clock() - self._start
            self._start = None
        return self._elapsed

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Timer {self.name or ''} {self.elapsed:.6f} s>"


@overload
def timed(fn: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def timed(
    *,
    name: str | None = ...,
    level: int | str = ...,
    logger: Logger | str | None = ...,
    report: Callable[[str, float], object] | None = ...,
    clock: Callable[[], float] = ...,
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def timed(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    level: int | str = "INFO",
    logger: Logger | str | None = None,
    report: Callable[[str, float], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Any:
    """Log how long every call of a function takes, or pass it to `report`.

    Works bare and with arguments, on any kind of function.

    Args:
        fn: The function.
        name: What to call it; the function's name if None.
        level: The level of the line.
        logger: A logger or its name; that of the function's module if None.
        report: Called with name and seconds instead of logging.
        clock: Returns seconds that never go back.

    Example:
        >>> seen = []
        >>> ticks = iter([1.0, 3.0])
        >>> @timed(
        ...     report=lambda name, seconds: seen.append((name, seconds)), clock=lambda: next(ticks)
        ... )
        ... def load() -> None: ...
        >>> load()
        >>> seen
        [('load', 2.0)]
    """

    def make(inner: Any) -> Any:
        target, shown = Target(inner, logger, level), name or title(inner)

        def around(_args: tuple[Any, ...], _kwargs: dict[str, Any]) -> _Timed:
            return _Timed(target, shown, report, clock)

        return wrap(inner, around, by="timed")

    def decorate(inner: Any) -> Any:
        return callables.decorate(inner, make, by="timed")

    return decorate if fn is None else decorate(fn)


class _Timed:
    def __init__(
        self,
        target: Target,
        name: str,
        report: Callable[[str, float], object] | None,
        clock: Callable[[], float],
    ) -> None:
        self._target = target
        self._name = name
        self._report = report
        self._clock = clock

    def __enter__(self) -> None:
        self._start = self._clock()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = self._clock() - self._start
        if self._report is not None:
            self._report(self._name, seconds)
            return
        self._target.log(
            f"{self._name} took {seconds:.6f} s",
            duration_seconds=round(seconds, 9),
            success=not is_failure(exc),
        )


@contextmanager
def measure_time(
    name: str = "block",
    *,
    level: int | str = "INFO",
    logger: Logger | str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Timer]:
    """Log how long a block takes.

    Args:
        name: What to call it.
        level: The level of the line.
        logger: A logger or its name; `shared.observability` if None.
        clock: Returns seconds that never go back.

    Yields:
        The running `Timer`.

    Example:
        >>> with measure_time("load") as timer:
        ...     pass
        >>> timer.running
        False
    """
    target = Target(measure_time, logger or "shared.observability", level)
    with Timer(name, clock=clock) as timer:
        try:
            yield timer
        finally:
            seconds = timer.stop()
            target.log(f"{name} took {seconds:.6f} s", duration_seconds=round(seconds, 9))
