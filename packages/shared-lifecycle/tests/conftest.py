"""Shared parts of the tests: real processes that are told by real signals to stop."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Program:
    """A Python program under way; its lines are read as they come."""

    def __init__(self, command: list[str], cwd: Path, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[tuple[float, str]] = []
        self.errors: list[str] = []
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, True), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, False), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, out: bool) -> None:
        for line in stream:
            with self._more:
                if out:
                    self.lines.append((time.monotonic(), line.rstrip("\n")))
                else:
                    self.errors.append(line.rstrip("\n"))
                self._more.notify_all()

    @property
    def output(self) -> list[str]:
        return [line for _, line in self.lines]

    def line(self, start: str, within: float = 60.0) -> tuple[float, str]:
        """The first line with that beginning, and when it came."""
        with self._more:
            found = lambda: next((x for x in self.lines if x[1].startswith(start)), None)  # noqa: E731 - used twice
            assert self._more.wait_for(found, within), (start, self.output, self.errors)
            line = found()
            assert line is not None
            return line

    def url(self, within: float = 60.0) -> str:
        """Where a server says on stderr that it will listen: with port 0, it alone knows."""
        address = re.compile(r"http://127\.0\.0\.1:[1-9]\d*")
        with self._more:
            found = lambda: next((m[0] for e in self.errors if (m := address.search(e))), None)  # noqa: E731 - used twice
            assert self._more.wait_for(found, within), self.errors
            url = found()
            assert url is not None
            return url

    def signal(self, number: int) -> float:
        self.process.send_signal(number)
        return time.monotonic()

    def end(self, within: float = 60.0) -> int:
        code = self.process.wait(within)
        for reader in self._readers:
            reader.join(5)
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Run a program text, or a whole command line."""
    programs: list[Program] = []

    def run(text: str = "", *, command: list[str] | None = None, env: Any = None) -> Program:
        if command is None:
            file = tmp_path / f"program{len(programs)}.py"
            file.write_text(textwrap.dedent(text))
            command = [sys.executable, "-u", str(file)]
        programs.append(Program(command, tmp_path, env))
        return programs[-1]

    yield run
    for program in programs:
        program.close()


@pytest.fixture
def fetch() -> Callable[..., tuple[int, str]]:
    def fetch(url: str, timeout: float = 20.0) -> tuple[int, str]:
        """Status and body; -1 where nobody answers."""
        try:
            with urllib.request.urlopen(url, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return -1, repr(error)

    return fetch


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait for something that another thread or process brings about."""

    def eventually(what: str, true: Callable[[], Any], within: float = 60.0) -> None:
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:g} s: {what}"
            time.sleep(0.01)

    return eventually
