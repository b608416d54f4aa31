"""What can go wrong."""

from __future__ import annotations

from shared.core.checks import shown
from shared.core.faces import PackageError


class StorageError(PackageError):
    """The base of the errors of this package.

    Trouble of the file system, such as a full disk, stays the OSError that it is.

    Example:
        >>> issubclass(KeyNotFound, (StorageError, KeyError))
        True
    """


class KeyNotFound(StorageError, KeyError):  # noqa: N818 - reads best where it is caught
    """There is no object of this key, or its time is over.

    Attributes:
        key: The key.

    Example:
        >>> str(KeyNotFound("a/b"))
        "there is no object 'a/b'"
    """

    def __init__(self, key: str) -> None:
        self.key: str = key
        super().__init__(f"there is no object {shown(key)}")

    def __str__(self) -> str:  # a KeyError shows its repr
        return str(self.args[0])


class InvalidKey(StorageError, ValueError):  # noqa: N818 - reads best where it is caught
    """A text that cannot be a key in any store."""


class PreconditionFailed(StorageError):  # noqa: N818 - reads best where it is caught
    """The object is not in the state that `if_absent` or `if_match` asked for; nothing was written.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str, why: str) -> None:
        self.key: str = key
        super().__init__(f"{shown(key)} {why}")


class ChecksumMismatch(StorageError):  # noqa: N818 - reads best where it is caught
    """What was read is not what was written: the medium or somebody else has changed it.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str, why: str = "differs from what was written") -> None:
        self.key: str = key
        super().__init__(f"the stored object {shown(key)} {why}")


class NotSupported(StorageError):  # noqa: N818 - reads best where it is caught
    """This store cannot do that; the text says which ones can."""


class StoreUnavailable(StorageError):  # noqa: N818 - reads best where it is caught
    """The object store did not answer, refused us, or failed."""


class LockTimeout(StorageError, TimeoutError):  # noqa: N818 - reads best where it is caught
    """Somebody else held the lock all the time that one was ready to wait."""


class LockLost(StorageError):  # noqa: N818 - reads best where it is caught
    """The lock was taken over by somebody else before its holder was done."""


class InvalidJSON(StorageError, ValueError):  # noqa: N818 - reads best where it is caught
    """A text is not JSON, or a value cannot be JSON.

    Attributes:
        name: The file or the key.
        line: The line of the fault, from 1; 0 if it is unknown.
        column: The column of the fault, from 1; 0 if it is unknown.
    """

    def __init__(self, name: str, why: str, line: int = 0, column: int = 0) -> None:
        self.name: str = name
        self.line: int = line
        self.column: int = column
        place = f", line {line}, column {column}" if line else ""
        super().__init__(f"{name}{place}: {why}")


class ProviderNotFound(StorageError, LookupError):  # noqa: N818 - reads best where it is caught
    """No provider is registered under this name."""


class NotConnected(StorageError):  # noqa: N818 - reads best where it is caught
    """The provider is not connected: `await connect(name)` comes first."""
