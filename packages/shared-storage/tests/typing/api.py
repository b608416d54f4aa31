"""The public API as a type-checked file that is never run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, assert_type

from shared.storage import (
    AsyncReader,
    Event,
    FileStorageProvider,
    FileStore,
    KeyNotFound,
    Lock,
    MemoryStore,
    ObjectStore,
    Stat,
    StorageProvider,
    StorageType,
    Store,
    Watch,
    atomic_write,
    connect,
    delete,
    exists,
    file_hash,
    get,
    get_file_extension,
    get_file_mime_type,
    get_file_size,
    list_keys,
    load_json,
    register_file_provider,
    register_provider,
    save_json,
    set,  # noqa: A004 - the name that callers write
    temporary_directory,
)


@dataclass
class Order:
    name: str


stores: list[Store] = [
    MemoryStore(clock=lambda: 0.0),
    FileStore(Path("data"), fsync=False),
    ObjectStore(
        "s3://bucket/prefix", endpoint="http://localhost:9000", timeout=timedelta(seconds=5)
    ),
]
store = stores[0]

stat = store.put("a", b"x", if_absent=True, metadata={"a": "b"}, ttl=5)
assert_type(stat, Stat)
assert_type(stat.etag, str)
store.put("a", bytearray(b"x"), if_match=stat.etag, ttl=timedelta(hours=1))
store.put("a", memoryview(b"x"))
store.put("a", (b"x" for _ in range(2)))
with open("a", "rb") as file:
    store.put("a", file)
assert_type(store.get("a"), bytes)
assert_type(store.get_range("a", 0, 5), bytes)
assert_type(store.open("a"), IO[bytes])
assert_type(store.list("a", after="b", limit=5), Iterator[Stat])
assert_type(store.exists("a"), bool)
assert_type(store.copy("a", "b", if_absent=True), Stat)
assert_type(store.url("a", expires=timedelta(days=1)), str)
assert_type(store.get_json("a", Order), Order)
assert_type(store.get_json("a", dict[str, int]), dict[str, int])
anything: Any = store.get_json("a")
assert_type(store.lock("a", timeout=5), Lock)
assert_type(store.watch("a"), Watch)
for event in store.watch():
    assert_type(event, Event)
try:
    store.delete("a", missing_ok=True)
except KeyNotFound as error:
    assert_type(error.key, str)


async def stream() -> AsyncIterator[bytes]:
    yield b"x"


async def main() -> None:
    assert_type(await store.aput("a", stream()), Stat)
    assert_type(await store.aput("a", b"x", if_absent=True), Stat)
    assert_type(await store.aget("a"), bytes)
    assert_type(await store.aget_json("a", Order), Order)
    async with store.aopen("a") as opened:
        assert_type(opened, AsyncReader)
        async for piece in opened:
            assert_type(piece, bytes)
    assert_type(await store.aopen("a"), AsyncReader)
    async for found in store.alist("a"):
        assert_type(found, Stat)
    async with store.alock("a"), store.awatch("a") as events:
        assert_type(await anext(events), Event)
    assert_type(await connect("cache"), StorageProvider)
    await set("cache", "key1", {"value": 42}, ttl=5)
    value: dict[str, int] = await get("cache", "key1", {})
    assert_type(await exists("cache", "key1"), bool)
    assert_type(await delete("cache", "key1"), bool)
    assert_type(await list_keys("cache"), list[str])
    print(value)


asyncio.run(main())
assert_type(register_file_provider("data", "data"), FileStorageProvider)
assert_type(register_provider("data", store).storage_type, StorageType)

loaded: dict[str, int] = load_json("a.json")
save_json(loaded, Path("a.json"), indent=None)
save_json("a.json", loaded)
with atomic_write("a") as binary, atomic_write("a", "w", newline="") as text:
    assert_type(binary, IO[bytes])
    assert_type(text, IO[str])
assert_type(file_hash(Path("a"), "md5"), str)
assert_type(get_file_extension("a", full=True), str)
assert_type(get_file_mime_type("a"), str)
assert_type(get_file_size("a"), int)
with temporary_directory() as folder:
    assert_type(folder, Path)
