"""Checks of the machine: disk and memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._base.status import CheckResult, HealthStatus

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


def disk(
    path: str | os.PathLike[str] = "/",
    *,
    degraded_at: float = 0.85,
    unhealthy_at: float = 0.95,
) -> Callable[[], CheckResult]:
    """Check how full a file system is, in bytes and in files (inodes).

    Args:
        path: Any path on that file system.
        degraded_at: The used part, from 0 to 1, at which it becomes DEGRADED.
        unhealthy_at: The used part at which it becomes UNHEALTHY.

    Raises:
        ValueError: The parts are out of order.

    Example:
        >>> disk("/", degraded_at=1, unhealthy_at=1)().status in HealthStatus
        True
    """
    _check_parts(degraded_at, unhealthy_at)

    def check() -> CheckResult:
        import os
        import shutil

        usage = shutil.disk_usage(path)
        # What is reserved for root is not free for other users.
        parts = {"bytes": usage.used / ((usage.used + usage.free) or 1)}
        if hasattr(os, "statvfs"):
            files = os.statvfs(path)
            if files.f_files:  # some file systems do not count them
                parts["files"] = 1 - files.f_favail / files.f_files
        what, part = max(parts.items(), key=lambda item: item[1])
        return _judge(
            part, f"{os.fspath(path)}: {part:.0%} of {what} used", degraded_at, unhealthy_at
        )

    return check


def memory(*, degraded_at: float = 0.85, unhealthy_at: float = 0.95) -> Callable[[], CheckResult]:
    """Check how much of the memory available to this process is used.

    In a container that is the limit of its cgroup (version 2 or 1, caches that the
    kernel can drop do not count); otherwise the memory of the machine.

    Args:
        degraded_at: The used part, from 0 to 1, at which it becomes DEGRADED.
        unhealthy_at: The used part at which it becomes UNHEALTHY.

    Raises:
        ValueError: The parts are out of order.
    """
    _check_parts(degraded_at, unhealthy_at)

    def check() -> CheckResult:
        used, limit, where = read_memory()
        return _judge(
            used / limit, f"{used / limit:.0%} of {where} used", degraded_at, unhealthy_at
        )

    return check


def _check_parts(degraded_at: float, unhealthy_at: float) -> None:
    if not 0 < degraded_at <= unhealthy_at <= 1:
        raise ValueError(
            "degraded_at and unhealthy_at must be parts with 0 < degraded_at <= unhealthy_at <= 1, "
            f"not {degraded_at!r} and {unhealthy_at!r}"
        )


def _judge(part: float, message: str, degraded_at: float, unhealthy_at: float) -> CheckResult:
    if part >= unhealthy_at:
        return CheckResult(HealthStatus.UNHEALTHY, message)
    if part >= degraded_at:
        return CheckResult(HealthStatus.DEGRADED, message)
    return CheckResult(HealthStatus.HEALTHY, message)


def read_memory(root: Path = Path("/")) -> tuple[int, int, str]:
    """Return bytes used, bytes allowed, and whose they are; the tightest limit counts.

    Args:
        root: The folder of `proc` and `sys`.
    """
    answers = [_cgroup2(root), _cgroup1(root), _machine(root)]
    found = [answer for answer in answers if answer is not None]
    if not found:
        return _psutil()
    return max(found, key=lambda answer: answer[0] / answer[1])


def _own_cgroup(root: Path, controller: str) -> str:
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.strip().lstrip("/")
    return ""


def _cgroup2(root: Path) -> tuple[int, int, str] | None:
    base = root / "sys/fs/cgroup"
    # Inside a container its own group is mounted at the top; outside, it is below.
    for folder in (base / _own_cgroup(root, ""), base):
        limit = _text(folder / "memory.max").strip()
        current = _text(folder / "memory.current").strip()
        if limit.isdigit() and current.isdigit():
            droppable = _field(folder / "memory.stat", "inactive_file")
            return max(0, int(current) - droppable), int(limit), "the container's memory"
    return None


def _cgroup1(root: Path) -> tuple[int, int, str] | None:
    base = root / "sys/fs/cgroup/memory"
    for folder in (base / _own_cgroup(root, "memory"), base):
        limit = _text(folder / "memory.limit_in_bytes").strip()
        current = _text(folder / "memory.usage_in_bytes").strip()
        # "No limit" is a number near 2^63.
        if limit.isdigit() and current.isdigit() and int(limit) < 1 << 60:
            droppable = _field(folder / "memory.stat", "total_inactive_file")
            return max(0, int(current) - droppable), int(limit), "the container's memory"
    return None


def _machine(root: Path) -> tuple[int, int, str] | None:
    total = _field(root / "proc/meminfo", "MemTotal:")
    available = _field(root / "proc/meminfo", "MemAvailable:")
    return ((total - available) * 1024, total * 1024, "the machine's memory") if total else None


def _psutil() -> tuple[int, int, str]:
    try:
        import psutil
    except ImportError:
        raise RuntimeError(
            "this system does not report its memory in /proc: pip install 'shared-health[memory]'"
        ) from None
    memory = psutil.virtual_memory()
    return memory.total - memory.available, memory.total, "the machine's memory"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _field(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0
