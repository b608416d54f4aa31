"""The providers of this process, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse, shown, text

from .._base.errors import ProviderNotFound
from .._face.store import Store
from .providers import FileStorageProvider, MemoryStorageProvider, StorageProvider

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from datetime import timedelta

_providers: dict[str, StorageProvider] = {}


def register_provider(name: str, provider: StorageProvider | Store) -> StorageProvider:
    """Register a provider, or a store, under a name; a second one takes the place of the first.

    Returns:
        The provider, not yet connected.

    Example:
        >>> from shared.storage import FileStore
        >>> register_provider("reports", FileStore("reports")).is_connected
        False
    """
    text("name", name, empty=False)
    if isinstance(provider, Store):
        provider = StorageProvider(name, provider)
    elif not isinstance(provider, StorageProvider):
        raise refuse("provider", "a StorageProvider or a Store", provider, TypeError)
    _providers[name] = provider
    return provider


def register_memory_provider(
    name: str,
    *,
    dumps: Callable[[Any], bytes] | None = None,
    loads: Callable[[bytes], Any] | None = None,
) -> MemoryStorageProvider:
    """Register a provider that keeps its values in memory.

    Example:
        >>> import asyncio
        >>> async def main():
        ...     register_memory_provider("cache")
        ...     await connect("cache")
        ...     await set("cache", "key1", {"value": 42})
        ...     return await get("cache", "key1")
        >>> asyncio.run(main())
        {'value': 42}
    """
    provider = MemoryStorageProvider(name, dumps=dumps, loads=loads)
    register_provider(name, provider)
    return provider


def register_file_provider(
    name: str,
    path: str | os.PathLike[str],
    *,
    dumps: Callable[[Any], bytes] | None = None,
    loads: Callable[[bytes], Any] | None = None,
) -> FileStorageProvider:
    """Register a provider that keeps its values in files below the folder `path`."""
    provider = FileStorageProvider(name, path, dumps=dumps, loads=loads)
    register_provider(name, provider)
    return provider


def get_provider(name: str) -> StorageProvider:
    """Return a registered provider; a ProviderNotFound if there is none of this name."""
    try:
        return _providers[name]
    except KeyError:
        known = ", ".join(sorted(_providers)) or "none"
        raise ProviderNotFound(f"no provider {shown(name)} is registered; known: {known}") from None


async def connect(name: str) -> StorageProvider:
    """Make a provider ready for use, and return it."""
    provider = get_provider(name)
    await provider.connect()
    return provider


async def disconnect(name: str) -> None:
    """End the use of a provider; what is stored stays."""
    await get_provider(name).disconnect()


async def get(name: str, key: str, default: Any = None) -> Any:
    """Return the value of a key, `default` if there is none.

    Raises:
        ProviderNotFound: There is no provider of this name.
        NotConnected: It is not connected.
        InvalidKey: The key is not one.
    """
    return await get_provider(name).get(key, default)


async def set(name: str, key: str, value: Any, ttl: float | timedelta | None = None) -> None:  # noqa: A001 - the name that callers write
    """Keep a value under a key, for `ttl` seconds if it is given; the errors are those of `get`."""
    await get_provider(name).set(key, value, ttl)


async def delete(name: str, key: str) -> bool:
    """Remove the value of a key; whether there was one."""
    return await get_provider(name).delete(key)


async def exists(name: str, key: str) -> bool:
    """Whether there is a value under a key."""
    return await get_provider(name).exists(key)


async def list_keys(name: str, prefix: str = "") -> list[str]:
    """Return the keys that begin with `prefix`, in order."""
    return await get_provider(name).list_keys(prefix)
