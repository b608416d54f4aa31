"""The breaker's state machine, checked against a model written down independently."""

import contextlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    CountWindow,
    TimeWindow,
)
from shared.resilience.testing import VirtualClock

TIMEOUT = 10.0
SECONDS = 30.0  # of a time window; all times are whole, so its hundredths are exact
SLOW = 5.0


class BreakerModel(RuleBasedStateMachine):
    """Permits are taken and ended in any order and at any time, as concurrent calls do."""

    permits = Bundle("permits")

    @initialize(
        threshold=st.integers(1, 3),
        probes=st.integers(1, 3),
        successes=st.integers(1, 3),
        window=st.none() | st.integers(1, 6).map(CountWindow) | st.just(TimeWindow(SECONDS)),
        minimum=st.integers(1, 6),
        rate=st.sampled_from([0.25, 0.5, 1.0]),
        slow=st.none() | st.sampled_from([0.5, 1.0]),
    )
    def make(self, threshold, probes, successes, window, minimum, rate, slow):
        self.clock = VirtualClock()
        self.heard: list[tuple[str, str]] = []
        self.breaker = CircuitBreaker(
            "model",
            CircuitBreakerConfig(
                failure_threshold=threshold,
                timeout=TIMEOUT,
                half_open_max_calls=probes,
                success_threshold=successes,
                window=window,
                minimum_calls=minimum,
                failure_rate=rate,
                slow_call_duration=None if slow is None else SLOW,
                slow_call_rate=slow or 1.0,
                ignore=KeyError,
                record=(ValueError, KeyError),
            ),
            clock=self.clock,
        )
        self.breaker.on_transition(lambda breaker, old, new: self.heard.append((old, new)))
        self.threshold, self.max_probes, self.needed = threshold, probes, successes
        self.window, self.rate, self.slow_rate = window, rate, slow
        self.minimum = min(minimum, window.size) if isinstance(window, CountWindow) else minimum
        self.expected: list[tuple[str, str]] = []
        self.rejected = self.opened = 0
        self.state = "closed"
        self.enter("closed")

    def enter(self, state):
        if state != self.state:
            self.expected.append((self.state, state))
        self.state = state
        self.generation = object()
        self.outcomes: list[tuple[float, bool, bool]] = []  # (when, failed, slow)
        self.watched = False
        self.flying = 0
        self.good = 0
        if state == "open":
            self.until = self.clock() + TIMEOUT
            self.opened += 1

    def judged(self):
        """The outcomes that count now."""
        if isinstance(self.window, CountWindow):
            return self.outcomes[-self.window.size :]
        if isinstance(self.window, TimeWindow):
            return [one for one in self.outcomes if self.clock() - one[0] <= SECONDS]
        bad = 0  # in a row
        while bad < len(self.outcomes) and any(self.outcomes[-1 - bad][1:]):
            bad += 1
        return self.outcomes[len(self.outcomes) - bad :]

    def admits(self):
        if self.state == "open" and self.clock() >= self.until:
            self.enter("half_open")
        if self.state in {"closed", "disabled", "metrics_only"}:
            return True
        if self.state == "half_open" and self.flying < self.max_probes:
            self.flying += 1
            return True
        self.rejected += 1
        return False

    def end(self, generation, started, *, failed):
        """What an outcome (``None``: says nothing) must do."""
        if generation is not self.generation:
            return
        slow = self.slow_rate is not None and self.clock() - started >= SLOW
        if self.state == "half_open":
            self.flying -= 1
            if failed is None:
                return
            if failed or slow:
                self.enter("open")
            else:
                self.good += 1
                if self.good >= self.needed:
                    self.enter("closed")
        elif self.state in {"closed", "metrics_only"} and failed is not None:
            self.outcomes.append((self.clock(), failed, slow))
            if self.opens(bad=failed or slow) and self.state == "closed":
                self.enter("open")

    def opens(self, *, bad):
        counted = self.judged()
        if self.window is None:
            return len(counted) >= self.threshold
        # Looked at when something went wrong, and until there were enough calls to judge it.
        if not (bad or self.watched):
            return False
        calls = len(counted)
        failures, slow = (sum(one[which] for one in counted) for which in (1, 2))
        self.watched = calls < self.minimum and failures + slow > 0
        return calls >= self.minimum and (
            failures >= self.rate * calls
            or (self.slow_rate is not None and slow >= self.slow_rate * calls)
        )

    @rule(target=permits)
    def acquire(self):
        admitted = self.admits()
        permit = self.breaker.try_acquire()
        assert (permit is not None) == admitted
        return permit, self.generation, self.clock()

    @rule(held=consumes(permits), again=st.sampled_from(["success", "failure", "release"]))
    def succeed(self, held, again):
        permit, generation, started = held
        if permit is not None:
            permit.success()
            getattr(permit, again)()  # a second end changes nothing
            self.end(generation, started, failed=False)

    @rule(held=consumes(permits))
    def fail(self, held):
        permit, generation, started = held
        if permit is not None:
            permit.failure(ValueError())
            permit.success()
            self.end(generation, started, failed=True)

    @rule(held=consumes(permits))
    def answer_with_an_exception_that_is_not_recorded(self, held):
        permit, generation, started = held
        if permit is not None:
            permit.failure(TypeError())
            self.end(generation, started, failed=False)

    @rule(held=consumes(permits), how=st.sampled_from(["release", "cancel", "refusal", "ignore"]))
    def say_nothing(self, held, how):
        permit, generation, started = held
        if permit is None:
            return
        if how == "release":
            permit.release()
        else:
            exceptions = {"cancel": KeyboardInterrupt, "refusal": CircuitOpenError}
            permit.failure(exceptions.get(how, KeyError)())
        self.end(generation, started, failed=None)

    @rule(exc=st.sampled_from([None, ValueError, TypeError, KeyError, KeyboardInterrupt]))
    def call(self, exc):
        """A call that is over at once, on the path without permits where there is one."""

        def work():
            if exc is not None:
                raise exc

        admitted = self.admits()
        generation, started, rejected = self.generation, self.clock(), False
        try:
            self.breaker.call(work)
        except CircuitOpenError:
            rejected = True
        except (ValueError, TypeError, KeyError, KeyboardInterrupt) as caught:
            assert type(caught) is exc  # noqa: PT017 - it may come or not
        assert rejected == (not admitted)
        if admitted:
            failed = {KeyError: None, KeyboardInterrupt: None}.get(exc, exc is ValueError)
            self.end(generation, started, failed=failed)

    @rule(seconds=st.sampled_from([0, 1, 4, 5, 9, 10, 11, 30, 31]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule(how=st.sampled_from(["reset", "force_open", "disable", "metrics_only"]))
    def operate(self, how):
        getattr(self.breaker, how)()
        self.enter(
            {"reset": "closed", "force_open": "forced_open", "disable": "disabled"}.get(how, how)
        )

    @invariant()
    def agrees(self):
        if not hasattr(self, "breaker"):
            return
        state = self.state
        if state == "open" and self.clock() >= self.until:
            state = "half_open"
        metrics = self.breaker.metrics
        assert self.breaker.state == metrics.state == state
        assert metrics.probes == (self.flying if self.state == "half_open" else 0)
        assert metrics.retry_after == (self.until - self.clock() if state == "open" else None)
        assert (metrics.rejected, metrics.opened) == (self.rejected, self.opened)
        assert self.heard == self.expected
        if self.state in {"closed", "metrics_only"}:
            counted = self.judged()
            failures, slow = (sum(one[which] for one in counted) for which in (1, 2))
            if self.window is None:
                failures, slow = len(counted), 0
            assert (metrics.calls, metrics.failures, metrics.slow_calls) == (
                len(counted),
                failures,
                slow,
            )


TestBreakerModel = BreakerModel.TestCase
TestBreakerModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_every_transition_there_is(clock):
    """The model walks where chance leads it; these are all the ways there are."""
    heard = set()
    forced = {"forced_open": "force_open", "disabled": "disable", "metrics_only": "metrics_only"}
    reached = {
        "closed": lambda breaker: breaker.reset(),
        "open": lambda breaker: (breaker.reset(), trip(breaker)),
        "half_open": lambda breaker: (
            breaker.reset(),
            trip(breaker),
            clock.advance(TIMEOUT),
            breaker.try_acquire(),
        ),
    } | {state: lambda breaker, how=how: getattr(breaker, how)() for state, how in forced.items()}

    def trip(breaker):
        with contextlib.suppress(ValueError):
            breaker.call(int, "x")

    for start in reached:
        for end in ["closed", *forced]:
            breaker = CircuitBreaker("all", CircuitBreakerConfig(1, TIMEOUT), clock=clock)
            reached[start](breaker)
            breaker.on_transition(lambda breaker, old, new: heard.add((str(old), str(new))))
            getattr(breaker, {"closed": "reset"}.get(end) or forced[end])()
            assert breaker.state == end
    states = list(reached)
    assert heard == {(a, b) for a in states for b in ["closed", *forced] if a != b}


def test_states_compare_to_their_text():
    assert CircuitState("half_open") is CircuitState.HALF_OPEN
    with pytest.raises(ValueError, match="ajar"):
        CircuitState("ajar")
