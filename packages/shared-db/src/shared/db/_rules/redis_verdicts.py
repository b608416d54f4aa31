"""What became of a call to Redis that failed: one table for commands and pipelines.

Imports redis-py, so it is imported only when the first client is made.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from redis import exceptions as errors

from .._base.errors import OutcomeUnknown, PoolExhausted, Unavailable

if TYPE_CHECKING:
    from .._base.errors import DatabaseError


class Unsent(errors.ConnectionError):
    """No connection was made: nothing was sent."""

    lasting = False


class Refused(Unsent):
    """No connection was made, and trying again does not help."""

    lasting = True


class NoneFree(errors.ConnectionError):
    """No connection of the pool came free in time: nothing was sent."""


class Verdict(enum.Enum):
    """What to do about a call that failed."""

    AGAIN = "make it again"
    WAIT = "make it again when the server is ready: it reads its data in and did nothing"
    MOVED = "make it again at the new primary: this server is a replica now and did nothing"
    UNAVAILABLE = "nothing was sent"
    REFUSED = "the server refuses the user"
    EXHAUSTED = "no connection came free"
    UNKNOWN = "it may have happened"
    RAISE = "the driver's own error is the answer"


# The first line whose kinds match. What may be repeated is decided after it.
_TABLE: tuple[tuple[tuple[type[Exception], ...], Verdict], ...] = (
    ((Unsent,), Verdict.UNAVAILABLE),
    ((NoneFree, errors.MaxConnectionsError), Verdict.EXHAUSTED),
    ((errors.BusyLoadingError,), Verdict.WAIT),
    ((errors.ReadOnlyError,), Verdict.MOVED),
    ((errors.AuthenticationError, errors.AuthorizationError), Verdict.REFUSED),
    ((errors.ConnectionError, errors.TimeoutError), Verdict.UNKNOWN),
)
# Of a socket that was closed while a call used it.
CLOSED = (ValueError, OSError, AttributeError)
CAUGHT: tuple[type[Exception], ...] = (errors.RedisError, *CLOSED)


def verdict(error: Exception, *, repeatable: bool, single: bool, closed: bool) -> Verdict:
    """Judge a call that failed.

    Args:
        error: What the driver raised.
        repeatable: Whether the call may be made again though it may have happened.
        single: Whether it is one command, which a server does or refuses as a whole. Of a
            pipeline, some commands may have run before another was refused.
        closed: Whether the client was closed meanwhile.
    """
    if isinstance(error, CLOSED):
        return Verdict.UNKNOWN if closed else Verdict.RAISE
    found = next((found for kinds, found in _TABLE if isinstance(error, kinds)), Verdict.RAISE)
    if found is Verdict.WAIT and not single:
        found = Verdict.UNKNOWN
    elif found is Verdict.MOVED and not single:
        found = Verdict.RAISE
    return Verdict.AGAIN if found is Verdict.UNKNOWN and repeatable else found


def failure(
    found: Verdict, error: Exception, call: str, pool: tuple[float, int], name: str = "redis"
) -> DatabaseError:
    """Return the error that the caller sees.

    Args:
        found: The verdict.
        error: What the driver raised.
        call: What was called.
        pool: Seconds that a caller waits for a connection, and how many there are.
        name: The store, such as `redis:cache`.
    """
    if found is Verdict.EXHAUSTED:
        return PoolExhausted(name, *pool, [])
    if found is Verdict.UNKNOWN:
        return OutcomeUnknown(f"the answer to {call} was lost: {error}", store="redis")
    if found is Verdict.WAIT:
        return Unavailable(f"Redis is not ready: {error}", store="redis")
    if found is Verdict.REFUSED:
        return Unavailable(f"Redis refuses: {error}", store="redis", lasting=True)
    return Unavailable(f"Redis at {error}", store="redis", lasting=isinstance(error, Refused))
