"""Several resources in one block, closed in reverse."""

from __future__ import annotations

import asyncio

import pytest

from shared.lifecycle import managed


class Part:
    log: list[str]

    def __init__(self, name, log):
        self.name = name
        self.log = log
        log.append(f"made {name}")

    def close(self):
        self.log.append(f"closed {self.name}")


class AsyncPart(Part):
    close = None  # type: ignore[assignment]

    async def aclose(self):
        await asyncio.sleep(0)
        self.log.append(f"closed {self.name}")


def test_managed_closes_in_reverse_also_when_entering_fails():
    log: list[str] = []
    with pytest.raises(TypeError, match="int cannot be used"):
        managed(Part("a", log), Part("b", log), 3).__enter__()
    assert log == ["made a", "made b", "closed b", "closed a"]

    class Bad(Part):
        def close(self):
            super().close()
            raise OSError("cannot close")

    log.clear()
    with (
        pytest.raises(OSError, match="cannot close"),
        managed(Part("a", log), Bad("b", log)) as (a, _),
    ):
        assert a.name == "a"
    assert log[2:] == ["closed b", "closed a"]
    with pytest.raises(TypeError, match="async with"):
        managed(AsyncPart("c", [])).__enter__()


async def test_managed_in_a_loop_takes_both_kinds():
    log: list[str] = []
    async with managed(AsyncPart("a", log), Part("b", log)) as (a, b):
        assert (a.name, b.name) == ("a", "b")
    async with managed(Part("alone", log)) as alone:
        assert alone.name == "alone"
    assert log == [
        "made a",
        "made b",
        "closed b",
        "closed a",
        "made alone",
        "closed alone",
    ]
