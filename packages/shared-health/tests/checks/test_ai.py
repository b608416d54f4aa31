"""The check of a provider that is paid per call."""

from __future__ import annotations

import pytest

from shared.health import HealthStatus, checks

H, D, U = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY


class Provider:
    """Answers after `takes` seconds, or fails."""

    def __init__(self, clock):
        self.clock = clock
        self.calls = 0
        self.takes = 0.1
        self.error = None

    def __call__(self):
        self.calls += 1
        self.clock.advance(self.takes)
        if self.error:
            raise self.error


@pytest.fixture
def provider(clock):
    return Provider(clock)


@pytest.fixture
def check(provider, clock):
    return checks.ai_provider(provider, min_interval=60, slow_after=2, clock=clock)


def test_the_provider_is_called_once_per_minute(provider, check, clock):
    assert check().status is H
    provider.error = ConnectionError("down")
    assert check().status is H
    assert provider.calls == 1
    clock.advance(60)
    assert check() == (D, "ConnectionError: down")


@pytest.mark.parametrize(("status", "expected"), [(429, D), (401, U), (403, U), (500, D)])
def test_the_status_of_its_error_is_judged(provider, check, status, expected):
    provider.error = RuntimeError("no")
    provider.error.response = type("Response", (), {"status_code": status})()
    assert check().status is expected


def test_a_slow_provider_is_degraded(provider, check):
    provider.takes = 3
    assert check() == (D, "slow: 3.0 s")


def test_a_provider_that_answers_false_is_degraded():
    assert checks.ai_provider(lambda: False)() == (D, "provider reports a failure")


def test_a_provider_may_judge_itself():
    assert checks.ai_provider(lambda: U)().status is U


async def test_an_async_provider():
    async def fine():
        return ["a model"]

    async def refused():
        raise PermissionError("no")

    assert (await checks.ai_provider(fine)()).status is H
    assert (await checks.ai_provider(refused)()).status is D
