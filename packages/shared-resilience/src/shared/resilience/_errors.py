"""What the policies raise when they, and not the protected code, say no."""

from __future__ import annotations

from typing import Any, TypeGuard


class ResilienceError(Exception):
    """A policy refused or gave up: the base of all errors of this package.

    Args:
        message: What happened, for people.
        name: The name of the policy that refused.
        retry_after: Seconds after which a new try may help; ``None`` when unknown.

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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: exceptions forget keyword arguments otherwise."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


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

    def __reduce__(self) -> tuple[Any, ...]:
        """As the base does; a cause that cannot travel becomes its description."""
        state = dict(self.__dict__)
        cause = self.last_exception
        import pickle

        try:
            pickle.loads(pickle.dumps(cause))  # noqa: S301  our own bytes of a moment ago
        except Exception:  # noqa: BLE001  handed on, or decided on, not swallowed
            state["last_exception"] = RuntimeError(f"{type(cause).__name__}: {cause}")
        return _rebuild, (type(self), self.args, state)


CircuitBreakerError = CircuitOpenError


class BulkheadFullError(ResilienceError):
    """All slots are taken and the queue is full, or the wait in it took too long."""


class RateLimitedError(ResilienceError):
    """The rate is used up and the caller did not want to wait."""


class RetryBudgetExhausted(ResilienceError):  # noqa: N818  the name says it
    """Retries already make up their allowed share of the traffic."""


def of_the_call(exc: BaseException | None) -> TypeGuard[Exception]:
    """Tell whether an exception says something of the call: no stop, and no policy's refusal."""
    return isinstance(exc, Exception) and not isinstance(exc, ResilienceError)


def _rebuild(
    kind: type[ResilienceError], args: tuple[Any, ...], state: dict[str, Any]
) -> ResilienceError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
