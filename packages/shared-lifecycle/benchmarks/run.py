"""How fast the import, tracking, the pool and the reaction to a signal are.

python packages/shared-lifecycle/benchmarks/run.py [--quick]

Ours and the peers alternate in one run; ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import queue
import signal
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import QueuePool

from shared.lifecycle import ConnectionPoolConfig, GracefulShutdown, ResourcePool

if TYPE_CHECKING:
    from collections.abc import Callable


def importing(statement: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin


def import_ratio(ours: str, *, quick: bool) -> tuple[float, float, float]:
    """Seconds of whole interpreters, ours and the peer's, and the median of the ratios."""
    ratios, mine, theirs = [], [], []
    for _ in range(7 if quick else 31):
        a, b = importing(ours), importing("import threading, signal, contextlib")
        mine.append(a)
        theirs.append(b)
        ratios.append(a / b)
    return statistics.median(mine), statistics.median(theirs), statistics.median(ratios)


def per_call(fn: Callable[[], Any], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        fn()
    return (time.perf_counter() - begin) / count


def compare(ours: Callable[[], Any], peer: Callable[[], Any], *, quick: bool) -> list[float]:
    rounds, count = (5, 2000) if quick else (15, 10000)
    ours(), peer()
    pairs = [(per_call(ours, count), per_call(peer, count)) for _ in range(rounds)]
    return [
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    ]


class Thing:
    """What the pools lend; with the methods that SQLAlchemy's pool calls."""

    def rollback(self) -> None:
        """Nothing to undo."""

    def close(self) -> None:
        """Nothing to close."""


def pools(*, quick: bool) -> list[tuple[str, list[float]]]:
    ours = ResourcePool("bench", Thing, config=ConnectionPoolConfig(max_size=4))
    theirs = QueuePool(Thing, pool_size=4, max_overflow=0)  # type: ignore[arg-type]
    plain: queue.LifoQueue[Thing] = queue.LifoQueue()
    plain.put(Thing())

    def use_ours() -> None:
        with ours.acquire():
            pass

    def use_theirs() -> None:
        theirs.connect().close()

    def use_plain() -> None:
        plain.put(plain.get())

    found = [
        (
            "pool: borrow and return, sqlalchemy's QueuePool",
            compare(use_ours, use_theirs, quick=quick),
        ),
        ("pool: borrow and return, queue.LifoQueue", compare(use_ours, use_plain, quick=quick)),
        ("pool: the same in tasks, asyncio.Queue", asyncio.run(pools_async(quick=quick))),
    ]
    ours.close()
    theirs.dispose()
    return found


async def pools_async(*, quick: bool) -> list[float]:
    ours = ResourcePool("bench", Thing, config=ConnectionPoolConfig(max_size=4))
    plain: asyncio.Queue[Thing] = asyncio.Queue()
    plain.put_nowait(Thing())
    rounds, count = (5, 1000) if quick else (15, 5000)
    pairs = []
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(count):
            async with ours.acquire():
                pass
        middle = time.perf_counter()
        for _ in range(count):
            plain.put_nowait(await plain.get())
        pairs.append(((middle - begin) / count, (time.perf_counter() - middle) / count))
    await ours.aclose()
    return [
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    ]


SERVICE = """
import time
from shared.lifecycle import GracefulShutdown
shutdown = GracefulShutdown(drain_delay={drain})
shutdown.on_drain(lambda: print(time.monotonic(), flush=True))
shutdown.install()
print("up", flush=True)
shutdown.wait_for_signal()
"""


def signals(*, quick: bool) -> tuple[float, float]:
    """Seconds from SIGTERM to the drain functions, and from the second signal to the end."""
    drained, ended = [], []
    for _ in range(3 if quick else 11):
        process = subprocess.Popen(
            [sys.executable, "-c", SERVICE.format(drain=20)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        drained.append(float(process.stdout.readline()) - begin)
        time.sleep(0.1)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait()
        ended.append(time.monotonic() - begin)
        process.stdout.close()
    return max(drained), max(ended)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    mine, theirs, ratio = import_ratio("import shared.lifecycle", quick=quick)
    used, _, used_ratio = import_ratio("from shared.lifecycle import GracefulShutdown", quick=quick)
    shutdown = GracefulShutdown()

    def track() -> None:
        with shutdown.track():
            pass

    tracking = statistics.median(per_call(track, 10000) for _ in range(5))
    drained, ended = signals(quick=quick)
    lines = [
        "# Benchmark of shared-lifecycle",
        "",
        "Written by `benchmarks/run.py`"
        + (" (`--quick`)." if quick else ".")
        + f" {platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, sqlalchemy {version('sqlalchemy')}.",
        "",
        "| What | Measured | Bar |",
        "| --- | --- | --- |",
        (
            f"| `import shared.lifecycle`, whole interpreter | {mine * 1000:.1f} ms, "
            f"`import threading, signal, contextlib` {theirs * 1000:.1f} ms: {ratio:.2f}x | "
            f"<= 1.5x: {'met' if ratio <= 1.5 else 'MISSED'} |"
        ),
        (
            f"| `from shared.lifecycle import GracefulShutdown` | {used * 1000:.1f} ms: "
            f"{used_ratio:.2f}x | |"
        ),
        (
            f"| SIGTERM to the drain functions, slowest | {drained * 1000:.1f} ms | "
            f"<= 100 ms: {'met' if drained <= 0.1 else 'MISSED'} |"
        ),
        (
            f"| second signal to the end of the process, slowest | {ended * 1000:.1f} ms | "
            f"<= 200 ms: {'met' if ended <= 0.2 else 'MISSED'} |"
        ),
        f"| `with shutdown.track()` | {tracking * 1e6:.2f} us | |",
        *(
            f"| {name} | {ours * 1e6:.2f} us, peer {peer * 1e6:.2f} us: {times:.2f}x | |"
            for name, (ours, peer, times) in pools(quick=quick)
        ),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
