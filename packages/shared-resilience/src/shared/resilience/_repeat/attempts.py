"""The attempts of one retried call: stamina makes them, the rules decide about each."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any, Self

from .._base.complaints import complain
from .._events.event import safely
from .._events.telemetry import emit
from .._time.deadline import deadline, remaining
from .rules import Unwanted

if TYPE_CHECKING:
    from types import TracebackType

    from .rules import RetryRules


class Run:
    """Iterates over the attempts of one call, plainly or asynchronously, as stamina's context does.

    The first attempt is plain, or was made already: stamina is built when it has failed. An error
    of one of stamina's hooks, which are called between two attempts, is logged; the pause is then
    made here, and stamina's context is built again.

    Args:
        rules: Decide about each attempt.
        name: The callee's, for telemetry.
        module: The callee's, for stamina.
        failure: How the first attempt failed, if it was made already.
        awaits: Whether pauses are awaited.
        is_block: Whether attempts are blocks, whose time `timeout` must limit.
    """

    __slots__ = (
        "_again",
        "_end",
        "_engine",
        "_failure",
        "_last",
        "_name",
        "_pause",
        "_rules",
        "_sleep",
        "_title",
        "is_block",
        "number",
    )

    def __init__(
        self,
        rules: RetryRules,
        name: str,
        module: str,
        failure: Exception | None = None,
        *,
        awaits: bool = False,
        is_block: bool = False,
    ) -> None:
        self._rules = rules
        self._name = name
        self._title = name if module == "builtins" else f"{module}.{name}"
        # A virtual clock moves by its own sleep; in async code the loop's time is virtual.
        self._sleep = None if awaits else getattr(rules.clock, "sleep", None)
        self._engine: Any = None
        self._failure = failure  # of the first attempt, until stamina has it
        self._again = failure is not None  # the last attempt failed, and may be repeated
        self._last: BaseException | None = None
        self._pause: float | None = None  # seconds until the next attempt, while it is awaited
        self._end = None if rules.timeout is None else rules.clock() + rules.timeout
        self.number: int = 0 if failure is None else 1
        self.is_block: bool = is_block
        if failure is None and rules.budget is not None:
            rules.budget.request()

    def resumed(self, rules: RetryRules, name: str, module: str, failure: Exception) -> Run:
        """Return the attempts that follow when what an attempt returned is awaited, and fails."""
        run = Run(rules, name, module, failure, awaits=True)
        run.number, run._end = self.number, self._end
        return run

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Attempt:
        if not self._again:
            if self.number:
                raise StopIteration
            return self._attempt(None)
        while True:
            if self._engine is None:
                self._engine = iter(self._context())
            try:
                made = next(self._engine)
            except Exception as exc:
                if not self._hook_failed(exc):
                    raise
                time.sleep(self._pause or 0.0)
            else:
                if self._failure is None:
                    return self._attempt(made)
                self._fail_first(made)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Attempt:
        if not self._again:
            if self.number:
                raise StopAsyncIteration
            return self._attempt(None)
        while True:
            if self._engine is None:
                self._engine = aiter(self._context())
            try:
                made = await anext(self._engine)
            except Exception as exc:
                if not self._hook_failed(exc):
                    raise
                import asyncio

                await asyncio.sleep(self._pause or 0.0)
            else:
                if self._failure is None:
                    return self._attempt(made)
                self._fail_first(made)

    def _context(self) -> Any:
        """Return stamina's context, with the name of the callee but without arguments."""
        import stamina

        attempts = self._rules.max_attempts if stamina.is_testing() else None
        context = stamina.retry_context(on=self._decide, attempts=attempts, timeout=None)
        return context.with_name(self._title, (), {})

    def _attempt(self, made: Any) -> Attempt:
        self.number += 1
        self._again = False
        self._pause = None
        if self._last is not None:  # left by `_decide` in stamina's testing mode
            self._report(self.number - 1, 0.0, self._last)
            self._last = None
        if made is not None:
            made.__enter__()
        return Attempt(self, self.number, made)

    def _fail_first(self, made: Any) -> None:
        """Give stamina the failure of the first attempt as that of its own first."""
        failure, self._failure = self._failure, None
        assert failure is not None
        made.__enter__()
        made.__exit__(type(failure), failure, failure.__traceback__)

    def _hook_failed(self, exc: Exception) -> bool:
        """Drop the engine; return whether a hook of stamina's failed, not the last attempt."""
        self._engine = None
        if self._pause is None:
            return False
        complain("telemetry hook", "stamina's", exc)
        return True

    def ended(self, made: Any, exc: BaseException | None) -> bool:
        """Note how an attempt ended; return whether another may follow."""
        if exc is None or not isinstance(exc, Exception):
            self._engine = None  # it holds the failures, whose tracebacks hold this
        elif made is not None and self._rules.retryable(exc):
            self._again = True
            made.__exit__(type(exc), exc, exc.__traceback__)
        elif made is None and self._rules.repeatable(exc):
            self._again = True
            self._failure = exc
        else:
            self._engine = None
        return self._again

    def _decide(self, exc: Exception) -> bool | float:
        """Return for stamina whether to try again (`False`: no), after how many seconds."""
        import stamina

        rules, attempt = self._rules, self.number
        if stamina.is_testing():
            self._last = exc  # stamina counts; whether it goes on shows in `_attempt`
            return True
        if rules.max_attempts is not None and attempt >= rules.max_attempts:
            emit("retry", rules.name, "exhausted", callee=self._name, attempts=attempt)
            return False
        pause = rules.pause(attempt, exc)
        left = self._left()
        if pause == inf or (left is not None and pause >= left):
            emit("retry", rules.name, "out_of_time", callee=self._name, attempts=attempt)
            return False
        if rules.budget is not None and not rules.budget.spend():
            exc.add_note(f"RetryBudgetExhausted: retry {rules.name!r} has used up {rules.budget!r}")
            emit("retry", rules.name, "budget_exhausted", callee=self._name, attempts=attempt)
            return False
        self._report(attempt, pause, exc)
        if self._sleep is not None:
            self._sleep(pause)
            pause = 0.0
        self._pause = pause
        return pause

    def _report(self, attempt: int, pause: float, exc: BaseException) -> None:
        rules = self._rules
        emit("retry", rules.name, "retried", callee=self._name, attempt=attempt, pause=pause)
        if rules.on_retry is not None:
            safely(rules.on_retry, attempt, None if isinstance(exc, Unwanted) else exc)

    def _left(self) -> float | None:
        left = remaining()
        if self._end is None:
            return left
        own = self._end - self._rules.clock()
        return own if left is None or own < left else left

    def block_deadline(self) -> deadline:
        """Return what is left of the time for everything together, for a block."""
        if self._end is None:
            return deadline(None)
        clock = self._rules.clock
        return deadline(max(0.0, self._end - clock()), clock=clock)


class Attempt:
    """One attempt of a retried block: a context manager that holds back a failure to repeat.

    Attributes:
        number: Counted from 1.
        failure: What the block raised, if it may be repeated.
    """

    __slots__ = ("_made", "_run", "_time", "failure", "number")

    def __init__(self, run: Run, number: int, made: Any) -> None:
        self._run = run
        self._made = made
        self._time: deadline | None = None
        self.number: int = number
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        if self._run.is_block:
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
        return self.end(exc)

    def end(self, exc: BaseException | None, /) -> bool:
        """End it with the exception that ended the block, or `None`; return as `__exit__` does."""
        made, self._made = self._made, None  # it holds the failure, whose traceback holds this
        again = self._run.ended(made, exc)
        if again and self._run.is_block and isinstance(exc, Exception):
            self.failure = exc
        return again
