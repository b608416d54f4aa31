"""Behaviour that a naive bulkhead gets wrong: the naive twin must fail the check."""

import asyncio
import contextlib

import pytest

from shared.resilience import (
    Bulkhead,
    BulkheadFullError,
)


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


class ToyBulkhead:
    """A counter that goes down after an answer and after an Exception."""

    def __init__(self, limit):
        self.limit, self.active = limit, 0

    async def acall(self, fn, *args):
        if self.active >= self.limit:
            raise BulkheadFullError
        self.active += 1
        try:
            result = await fn(*args)
        except Exception:
            self.active -= 1
            raise
        self.active -= 1
        return result


INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


@pytest.mark.parametrize("cls", [Bulkhead, naive(ToyBulkhead)])
@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_interrupts_leak_no_slot(cls, interrupt):
    subject = cls(1)

    async def stop():
        raise interrupt

    with contextlib.suppress(interrupt):
        subject.acall(stop).send(None)
    assert subject.active == 0
