"""Shared parts of the tests: a clock that is set by hand, and an HTTP client that never raises."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def clock() -> Clock:
    return Clock()


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

    def eventually(true: Callable[[], Any], within: float = 10.0) -> None:
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.01)

    return eventually


@pytest.fixture
def python() -> Callable[[str], str]:
    """Run a program to its end and return what it printed.

    What forks runs so: a tracer of coverage's takes locks that a fork would copy.
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
