"""What is known about objects, and what callers say about them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from shared.core.checks import refuse, seconds

from .errors import PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_MOST_METADATA = 2048  # what S3 allows


class Stat(NamedTuple):
    """What a store knows about an object.

    Attributes:
        etag: Names this version of the content; `if_match` takes it.
        size: The length of the content, in bytes.
        modified: When it was written, in UTC.
        key: The key.
        metadata: What was given at `put`. Listings of an `ObjectStore` leave it empty.
        expires: When it ends, in UTC; None for never.
    """

    etag: str
    size: int
    modified: datetime
    key: str
    metadata: Mapping[str, str] = {}
    expires: datetime | None = None


class Event(NamedTuple):
    """A change that `watch` has seen.

    Attributes:
        kind: "created", "changed" or "deleted".
        key: The key.
    """

    kind: Literal["created", "changed", "deleted"]
    key: str


class Terms(NamedTuple):
    """What a `put` asks for, checked."""

    if_absent: bool = False
    if_match: str | None = None
    metadata: Mapping[str, str] = {}
    expires: float = 0.0  # seconds since the epoch; 0 for never

    def check(self, key: str, etag: str | None) -> None:
        """Compare with the object there is, None if there is none.

        Raises:
            PreconditionFailed: It is not what was asked for.
        """
        if self.if_absent and etag is not None:
            raise PreconditionFailed(key, "exists already")
        if self.if_match is not None and etag != self.if_match:
            raise PreconditionFailed(key, "was changed meanwhile" if etag else "does not exist")


PLAIN = Terms()


def terms(
    if_absent: bool,
    if_match: str | None,
    metadata: Mapping[str, str] | None,
    ttl: float | timedelta | None,
    clock: Callable[[], float] = time.time,
) -> Terms:
    """Check the arguments of a `put`."""
    if if_match is not None and not isinstance(if_match, str):
        raise refuse("if_match", "an etag, a string", if_match, TypeError)
    if if_absent and if_match is not None:
        raise ValueError("if_absent and if_match exclude each other")
    expires = 0.0
    if ttl is not None:
        expires = clock() + seconds("ttl", ttl, above=0, unlimited=True)
        expires = expires if expires < _END else 0.0
    return Terms(bool(if_absent), if_match, check_metadata(metadata), expires)


def check_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return metadata as its own dict: names like `content-type`, texts of one line, 2 KB in all."""
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise refuse("metadata", "a mapping of strings", metadata, TypeError)
    size = 0
    for name, value in metadata.items():
        texts: list[object] = [name, value]
        if not all(isinstance(text, str) for text in texts):
            raise refuse("metadata", "a mapping of strings", {name: value}, TypeError)
        if not _NAME.fullmatch(name):
            raise refuse("a name in metadata", "like 'content-type', at most 64 long", name)
        if not value.isprintable():
            raise refuse(f"metadata[{name!r}]", "one printable line", value)
        size += len(name) + len(value.encode())
    if size > _MOST_METADATA:
        raise refuse("metadata", f"at most {_MOST_METADATA} bytes", size)
    return dict(metadata)


def moment(at: float) -> datetime:
    """Return seconds since the epoch as a datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)


_END = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def as_bytes(data: Any) -> bytes | memoryview | None:
    """Return an object with a buffer as bytes or as a view of bytes; None for anything else."""
    if type(data) is bytes:
        return data
    if isinstance(data, str):
        raise refuse("data", "bytes or a stream of bytes", data, TypeError)
    try:
        view = memoryview(data)
    except TypeError:
        return None
    return view.cast("B") if view.c_contiguous else view.tobytes()
