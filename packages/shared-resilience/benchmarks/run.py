# ruff: noqa: FBT003  a table
"""Measure the successful path of every policy against the named peers.

python benchmarks/run.py [--quick]: prints a table and rewrites RESULTS.md beside it.

Ours and the peer take turns within each round, so that a busy machine slows both; a figure
is the median over the rounds, a ratio the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import aiolimiter
import circuitbreaker
import pyresilience
import stamina

from shared import resilience as ours

ROUNDS = 15
HUGE = 10**7  # a limit that no benchmark reaches within the period


def plain() -> int:
    return 1


async def coroutine() -> int:
    return 1


class Case(NamedTuple):
    """One comparison. Callables are made for each; async ones are awaited."""

    name: str
    peer: str
    ours: Any
    theirs: Any
    bar: float
    is_async: bool = False
    calls: int = 5_000


def resilient(fn: Any, **config: Any) -> Any:
    return pyresilience.resilient(**config)(fn)


def cases() -> list[Case]:
    breaker = ours.CircuitBreaker("bench")
    windowed = ours.CircuitBreaker(
        "bench", ours.CircuitBreakerConfig(window=ours.CountWindow(100), minimum_calls=100)
    )
    timed = ours.CircuitBreaker(
        "bench", ours.CircuitBreakerConfig(window=ours.TimeWindow(60.0), minimum_calls=100)
    )
    their_window = {"circuit_breaker": pyresilience.CircuitBreakerConfig(sliding_window_size=100)}
    retry = ours.Retry(3)
    their_retry = {"retry": pyresilience.RetryConfig(max_attempts=3)}
    their_limit = {"rate_limiter": pyresilience.RateLimiterConfig(max_calls=HUGE, period=1.0)}
    limiter = ours.RateLimiter(HUGE, 1e-6)
    four = ours.Pipeline(
        bulkhead=ours.Bulkhead(10),
        retry=retry,
        breaker=ours.CircuitBreaker("bench"),
        rate_limit=ours.RateLimiter(HUGE, 1e-6),
    )
    their_four = {
        "bulkhead": pyresilience.BulkheadConfig(max_concurrent=10),
        "circuit_breaker": pyresilience.CircuitBreakerConfig(),
        **their_retry,
        **their_limit,
    }
    their_breaker = circuitbreaker.circuit(name="bench")
    stamina_retry = stamina.retry(on=ValueError)
    theirs = aiolimiter.AsyncLimiter(HUGE, 1.0)
    limit = ours.with_timeout(10.0)
    limited = limit(coroutine)

    async def asyncio_timeout() -> int:
        async with asyncio.timeout(10.0):
            return await coroutine()

    async def our_block() -> int:
        async with limit:
            return await coroutine()

    async def our_new_block() -> int:
        async with ours.with_timeout(10.0):
            return await coroutine()

    async def our_new_block_suspends() -> None:
        async with ours.with_timeout(10.0):
            await asyncio.sleep(0)

    async def asyncio_suspends() -> None:
        async with asyncio.timeout(10.0):
            await asyncio.sleep(0)

    async def our_block_suspends() -> None:
        async with limit:
            await asyncio.sleep(0)

    async def our_call() -> int:
        return await ours.with_timeout(coroutine(), 10.0)

    async def our_call_suspends() -> None:
        await ours.with_timeout(asyncio.sleep(0), 10.0)

    return [
        Case("breaker", "circuitbreaker", breaker(plain), their_breaker(plain), 4.0),
        Case("breaker, async", "circuitbreaker", breaker(coroutine), their_breaker(coroutine), 2.8, True),
        Case("breaker, count window", "pyresilience", windowed(plain), resilient(plain, **their_window), 20.0),
        Case("breaker, count window, async", "pyresilience", windowed(coroutine), resilient(coroutine, **their_window), 0.0, True),
        Case("breaker, time window", "pyresilience", timed(plain), resilient(plain, **their_window), 0.0),
        Case("retry", "pyresilience", retry(plain), resilient(plain, **their_retry), 10.0),
        Case("retry, async", "pyresilience", retry(coroutine), resilient(coroutine, **their_retry), 4.5, True),
        Case("retry", "stamina", retry(plain), stamina_retry(plain), 80.0, calls=1_000),
        Case("retry, async", "stamina", retry(coroutine), stamina_retry(coroutine), 0.0, True, 1_000),
        Case("limiter", "pyresilience", limiter(plain), resilient(plain, **their_limit), 3.0),
        Case("limiter, acquire, async", "aiolimiter", limiter.acquire, theirs.acquire, 1.8, True),
        Case("pipeline of four", "pyresilience", four(plain), resilient(plain, **their_four), 6.0),
        Case("pipeline of four, async", "pyresilience", four(coroutine), resilient(coroutine, **their_four), 0.0, True),
        Case("timeout, decorator, never suspends", "asyncio.timeout", limited, asyncio_timeout, 4.0, True),
        Case("timeout, call, never suspends", "asyncio.timeout", our_call, asyncio_timeout, 4.0, True),
        Case("timeout, block, never suspends", "asyncio.timeout", our_new_block, asyncio_timeout, 4.0, True),
        Case("timeout, block of a kept object, never suspends", "asyncio.timeout", our_block, asyncio_timeout, 4.0, True),
        Case("timeout, call, suspends", "asyncio.timeout", our_call_suspends, asyncio_suspends, 1.1, True, 3_000),
        Case("timeout, block, suspends", "asyncio.timeout", our_new_block_suspends, asyncio_suspends, 1.0, True, 3_000),
        Case("timeout, block of a kept object, suspends", "asyncio.timeout", our_block_suspends, asyncio_suspends, 1.0, True, 3_000),
    ]  # fmt: skip


def once(fn: Any, calls: int) -> float:
    """Return the nanoseconds of a call, the loop's own time taken off."""
    loop = range(calls)
    started = time.perf_counter_ns()
    for _ in loop:
        pass
    empty = time.perf_counter_ns() - started
    started = time.perf_counter_ns()
    for _ in loop:
        fn()
    return (time.perf_counter_ns() - started - empty) / calls


async def aonce(fn: Any, calls: int) -> float:
    loop = range(calls)
    started = time.perf_counter_ns()
    for _ in loop:
        await fn()
    return (time.perf_counter_ns() - started) / calls


async def measure(case: Case, rounds: int) -> tuple[float, float, float]:
    """Return our time, the peer's time and the ratio."""
    mine, their = [], []
    for round_ in range(rounds + 2):
        order = [(case.ours, mine), (case.theirs, their)]
        for fn, times in order if round_ % 2 else reversed(order):
            taken = await aonce(fn, case.calls) if case.is_async else once(fn, case.calls)
            if round_ >= 2:  # the first two warm up
                times.append(taken)
        await asyncio.sleep(0)  # let the loop drop cancelled timers
    ratios = [t / m for m, t in zip(mine, their, strict=True)]
    return statistics.median(mine), statistics.median(their), statistics.median(ratios)


def import_time() -> float:
    """Return the milliseconds that the import adds to a bare interpreter (best of 5)."""

    def best(code: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - started)
        return min(times) * 1e3

    return best("import shared.resilience") - best("pass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, for a first look")
    rounds = 3 if parser.parse_args().quick else ROUNDS
    ours.set_listeners([])
    rows = []
    for case in cases():
        mine, theirs, ratio = asyncio.run(measure(case, rounds))
        verdict = "-" if not case.bar else "met" if ratio >= case.bar else "missed"
        bar = f"{case.bar:g}x" if case.bar else "-"
        rows.append(
            f"| {case.name} | {mine:.0f} | {case.peer} | {theirs:.0f} | {ratio:.1f}x | {bar} | {verdict} |"
        )
        print(rows[-1])
    imported = import_time()
    print(f"import: {imported:.0f} ms")
    peers = ("circuitbreaker", "pyresilience", "aiolimiter", "stamina")
    notes = Path(__file__).with_name("NOTES.md").read_text(encoding="utf-8")
    text = f"""# Benchmark results

Written by `benchmarks/run.py` on {platform.machine()}, {platform.python_implementation()}
{platform.python_version()}, {_processor()}; {", ".join(f"{name} {version(name)}" for name in peers)}.
Nanoseconds for one call that succeeds, the call of a function that returns at once included;
median of {rounds} interleaved rounds, ratio: median of the rounds' ratios.

| policy | ours, ns | peer | peer, ns | ratio | bar | |
| --- | ---: | --- | ---: | ---: | ---: | --- |
{chr(10).join(rows)}

`import shared.resilience` adds {imported:.0f} ms to a bare interpreter (bar: 60 ms).

{notes}"""
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
