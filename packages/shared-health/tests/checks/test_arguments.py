"""The times and functions of the checks: served, or refused where the check is made."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from shared.health import checks


class Client:
    def ping(self) -> bool:
        return True

    def execute(self, text: str) -> None:
        pass


MAKERS: dict[str, Any] = {
    "postgres": lambda timeout: checks.postgres(Client(), timeout=timeout),
    "redis": lambda timeout: checks.redis(Client(), timeout=timeout),
    "clickhouse": lambda timeout: checks.clickhouse(Client(), timeout=timeout),
    "http": lambda timeout: checks.http("http://127.0.0.1", timeout=timeout),
}


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, None, "5"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_wrong_timeout_is_refused(make, bad):
    with pytest.raises((ValueError, TypeError), match="timeout must be a finite number above 0"):
        make(bad)


@pytest.mark.parametrize("good", [1, 1e300, timedelta(seconds=1)])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_other_timeouts_are_served(make, good):
    assert callable(make(good))


@pytest.mark.parametrize("name", ["min_interval", "slow_after"])
def test_the_times_of_a_provider(name):
    bad: Any
    good: Any
    for bad in (-1, math.nan, "5"):
        with pytest.raises((ValueError, TypeError), match=f"{name} must be a number"):
            checks.ai_provider(lambda: True, **{name: bad})
    for good in (0, math.inf, timedelta(seconds=1)):
        assert checks.ai_provider(lambda: True, **{name: good})().status.ok


def test_a_provider_that_yields_is_refused():
    def models():
        yield "model"

    with pytest.raises(TypeError, match="fn must be a function that returns, not one that yields"):
        checks.ai_provider(models)
