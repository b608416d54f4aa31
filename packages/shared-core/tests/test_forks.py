"""A forked child starts again, in order, whatever one of the objects does."""

import gc
import os
import subprocess
import sys

import pytest

from shared.core import forks

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


class Noted:
    def __init__(self, name, fails=False):
        self.name = name
        self.fails = fails
        forks.renew(self)

    def renew_after_fork(self):
        order.append(self.name)
        if self.fails:
            raise RuntimeError(self.name)


order = []


def in_child(fn):
    """Run in a forked child; return what it writes."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, repr(fn()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text


def test_objects_start_again_in_the_order_they_were_made_and_one_failure_stops_none(capfd):
    first, second, third = Noted("a"), Noted("b", fails=True), Noted("c")
    gone = Noted("gone")
    del gone
    gc.collect()
    assert in_child(lambda: list(order)) == "['a', 'b', 'c']"
    assert order == []
    assert "RuntimeError: b" in capfd.readouterr().err
    del first, second, third


def test_what_is_kept_is_not_finalised_in_the_child():
    code = """
import os
from shared.core import forks
class Socket:
    def __del__(self):
        os.write(1, b"%d " % (os.getpid() == parent))
class Store:
    def __init__(self):
        self.socket = Socket()
        forks.renew(self)
    def renew_after_fork(self):
        forks.keep(self.socket)
        self.socket = None
parent = os.getpid()
store = Store()
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "1 "


def test_functions_of_modules_come_first():
    seen = []

    @forks.after_fork
    def renew():
        seen.append(list(order))

    try:
        one = Noted("after")
        assert in_child(lambda: (seen, list(order))) == "([[]], ['after'])"
        del one
    finally:
        forks._functions.remove(renew)
