"""stamina's hooks and switches work."""

import asyncio

import pytest
import stamina
import stamina.instrumentation

from shared.resilience import (
    Retry,
)


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures, exc=ConnectionError):
        self.failures, self.exc, self.calls = failures, exc, 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.exc(f"number {self.calls}")
        return "answer"

    async def awaited(self, *args):
        await asyncio.sleep(0)
        return self(*args)


def test_on_retry_and_stamina_see_each_repeated_attempt_once(clock, seen):
    heard = []
    flaky = Flaky(2)
    policy = Retry(3, 0, on_retry=lambda n, exc: heard.append((n, str(exc))), clock=clock)
    policy.call(flaky, "a secret")
    assert heard == [(1, "number 1"), (2, "number 2")]
    assert [d.retry_num for d in seen] == [1, 2]
    assert all(d.args == () and d.kwargs == {} for d in seen)
    assert "secret" not in repr(seen)


def test_the_name_that_stamina_sees(clock, seen):
    @Retry(2, 0, clock=clock)
    def fetch_page(calls=[]):  # noqa: B006 - counts on purpose
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError

    fetch_page()
    assert seen[0].name.endswith("fetch_page")


def test_stamina_can_switch_it_off(clock):
    stamina.set_active(False)
    flaky = Flaky(1)
    with pytest.raises(ConnectionError):
        Retry(3, 0, clock=clock).call(flaky)
    with pytest.raises(ConnectionError):
        for attempt in Retry(3, 0, clock=clock):
            with attempt:
                Flaky(1)()
    assert flaky.calls == 1


@pytest.mark.parametrize(("attempts", "cap", "calls"), [(1, False, 1), (5, False, 5), (5, True, 3)])
def test_staminas_testing_mode_decides_the_attempts_and_does_not_sleep(attempts, cap, calls):
    heard = []
    flaky = Flaky(99)
    with stamina.set_testing(True, attempts=attempts, cap=cap), pytest.raises(ConnectionError):
        Retry(3, 3600.0, on_retry=lambda *a: heard.append(a)).call(flaky)
    assert flaky.calls == calls
    assert len(heard) == calls - 1
