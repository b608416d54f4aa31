"""Stores by name."""

import pickle

import pytest

from shared.storage import (
    FileStorageProvider,
    FileStore,
    InvalidJSON,
    InvalidKey,
    MemoryStorageProvider,
    MemoryStore,
    NotConnected,
    ProviderNotFound,
    StorageProvider,
    StorageType,
    connect,
    delete,
    disconnect,
    exists,
    get,
    get_provider,
    list_keys,
    register_file_provider,
    register_memory_provider,
    register_provider,
    set,  # noqa: A004 - the name that callers write
)


@pytest.fixture(params=["memory", "file", "store"])
def name(request, tmp_path):
    if request.param == "memory":
        register_memory_provider("cache")
    elif request.param == "file":
        register_file_provider("cache", tmp_path / "data")
    else:
        register_provider("cache", MemoryStore())
    return "cache"


async def test_values_by_name(name):
    assert (await connect(name)) is get_provider(name)
    await set(name, "key1", {"value": 42})
    await set(name, "a/b", [1, "ü", None])
    assert await get(name, "key1") == {"value": 42}
    assert await get(name, "none") is None
    assert await get(name, "none", "default") == "default"
    assert await exists(name, "key1")
    assert not await exists(name, "none")
    assert await list_keys(name) == ["a/b", "key1"]
    assert await list_keys(name, "a") == ["a/b"]
    assert await delete(name, "key1")
    assert not await delete(name, "key1")
    await disconnect(name)
    with pytest.raises(NotConnected, match="await connect"):
        await get(name, "a/b")
    await connect(name)
    assert await get(name, "a/b") == [1, "ü", None]


async def test_a_value_is_a_copy(name):
    await connect(name)
    value = {"list": [1]}
    await set(name, "k", value)
    value["list"].append(2)
    found = await get(name, "k")
    found["list"].append(3)
    assert await get(name, "k") == {"list": [1]}


async def test_bad_values_and_keys(name):
    await connect(name)
    await set(name, "k", 1)
    with pytest.raises(TypeError):
        await set(name, "k", object())
    with pytest.raises(InvalidJSON):
        await set(name, "k", float("nan"))
    with pytest.raises(InvalidKey):
        await set(name, "../k", 1)
    with pytest.raises(InvalidKey):
        await get(name, "")
    with pytest.raises(ValueError, match="ttl must be"):
        await set(name, "k", 1, ttl=-1)
    assert await get(name, "k") == 1
    await set(name, "k", 2, ttl=1000)
    assert await get(name, "k") == 2


async def test_other_forms_by_callables():
    register_memory_provider("pickled", dumps=pickle.dumps, loads=pickle.loads)
    await connect("pickled")
    await set("pickled", "k", {1, (2, 3)})
    assert await get("pickled", "k") == {1, (2, 3)}
    with pytest.raises(TypeError, match="together"):
        register_memory_provider("x", dumps=pickle.dumps)


async def test_unknown_names_name_the_known():
    register_memory_provider("known")
    for call in (connect, disconnect, list_keys):
        with pytest.raises(ProviderNotFound, match=r"'nobody'.*known"):
            await call("nobody")
    with pytest.raises(TypeError, match="provider must be"):
        register_provider("x", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="store must be"):
        StorageProvider("x", 5)  # type: ignore[arg-type]
    for wrong in ("", 5):
        with pytest.raises((ValueError, TypeError), match="name must be"):
            register_memory_provider(wrong)  # type: ignore[arg-type]


async def test_types_and_own_providers(tmp_path):
    assert MemoryStorageProvider().storage_type is StorageType.MEMORY
    assert FileStorageProvider("f", tmp_path).storage_type is StorageType.FILE
    assert register_provider("s", FileStore(tmp_path)).storage_type is StorageType.CUSTOM

    class Upper(StorageProvider):
        async def get(self, key, default=None):
            return str(await super().get(key, default)).upper()

    register_provider("upper", Upper("upper", MemoryStore()))
    await connect("upper")
    await set("upper", "k", "text")
    assert await get("upper", "k") == "TEXT"
