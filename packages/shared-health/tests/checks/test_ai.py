"""The check of a provider that is paid per call."""

from __future__ import annotations

from shared.health import HealthStatus, checks

H, D, U = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY


def test_ai_provider(clock):
    calls = []

    class Provider:
        takes = 0.1
        error: Exception | None = None

        def __call__(self):
            calls.append(1)
            clock.advance(self.takes)
            if self.error:
                raise self.error

    fn = Provider()
    check = checks.ai_provider(fn, min_interval=60, slow_after=2, clock=clock)
    assert check().status is H
    fn.error = ConnectionError("down")
    assert check().status is H
    assert len(calls) == 1, "asked once a minute at most"
    clock.advance(60)
    assert check() == (D, "ConnectionError: down")
    for status, expected in ((429, D), (401, U), (403, U), (500, D)):
        error = RuntimeError("no")
        error.response = type("Response", (), {"status_code": status})()  # type: ignore[attr-defined]
        fn.error = error
        clock.advance(60)
        assert check().status is expected
    fn.error, fn.takes = None, 3
    clock.advance(60)
    assert check() == (D, "slow: 3.0 s")


async def test_ai_provider_async():
    async def fine():
        return ["a model"]

    async def refused():
        raise PermissionError("no")

    assert (await checks.ai_provider(fine)()).status is H
    assert (await checks.ai_provider(refused)()).status is D
