"""Metrics of several worker processes, in prometheus-client's multiprocess mode.

Its values live in files of `PROMETHEUS_MULTIPROC_DIR`, one set per process. The variable must be
set, and the folder be there and empty, before the workers import the client library.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def several_workers() -> bool:
    """Whether the client library counts in files that several processes share."""
    return bool(getattr(values.ValueClass, "_multiprocess", False)) and _FOLDER in os.environ


def workers_registry() -> CollectorRegistry:
    """Return a registry that collects the metrics of all workers."""
    registry = CollectorRegistry()
    registry.register(_Workers())
    return registry


class _Workers:
    def collect(self) -> Iterable[Metric]:
        folder = os.environ[_FOLDER]
        forget_dead(folder)
        collector: Any = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
        found: Iterable[Metric] = collector.collect()
        return found


def forget_dead(folder: str) -> None:
    """Remove the live gauges of processes that have ended; their counters stay."""
    for path in Path(folder).glob("gauge_live*_*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdigit() and not _is_alive(int(number)):
            path.unlink(missing_ok=True)


def _is_alive(number: int) -> bool:
    if sys.platform == "win32":  # pragma: no cover - os.kill would end it there
        return True
    with suppress(PermissionError):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
    return True
