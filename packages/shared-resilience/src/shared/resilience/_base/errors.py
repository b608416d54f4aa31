"""What the policies raise when they, and not the protected code, refuse."""

from __future__ import annotations

from typing import TypeGuard

from shared.core.faces import PackageError


class ResilienceError(PackageError):
    """A policy refused or gave up: the base of all errors of this package.

    Args:
        message: What happened, for people.
        name: The name of the policy that refused.
        retry_after: Seconds after which another try may help; `None` if unknown.

    Example:
        >>> RateLimitedError("too fast", name="search", retry_after=0.5).retry_after
        0.5
    """

    def __init__(
        self, message: str = "", *, name: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.name = name
        self.retry_after = retry_after


class CircuitOpenError(ResilienceError):
    """The circuit is open, or half-open with all its probes under way.

    Attributes:
        last_exception: The failure that opened the circuit, if one did.
    """

    def __init__(
        self,
        message: str = "",
        *,
        name: str = "",
        retry_after: float | None = None,
        last_exception: BaseException | None = None,
    ) -> None:
        super().__init__(message, name=name, retry_after=retry_after)
        self.last_exception = last_exception


class BulkheadFullError(ResilienceError):
    """All slots are taken and the queue is full, or the wait in it took too long."""


class RateLimitedError(ResilienceError):
    """The rate is used up and the caller did not want to wait."""


class RetryBudgetExhausted(ResilienceError):  # noqa: N818 - the name says it
    """Retries already make up their allowed share of the traffic."""


def of_the_call(exc: BaseException | None) -> TypeGuard[Exception]:
    """Return whether an exception is the call's own: not an exit, not a policy's refusal."""
    return isinstance(exc, Exception) and not isinstance(exc, ResilienceError)
