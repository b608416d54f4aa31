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
from ._memory.store import MemoryStore

__all__ = [
    "AsyncReader",
    "ChecksumMismatch",
    "Event",
    "FileStore",
    "InvalidJSON",
    "InvalidKey",
    "KeyNotFound",
    "Lock",
    "LockLost",
    "LockTimeout",
    "MemoryStore",
    "NotConnected",
    "NotSupported",
    "PreconditionFailed",
    "ProviderNotFound",
    "Stat",
    "StorageError",
    "Store",
    "StoreUnavailable",
    "Watch",
]
