"""The public API as a type-checked file that is never run."""

from typing import assert_type

from shared.storage import FileStore, MemoryStore, Stat, Store

store: Store = MemoryStore()
assert_type(FileStore("x").put("a", b""), Stat)
