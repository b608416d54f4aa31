"""1,000 clients against a service that slows down, fails and comes back, on virtual time.

python run.py: prints a table, rewrites RESULTS.md beside it and the plot of the guide.

Twenty processes of fifty clients each call one service, each client about once a second;
policies belong to a process. The service works on 75 calls at a time, 50 ms each (one in a
hundred takes ten times as long), so it has room for half as much again as it is asked for;
others wait in its queue (at most 2,000; then it refuses). It does not know when a caller gave
up: it works on all the same. From second 20 to 30 every call takes four times as long; from
second 45 to 50 four of five calls fail at once. A client that has no answer after a second
counts the attempt as failed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.resilience import (
    AdaptiveLimiter,
    AdaptiveThrottle,
    Hedge,
    Policy,
    Retry,
    RetryBudget,
    set_listeners,
    with_timeout,
)
from shared.resilience.testing import VirtualClock, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 75
PROCESSES, CLIENTS = 20, 50
WORKERS, QUEUE, SERVICE = 75, 2000, 0.05
SLOW, FAILING = (20.0, 30.0), (45.0, 50.0)
PLOT = Path(__file__).parents[4] / "docs" / "guides" / "img" / "resilience-simulation.png"


class Service:
    """A fixed number of workers behind a bounded queue."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.random = random.Random(2)
        self.free = WORKERS
        self.queue: deque[asyncio.Future[None]] = deque()
        self.attempts = [0] * (SECONDS + 60)

    async def call(self) -> None:
        now = self.clock()
        self.attempts[int(now)] += 1
        if FAILING[0] <= now < FAILING[1] and self.random.random() < 0.8:
            raise ConnectionError("failing")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        if self.free:
            self.free -= 1
            self.work(answer)
        elif len(self.queue) < QUEUE:
            self.queue.append(answer)
        else:
            raise ConnectionError("refused")
        await answer

    def work(self, answer: asyncio.Future[None]) -> None:
        seconds = SERVICE * self.random.uniform(0.5, 1.5)
        if self.random.random() < 0.01:
            seconds *= 10
        if SLOW[0] <= self.clock() < SLOW[1]:
            seconds *= 4
        asyncio.get_running_loop().call_later(seconds, self.done, answer)

    def done(self, answer: asyncio.Future[None]) -> None:
        if not answer.done():  # the caller may have given up; the work was done all the same
            answer.set_result(None)
        if self.queue:
            self.work(self.queue.popleft())
        else:
            self.free += 1


# Each makes the policies of one process, outermost first.
def attempts(clock: VirtualClock, **options: Any) -> Retry:
    return Retry(3, delay=0.1, clock=clock, **options)


def budget(clock: VirtualClock) -> Retry:
    return attempts(clock, budget=RetryBudget(0.1, min_per_second=0.5, clock=clock))


def throttle(clock: VirtualClock) -> AdaptiveThrottle:
    return AdaptiveThrottle(window=15.0, clock=clock)


def adaptive(clock: VirtualClock) -> AdaptiveLimiter:
    return AdaptiveLimiter(initial=10, max_limit=CLIENTS, clock=clock)


def hedge(clock: VirtualClock) -> Hedge:
    extra = RetryBudget(0.05, min_per_second=0.0, clock=clock)
    return Hedge(percentile=97, budget=extra, clock=clock)


VARIANTS: dict[str, Callable[[VirtualClock], list[Policy]]] = {
    "one attempt": lambda c: [],
    "retries": lambda c: [attempts(c)],
    "retries, budget": lambda c: [budget(c)],
    "retries, throttle": lambda c: [attempts(c), throttle(c)],
    "retries, adaptive limit": lambda c: [attempts(c), adaptive(c)],
    "hedging": lambda c: [hedge(c)],
    "budget, throttle, limit, hedging": lambda c: [budget(c), throttle(c), adaptive(c), hedge(c)],
}


class Result:
    """What the clients saw: for each call when it began, how long it took, if it went well."""

    def __init__(self, service: Service, calls: list[tuple[float, float, bool]]) -> None:
        self.attempts = service.attempts
        self.calls = calls

    def goodput(self, second: int) -> int:
        return sum(ok and int(at + took) == second for at, took, ok in self.calls)

    def percentile(self, share: float, start: float, end: float) -> float:
        times = sorted(took for at, took, ok in self.calls if ok and start <= at < end)
        return times[int(len(times) * share)] if times else float("nan")

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Return goodput a second and attempts a call."""
        good = sum(ok for at, took, ok in self.calls if start <= at + took < end)
        made = sum(start <= at < end for at, _, _ in self.calls)
        sent = sum(self.attempts[int(start) : int(end)])
        return good / (end - start), sent / made


def simulate(make: Callable[[VirtualClock], list[Policy]]) -> Result:
    clock = VirtualClock()
    service = Service(clock)
    limit = with_timeout(1.0)
    calls: list[tuple[float, float, bool]] = []
    rng = random.Random(1)

    async def client(fn: Any) -> None:
        await asyncio.sleep(rng.random())
        while clock() < SECONDS:
            started = clock()
            try:
                await fn()
            except Exception:
                went_well = False
            else:
                went_well = True
            calls.append((started, clock() - started, went_well))
            await asyncio.sleep(rng.expovariate(1.0))

    async def main() -> None:
        clients = []
        for _ in range(PROCESSES):
            fn = limit(service.call)
            for policy in reversed(make(clock)):
                fn = policy(fn)
            clients += [client(fn) for _ in range(CLIENTS)]
        await asyncio.gather(*clients)

    import stamina.instrumentation

    stamina.instrumentation.set_on_retry_hooks([])
    random.seed(3)
    run_virtual(main(), clock)
    return Result(service, calls)


def plot(results: dict[str, Result]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (good, load, tail) = plt.subplots(
        3, 1, figsize=(10, 11.5), sharex=True, layout="constrained"
    )
    seconds = range(SECONDS)
    for name, result in results.items():
        good.plot(seconds, [result.goodput(s) for s in seconds], label=name, linewidth=1.4)
        load.plot(seconds, result.attempts[:SECONDS], label=name, linewidth=1.4)
        times = [result.percentile(0.99, s, s + 1) for s in seconds]
        tail.plot(seconds, times, label=name, linewidth=1.4)
    for axes, title in (
        (good, "goodput: calls answered, per second"),
        (load, "load: attempts that reach the service, per second"),
        (tail, "99th percentile of answered calls, seconds"),
    ):
        axes.set_title(title, loc="left", fontsize=10)
        axes.axvspan(*SLOW, alpha=0.12, color="orange")
        axes.axvspan(*FAILING, alpha=0.12, color="red")
        axes.grid(alpha=0.3)
    tail.set_xlabel("seconds (orange: four times slower, red: four of five calls fail)")
    lines = good.get_legend_handles_labels()
    figure.legend(*lines, fontsize=9, ncols=4, loc="outside upper center")  # over no curve
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=90, metadata={"Software": None})


def main() -> None:
    set_listeners([])
    results = {}
    rows = []
    for name, make in VARIANTS.items():
        results[name] = result = simulate(make)
        slow, after, failing = (result.between(*w) for w in (SLOW, (30.0, 45.0), FAILING))
        calm = result.percentile(0.99, 5.0, 20.0)
        median = statistics.median(t for at, t, ok in result.calls if ok and 5 <= at < 20)
        tail = result.percentile(0.99, 30.0, 45.0)
        rows.append(
            f"| {name} | {median * 1e3:.0f} | {calm * 1e3:.0f} | {slow[0]:.0f} | {slow[1]:.2f} "
            f"| {after[0]:.0f} | {tail * 1e3:.0f} | {failing[0]:.0f} | {failing[1]:.2f} |"
        )
        print(rows[-1], flush=True)
    plot(results)
    text = f"""# The simulation

Written by `benchmarks/simulation/run.py` on virtual time, with seeds. 1,000 clients, each about a
call a second; the service can answer 1,500 a second when it is well, 375 when it is slow. Calm:
seconds 5 to 20. Slow: 20 to 30. After: 30 to 45. Failing: 45 to 50. Amplification: attempts
that reach the service for each call.

| policies | calm p50, ms | calm p99, ms | slow: good/s | slow: amplification | after: good/s | after: p99, ms | failing: good/s | failing: amplification |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
{chr(10).join(rows)}
"""
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
