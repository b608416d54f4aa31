"""What a pool raises."""

from __future__ import annotations

from shared.core.faces import PackageError


class PoolError(PackageError):
    """A pool could not provide a resource."""


class PoolTimeout(PoolError, TimeoutError):  # noqa: N818 - the name says what happened
    """No resource became free in time.

    Attributes:
        pool: The pool's name.
        waited: Seconds.
        in_use: The number of resources that others held.
    """

    def __init__(self, pool: str, waited: float, in_use: int, max_size: int) -> None:
        self.pool = pool
        self.waited = waited
        self.in_use = in_use
        super().__init__(
            f"pool {pool!r}: no resource became free within {waited:.3g} s "
            f"({in_use} of at most {max_size} in use)"
        )


class PoolClosed(PoolError):  # noqa: N818 - the name says what happened
    """The pool is closed and lends nothing any more.

    Attributes:
        pool: The pool's name.
    """

    def __init__(self, pool: str) -> None:
        self.pool = pool
        super().__init__(f"pool {pool!r} is closed")


class PoolNotFound(PoolError, LookupError):  # noqa: N818 - the name says what happened
    """No pool of that name is registered.

    Attributes:
        pool: The name.
    """

    def __init__(self, pool: str, known: list[str]) -> None:
        self.pool = pool
        super().__init__(f"no pool named {pool!r} is registered; registered: {known or 'none'}")
