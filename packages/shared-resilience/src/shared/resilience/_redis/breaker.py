"""A circuit breaker whose state many processes share through Redis."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from shared.core.checks import seconds, text

from .._base.errors import CircuitOpenError, of_the_call
from .._base.exceptions import matcher
from .._base.later import is_later, must_not_block
from .._breaker.breaker import CircuitBreaker, refusal
from .._breaker.config import (
    CircuitBreakerConfig,
    CircuitState,
    CountWindow,
    TimeWindow,
    configuration,
)
from .._breaker.permit import NO_RESULT, Permit
from .._events.telemetry import emit
from .._policy.policy import Guard, until_awaited
from .scripts import ADMIT, COMMON, RECORD
from .store import RedisStore, outage_rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

T = TypeVar("T")


class _Ticket(NamedTuple):
    """What an admitted call must bring back."""

    generation: int
    probe: str
    # If it goes well, after no failure and without a window, there is nothing to record.
    silent: bool


class RedisCircuitBreaker(Guard):
    """A circuit breaker for a service that many processes call: they open and close together.

    Failures are counted together, and a half-open circuit admits its probes once for all
    processes. Each admission, and each result that matters, is one atomic script on the
    server's own clock: about one round trip to Redis per call, for calls that take longer than
    that. The place of a probe whose process died is free again after `lease` seconds.

    Args:
        redis: A `redis.Redis` or `redis.asyncio.Redis`: its connection arguments are used.
        name: The breaker's name: processes that use the same name share it.
        config: The same as for `CircuitBreaker`, without slow calls.
        on_error: What to do while Redis does not answer: `"admit"` all calls, `"refuse"` them
            with `CircuitOpenError`, or use a breaker of this process: `"local"`.
        lease: Seconds that a probe may take.
        timeout: Seconds for connecting to Redis, and for its answer.
        retry_interval: Seconds for which a Redis that failed is left alone.
        prefix: What the keys start with.

    Raises:
        ValueError: An argument is out of range, or `config` counts slow calls.
        TypeError: `redis` is not such a client.
        ImportError: redis is not installed: `pip install shared-resilience[redis]`.
    """

    def __init__(
        self,
        redis: Any,
        name: str,
        config: CircuitBreakerConfig | None = None,
        *,
        on_error: str = "local",
        lease: float | timedelta = 60.0,
        timeout: float | timedelta = 0.25,
        retry_interval: float | timedelta = 1.0,
        prefix: str = "shared:breaker:",
    ) -> None:
        config = configuration(config)
        if config.slow_call_duration is not None:
            raise ValueError("config: slow_call_duration is not shared among processes")
        self.name: str = text("name", name)
        self.config: CircuitBreakerConfig = config
        self.on_error: str = outage_rule(on_error)
        self._records = matcher(config.exceptions, if_broken=True)
        self._ignores = matcher(config.ignore)
        self._store = RedisStore(redis, name, timeout=timeout, retry_interval=retry_interval)
        self._admit_script = self._store.script(ADMIT)
        self._record_script = self._store.script(RECORD)
        # One hash slot for the three keys, so that a cluster can run the scripts.
        text("prefix", prefix)
        self._keys = [f"{prefix}{{{name}}}:{part}" for part in ("state", "probes", "window")]
        self._lease = round(seconds("lease", lease, above=0) * 1e6)
        # A breaker that is not used for a day (or ten timeouts) is forgotten, closed.
        self._keep = round(max(86_400.0, 10 * config.timeout) * 1e3)
        self._rules = _rules(config)
        self._local = CircuitBreaker(name, config)

    def __repr__(self) -> str:
        return f"<RedisCircuitBreaker {self.name!r}>"

    @property
    def state(self) -> CircuitState:
        """The shared state, queried from Redis now; this process's own if it does not answer."""
        client = self._store
        script = client.script(COMMON + "return {state, tonumber(get('until', 0)) - now}")
        answer = client.run(script, self._keys, [])
        if answer is None:
            return self._local.state
        state = CircuitState(_text(answer[0]))
        return CircuitState.HALF_OPEN if state == "open" and answer[1] <= 0 else state

    def reset(self) -> None:
        """Close the circuit for all processes and forget all counts."""
        self._local.reset()
        script = self._store.script(COMMON + "enter('closed', ARGV[1])")
        self._store.run(script, self._keys, [self._keep])

    # Admission and result are two trips, each either blocking or awaited; the query and
    # the meaning of the answer are written once.

    def _query(self, probe: str) -> tuple[Any, list[str], list[Any]]:
        arguments = [self.config.half_open_max_calls, self._lease, probe, self._keep]
        return self._admit_script, self._keys, arguments

    def _answered(self, answer: Any, probe: str) -> _Ticket | Permit:
        if answer is None:
            return self._alone()
        admitted, state, generation, failures, left, old = answer
        state, old = _text(state), _text(old)
        if old != state:
            emit("breaker", self.name, "half_opened", old=old, new=state)
        if admitted:
            silent = state == "closed" and not failures and self.config.window is None
            return _Ticket(generation, probe, silent)
        raise self._rejection(state, left / 1e6 if state == "open" else None)

    def _alone(self) -> _Ticket | Permit:
        if self.on_error == "admit":
            return _Ticket(-1, "", silent=True)
        if self.on_error == "refuse":
            raise self._rejection("unknown", self._store.retry_interval, "; Redis does not answer")
        return self._local._begin()  # noqa: SLF001 - what only policies may call

    def _rejection(self, state: str, retry_after: float | None, why: str = "") -> CircuitOpenError:
        emit("breaker", self.name, "rejected", state=state)
        return CircuitOpenError(
            refusal(self.name, state) + why,
            name=self.name,
            retry_after=retry_after,
        )

    def _judged(self, exc: BaseException | None, result: Any) -> tuple[int, BaseException | None]:
        """Return 1 for a failure, 0 for a call that went well, -1 for what does not count.

        With what the user's predicate raised: the probe's place must be given back first.
        """
        if exc is not None and not of_the_call(exc):
            return -1, None
        try:
            if exc is None:
                judge = self.config.record_result
                failed = judge is not None and result is not NO_RESULT and bool(judge(result))
            elif self._ignores(exc):
                return -1, None
            else:
                failed = bool(self._records(exc))
        except BaseException as problem:  # noqa: BLE001 - raised by the caller
            return -1, problem
        return int(failed), None

    def _result(self, ticket: _Ticket, outcome: int) -> tuple[Any, list[str], list[Any]] | None:
        if ticket.generation < 0 or (ticket.silent and outcome <= 0):
            return None
        arguments = [ticket.generation, outcome, ticket.probe, *self._rules[:3], self._keep]
        return self._record_script, self._keys, [*arguments, *self._rules[3:]]

    def _announce(self, answer: Any) -> None:
        if answer is not None:
            old, new = _text(answer[0]), _text(answer[1])
            if old != new:
                emit("breaker", self.name, {"open": "opened"}.get(new, new), old=old, new=new)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        def guarded(*args: Any, **kwargs: Any) -> T:
            if must_not_block(fn):
                return self._later(fn, args, kwargs)  # type: ignore[no-any-return]
            permit = self._begin()
            try:
                result = fn(*args, **kwargs)
            except BaseException as exc:
                permit.end(exc)
                raise
            if is_later(result):
                return until_awaited(permit, result, fn, judged=True)  # type: ignore[no-any-return]
            permit.end(None, result)
            return result

        return guarded

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        async def guarded(*args: Any, **kwargs: Any) -> T:
            permit = await self._abegin()
            try:
                result = await fn(*args, **kwargs)
            except BaseException as exc:
                await permit.aend(exc)
                raise
            await permit.aend(None, result)
            return result

        return guarded

    def _begin(self) -> _SharedPermit:
        probe = os.urandom(12).hex()
        ticket = self._answered(self._store.run(*self._query(probe)), probe)
        return _SharedPermit(ticket, self._end, self._aend)

    async def _abegin(self) -> _SharedPermit:
        probe = os.urandom(12).hex()
        undo = functools.partial(self._give_back, probe)
        ticket = self._answered(await self._store.arun(*self._query(probe), undo=undo), probe)
        return _SharedPermit(ticket, self._end, self._aend)

    def _end(self, ticket: _Ticket, exc: BaseException | None, result: Any) -> None:
        outcome, problem = self._judged(exc, result)
        if query := self._result(ticket, outcome):
            self._announce(self._store.run(*query))
        if problem is not None:
            raise problem

    async def _aend(self, ticket: _Ticket, exc: BaseException | None, result: Any) -> None:
        import asyncio

        outcome, problem = self._judged(exc, result)
        if query := self._result(ticket, outcome):
            # Shielded: a cancelled probe must still give its place back.
            self._announce(await asyncio.shield(self._store.arun(*query)))
        if problem is not None:
            raise problem

    def _give_back(self, probe: str, answer: Any) -> None:
        """Give back the place of a probe that was cancelled while it was being admitted."""
        if answer is not None and answer[0]:
            query = self._result(_Ticket(answer[2], probe, silent=False), -1)
            if query is not None:
                self._store.run(*query)


class _SharedPermit:
    """The permit of one call: ends with a trip to Redis, or at the breaker of this process."""

    __slots__ = ("_aend", "_end", "_ticket")

    def __init__(
        self,
        ticket: _Ticket | Permit,
        end: Callable[[_Ticket, BaseException | None, Any], None],
        aend: Callable[[_Ticket, BaseException | None, Any], Awaitable[None]],
    ) -> None:
        self._ticket = ticket
        self._end = end
        self._aend = aend

    def end(self, exc: BaseException | None, /, result: Any = NO_RESULT) -> None:
        ticket = self._ticket
        if isinstance(ticket, Permit):
            _end_here(ticket, exc, result)
        else:
            self._end(ticket, exc, result)

    async def aend(self, exc: BaseException | None, result: Any = NO_RESULT) -> None:
        ticket = self._ticket
        if isinstance(ticket, Permit):
            _end_here(ticket, exc, result)
        else:
            await self._aend(ticket, exc, result)


def _end_here(permit: Permit, exc: BaseException | None, result: Any) -> None:
    if exc is None:
        permit.success(result)
    else:
        permit.failure(exc)


def _rules(config: CircuitBreakerConfig) -> list[Any]:
    """Return threshold, timeout, successes needed, kind of window, its size, rate, minimum."""
    kind, size, minimum = "none", 0, config.minimum_calls
    if isinstance(config.window, CountWindow):
        kind, size = "count", config.window.size
        minimum = min(minimum, size)
    elif isinstance(config.window, TimeWindow):
        kind, size = "time", round(config.window.seconds * 1e6)
    return [
        config.failure_threshold,
        round(config.timeout * 1e6),
        config.success_threshold,
        kind,
        size,
        config.failure_rate,
        minimum,
    ]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
