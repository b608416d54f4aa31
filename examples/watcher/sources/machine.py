"""This machine's CPU, memory, disk and network figures, at a fixed rate, through psutil."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from ..points import Point

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

GAUGES = ("machine.cpu", "machine.memory", "machine.load")
COUNTERS = (
    "machine.disk.read_bytes",
    "machine.disk.write_bytes",
    "machine.net.sent_bytes",
    "machine.net.received_bytes",
)


def sample(now: int) -> list[Point]:
    """Return one reading of every figure that this machine has."""
    points = [
        Point("machine.cpu", now, psutil.cpu_percent(interval=None)),
        Point("machine.memory", now, psutil.virtual_memory().percent),
        Point("machine.load", now, psutil.getloadavg()[0]),
    ]
    # A container may hide its disks or its network: then there is nothing to report.
    if disk := psutil.disk_io_counters():
        points.append(Point("machine.disk.read_bytes", now, float(disk.read_bytes)))
        points.append(Point("machine.disk.write_bytes", now, float(disk.write_bytes)))
    if net := psutil.net_io_counters():
        points.append(Point("machine.net.sent_bytes", now, float(net.bytes_sent)))
        points.append(Point("machine.net.received_bytes", now, float(net.bytes_recv)))
    return points


def watch(put: Callable[[list[Point]], None], stop: threading.Event, rate: float) -> None:
    """Sample `rate` times a second until `stop` is set; a late tick is skipped, not doubled."""
    psutil.cpu_percent(interval=None)  # the first call only sets psutil's reference
    step = 1.0 / rate
    due = time.monotonic() + step
    while not stop.wait(max(0.0, due - time.monotonic())):
        put(sample(time.time_ns()))
        due = max(due + step, time.monotonic())
