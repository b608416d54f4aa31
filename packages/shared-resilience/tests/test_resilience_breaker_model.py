"""The breaker's state machine, checked against a model written down independently."""

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
)
from shared.resilience.testing import VirtualClock

TIMEOUT = 10.0


class BreakerModel(RuleBasedStateMachine):
    """Permits are taken and ended in any order and at any time, as concurrent calls do."""

    permits = Bundle("permits")

    @initialize(
        threshold=st.integers(1, 3),
        probes=st.integers(1, 3),
        successes=st.integers(1, 3),
        window=st.none() | st.integers(1, 6),
        minimum=st.integers(1, 6),
        rate=st.sampled_from([0.25, 0.5, 1.0]),
    )
    def make(self, threshold, probes, successes, window, minimum, rate):
        self.clock = VirtualClock()
        self.heard: list[tuple[str, str]] = []
        self.breaker = CircuitBreaker(
            "model",
            CircuitBreakerConfig(
                failure_threshold=threshold,
                timeout=TIMEOUT,
                half_open_max_calls=probes,
                success_threshold=successes,
                window=None if window is None else CountWindow(window),
                minimum_calls=minimum,
                failure_rate=rate,
            ),
            clock=self.clock,
        )
        self.breaker.on_transition(lambda breaker, old, new: self.heard.append((old, new)))
        self.threshold, self.max_probes, self.needed = threshold, probes, successes
        self.window, self.rate = window, rate
        self.minimum = minimum if window is None else min(minimum, window)
        self.expected: list[tuple[str, str]] = []
        self.state = "closed"
        self.enter("closed")
        self.expected.clear()

    def enter(self, state):
        if state != self.state:
            self.expected.append((self.state, state))
        self.state = state
        self.generation = object()
        self.outcomes = []
        self.flying = 0
        self.good = 0
        if state == "open":
            self.until = self.clock() + TIMEOUT

    @rule(target=permits)
    def acquire(self):
        if self.state == "open" and self.clock() >= self.until:
            self.enter("half_open")
        permit = self.breaker.try_acquire()
        if self.state in {"closed", "disabled", "metrics_only"}:
            admitted = True
        elif self.state == "half_open":
            admitted = self.flying < self.max_probes
            self.flying += admitted
        else:
            admitted = False
        assert (permit is not None) == admitted
        return permit, self.generation

    def end(self, held, outcome):
        """What an outcome (True: failed, False: went well, None: says nothing) must do."""
        permit, generation = held
        if permit is None or generation is not self.generation:
            return
        if self.state == "half_open":
            self.flying -= 1
            if outcome is True:
                self.enter("open")
            elif outcome is False:
                self.good += 1
                if self.good >= self.needed:
                    self.enter("closed")
        elif self.state in {"closed", "metrics_only"} and outcome is not None:
            self.outcomes.append(outcome)
            if self.window is None:
                tail = self.outcomes[-self.threshold :]
                opens = len(tail) == self.threshold and all(tail)
            else:
                tail = self.outcomes[-self.window :]
                opens = len(tail) >= self.minimum and sum(tail) >= self.rate * len(tail)
                # Looked at when something failed, or when the minimum is just complete.
                opens = opens and (outcome or (len(self.outcomes) == self.minimum))
            if opens and self.state == "closed":
                self.enter("open")

    @rule(held=consumes(permits))
    def succeed(self, held):
        if held[0] is not None:
            held[0].success()
            held[0].failure(ValueError())  # a second end changes nothing
        self.end(held, outcome=False)

    @rule(held=consumes(permits))
    def fail(self, held):
        if held[0] is not None:
            held[0].failure(ValueError())
            held[0].success()
        self.end(held, outcome=True)

    @rule(held=consumes(permits), how=st.sampled_from(["release", "cancel", "refusal"]))
    def say_nothing(self, held, how):
        if held[0] is not None:
            if how == "release":
                held[0].release()
            else:
                held[0].failure(KeyboardInterrupt() if how == "cancel" else CircuitOpenError())
        self.end(held, outcome=None)

    @rule(seconds=st.sampled_from([0.0, 1.0, 9.0, 10.0, 11.0]))
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
        assert self.breaker.state == state
        assert self.breaker.metrics.probes == (self.flying if self.state == "half_open" else 0)
        assert self.heard == self.expected


TestBreakerModel = BreakerModel.TestCase
TestBreakerModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_states_compare_to_their_text():
    assert CircuitState("half_open") is CircuitState.HALF_OPEN
    with pytest.raises(ValueError, match="ajar"):
        CircuitState("ajar")
