"""The throttle refuses at the client what the service would refuse."""

import pytest

from shared.resilience import (
    AdaptiveLimiter,
    AdaptiveThrottle,
    Bulkhead,
    BulkheadFullError,
    RateLimitedError,
)


def test_throttle_follows_the_books_formula(clock):
    throttle = AdaptiveThrottle(k=2.0, clock=clock, rng=lambda: 0.999999)

    def fail():
        raise ConnectionError

    for _ in range(50):
        throttle.call(int)
    for _ in range(150):
        with pytest.raises(ConnectionError):
            throttle.call(fail)
    assert throttle.probability == pytest.approx((200 - 2 * 50) / 201)
    throttle._rng = lambda: 0.0
    with pytest.raises(RateLimitedError):
        throttle.call(int)
    assert throttle.probability == pytest.approx((201 - 2 * 50) / 202)
    clock.advance(125)
    assert throttle.probability == 0.0


def test_refusals_of_the_policies_inside_are_no_sign_of_load(clock):
    refusing = Bulkhead(1)
    throttle = AdaptiveThrottle(clock=clock, rng=lambda: 0.999)
    limiter = AdaptiveLimiter(initial=10, dropped=Exception)
    with refusing:
        for policy in (throttle, limiter):
            for _ in range(50):
                with pytest.raises(BulkheadFullError):
                    policy(refusing(int))()
    assert (throttle.probability, limiter.limit) == (0.0, 10)


def test_throttle_counts_only_what_the_service_refused(clock):
    throttle = AdaptiveThrottle(rejections=ConnectionError, clock=clock)

    def fail(exc):
        raise exc

    for _ in range(100):
        with pytest.raises(ValueError, match="a bug"):
            throttle.call(fail, ValueError("a bug"))
    with pytest.raises(KeyboardInterrupt):
        throttle.call(fail, KeyboardInterrupt())
    assert throttle.probability == 0.0


def fail(*args, **kwargs):
    raise ConnectionError("down")
