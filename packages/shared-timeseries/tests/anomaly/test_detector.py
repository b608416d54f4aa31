"""The streaming detector on made-up metrics: what it must find and what it must leave alone."""

import datetime as dt
import math
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import AnomalyDetector

MINUTE5 = 300.0


def alerts(values, step=MINUTE5, **how):
    detector = AnomalyDetector(**how)
    return [i for i, v in enumerate(values) if detector.update(i * step, v).is_anomaly]


def noise(size, seed=0):
    return np.random.default_rng(seed).normal(100, 5, size)


def daily(size, seed=0):
    at = np.arange(size)
    return 100 + 40 * np.sin(2 * np.pi * at / 288) + np.random.default_rng(seed).normal(0, 3, size)


def test_noise_constant_drift_and_season_are_quiet():
    assert alerts([7.0] * 3000) == []
    assert sum(len(alerts(noise(4000, seed))) for seed in range(5)) <= 25
    assert sum(len(alerts(daily(4000, seed))) for seed in range(5)) <= 25
    drift = noise(4000) + np.arange(4000) * 0.004
    assert len(alerts(drift)) <= 8


@pytest.mark.parametrize("seed", range(3))
def test_a_spike_is_told_at_once_and_once(seed):
    values = noise(3000, seed)
    values[2500:2510] += 80
    found = [i for i in alerts(values) if i >= 2500]
    assert found[0] == 2500
    assert len([i for i in found if i < 2700]) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_a_level_shift_is_told_and_then_is_the_new_normal(seed):
    values = noise(6000, seed)
    values[2000:] += 60
    found = [i for i in alerts(values) if i >= 2000]
    assert found[0] <= 2002
    assert len([i for i in found if i > 2300]) <= 3


def test_a_usual_value_at_an_unusual_hour_is_told():
    values = daily(288 * 14)
    at = 288 * 12 + 72  # the height of the day
    values[at : at + 6] = 60.0  # as at night
    assert any(at <= i < at + 6 for i in alerts(values))
    assert not any(at - 288 * 2 <= i < at for i in alerts(values))


def test_what_happens_often_is_no_news():
    random = np.random.default_rng(1)
    values = random.normal(10, 1, 6000)
    values[random.random(6000) < 0.02] += 50  # a job that runs now and then
    assert len([i for i in alerts(values) if i > 1000]) <= 3


def test_a_nightly_job_on_a_flat_line_is_soon_no_news():
    values = [80.0 if i % 288 == 50 else 20.0 for i in range(288 * 28)]
    assert [i for i in alerts(values) if i > 288 * 7] == []


def test_the_first_move_off_a_flat_line_is_told():
    values = [5.0] * 1000
    values[700] = 5.1
    assert alerts(values) == [700]


def test_silence_and_unknown_values_are_passed_over():
    detector = AnomalyDetector()
    values = noise(2000)
    for i, v in enumerate(values[:1500]):
        detector.update(i * MINUTE5, v)
    for bad in (None, math.nan, math.inf, -math.inf):
        found = detector.update(1500 * MINUTE5, bad)
        assert (found.score, found.is_anomaly) == (0.0, False)
    assert detector.update(pd.NaT, 3.0).is_anomaly is False
    assert detector.update(None, 3.0).is_anomaly is False
    assert detector.dropped == 6
    after = [
        detector.update((4000 + i) * MINUTE5, v).is_anomaly for i, v in enumerate(values[1500:])
    ]
    assert sum(after) <= 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.none(), st.integers(-(10**30), 10**30)), max_size=400))
def test_no_input_breaks_it(values):
    detector = AnomalyDetector(warm_up=0)
    for i, value in enumerate([1.0, 2.0, 3.0] * 30 + values):
        found = detector.update(i * 3600, value)
        assert 0.0 <= found.score <= 1.0
        assert not math.isnan(found.expected)
        assert found.lower <= found.expected <= found.upper


def test_causal_and_picklable():
    values = daily(3000)
    values[2800] += 200
    whole, cut = AnomalyDetector(), AnomalyDetector()
    first = [whole.update(i * MINUTE5, v) for i, v in enumerate(values)]
    part = [cut.update(i * MINUTE5, v) for i, v in enumerate(values[:1500])]
    cut = pickle.loads(pickle.dumps(cut))
    part += [cut.update((1500 + i) * MINUTE5, v) for i, v in enumerate(values[1500:])]
    assert first == part
    assert first[2800].is_anomaly


def test_memory_does_not_grow():
    def size(detector):
        return len(pickle.dumps(detector))

    detector = AnomalyDetector()
    for i, v in enumerate(noise(5000)):
        detector.update(i, v)
    early = size(detector)
    for i, v in enumerate(noise(30_000, 1)):
        detector.update(5000 + i, v)
    assert size(detector) <= early + 500
    assert sys.getsizeof(detector) < 1000


def test_scale_and_shift_do_not_matter():
    values = noise(2000)
    values[1500] += 70
    plain = alerts(values)
    assert alerts(values * 1e6) == plain
    assert alerts(values * 2**-20) == plain
    assert 1500 in alerts(values - 1e5)


def test_every_form_of_time():
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    values = daily(2000)
    values[1800] += 300

    def run(times, **how):
        detector = AnomalyDetector(**how)
        return [detector.update(t, v) for t, v in zip(times, values, strict=True)]

    seconds = [start.timestamp() + i * 300 for i in range(2000)]
    plain = run(seconds)
    aware = [start + dt.timedelta(seconds=300 * i) for i in range(2000)]
    assert run(aware) == plain
    assert run([t.replace(tzinfo=None) for t in aware]) == plain
    assert run([np.datetime64(t.replace(tzinfo=None)) for t in aware]) == plain
    assert run([t.isoformat() for t in aware]) == plain
    assert run([s * 1e3 for s in seconds], unit="ms") == plain
    assert plain[1800].is_anomaly


@pytest.mark.parametrize(
    "how",
    [
        {"threshold": 0},
        {"threshold": 1.5},
        {"warm_up": -1},
        {"quiet": -1},
        {"season": "1mo"},
        {"unit": "d"},
    ],
    ids=str,
)
def test_a_wrong_value_is_named(how):
    with pytest.raises(ValueError, match=f"^{next(iter(how))} must be "):
        AnomalyDetector(**how)


def test_naive_and_aware_points_are_never_mixed():
    detector = AnomalyDetector()
    detector.update(dt.datetime(2024, 1, 1), 1.0)
    with pytest.raises(TypeError, match="mixed"):
        detector.update(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), 1.0)
    with pytest.raises(TypeError, match=r"^timestamp must be a datetime"):
        detector.update([], 1.0)


def restless(seed, size=4000):
    """Metrics that move a lot and have nothing to tell."""
    random = np.random.default_rng(seed)
    at, white = np.arange(size), random.normal(size=size)
    wandering = np.zeros(size)
    for i in range(1, size):
        wandering[i] = 0.95 * wandering[i - 1] + white[i]
    bursts = np.convolve(random.random(size) < 0.01, np.ones(20), "same") > 0
    office = (at // 288 % 7 < 5) * np.maximum(0, np.sin(2 * np.pi * at / 288))
    return {
        "autoregressive": 50 + wandering,
        "log-normal": np.exp(white),
        "heavy-tailed": random.standard_t(2, size),
        "sawtooth": at % 97 / 97 * 50 + white,
        "steps": np.repeat(random.choice([10, 30, 60], size // 40), 40) + white / 2,
        "rounded": np.round(20 + white * 0.7),
        "counter": np.cumsum(random.poisson(5, size)),
        "bursts": np.where(bursts, random.gamma(2, 20, size), random.gamma(2, 2, size)),
        "working days": 30 + 20 * office + white,
        "mostly zero": np.where(random.random(size) < 0.7, 0, random.exponential(4, size)),
        "random walk": np.cumsum(white),
    }


@pytest.mark.parametrize("kind", restless(0, 40))
def test_restless_metrics_ring_seldom(kind):
    rung, highest = 0, 0.0
    for seed in range(3):
        detector = AnomalyDetector()
        found = [detector.update(i * MINUTE5, v) for i, v in enumerate(restless(seed)[kind])]
        rung += sum(one.is_anomaly for one in found)
        highest = max(highest, *(one.score for one in found))
    assert rung <= 30  # of 12,000 points
    assert highest < 0.9  # room above for what is worse
