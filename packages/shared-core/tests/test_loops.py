"""Awaiting from plain threads."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from shared.core.loops import Awaiter, running_loop


async def where():
    return asyncio.get_running_loop()


async def test_the_running_loop():
    assert running_loop() is asyncio.get_running_loop()
    assert await asyncio.to_thread(running_loop) is None


def test_asking_for_the_loop_does_not_import_asyncio():
    code = "import sys; from shared.core.loops import running_loop as r; print(r(), 'asyncio' in sys.modules)"
    run = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert run.stdout == "None False\n"


def test_without_a_loop_one_lives_until_the_end():
    awaiter = Awaiter()
    assert awaiter.run(5) == 5
    first = awaiter.run(where())
    assert awaiter.run(where()) is first
    awaiter.close()
    assert first.is_closed()
    assert awaiter.run(where()) is not first
    awaiter.close()


async def test_on_the_loop_that_it_belongs_to():
    awaiter = Awaiter(asyncio.get_running_loop())
    assert await asyncio.to_thread(awaiter.run, where()) is asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="await it"):
        awaiter.run(where())


async def test_its_own_timeout_error_is_not_mistaken_for_waiting():
    async def late():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await asyncio.to_thread(Awaiter(asyncio.get_running_loop()).run, late())


async def test_cancelling_from_another_thread():
    started = asyncio.Event()
    ended = []

    async def long():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    awaiter = Awaiter(asyncio.get_running_loop())
    waiting = asyncio.ensure_future(asyncio.to_thread(awaiter.run, long()))
    await started.wait()
    awaiter.cancel()
    with pytest.raises(BaseException) as caught:
        await waiting
    assert "Cancelled" in type(caught.value).__name__
    assert ended == [True]


def test_a_loop_that_is_closed_meanwhile_is_said():
    loop: Any = asyncio.new_event_loop()
    outcome = []

    def ask():
        try:
            outcome.append(Awaiter(loop).run(where()))
        except RuntimeError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()  # the loop does not run: it waits
    while not loop._ready:
        pass
    loop.close()
    thread.join(30)
    assert outcome == ["the event loop was closed"]


def test_a_loop_that_is_closed_already_is_not_used():
    loop = asyncio.new_event_loop()
    loop.close()
    awaiter = Awaiter(loop)
    assert awaiter.run(where()) is not loop
    awaiter.close()
