"""The four stores: embedded, or the servers named in the environment."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from shared.config import load_settings
from shared.db import embedded

from .settings import WatcherSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

KINDS = ("postgres", "redis", "clickhouse", "qdrant")


def start_embedded(data: Path, stack: ExitStack, say: Callable[[str], None]) -> dict[str, str]:
    """Start the four side by side, each with its data in its own folder in `data`; return their variables.

    Whatever has started is stopped by `stack`, also when another one does not start.
    """
    begun = time.monotonic()

    def start(kind: str) -> embedded.Store:
        store: embedded.Store = getattr(embedded, kind)(data)
        stack.callback(store.stop)
        say(
            f"  {kind:<11} ready after {time.monotonic() - begun:4.1f} s on {store.host}:{store.port}"
        )
        return store

    variables: dict[str, str] = {}
    with ThreadPoolExecutor(len(KINDS), thread_name_prefix="start") as pool:
        for store in pool.map(start, KINDS):
            variables |= store.env
    return variables


def read_settings(variables: dict[str, str]) -> WatcherSettings:
    """Load the settings from the environment; embedded stores' variables win over it."""
    return load_settings(WatcherSettings, env={**os.environ, **variables})
