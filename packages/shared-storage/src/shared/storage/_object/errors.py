"""Errors of obstore as ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.core.forks import after_fork
from shared.core.redaction import one_line

from .._base.errors import (
    KeyNotFound,
    NotSupported,
    PreconditionFailed,
    StorageError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Generator


_users: set[str] = set()  # "this process" once it has asked obstore for something; "its parent"


def load() -> Any:
    """Return obstore; an ImportError that names the extra if it is missing."""
    try:
        import obstore
    except ImportError as error:
        raise ImportError(
            "ObjectStore needs obstore: pip install 'shared-storage[object]'"
        ) from error
    return obstore


def library() -> Any:
    """Return obstore to ask it for something.

    Raises:
        NotSupported: This process was forked from one that had done so: a request would hang.
    """
    if "its parent" in _users:
        raise NotSupported(
            "an ObjectStore that was used before a fork cannot be used after it, since obstore's"
            " threads stay in the parent: use it first in the child, or start processes by 'spawn'"
        )
    _users.add("this process")
    return load()


@after_fork
def _in_child() -> None:
    if "this process" in _users:
        _users.add("its parent")


@contextmanager
def ours(key: str) -> Generator[None]:
    """Raise the errors of obstore as those of this package; others pass."""
    from obstore import exceptions as theirs

    try:
        yield
    except StorageError:
        raise
    except (FileNotFoundError, theirs.NotFoundError) as error:
        if "NoSuchBucket" in str(error):
            raise StoreUnavailable(_text(error)) from None
        raise KeyNotFound(key) from None
    except theirs.AlreadyExistsError:
        raise PreconditionFailed(key, "exists already") from None
    except (theirs.PreconditionError, theirs.NotModifiedError):
        raise PreconditionFailed(key, "was changed meanwhile, or does not exist") from None
    except (theirs.NotSupportedError, NotImplementedError) as error:
        raise NotSupported(_text(error)) from None
    except (theirs.BaseError, PermissionError, TimeoutError, ConnectionError) as error:
        raise StoreUnavailable(_text(error)) from None


def _text(error: Exception) -> str:
    """Return the first paragraph of an error: the rest is obstore's own structures."""
    return one_line(str(error).partition("\n\nDebug source")[0], limit=300)
