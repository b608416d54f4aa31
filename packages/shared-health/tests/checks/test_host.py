"""Disk and memory."""

from __future__ import annotations

import pytest

from shared.health import HealthStatus, checks
from shared.health.checks._host import read_memory

D, U = HealthStatus.DEGRADED, HealthStatus.UNHEALTHY


def test_disk(tmp_path):
    assert checks.disk(tmp_path, degraded_at=1, unhealthy_at=1)().status is not U
    used = checks.disk(tmp_path, degraded_at=1e-9, unhealthy_at=1)()
    assert used.status is D
    assert str(tmp_path) in used.message
    assert checks.disk(tmp_path, degraded_at=1e-9, unhealthy_at=1e-9)().status is U
    with pytest.raises(ValueError, match="degraded_at"):
        checks.disk(tmp_path, degraded_at=0.9, unhealthy_at=0.8)
    with pytest.raises(FileNotFoundError):
        checks.disk(tmp_path / "gone")()


def test_memory_of_this_machine():
    used, limit, _ = read_memory()
    assert 0 < used < limit
    assert checks.memory(degraded_at=1e-9, unhealthy_at=1)().status is D


MEMINFO = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/meminfo": MEMINFO}, (600 * 1024, 1000 * 1024)),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "1000\n",
                "sys/fs/cgroup/memory.current": "950\n",
                "sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 100\n",
            },
            (850, 1000),
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/app.slice\n",
                "sys/fs/cgroup/app.slice/memory.max": "max\n",
                "sys/fs/cgroup/app.slice/memory.current": "950\n",
            },
            (600 * 1024, 1000 * 1024),
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "4:cpu,memory:/pod\n0::/\n",
                "sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "1000\n",
                "sys/fs/cgroup/memory/pod/memory.usage_in_bytes": "990\n",
                "sys/fs/cgroup/memory/pod/memory.stat": "total_inactive_file 90\n",
            },
            (900, 1000),
        ),
    ],
)
def test_memory_of_containers(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_memory(tmp_path)[:2] == expected
