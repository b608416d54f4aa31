"""The store in an object store."""

from __future__ import annotations

import asyncio
import contextvars
import io
import itertools
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, TypeVar

from shared.core.checks import seconds, text, whole
from shared.core.forks import renew
from shared.core.redaction import scrub

from .._base.errors import (
    ChecksumMismatch,
    KeyNotFound,
    NotSupported,
    PreconditionFailed,
    StoreUnavailable,
)
from .._base.keys import RESERVED, check_key
from .._base.records import Stat, Terms
from .._face.store import Store
from .attributes import CHECKSUM, WRITE, pack, unpack
from .errors import library, load, ours
from .lease import Lease, Leases
from .reading import Content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

_PART = 8 << 20  # S3 takes 10,000 parts: objects of up to 80 GB
_PARTS = 3  # at a time
_WHOLE = 64 << 20  # the longest stream that a condition can hold for
_THREADS = 64
_DEFAULT_TYPES = {"binary/octet-stream", "application/octet-stream"}


class ObjectStore(Store):
    """Objects in S3, Google Cloud Storage, Azure Blob Storage, or what speaks S3.

    The work is obstore's (Rust). Objects carry a checksum in their metadata, if their content was
    at hand when they were written; `get`, and `open` read to its end, verify it. The conditions of
    `put` are the server's: they hold among all its users.

    Use one store before a fork or after it, not both: obstore's threads stay in the parent. (What
    was made, but not used before, is good after it.) `memory:///`, folders and WebDAV are for
    tries: they have no `if_match`, and no metadata.

    `ttl` is refused: the rules of a bucket's lifecycle do that. A stream with `if_absent` or
    `if_match` is held in memory, and has at most 64 MiB.

    Args:
        url: `s3://bucket/prefix`, `gs://...`, `az://...`. Credentials come from the environment
            (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, ...), or from `config`.
        endpoint: Another server that speaks S3, such as `http://localhost:9000`.
        timeout: The most seconds for one request.
        retries: How often a request that failed is sent again.
        lock_lasting: The seconds that a lock outlives a holder that died.
        config: Settings of obstore's store, such as `{"region": "eu-central-1"}`.

    Raises:
        ImportError: obstore is missing.
        ValueError: The URL or a setting is not one.

    Example:
        >>> store = ObjectStore("memory:///")  # obstore's own, for a try
        >>> _ = store.put("reports/2026.csv", b"a,b", metadata={"content-type": "text/csv"})
        >>> store.get("reports/2026.csv")
        b'a,b'
    """

    _longest_pause = 1.0

    def __init__(
        self,
        url: str,
        *,
        endpoint: str | None = None,
        timeout: float | timedelta = 30.0,
        retries: int = 3,
        lock_lasting: float | timedelta = 15.0,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self._url_of_store = scrub(text("url", url, empty=False))
        longest = seconds("timeout", timeout, above=0)
        lasting = seconds("lock_lasting", lock_lasting, above=0)
        tries = whole("retries", retries, least=0, most=100)
        self._store = _connect(url, endpoint, longest, tries, dict(config or {}))
        # Folders and WebDAV keep neither metadata nor order.
        self._is_plain = type(self._store).__name__ in {"LocalStore", "HTTPStore"}
        self._leases = Leases(self._read, self._put, lasting)
        self._threads: ThreadPoolExecutor | None = None
        renew(self)

    def renew_after_fork(self) -> None:
        """Start with new threads in a forked child."""
        self._threads = None

    def __repr__(self) -> str:
        return f"ObjectStore({self._url_of_store!r})"

    def get(self, key: str) -> bytes:
        return self._read(check_key(key))[0]

    def _read(self, key: str) -> tuple[bytes, str]:
        with ours(key):
            answer = library().get(self._store, key)
            content: bytes = answer.bytes().to_bytes()
        expected = answer.attributes.get(CHECKSUM)
        if expected is not None and expected != f"{zlib.crc32(content):08x}":
            raise ChecksumMismatch(key)
        return content, _etag(answer.meta)

    def stat(self, key: str) -> Stat:
        return self._stat(check_key(key))[0]

    def _stat(self, key: str) -> tuple[Stat, Any]:
        with ours(key):
            answer = library().get(self._store, key, options={"head": True})
        return _known(answer, key), answer.attributes

    def open(self, key: str) -> IO[bytes]:
        check_key(key)
        with ours(key):
            answer = library().get(self._store, key)
        raw = Content(self._store, key, answer, answer.attributes.get(CHECKSUM))
        return io.BufferedReader(raw, 1 << 18)

    def _range(self, key: str, start: int, end: int | None) -> bytes:
        if start == end:
            self.stat(key)
            return b""
        asked = {"offset": start} if end is None else (start, end)
        try:
            with ours(key):
                answer = library().get(self._store, key, options={"range": asked})
                content: bytes = answer.bytes().to_bytes()
        except StoreUnavailable:
            if start < self.stat(key).size:
                raise
            return b""  # after its end: S3 refuses that
        return content

    def _put(self, key: str, data: bytes | memoryview, terms: Terms) -> Stat:
        attributes = self._attributes(terms, data)
        mode: Any = "create" if terms.if_absent else "overwrite"
        if terms.if_match is not None:
            mode = {"e_tag": terms.if_match}
        try:
            with ours(key):
                done = library().put(
                    self._store, key, data, attributes=attributes, mode=mode, use_multipart=False
                )
        except PreconditionFailed:
            found = self._own_write(key, attributes)
            if found is None:
                raise
            return found
        return _written(done, key, len(data), terms)

    def _own_write(self, key: str, attributes: dict[str, str] | None) -> Stat | None:
        """Return the object if it is ours: the answer was lost, and the repetition refused."""
        try:
            stat, found = self._stat(key)
        except KeyNotFound:
            return None
        return stat if attributes and found.get(WRITE) == attributes[WRITE] else None

    def _put_stream(self, key: str, parts: Iterator[bytes | memoryview], terms: Terms) -> Stat:
        attributes = self._attributes(terms, None)
        conditional = terms.if_absent or terms.if_match is not None
        most = _WHOLE if conditional else _PART
        start: list[bytes] = []
        size = 0
        for part in parts:
            start.append(bytes(part))
            size += len(part)
            if size > most:
                break
        else:
            return self._put(key, b"".join(start), terms)
        if conditional:
            raise NotSupported(
                f"a stream with if_absent or if_match has at most {_WHOLE} bytes in an ObjectStore"
            )
        source = _Source(itertools.chain(start, parts))
        del start
        try:
            with ours(key):
                done = library().put(
                    self._store,
                    key,
                    source,
                    attributes=attributes,
                    chunk_size=_PART,
                    max_concurrency=_PARTS,
                )
        except Exception:
            if source.error is not None:
                raise source.error from None
            raise
        return _written(done, key, source.size, terms)

    def _attributes(self, terms: Terms, data: bytes | memoryview | None) -> dict[str, str] | None:
        if terms.expires:
            raise NotSupported(
                "an ObjectStore has no ttl: rules of the bucket's lifecycle remove old objects"
            )
        if not self._is_plain:
            return pack(terms.metadata, data)
        if terms.metadata:
            raise NotSupported(f"{self!r} keeps no metadata: S3, GCS and Azure do")
        return None

    def delete(self, key: str, *, missing_ok: bool = False) -> None:
        if not missing_ok:
            self.stat(key)
        with ours(check_key(key)), suppress(FileNotFoundError):
            library().delete(self._store, key)

    def _copy(self, source: str, target: str, terms: Terms, *, move: bool) -> Stat:
        if source == target:
            return self.stat(source)
        if terms.if_absent:
            stat = self._copy_if_absent(source, target, terms)
        else:
            with ours(source):
                library().copy(self._store, source, target)
            stat = self.stat(target)
        if move:
            with ours(source):
                library().delete(self._store, source)
        return stat

    def _copy_if_absent(self, source: str, target: str, terms: Terms) -> Stat:
        """Read and write: S3 has no condition for a copy."""
        stat = self.stat(source)
        with self.open(source) as stream:
            pieces = iter(lambda: stream.read(_PART), b"")
            return self._put_stream(target, pieces, terms._replace(metadata=stat.metadata))

    def _list(self, prefix: str, after: str) -> Iterator[Stat]:
        found = self._list_in_theirs(prefix, after)
        return iter(sorted(found, key=lambda stat: stat.key)) if self._is_plain else found

    def _list_in_theirs(self, prefix: str, after: str) -> Iterator[Stat]:
        head = prefix.rpartition("/")[0]
        with ours(prefix):
            pages = iter(library().list(self._store, head or None, offset=_offset(prefix, after)))
        while True:
            with ours(prefix):
                page = next(pages, None)
            if page is None:
                return
            for meta in page:
                key = meta["path"]
                if key > after and key.startswith(prefix) and not key.startswith(f"{RESERVED}/"):
                    yield Stat(_etag(meta), meta["size"], meta["last_modified"], key, {})
                elif key > prefix and not key.startswith(prefix) and not self._is_plain:
                    return  # beyond: they come in order

    def _url(self, key: str, expires: float) -> str:
        try:
            with ours(key):
                url: str = library().sign(self._store, "GET", key, timedelta(seconds=expires))
        except (TypeError, ValueError):  # obstore signs for three kinds of stores
            return super()._url(key, expires)
        return url

    def _try_lock(self, key: str) -> Lease | None:
        return self._leases.attempt(f"{RESERVED}/locks/{sha256(key.encode()).hexdigest()}")

    async def _in_thread(self, fn: Callable[..., T], *args: Any, **keywords: Any) -> T:
        if self._threads is None:  # the loop's own has a handful: too few for waiting on a network
            self._threads = ThreadPoolExecutor(_THREADS, "shared.storage")
        call = partial(contextvars.copy_context().run, fn, *args, **keywords)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def close(self) -> None:
        """End its threads; it may be used again."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)


class _Source:
    """The rest of a stream, which counts, and remembers what went wrong in it."""

    def __init__(self, parts: Iterator[bytes | memoryview]) -> None:
        self._parts = parts
        self.size = 0
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._parts:
                self.size += len(part)
                yield bytes(part)
        except BaseException as error:
            self.error = error
            raise


def _connect(
    url: str, endpoint: str | None, timeout: float, retries: int, config: dict[str, Any]
) -> Any:
    load()
    from obstore import store as kinds
    from obstore.exceptions import BaseError

    if endpoint is not None:
        config["endpoint"] = text("endpoint", endpoint, empty=False)
    else:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options: dict[str, Any] = {}
    if not url.startswith(("memory:", "file:")):
        client: dict[str, Any] = {"timeout": timedelta(seconds=timeout)}
        if (endpoint or url).startswith("http://"):
            client["allow_http"] = True
        options["client_options"] = client
        options["retry_config"] = {
            "max_retries": retries,
            "retry_timeout": timedelta(seconds=min(timeout * (retries + 1), 180)),
        }
    try:
        return kinds.from_url(url, **options, **config)
    except (BaseError, ValueError, TypeError) as error:
        raise ValueError(
            f"url must be like 's3://bucket/prefix', with known settings: {scrub(str(error))}"
        ) from None


def _offset(prefix: str, after: str) -> str | None:
    """Return a key that all keys we want come after: the server begins there."""
    if prefix and not prefix.endswith("/"):
        before = chr(ord(prefix[-1]) - 1)
        start = prefix[:-1] + before
        if before.isalnum() and start > after:
            return start
    return after.rstrip("/") or None


def _etag(meta: Any) -> str:
    return meta["e_tag"] or ""


def _known(answer: Any, key: str) -> Stat:
    meta = answer.meta
    by_default = answer.attributes.get("Content-Type") in _DEFAULT_TYPES
    metadata = unpack(answer.attributes, default_type=by_default)
    return Stat(_etag(meta), meta["size"], meta["last_modified"], key, metadata)


def _written(done: Any, key: str, size: int, terms: Terms) -> Stat:
    return Stat(done["e_tag"] or "", size, datetime.now(UTC), key, dict(terms.metadata))
