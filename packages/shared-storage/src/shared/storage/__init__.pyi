from ._base.errors import (
    ChecksumMismatch,
    InvalidJSON,
    InvalidKey,
    KeyNotFound,
    LockLost,
    LockTimeout,
    NotConnected,
    NotSupported,
    PreconditionFailed,
    ProviderNotFound,
    StorageError,
    StoreUnavailable,
)
from ._base.records import Event, Stat
from ._face.locking import Lock
from ._face.store import Store
from ._face.streams import AsyncReader
from ._face.watching import Watch
from ._file.store import FileStore
from ._local.atomic import atomic_write
from ._local.facts import (
    file_hash,
    get_file_extension,
    get_file_mime_type,
    get_file_size,
    temporary_directory,
)
from ._local.json import load_json, save_json
from ._memory.store import MemoryStore
from ._object.store import ObjectStore
from ._providers.providers import (
    FileStorageProvider,
    MemoryStorageProvider,
    StorageProvider,
    StorageType,
)
from ._providers.registry import (
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

__all__ = [
    "AsyncReader",
    "ChecksumMismatch",
    "Event",
    "FileStorageProvider",
    "FileStore",
    "InvalidJSON",
    "InvalidKey",
    "KeyNotFound",
    "Lock",
    "LockLost",
    "LockTimeout",
    "MemoryStorageProvider",
    "MemoryStore",
    "NotConnected",
    "NotSupported",
    "ObjectStore",
    "PreconditionFailed",
    "ProviderNotFound",
    "Stat",
    "StorageError",
    "StorageProvider",
    "StorageType",
    "Store",
    "StoreUnavailable",
    "Watch",
    "atomic_write",
    "connect",
    "delete",
    "disconnect",
    "exists",
    "file_hash",
    "get",
    "get_file_extension",
    "get_file_mime_type",
    "get_file_size",
    "get_provider",
    "list_keys",
    "load_json",
    "register_file_provider",
    "register_memory_provider",
    "register_provider",
    "save_json",
    "set",
    "temporary_directory",
]
