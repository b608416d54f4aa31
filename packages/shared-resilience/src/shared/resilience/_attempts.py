# ruff: noqa: SLF001  the modules of one package know each other's inside
"""The attempts of one retried call: stamina makes them, a ``Retry`` decides about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ._deadline import deadline, remaining
from ._telemetry import complain, emit, safely

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ._retry import Retry


class Unwanted(Exception):  # noqa: N818  the name says it
    """Carries a result that ``retry_if_result`` wants to see again."""

    def __init__(self, result: Any) -> None:
        super().__init__("unwanted result")
        self.result = result


class Run:
    """The attempts of one call. stamina makes them; this decides about each.

    Use stamina's engine ``with`` it: what a hook of stamina's raises between two attempts is
    logged, and the caller makes the ``pause`` and starts a new engine.
    """

    __slots__ = ("_attempts", "_end", "_last", "_name", "_retry", "_sleep", "pause")

    def __init__(
        self, retry: Retry, name: str, *, count: bool = True, awaits: bool = False
    ) -> None:
        self._retry = retry
        # A virtual clock moves by its own sleep; in async code the loop's time is virtual.
        self._sleep = None if awaits else getattr(retry._clock, "sleep", None)
        self._name = name
        self._attempts = 0
        self._last: BaseException | None = None
        self.pause: float | None = None  # seconds until the next attempt, while it is awaited
        self._end = None if retry.timeout is None else retry._clock() + retry.timeout
        if count and retry.budget is not None:
            retry.budget.request()

    def begin(self) -> int:
        """Count an attempt and return its number."""
        self._attempts += 1
        self.pause = None
        if self._last is not None:  # left by `_decide` in stamina's testing mode
            self._tell(self._attempts - 1, 0.0, self._last)
            self._last = None
        return self._attempts

    def engine(self, again: Callable[..., Any], fn: object) -> Callable[..., Any]:
        """Return stamina's wrapper of ``again``, which has the name of ``fn`` but no arguments."""
        import stamina

        again.__module__ = getattr(fn, "__module__", None) or type(fn).__module__
        again.__qualname__ = self._name
        testing = stamina.is_testing()
        attempts = self._retry.max_attempts if testing else None
        return stamina.retry(on=self._decide, attempts=attempts, timeout=None)(again)

    def _decide(self, exc: Exception) -> bool | float:
        """Tell stamina whether to try again (``False``: no), after how many seconds."""
        import stamina

        retry, attempt = self._retry, self._attempts
        if not retry._retryable(exc):
            return False
        if stamina.is_testing():
            self._last = exc  # stamina counts; whether it goes on shows in `begin`
            return True
        if retry.max_attempts is not None and attempt >= retry.max_attempts:
            emit("retry", retry.name, "exhausted", callee=self._name, attempts=attempt)
            return False
        pause = retry._pause(attempt, exc)
        if (left := self._left()) is not None and pause >= left:
            emit("retry", retry.name, "out_of_time", callee=self._name, attempts=attempt)
            return False
        if retry.budget is not None and not retry.budget.spend():
            exc.add_note(f"RetryBudgetExhausted: retry {retry.name!r} has used up {retry.budget!r}")
            emit("retry", retry.name, "budget_exhausted", callee=self._name, attempts=attempt)
            return False
        self._tell(attempt, pause, exc)
        if self._sleep is not None:
            self._sleep(pause)
            pause = 0.0
        self.pause = pause
        return pause

    def __enter__(self) -> None:
        """Begin to run an engine."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self.pause is None or not isinstance(exc, Exception):
            return False
        complain("stamina's", exc)
        return True

    def retryable(self, exc: Exception) -> bool:
        """Tell whether such a failure may be repeated."""
        return self._retry._retryable(exc)

    def block_deadline(self) -> deadline:
        """Return what is left of the time for everything together, for a block."""
        if self._end is None:
            return deadline(None)
        clock = self._retry._clock
        return deadline(max(0.0, self._end - clock()), clock=clock)

    def _left(self) -> float | None:
        left = remaining()
        if self._end is None:
            return left
        own = self._end - self._retry._clock()
        return own if left is None or own < left else left

    def _tell(self, attempt: int, pause: float, exc: BaseException) -> None:
        retry = self._retry
        emit("retry", retry.name, "retried", callee=self._name, attempt=attempt, pause=pause)
        if retry.on_retry is not None:
            safely(retry.on_retry, attempt, None if isinstance(exc, Unwanted) else exc)


class Attempt:
    """One pass of a retried block: a context manager that holds back a failure to repeat.

    Attributes:
        number: Counted from 1.
        failure: What the block raised, if it may be repeated.
    """

    __slots__ = ("_run", "_time", "failure", "number")

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._time: deadline | None = None
        self.number: int = number
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        self._time = self._run.block_deadline()
        self._time.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._time is not None:
            self._time.__exit__(exc_type, exc, traceback)
        if isinstance(exc, Exception) and self._run.retryable(exc):
            self.failure = exc
            return True
        return False
