"""What can go wrong, by what the caller can do about it."""

from __future__ import annotations

from shared.core.faces import PackageError


class DatabaseError(PackageError):
    """The base of every error of this package.

    The driver's own error stays as `__cause__`, freed of secrets; so is the message, which may
    quote it.
    """

    def __init__(self, message: str = "") -> None:
        from shared.core.redaction import scrub

        super().__init__(scrub(message))


class NotConfigured(DatabaseError):  # noqa: N818 - the name that users catch
    """A store was used that was never described.

    Attributes:
        variable: The environment variable that would have described it.
    """

    def __init__(self, variable: str, message: str | None = None) -> None:
        super().__init__(
            message or f"{variable} is not set, and no initialize method was called for this store"
        )
        self.variable = variable


class DriverMissing(DatabaseError, ImportError):  # noqa: N818 - the name that users catch
    """The library for a store is not installed.

    Attributes:
        install: The command that installs it.
    """

    def __init__(self, extra: str, library: str) -> None:
        self.install: str = f"pip install 'shared-db[{extra}]'"
        super().__init__(f"{library} is not installed: {self.install}")


class Unavailable(DatabaseError):  # noqa: N818 - the name that users catch
    """The store cannot be reached, or the connection was lost.

    The same call may be made again, unless this is an `OutcomeUnknown`.

    Attributes:
        store: The kind of store, such as `"postgres"`.
        lasting: Whether the store itself refused (a wrong password, a missing database, a bad
            certificate), so that trying again does not help.
    """

    def __init__(self, message: str, *, store: str = "", lasting: bool = False) -> None:
        super().__init__(message)
        self.store = store
        self.lasting = lasting


class OutcomeUnknown(Unavailable):
    """The connection was lost after a change was sent and before its answer came.

    The change may or may not have happened: making the call again could do it twice.
    """


class PoolExhausted(DatabaseError, TimeoutError):  # noqa: N818 - the name that users catch
    """Every connection was in use for as long as the caller would wait.

    Attributes:
        pool: The pool's name.
        waited: Seconds waited.
        in_use: Connections in use.
        holders: Where they were taken, as `file:line` with the seconds held, longest first.
    """

    def __init__(self, pool: str, waited: float, in_use: int, holders: list[str]) -> None:
        held = "".join(f"\n  {holder}" for holder in holders)
        super().__init__(
            f"no connection of pool {pool!r} came free in {waited:.3g} s: {in_use} in use"
            + (f", held by{held}" if holders else "")
        )
        self.pool = pool
        self.waited = waited
        self.in_use = in_use
        self.holders = holders


class PoolClosed(DatabaseError):  # noqa: N818 - the name that users catch
    """The pool is closed or closing: it no longer hands out connections."""


class LockLost(DatabaseError):  # noqa: N818 - the name that users catch
    """A lock ran out or was taken away while its holder was still at work."""


class LockTimeout(DatabaseError, TimeoutError):  # noqa: N818 - the name that users catch
    """A lock did not come free for as long as the caller would wait."""
