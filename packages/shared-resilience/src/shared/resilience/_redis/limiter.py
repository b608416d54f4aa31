"""A rate limit that many processes share through Redis."""

from __future__ import annotations

import functools
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from shared.core import forks
from shared.core.checks import number, refuse, seconds, text, whole
from shared.core.loops import running_loop
from shared.core.waiting import Line, TaskWaiter, ThreadWaiter, Waiter

from .._base.errors import RateLimitedError
from .._events.telemetry import emit
from .._limits.limiter import DONE, RateLimiter
from .._policy.policy import NOTHING_TO_END, Admission, Guard
from .._time.deadline import remaining
from .store import RedisStore, outage_rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator
    from datetime import timedelta

# The times of the last admissions, newest first, in microseconds of the server's clock.
# Returns 0 and the time if n are admitted, else the microseconds until it is worth trying again.
_ADMIT = """
local calls, period, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local newest = tonumber(redis.call('LINDEX', KEYS[1], 0) or 0)
if newest > now + period then
  redis.call('DEL', KEYS[1])  -- the server's clock was set back: earlier times are void
elseif newest > now then
  now = newest
end
local place = redis.call('LLEN', KEYS[1]) + n - calls
if place > 0 then
  local passed = now - tonumber(redis.call('LINDEX', KEYS[1], -place))
  if passed < period then return {period - passed, ''} end
end
local stamp = string.format('%.0f', now)
for _ = 1, n do redis.call('LPUSH', KEYS[1], stamp) end
redis.call('LTRIM', KEYS[1], 0, calls - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(period / 1000) + 1)
return {0, stamp}
"""
_GIVE_BACK = "return redis.call('LREM', KEYS[1], ARGV[1], ARGV[2])"
_ASK = object()
_LEAST_WAIT = 0.001


class RedisRateLimiter(Guard):
    """At most `calls` in every window of `period` seconds, all processes together.

    Each decision is one atomic script on the server's own clock. Within a process waiters
    are served first come first served; among processes the first query after a slot is
    free gets it. Keys expire by themselves.

    Args:
        redis: A `redis.Redis` or `redis.asyncio.Redis`: its connection arguments are used;
            either kind serves sync and async callers.
        name: The limit's name: processes that use the same name share it.
        calls: How many calls.
        period: In how many seconds.
        on_error: What to do while Redis does not answer: `"admit"` all calls, `"refuse"` them
            with `RateLimitedError`, or limit this process by itself: `"local"`.
        local_calls: The limit of this process for `"local"`; `calls` if `None`.
        wait: Whether callers wait for their turn; if not, `RateLimitedError` is raised.
        timeout: Seconds for connecting to Redis, and for its answer.
        retry_interval: Seconds for which a Redis that failed is left alone. Then one call
            tries it again: recovery needs no restart.
        prefix: What the keys start with.

    Raises:
        ValueError: An argument is out of range.
        TypeError: `redis` is not such a client.
        ImportError: redis is not installed: `pip install shared-resilience[redis]`.
    """

    kind = "redis_rate_limiter"

    def __init__(
        self,
        redis: Any,
        name: str,
        calls: int,
        period: float | timedelta = 1.0,
        *,
        on_error: str = "local",
        local_calls: int | None = None,
        wait: bool = True,
        timeout: float | timedelta = 0.25,
        retry_interval: float | timedelta = 1.0,
        prefix: str = "shared:rate:",
    ) -> None:
        self.name: str = text("name", name)
        self.calls: int = whole("calls", calls)
        self.period: float = number("period", seconds("period", period), least=0.001)
        self.on_error: str = outage_rule(on_error)
        self._wait = wait
        self._key = text("prefix", prefix) + name
        self._store = RedisStore(redis, name, timeout=timeout, retry_interval=retry_interval)
        self._script = self._store.script(_ADMIT)
        self._undo_script = self._store.script(_GIVE_BACK)
        self._local = RateLimiter(
            calls if local_calls is None else whole("local_calls", local_calls),
            self.period,
            name=name,
        )
        self._line: Line[None] = Line()
        self.renew_after_fork()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Start again in a child: no caller waits there."""
        self._lock = threading.RLock()
        self._line.waiters.clear()

    def __repr__(self) -> str:
        return f"<RedisRateLimiter {self.name!r} {self.calls} in {self.period:g} s>"

    def acquire(self, n: int = 1) -> Awaitable[None]:
        """Wait until `n` more calls are allowed, and take them.

        Outside an event loop it blocks the thread. Where an event loop runs it never
        blocks: `await` what it returns.

        Raises:
            ValueError: `n` can never be allowed.
            RateLimitedError: Redis does not answer and `on_error` is `"refuse"`, or the
                limiter was made not to wait.
            TimeoutError: The current `deadline` would be over before.
        """
        self._check(n)
        if running_loop() is not None:
            return self._await_turn(n)
        self._block(n)
        return DONE

    def try_acquire(self, n: int = 1) -> bool:
        """Take `n` calls if they are allowed now; never wait for a turn.

        It blocks for the time that Redis takes: in async code use `atry_acquire`.

        Returns:
            Whether they were taken.
        """
        self._check(n)
        if self._line.waiters:
            return False
        try:
            return self._ask(n) <= 0
        except RateLimitedError:
            return False

    async def atry_acquire(self, n: int = 1) -> bool:
        """Do the same as `try_acquire`, without blocking the event loop."""
        self._check(n)
        if self._line.waiters:
            return False
        try:
            return await self._aask(n) <= 0
        except RateLimitedError:
            return False

    def _check(self, n: int) -> None:
        if whole("n", n) > self.calls:
            raise refuse("n", f"at most {self.calls}, the calls of a period", n)

    def _ask(self, n: int) -> float:
        return self._understood(self._store.run(self._script, [self._key], self._arguments(n)), n)

    async def _aask(self, n: int) -> float:
        undo = functools.partial(self._give_back, n)
        answer = await self._store.arun(self._script, [self._key], self._arguments(n), undo)
        return self._understood(answer, n)

    def _give_back(self, n: int, answer: Any) -> None:
        """Give back what was admitted for a caller that was cancelled meanwhile."""
        if answer is not None and answer[0] == 0:
            self._store.run(self._undo_script, [self._key], [n, answer[1]])

    def _arguments(self, n: int) -> list[Any]:
        return [self.calls, round(self.period * 1e6), n]

    def _understood(self, answer: Any, n: int) -> float:
        """Return the seconds to wait, 0.0 if admitted; decide alone if there is no answer."""
        if answer is not None:
            return float(answer[0]) / 1e6
        if self.on_error == "admit":
            return 0.0
        if self.on_error == "refuse":
            emit(self.kind, self.name, "rejected")
            raise RateLimitedError(
                f"rate limit {self.name!r} is unknown: Redis does not answer",
                name=self.name,
                retry_after=self._store.retry_interval,
            )
        return self._local.reserve(min(n, self._local.calls))

    def _turn(self, waiter: Waiter[None]) -> Generator[Any, Any, None]:
        """Yield `_ASK` to be sent the answer, or the seconds to wait (`None`: until woken)."""
        from random import uniform

        with self._lock:
            self._line.join(waiter)
        try:
            while True:
                delay: float | None = None
                if self._line.head() is waiter:
                    answer: float = yield _ASK
                    if answer <= 0:
                        return
                    if not self._wait:
                        emit(self.kind, self.name, "rejected")
                        raise RateLimitedError(
                            f"rate limit {self.name!r} is used up",
                            name=self.name,
                            retry_after=answer,
                        )
                    # Processes that wait for the same slot should not all query at once.
                    delay = max(answer, _LEAST_WAIT) + uniform(0.0, _LEAST_WAIT)  # noqa: S311 - no secret
                left = remaining()
                if left is not None and (left <= 0 or (delay is not None and delay > left)):
                    raise TimeoutError(
                        f"rate limit {self.name!r}: the deadline comes before the turn"
                    )
                yield delay if left is None or delay is not None else left
        finally:
            with self._lock:
                self._line.leave(waiter)

    def _block(self, n: int) -> None:
        waiter: ThreadWaiter[None] = ThreadWaiter(n)
        with closing(self._turn(waiter)) as turn:
            step: Any = next(turn, self)
            while step is not self:
                if step is _ASK:
                    step = _sent(turn, self._ask(n), self)
                else:
                    waiter.wait(step)
                    step = next(turn, self)

    async def _await_turn(self, n: int) -> None:
        waiter: TaskWaiter[None] = TaskWaiter(n)
        with closing(self._turn(waiter)) as turn:
            step: Any = next(turn, self)
            while step is not self:
                if step is _ASK:
                    step = _sent(turn, await self._aask(n), self)
                else:
                    await waiter.wait(step)
                    step = next(turn, self)

    def _begin(self) -> Admission:
        self._block(1)
        return NOTHING_TO_END

    async def _abegin(self) -> Admission:
        await self._await_turn(1)
        return NOTHING_TO_END


def _sent(turn: Generator[Any, Any, None], answer: float, end: Any) -> Any:
    try:
        return turn.send(answer)
    except StopIteration:
        return end
