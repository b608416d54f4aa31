"""One breaker per key."""

import pytest

from shared.resilience import (
    CircuitBreakerConfig,
    CircuitBreakerRegistry,
    CircuitOpenError,
    circuit_breaker,
)


def fail(exc=ValueError):
    raise exc("no")


def failing(subject, times, exc=ValueError):
    for _ in range(times):
        with pytest.raises(exc):
            subject.call(fail, exc)


def test_registry_evicts_what_is_idle(clock, events):
    registry = CircuitBreakerRegistry(
        CircuitBreakerConfig(failure_threshold=1), max_idle=100, clock=clock
    )
    registry.get("idle")
    held = registry.get("held")
    tripped = registry.get("tripped")
    failing(tripped, 1)
    tripped.force_open()
    clock.advance(100)
    registry.get("new")
    assert {breaker.name for breaker in registry} == {"tripped", "new"}
    assert registry.get("held") is held
    assert registry.get("tripped").state == "forced_open"
    assert "evicted" in [event.kind for event in events]
    with pytest.raises(ValueError, match="config"):
        registry.get("new", CircuitBreakerConfig(failure_threshold=9))


def test_each_decorated_function_has_its_own_breaker():
    @circuit_breaker(failure_threshold=1)
    def one():
        fail()

    with pytest.raises(ValueError, match="no"):
        one()
    with pytest.raises(CircuitOpenError, match="one"):
        one()
    assert one.breaker.state == "open"


def test_a_bare_decorator_uses_the_defaults():
    @circuit_breaker
    def two():
        return 2

    assert two() == 2
    assert two.breaker.config == CircuitBreakerConfig()
