"""Shared parts of the tests: a virtual clock, and an HTTP client that never raises."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from shared.core.testing import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1000.0)


@pytest.fixture
def get() -> Callable[..., Answer]:
    def get(url: str, method: str = "GET", **headers: str) -> Answer:
        request = urllib.request.Request(url, method=method, headers=headers)
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, answer.headers, answer.read())

    return get


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait for something that another thread or process brings about."""

    def eventually(what: str, true: Callable[[], Any], within: float = 10.0) -> None:
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:g} s: {what}"
            time.sleep(0.01)

    return eventually


@pytest.fixture
def python() -> Callable[[str], str]:
    """Run a program to its end and return what it printed.

    For tests that fork: coverage's tracer takes locks that a fork would copy.
    """

    def python(text: str) -> str:
        command = [sys.executable, "-c", textwrap.dedent(text)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return python


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hung check waits for; opened at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()
