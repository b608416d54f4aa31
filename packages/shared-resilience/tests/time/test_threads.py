"""Time limits of plain functions in threads."""

import contextvars
import threading
import time

import pytest

from shared.resilience import with_timeout


def test_in_a_thread_the_caller_is_freed_and_the_slot_kept():
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("copied")
    release = threading.Event()

    @with_timeout(0.05, thread=True, max_threads=1)
    def stuck():
        release.wait(10)
        return variable.get()

    with pytest.raises(TimeoutError):
        stuck()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        stuck()  # the only slot is still taken: it does not even begin
    assert sum(t.name.startswith("with_timeout") for t in threading.enumerate()) == 1
    assert time.monotonic() - started >= 0.05
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("with_timeout"):
            thread.join(10)
    assert stuck() == "copied"


def test_in_a_thread_the_failure_is_the_functions_own():
    mine = ValueError("mine")

    @with_timeout(5.0, thread=True)
    def fail():
        raise mine

    with pytest.raises(ValueError, match="mine") as caught:
        fail()
    assert caught.value is mine
