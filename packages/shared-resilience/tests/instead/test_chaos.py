"""Faults for drills."""

import asyncio

from shared.resilience import (
    Chaos,
)
from shared.resilience.testing import VirtualClock, run_virtual


def test_chaos_is_the_same_for_the_same_seed():
    def run(seed):
        chaos = Chaos(fault_rate=0.3, seed=seed, fault=lambda: TimeoutError("drill"))
        outcomes: list[object] = []
        for _ in range(200):
            try:
                outcomes.append(chaos.call(int))
            except TimeoutError:
                outcomes.append("fault")
        return outcomes

    assert run(1) == run(1) != run(2)
    assert 40 <= run(1).count("fault") <= 80


def test_chaos_delays_and_can_be_switched_off():
    clock = VirtualClock()
    chaos = Chaos(latency=(1.0, 2.0), sleep=clock.sleep, seed=1)
    chaos.call(int)
    assert 1.0 <= clock() <= 2.0
    before = clock()
    run_virtual(chaos.acall(asyncio.sleep, 0), clock)
    assert 1.0 <= clock() - before <= 2.0
    chaos.enabled = False
    before = clock()
    chaos.call(int)
    assert clock() == before
