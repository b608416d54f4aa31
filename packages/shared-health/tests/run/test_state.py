"""Thresholds, ages and history on numbers; the laws hold for any run of results."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.health import CheckResult, HealthStatus
from shared.health._run.state import HISTORY, CheckState

H, D, U = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY
results = st.lists(st.sampled_from([H, D, U]), max_size=40)
counts = st.integers(1, 4)


def feed(state, statuses, begin=0.0):
    now = begin
    for status in statuses:
        state.start(now)
        state.finish(now + 0.1, CheckResult(status, "why" if status is not H else ""))
        now = state.next_at
        yield state.status


@given(results, counts, counts)
def test_the_status_follows_the_thresholds(statuses, fail_after, pass_after):
    state = CheckState("x", fail_after=fail_after, pass_after=pass_after)
    seen = list(feed(state, statuses))
    for i, status in enumerate(seen):
        so_far = statuses[: i + 1]
        before = seen[i - 1] if i else None
        fails = next((n for n, s in enumerate(reversed(so_far)) if s is not U), len(so_far))
        passes = next((n for n, s in enumerate(reversed(so_far)) if s is U), len(so_far))
        if fails:
            expected = U if before is None or fails >= fail_after else before
        elif before in {H, D} or passes >= pass_after:
            expected = so_far[-1]
        else:
            expected = before
        assert status is expected, (so_far, seen)
    assert state.failures == next(
        (n for n, s in enumerate(reversed(statuses)) if s is not U), len(statuses)
    )


@given(st.lists(st.sampled_from([H, U]), max_size=150))
def test_the_history_keeps_the_last_sixty(statuses):
    state = CheckState("x")
    list(feed(state, statuses))
    assert [s for _, s in state.history] == statuses[-HISTORY:]


def test_a_first_failure_counts_at_once():
    state = CheckState("x", fail_after=3)
    assert state.view(0).status is None
    assert state.view(0).verdict is U
    assert list(feed(state, [U])) == [U]
    assert list(feed(state, [H, U, U])) == [H, H, H]
    assert list(feed(state, [U])) == [U]


def test_runs_keep_their_rate_and_never_pile_up():
    state = CheckState("x", interval=10, timeout=30)
    state.start(100)
    state.finish(103, CheckResult(H))
    assert state.next_at == 110
    state.start(110)
    state.finish(125, CheckResult(H))
    assert state.next_at == 125


def test_a_hung_run_fails_as_often_as_runs_would_have():
    state = CheckState("x", interval=10, timeout=1, fail_after=3)
    list(feed(state, [H]))
    state.start(20)
    assert not state.give_up(20.9)
    assert state.give_up(21)
    assert (state.status, state.failures, state.error) == (H, 1, "timeout")
    assert not state.give_up(30.9)
    assert state.give_up(31)
    assert state.give_up(41)
    assert (state.status, state.failures) == (U, 3)
    # When it returns at last, what it says is about long ago: the next run counts.
    state.finish(45, CheckResult(H))
    assert (state.status, state.next_at) == (U, 45)
    list(feed(state, [H], 45))
    assert (state.status, state.failures) == (H, 0)


def test_a_run_that_returns_too_late_failed_even_if_nobody_watched():
    state = CheckState("x", timeout=1)
    state.start(0)
    state.finish(1.5, CheckResult(H))
    assert (state.status, state.error) == (U, "timeout")


def test_ages_and_staleness():
    state = CheckState("x", stale_after=30)
    list(feed(state, [U, H]))
    view = state.view(40.1)
    assert (view.status, view.error) == (H, "")
    assert view.succeeded_ago is not None
    assert abs(view.succeeded_ago - 30.0) < 1e-9
    assert view.failed_ago == 40.0
    assert state.view(40.2).status is U
    assert state.view(40.2).error == "stale: no result for 30.1 s"


def test_an_uncritical_failure_degrades():
    state = CheckState("x", critical=False)
    assert state.view(0).verdict is D
    list(feed(state, [U]))
    assert (state.view(1).status, state.view(1).verdict) == (U, D)
