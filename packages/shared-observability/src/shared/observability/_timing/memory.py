"""Memory: of the process as the system reports it, and of Python's own allocations."""

from __future__ import annotations

import os
import sys
import threading
import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from shared.core import forks

from .._logging.decorators import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from .._logging.logger import Logger

_lock = threading.Lock()
_users = 0
_ours = False


@dataclass(frozen=True, slots=True)
class MemoryUsage:
    """The memory of this process.

    Attributes:
        rss: Bytes in physical memory now.
        peak: The maximum of bytes in physical memory so far.
    """

    rss: int
    peak: int

    @property
    def rss_mb(self) -> float:
        """Mebibytes in physical memory now."""
        return self.rss / 2**20


def get_memory_usage() -> MemoryUsage:
    """Return the memory of this process, in bytes.

    Example:
        >>> usage = get_memory_usage()
        >>> 0 < usage.rss and usage.rss_mb > 1
        True
    """
    if sys.platform == "win32":  # pragma: no cover - other tests run there
        return _of_windows()
    try:
        import resource
    except ImportError:  # no such module, as in a browser: only what Python itself allocated
        return MemoryUsage(*tracemalloc.get_traced_memory())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - the system's file
            rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        rss = peak  # no /proc: only the peak is known
    return MemoryUsage(rss, max(peak, rss))


if sys.platform == "win32":  # pragma: no cover

    def _of_windows() -> MemoryUsage:
        """Ask PSAPI: https://learn.microsoft.com/windows/win32/api/psapi/."""
        import ctypes
        from ctypes import wintypes

        names = ("peak", "rss", *"abcdefg")

        class Counters(ctypes.Structure):
            _fields_ = (
                ("size", wintypes.DWORD),
                ("faults", wintypes.DWORD),
                *((name, ctypes.c_size_t) for name in names),
            )

        counters = Counters(size=ctypes.sizeof(Counters))
        process = ctypes.windll.kernel32.GetCurrentProcess
        process.restype = wintypes.HANDLE
        ask = ctypes.windll.psapi.GetProcessMemoryInfo
        ask.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD)
        if not ask(process(), ctypes.byref(counters), counters.size):
            raise ctypes.WinError()
        return MemoryUsage(counters.rss, counters.peak)


@forks.after_fork
def _renew() -> None:
    global _lock  # noqa: PLW0603 - the lock of the module
    _lock = threading.Lock()


class MemoryTracker:
    """Measures what a block allocates: a `with` block, or `start()` and `stop()`.

    It counts Python's allocations by tracemalloc (which slows the block down) and the process's
    resident memory. Trackers may be nested and may run in several threads: tracemalloc counts the
    whole process, and its peak starts again only with the outermost one.

    Args:
        name: What is measured.

    Attributes:
        allocated: Bytes allocated inside and still alive, at the end or now; may be negative.
        peak: The maximum of bytes alive at once above the start.
        rss_change: By how many bytes the resident memory grew.

    Example:
        >>> with MemoryTracker() as memory:
        ...     block = bytes(1_000_000)
        >>> memory.allocated >= 1_000_000 and memory.peak >= memory.allocated
        True
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self._running = False
        self._base = 0
        self._final = (0, 0, 0)
        self._rss = 0

    def start(self) -> Self:
        """Start from zero; does nothing if it is running."""
        global _users, _ours  # noqa: PLW0603 - tracemalloc is the process's too
        if self._running:
            return self
        with _lock:
            if not tracemalloc.is_tracing():
                tracemalloc.start(1)
                _ours = True
            if _users == 0:
                tracemalloc.reset_peak()
            _users += 1
        self._running = True
        self._rss = get_memory_usage().rss
        self._base = tracemalloc.get_traced_memory()[0]
        return self

    def stop(self) -> int:
        """Stop and return the allocated bytes; a second call returns the same."""
        global _users, _ours  # noqa: PLW0603 - tracemalloc is the process's too
        if self._running:
            self._final = self._now()
            self._running = False
            with _lock:
                _users -= 1
                if _users == 0 and _ours:
                    tracemalloc.stop()
                    _ours = False
        return self._final[0]

    def _now(self) -> tuple[int, int, int]:
        if not self._running:
            return self._final
        current, peak = tracemalloc.get_traced_memory()
        grown = get_memory_usage().rss - self._rss
        return current - self._base, max(peak - self._base, 0), grown

    @property
    def allocated(self) -> int:
        """Bytes allocated since the start and still alive."""
        return self._now()[0]

    @property
    def memory_used(self) -> int:
        """An old name for `allocated`."""
        return self.allocated

    @property
    def peak(self) -> int:
        """The maximum of bytes alive at once above the start."""
        return self._now()[1]

    @property
    def rss_change(self) -> int:
        """By how many bytes the resident memory grew."""
        return self._now()[2]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def measure_memory(
    name: str = "block", *, level: int | str = "INFO", logger: Logger | str | None = None
) -> Iterator[MemoryTracker]:
    """Log what a block allocates.

    Args:
        name: What to call it.
        level: The level of the line.
        logger: A logger or its name; `shared.observability` if None.

    Yields:
        The running `MemoryTracker`.

    Example:
        >>> with measure_memory("load") as memory:
        ...     pass
    """
    target = Target(measure_memory, logger or "shared.observability", level)
    with MemoryTracker(name) as memory:
        try:
            yield memory
        finally:
            memory.stop()
            target.log(
                f"{name} allocated {memory.allocated} bytes, peak {memory.peak}",
                allocated_bytes=memory.allocated,
                peak_bytes=memory.peak,
                rss_change_bytes=memory.rss_change,
            )
