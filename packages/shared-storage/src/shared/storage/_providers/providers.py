"""Providers: a store that is connected, and keeps values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from shared.core.checks import function, refuse, shown, text

from .._base.errors import KeyNotFound, NotConnected
from .._base.jsontext import parse, render
from .._face.store import Store
from .._file.store import FileStore
from .._memory.store import MemoryStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import timedelta


class StorageType(Enum):
    """What kind of store a provider has."""

    MEMORY = "memory"
    FILE = "file"
    OBJECT = "object"
    CUSTOM = "custom"


class StorageProvider:
    """A store under a name, which keeps values: JSON, or what `dumps` and `loads` make of them.

    Args:
        name: Its name.
        store: The store; the caller closes it, `disconnect` does not.
        dumps: Makes bytes of a value, and `loads` a value of bytes; both None for JSON.
        loads: See `dumps`.

    Attributes:
        name: Its name.
        store: The store.
        storage_type: What kind it is.

    Example:
        >>> import asyncio
        >>> from shared.storage import MemoryStore
        >>> async def main():
        ...     provider = StorageProvider("cache", MemoryStore())
        ...     await provider.connect()
        ...     await provider.set("key1", {"value": 42})
        ...     return await provider.get("key1")
        >>> asyncio.run(main())
        {'value': 42}
    """

    storage_type: StorageType = StorageType.CUSTOM

    def __init__(
        self,
        name: str,
        store: Store,
        *,
        dumps: Callable[[Any], bytes] | None = None,
        loads: Callable[[bytes], Any] | None = None,
    ) -> None:
        if not isinstance(store, Store):
            raise refuse("store", "a Store", store, TypeError)
        if (dumps is None) != (loads is None):
            raise TypeError("dumps and loads must be given together")
        self.name: str = text("name", name, empty=False)
        self.store: Store = store
        self._dumps = function("dumps", dumps, optional=True)
        self._loads = function("loads", loads, optional=True)
        self._connected = False

    @property
    def is_connected(self) -> bool:
        """Whether it may be used."""
        return self._connected

    async def connect(self) -> None:
        """Make it ready; again is no fault."""
        self._connected = True

    async def disconnect(self) -> None:
        """End its use; what is stored stays. Again is no fault."""
        self._connected = False

    async def get(self, key: str, default: Any = None) -> Any:
        """Return a value, `default` if there is none."""
        try:
            data = await self._ready().aget(key)
        except KeyNotFound:
            return default
        return parse(data, key) if self._loads is None else self._loads(data)

    async def set(self, key: str, value: Any, ttl: float | timedelta | None = None) -> None:
        """Keep a value, for `ttl` seconds if it is given; a TypeError if it is no JSON."""
        store = self._ready()
        data = render(value, key) if self._dumps is None else self._dumps(value)
        await store.aput(key, data, ttl=ttl)

    async def delete(self, key: str) -> bool:
        """Remove a value; whether there was one."""
        try:
            await self._ready().adelete(key)
        except KeyNotFound:
            return False
        return True

    async def exists(self, key: str) -> bool:
        """Whether there is a value."""
        return await self._ready().aexists(key)

    async def list_keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with `prefix`, in order."""
        return [stat.key async for stat in self._ready().alist(prefix)]

    def _ready(self) -> Store:
        if not self._connected:
            raise NotConnected(
                f"the provider {shown(self.name)} is not connected: await connect({self.name!r})"
            )
        return self.store


class MemoryStorageProvider(StorageProvider):
    """Values in memory, which go with the process. Its arguments are those of `StorageProvider`."""

    storage_type = StorageType.MEMORY

    def __init__(
        self,
        name: str = "memory",
        *,
        dumps: Callable[[Any], bytes] | None = None,
        loads: Callable[[bytes], Any] | None = None,
    ) -> None:
        super().__init__(name, MemoryStore(), dumps=dumps, loads=loads)


class FileStorageProvider(StorageProvider):
    """Values in files below the folder `path`. The other arguments are those of `StorageProvider`."""

    storage_type = StorageType.FILE

    def __init__(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        dumps: Callable[[Any], bytes] | None = None,
        loads: Callable[[bytes], Any] | None = None,
    ) -> None:
        super().__init__(name, FileStore(path), dumps=dumps, loads=loads)
