"""What every test may need: lines as dicts, and logging as it was before."""

import io
import json
import logging
import time

import pytest
from prometheus_client import CollectorRegistry

from shared.observability import configure_logging
from shared.observability._configure import reset


@pytest.fixture(autouse=True)
def fresh_logging():
    """Every test starts unconfigured and leaves nothing behind."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    reset()
    root.handlers[:] = handlers
    root.setLevel(level)


class Lines(io.StringIO):
    """A stream whose content reads as parsed JSON lines."""

    def records(self):
        text = self.getvalue()
        assert text == "" or text.endswith("\n")
        return [json.loads(line, parse_constant=_refuse) for line in text.split("\n")[:-1]]

    def last(self):
        return self.records()[-1]


def _refuse(constant):
    raise ValueError(f"{constant} is not strict JSON")


@pytest.fixture
def lines():
    """JSON logging into memory."""
    stream = Lines()
    configure_logging("DEBUG", output=stream)
    return stream


@pytest.fixture
def new_lines():
    return Lines


@pytest.fixture(scope="session")
def until():
    """Wait for a condition; the failure names what did not come."""

    def wait(what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"waited in vain for {what}"
            time.sleep(0.002)
        return found

    return wait


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture(scope="session")
def request_lines(until):
    """Wait for the lines of the middleware: a client gets its answer before they are written."""

    def wait(logs, count):
        def found():
            lines = [line for line in logs if line["logger"] == "http"]
            return lines if len(lines) >= count else None

        return until(f"{count} request lines", found)

    return wait
