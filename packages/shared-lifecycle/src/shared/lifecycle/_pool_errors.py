"""What a pool raises."""

from __future__ import annotations


class PoolError(Exception):
    """A pool could not give what was asked of it."""


class PoolTimeout(PoolError, TimeoutError):  # noqa: N818  the name says what happened
    """No resource became free in time.

    Attributes:
        pool: the pool's name.
        waited: seconds.
        in_use: resources that others held.
    """

    def __init__(self, pool: str, waited: float, in_use: int, max_size: int) -> None:
        self.pool = pool
        self.waited = waited
        self.in_use = in_use
        super().__init__(
            f"pool {pool!r}: no resource became free within {waited:.3g} s "
            f"({in_use} of at most {max_size} in use)"
        )


class PoolClosed(PoolError):  # noqa: N818  the name says what happened
    """The pool is closed and gives out nothing any more."""

    def __init__(self, pool: str) -> None:
        self.pool = pool
        super().__init__(f"pool {pool!r} is closed")


class PoolNotFound(PoolError, LookupError):  # noqa: N818  the name says what happened
    """No pool of that name is registered."""

    def __init__(self, pool: str, known: list[str]) -> None:
        self.pool = pool
        super().__init__(f"no pool named {pool!r} is registered; there are: {known or 'none'}")
