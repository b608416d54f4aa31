"""Stop sending what an overloaded service would refuse anyway."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.core.checks import function, number, seconds, text

from .._base.errors import RateLimitedError, of_the_call
from .._base.exceptions import Exceptions, matcher, which
from .._base.windows import TimedCalls
from .._events.telemetry import emit
from .._policy.policy import Admission, Guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class AdaptiveThrottle(Guard):
    """Refuse, at the client, a growing share of calls as more of them are refused.

    A call is refused with probability `max(0, (calls - k * accepted) / (calls + 1))` over
    the last two minutes: none while the service accepts at least one call in `k`, nearly
    all when it accepts none, and it recovers by itself because some calls always go
    through. Client-side throttling of https://sre.google/sre-book/handling-overload/.

    Args:
        k: How many calls to send per accepted one. 2 is the book's choice.
        window: Seconds of history.
        exceptions: What means that the service did not accept: a class, a tuple, or a predicate;
            every `Exception` if `None`. Refusals of the policies inside never reached it: they
            do not count.
        name: For errors and telemetry.
        clock: Returns seconds that never go back.
        rng: Returns random numbers in [0, 1); `random.random` if `None`.
        rejections: Another name for `exceptions`.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> throttle = AdaptiveThrottle(k=2.0)
        >>> throttle.call(len, "abc"), throttle.probability
        (3, 0.0)
    """

    def __init__(
        self,
        k: float = 2.0,
        *,
        window: float | timedelta = 120.0,
        exceptions: Exceptions | None = None,
        name: str = "adaptive_throttle",
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] | None = None,
        rejections: Exceptions | None = None,
    ) -> None:
        self.k: float = number("k", k, least=1)
        self.name: str = text("name", name)
        self._rejections = matcher(which(Exception, exceptions=exceptions, rejections=rejections))
        self._calls = TimedCalls(seconds("window", window, above=0), clock)
        if rng is None:
            from random import random

            rng = random
        self._rng = function("rng", rng)

    def __repr__(self) -> str:
        return f"<AdaptiveThrottle {self.name!r} refuses {self.probability:.0%}>"

    @property
    def probability(self) -> float:
        """The probability that a call is refused now."""
        calls, refused, _ = self._calls.counts()
        return max(0.0, (calls - self.k * (calls - refused)) / (calls + 1))

    def _begin(self) -> Admission:
        probability = self.probability
        if probability > 0 and self._rng() < probability:
            self._calls.note(1)  # a call that was not accepted, here
            emit("adaptive_throttle", self.name, "rejected", probability=probability)
            raise RateLimitedError(
                f"throttle {self.name!r} refuses {probability:.0%} of calls", name=self.name
            )
        return self

    async def _abegin(self) -> Admission:
        return self._begin()

    def end(self, exc: BaseException | None, /) -> None:
        """Count how a call ended (used by the guard itself)."""
        if exc is None:
            self._calls.note(0)
        elif of_the_call(exc):
            self._calls.note(1 if self._rejections(exc) else 0)
