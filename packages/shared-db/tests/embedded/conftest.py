"""Processes, looked at from outside."""

from pathlib import Path

import pytest


@pytest.fixture
def alive():
    """Whether a process runs: it exists and is not a zombie."""

    def is_alive(pid):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    return is_alive


@pytest.fixture
def wait_gone(until, alive):
    """Waits until processes have ended."""
    return lambda *pids: until(f"the end of {pids}", lambda: not any(map(alive, pids)))
